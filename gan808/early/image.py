"""The image of a start: everything the first note takes, in one file of the user's cache.

A line with the checksum of the rest, a line of JSON, then raw bytes that the JSON points into. It
holds compiled code, and so is as trusted as what native.py keeps beside it: who may write there may
run code as the user. An image is used only while everything it was made from is as it was; what
that is, its `needs` say. Main thread.
"""

from __future__ import annotations

import json
import os
import sys
import zlib

TYPE_CHECKING = False  # typing's own takes longer to load than all else here
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

FORMAT = 1
MAX_BYTES, MAX_TEXT_BYTES = 64 << 20, 1 << 16
PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# Which folders are the user's hangs on these.
FOLDERS = ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME")
# Options of `run` that the first note hangs on; those that it does not are left out.
OPTIONS = ("kit", "output", "midi", "seed", "fresh", "config")
# With these there is nothing to play at once, or it must not begin before the rest.
LATE_OPTIONS = ("fast", "record")


class Unfit(Exception):
    """This start is none that can be early; the ordinary one deals with it."""


class Image:
    """facts: what making.py writes down; the bytes are asked for by where they begin and end."""

    def __init__(self, facts: dict[str, Any], content: memoryview) -> None:
        self.facts = facts
        self._content = content

    def bytes_at(self, span: list[int]) -> memoryview:
        """The bytes from span[0] to span[1]. Raises Unfit beyond the end."""
        begin, end = span
        if not 0 <= begin <= end <= len(self._content):
            raise Unfit("the image points beyond its end")
        return self._content[begin:end]


def folder() -> str:
    """Where images are kept: paths.py's cache folder, found without its library."""
    cache = os.environ.get("XDG_CACHE_HOME", "").strip()
    return f"{cache if os.path.isabs(cache) else os.path.expanduser('~/.cache')}/gan808/early"


def key_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """Which of a user's images it is: the options that matter, as JSON values."""
    chosen = {name: options.get(name) for name in OPTIONS}
    return {name: value if isinstance(value, int) else str(value)
            for name, value in chosen.items() if value is not None and value is not False}


def path_of(key: Mapping[str, Any]) -> str:
    """The file of that image."""
    return f"{folder()}/{zlib.crc32(json.dumps(key, sort_keys=True).encode()):08x}.image"


def packed(facts: Mapping[str, Any], content: bytes) -> bytes:
    """An image as the content of its file."""
    whole = json.dumps(facts, sort_keys=True).encode() + b"\n" + content
    return b"%08x\n" % zlib.crc32(whole) + whole


def write(path: str, whole: bytes) -> None:
    """Make this the image, unless it is already; whole or not at all. Raises OSError."""
    if read_whole(path) == whole:
        return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    unfinished = f"{path}.{os.getpid()}.partial"
    with open(unfinished, "wb") as file:
        file.write(whole)
    os.replace(unfinished, path)


def read_whole(path: str) -> bytes:
    """The content of a file; empty where there is none, or one that is none of ours."""
    try:
        with open(path, "rb") as file:
            return file.read() if os.fstat(file.fileno()).st_size <= MAX_BYTES else b""
    except OSError:
        return b""


def read(path: str, key: Mapping[str, Any]) -> Image:
    """The image, if it is whole and of these options. Raises Unfit."""
    whole = memoryview(read_whole(path))
    told, found = bytes(whole[:9]), whole[9:]
    if told != b"%08x\n" % zlib.crc32(found):
        raise Unfit("no image, or a damaged one")
    head = bytes(found[:1 << 20]).partition(b"\n")[0]
    facts = json.loads(head)
    if facts.get("format") != FORMAT or facts.get("key") != key:
        raise Unfit("the image of another version, or of other options")
    return Image(facts, found[len(head) + 1:])


def check(needs: Mapping[str, Any]) -> None:
    """Raises Unfit unless everything the image was made from is as it was then."""
    now = {
        "python": sys.version, "program": program_mark(), "environment": environment(),
        "folder": os.getcwd() if needs["folder"] is not None else None,
        "texts": {path: text_of(path) for path in needs["texts"]},
        "files": {path: mark_of(path) for path in needs["files"]},
    }
    for name, then in needs.items():
        if now.get(name) != then:
            raise Unfit(f"{name}: not as it was")


def environment() -> dict[str, str]:
    """What of the environment matters: where things are, and what numba generates."""
    return {name: value for name, value in os.environ.items()
            if name in FOLDERS or name.startswith("NUMBA_")}


def program_mark() -> int:
    """Changes whenever a module of this program does: names, sizes and dates, as with Python's own
    compiled files."""
    mark = zlib.crc32(PACKAGE.encode())
    folders = [PACKAGE]
    while folders:
        for entry in sorted(os.scandir(folders.pop()), key=lambda entry: entry.name):
            if entry.is_dir() and not entry.name.startswith(("_", ".")):
                folders.append(entry.path)
            elif entry.name.endswith(".py"):
                status = entry.stat()
                told = f"{entry.path} {status.st_size} {status.st_mtime_ns}"
                mark = zlib.crc32(told.encode(), mark)
    return mark


def mark_of(path: str) -> list[int] | None:
    """Size and date of a file; None where there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns]


def text_of(path: str) -> str | None:
    """A short text file, such as the settings; None where there is none. Raises Unfit for more."""
    try:
        with open(path, "rb") as file:
            text = file.read(MAX_TEXT_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Unfit(f"{path}: {error.strerror}") from error
    if len(text) > MAX_TEXT_BYTES:
        raise Unfit(f"{path}: more than a text of settings")
    return text.decode("utf-8", "backslashreplace")
