"""What the list of patterns says of each file, kept from one time to the next.

A MIDI file of 800 kB takes a second to read, a folder of them would hold the list up each time. A
file is known by its path, size and time. Command line only; a damaged or unwritable index costs the
reading, nothing else.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import gan808
from gan808 import atomic
from gan808.errors import Gan808Error
from gan808.paths import ordinary
from gan808.toml_json import from_json

MAX_FILE_BYTES = 4 << 20
log = logging.getLogger("gan808")

Row = list[str]


class PatternIndex:
    """Columns of text for each file that was read, and an error as one line of text."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known = _read(path)
        self._used: dict[str, list[object]] = {}

    def row(self, file: Path, read: Callable[[], Row]) -> Row:
        """The columns for a file: kept ones, or those `read` gives. Raises Gan808Error as it does,
        and again the next time without reading."""
        try:
            status = ordinary(file)
        except OSError:  # gone, or a pipe: the reader says so
            return read()
        mark = [gan808.__version__, status.st_size, status.st_mtime_ns]
        entry = self._known.get(str(file))
        if entry is None or entry[:3] != mark:
            entry = [*mark, *_told(read)]
        self._used[str(file)] = entry
        if entry[3]:
            raise Gan808Error(str(entry[3]))
        return [str(column) for column in entry[4:]]

    def save(self) -> None:
        """Keep what was asked for, and no more: a file that is gone needs no row."""
        if self._used == self._known:
            return
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            atomic.write_text(self._path, json.dumps(self._used))


def _told(read: Callable[[], Row]) -> Row:
    """An error's text, or "" and the columns."""
    try:
        return ["", *read()]
    except Gan808Error as error:
        return [str(error)]


def _read(path: Path) -> dict[str, list[object]]:
    """The kept rows; none where there is no index, or a damaged one."""
    try:
        if ordinary(path).st_size > MAX_FILE_BYTES:
            return {}
        content = from_json(path.read_bytes())
    except (OSError, ValueError):
        return {}
    if not isinstance(content, dict):
        return {}
    return {name: entry for name, entry in content.items()
            if isinstance(entry, list) and len(entry) >= 4}
