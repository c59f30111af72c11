"""Where the panel of a running instrument is: a file in the state folder says so. Any thread."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from gan808 import atomic
from gan808.errors import DeviceError

ANSWER_S = 1.0


def tell(file: Path, url: str) -> Callable[[], None]:
    """Write it down; what is returned takes it back, unless another has told its own since. A
    folder that cannot be written costs nothing but that."""
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        atomic.write_text(file, url)

    def take_back() -> None:
        with suppress(OSError):
            if file.read_text(encoding="utf-8") == url:
                file.unlink()

    return take_back


def find(file: Path, configured: str) -> str:
    """The address that was told, or the configured one, whichever is served. Raises DeviceError."""
    told = ""
    with suppress(OSError, UnicodeDecodeError):
        told = file.read_text(encoding="utf-8").strip()
    for url in (told, configured):
        if url and _is_served(url):
            return url
    raise DeviceError(f"no panel is served at {told or configured}; start one with `gan808 run`")


def _is_served(url: str) -> bool:
    try:
        parts = urlsplit(url)
        if parts.scheme != "http" or parts.hostname is None:
            return False
        socket.create_connection((parts.hostname, parts.port or 80), ANSWER_S).close()
    except (OSError, ValueError):
        return False
    return True
