"""The user's own sound files: those of the imports folder, and what was recorded.

A name is a plain file name, never a path: whoever reaches the OSC port must not choose the folder.
On whichever thread the caller is; never on the way of a note.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import Path

from gan808.engine.engine import MAX_SOUND_S
from gan808.errors import ConfigError, RenderError
from gan808.sound.audio_files import SUFFIXES
from gan808.sound.file_sound import Balancing, file_sound
from gan808.sound.recording import read_recording
from gan808.sound.sound import FileId, Sound

MOST_LISTED = 1000


def is_file_name(name: str) -> bool:
    """Whether a name is one file's, of any kind a musician gives: no separator, no drive, no
    control character, not hidden."""
    return (0 < len(name.encode(errors="replace")) <= 255 and not name.startswith(".")
            and not set(name) & set("/\\:") and name == name.strip()
            and not any(unicodedata.category(letter) == "Cc" for letter in name))


def sound_file_names(folders: Sequence[Path]) -> list[str]:
    """The sound files of these folders, sorted; at most MOST_LISTED."""
    found = {path.name for folder in folders for path in _entries(folder)
             if path.suffix.lower() in SUFFIXES and is_file_name(path.name) and path.is_file()}
    return sorted(found)[:MOST_LISTED]


def find_sound_file(name: str, folders: Sequence[Path]) -> Path:
    """The file of that name in the first of the folders that has it; .wav and its like may be
    left out. Raises ConfigError."""
    if not is_file_name(name):
        raise ConfigError(f"{name[:80]!r} is no file name; give one of a file in "
                          f"{' or '.join(map(str, folders))}, without a folder")
    for folder in folders:
        for suffix in ("", *SUFFIXES):
            path = folder / f"{name}{suffix}"
            if path.suffix.lower() in SUFFIXES and path.is_file():
                return path
    raise ConfigError(f"{name[:80]!r} is no sound file in {' or '.join(map(str, folders))}")


def load_sound_file(
    path: Path, kit: Balancing, class_name: str, sample_rate_hz: int
) -> Sound:
    """A file as a sound for a slot of that class. Raises RenderError."""
    audio, rate_hz = read_recording(path)
    return file_sound(audio, rate_hz, path.name, kit, class_name, sample_rate_hz, MAX_SOUND_S)


def reload_sound_file(
    wanted: FileId, folders: Sequence[Path], kit: Balancing, sample_rate_hz: int
) -> Sound:
    """The very sound of an id. Raises Gan808Error, also where its file holds something else now."""
    path = find_sound_file(wanted.name, folders)
    sound = load_sound_file(path, kit, wanted.class_name, sample_rate_hz)
    if sound.file != f"{wanted.name}@{wanted.digest}":
        raise RenderError(f"{path}: holds another sound than it did; /slot/SLOT/load plays it as "
                          "it is now")
    return sound


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:  # not there, or not ours to read: there is nothing to offer
        return []
