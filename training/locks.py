"""One writer a folder: a lock that the system takes back from a process that died, and beside it
who holds it. On the caller's thread."""

from __future__ import annotations

import errno
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from gan808.errors import TrainingError
from gan808.toml_json import from_json

# File systems of other machines may know no locks: then there is none, as before.
WITHOUT_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)


def _holder_file(lock: Path) -> Path:
    return lock.with_name(f"{lock.name}.json")


def _holder(lock: Path) -> str:
    """Who holds it, in words."""
    try:
        told = from_json(_holder_file(lock).read_text(encoding="utf-8"))
        return f"process {told['pid']} on {told['host']}, since {told['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "a process that has just begun"


@contextmanager
def locked(lock: Path, folder: Path, advice: str) -> Iterator[None]:
    """Hold the lock file `lock`, whose folder must exist, while writing into `folder`.

    Raises TrainingError, with who holds it and the advice, when another process does, or when the
    lock cannot be written.
    """
    held = FileLock(lock)
    holder = _holder_file(lock)
    try:
        try:
            held.acquire(timeout=0)
        except OSError as error:
            if isinstance(error, Timeout) or error.errno not in WITHOUT_LOCKS:
                raise
        now = datetime.now().isoformat(sep=" ", timespec="minutes")
        writing = holder.with_suffix(".writing")
        writing.write_text(json.dumps(
            {"pid": os.getpid(), "host": socket.gethostname(), "since": now}), encoding="utf-8")
        writing.replace(holder)
    except Timeout as error:
        raise TrainingError(f"{folder}: another gan808 is writing there ({_holder(lock)}); wait "
                            f"for it or stop it, or {advice}") from error
    except OSError as error:
        held.release()
        raise TrainingError(f"{folder}: cannot write there ({error.strerror})") from error
    try:
        yield
    finally:
        holder.unlink(missing_ok=True)
        held.release()
