"""The one way a file or a folder is written: after a crash it is the old one or the new one, whole.

What is written goes to a temporary name in the same folder, which then takes the place of the old.
A temporary name says which process made it, so that `sweep` can take away what a kill has left.
Pure functions; any thread, one writer of a path at a time. Needs nothing else of GAN-808.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# Longest name of a file in bytes on the file systems in use; a temporary name must fit as well.
MAX_NAME_BYTES = 255
_TEMPORARY = re.compile(
    r"\.(?P<name>.*)\.(?P<pid>\d+)-[0-9a-f]{8}\.(?P<kind>partial|old)", re.DOTALL)
_IN_USE: set[Path] = set()  # this process's, which its own sweep must leave


def write_bytes(path: Path, content: bytes, *, durable: bool = False) -> None:
    """Make content the file at path. durable: as for `replacing_file`. Raises OSError."""
    with replacing_file(path, durable=durable) as unfinished:
        unfinished.write_bytes(content)


def write_text(path: Path, text: str, *, durable: bool = False) -> None:
    """Make text, in UTF-8 with line ends as they are, the file at path. Raises OSError."""
    write_bytes(path, text.encode("utf-8"), durable=durable)


@contextmanager
def replacing_file(path: Path, *, durable: bool = False) -> Iterator[Path]:
    """Yield the path of an empty file to write to; at the end of the block it replaces `path`.

    durable: on return the change survives a power cut, because the folder was synced too. Without
    it such a cut may bring the old file back, but never half of one. Where the block raises, or
    the disk is full, nothing is left and `path` is as it was. Raises OSError.
    """
    with _temporary(path, "partial") as unfinished:
        unfinished.open("xb").close()
        yield unfinished
        _sync(unfinished)
        unfinished.replace(path)
    if durable:
        _sync_folder(path.parent)


@contextmanager
def replacing_folder(folder: Path, *, durable: bool = False) -> Iterator[Path]:
    """Yield a new folder to fill; at the end of the block it replaces `folder`, if there is one.

    Its files are synced first. A kill between the two renames leaves the old folder under another
    name, from which `sweep` brings it back. Raises OSError; nothing is left then.
    """
    with _temporary(folder, "partial") as unfinished, _temporary(folder, "old") as old:
        unfinished.mkdir(parents=True)
        yield unfinished
        for path in unfinished.rglob("*"):
            if path.is_file():
                _sync(path)
        _exchange(unfinished, folder, old)
        if durable:
            _sync_folder(folder.parent)


def remove_folder(folder: Path) -> None:
    """Take a folder away: at once it has another name, which `sweep` clears where a kill leaves
    it. Raises OSError when it cannot be renamed; it is whole then."""
    with _temporary(folder, "partial") as going:
        folder.rename(going)


def _exchange(new: Path, folder: Path, old: Path) -> None:
    if folder.exists():
        folder.rename(old)
    try:
        new.rename(folder)
    except OSError:
        if old.exists():
            old.rename(folder)
        raise


def sweep(folders: Iterable[Path]) -> list[Path]:
    """Take away what killed processes have left unfinished in these folders (not below them), and
    bring back a folder that was killed between its renames. Returns what was removed or brought
    back. What another living process is writing stays. Never raises OSError."""
    swept = []
    for folder in folders:
        for path in _entries(folder):
            found = _TEMPORARY.fullmatch(path.name)
            if found is None or path in _IN_USE or _belongs_to_another(int(found["pid"])):
                continue
            with suppress(OSError):
                _put_right(path, path.with_name(found["name"]), found["kind"])
                swept.append(path)
    return swept


def _put_right(path: Path, place: Path, kind: str) -> None:
    if kind == "old" and not place.exists():
        path.rename(place)
    else:
        _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:  # not there, or not ours to read
        return []


@contextmanager
def _temporary(path: Path, kind: str) -> Iterator[Path]:
    """A name beside path that no other writer has: .NAME.PROCESS-RANDOM.KIND. What is left of it
    at the end goes; an old folder only where there is another in its place."""
    ending = f".{os.getpid()}-{os.urandom(4).hex()}.{kind}"
    room = MAX_NAME_BYTES - len(ending) - 1
    name = os.fsencode(path.name)[:room].decode("utf-8", "ignore")
    temporary = path.with_name(f".{name}{ending}")
    _IN_USE.add(temporary)
    try:
        yield temporary
    finally:
        if kind == "partial" or path.exists():
            with suppress(OSError):
                _remove(temporary)
        _IN_USE.discard(temporary)


def _belongs_to_another(pid: int) -> bool:
    """Whether a process of that number runs and is not this one: in a container every start has
    the number of the last."""
    if pid == os.getpid():
        return False
    if sys.platform == "win32":
        return True  # asking would end the process; what a kill leaves there stays
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _sync(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """A rename is on the disk when its folder is."""
    with suppress(OSError):  # Windows cannot open a folder, and does without
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
