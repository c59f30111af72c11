"""Where songs are: the user's folder, files by path. Reads files; never on the way of a note."""

from __future__ import annotations

from pathlib import Path

from gan808.errors import ConfigError
from gan808.instrument.names import is_plain_name
from gan808.sequencer.song import Song, parse_song
from gan808.storage.text_files import read_text

SUFFIX = ".toml"
MAX_FILE_BYTES = 1 << 18


def find_song(name: str, folder: Path) -> Song:
    """A song by name, of the user's folder, or by path. Raises ConfigError naming those there are.
    """
    return _read(Path(name)) if name.lower().endswith(SUFFIX) else find_own_song(name, folder)


def find_own_song(name: str, folder: Path) -> Song:
    """A song of the user's folder and never a path: for the network. Raises ConfigError."""
    if not is_plain_name(name) or name not in song_names(folder):
        there = ", ".join(song_names(folder)) or "none"
        raise ConfigError(f"song {name[:80]!r}: no such song in {folder}; there is: {there}")
    return _read(folder / f"{name}{SUFFIX}")


def song_names(folder: Path) -> list[str]:
    """The songs there are, sorted."""
    return sorted(path.name.removesuffix(SUFFIX) for path in folder.glob(f"*{SUFFIX}")
                  if path.is_file())


def _read(path: Path) -> Song:
    return parse_song(read_text(path, MAX_FILE_BYTES, "song"), str(path))
