"""Where patterns are: those that ship, the user's folder, files by path. Reads and writes files.

Machine thread and command line, never on the way of a note.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from gan808 import atomic
from gan808.errors import ConfigError, Gan808Error
from gan808.instrument.names import is_plain_name
from gan808.sequencer.patterns import OFF, SILENCE, Pattern, parse_pattern
from gan808.sound.kit.slots import TR808, SlotLayout
from gan808.storage.text_files import read_text

MAX_FILE_BYTES = 1 << 16
TOML, MIDI = (".toml",), (".mid", ".midi")
NAME_LETTERS = 80


def find_pattern(
    name: str, folders: Sequence[Path] = (), slots: Sequence[SlotLayout] = TR808
) -> Pattern:
    """A pattern by name (the user's folders first, then those that ship), by path, or `off`.

    slots: whose notes a MIDI file's notes are. Raises ConfigError naming the patterns there are.
    """
    return SILENCE if name == OFF else _sourced(name, _found(name, folders), slots)


def find_own_pattern(
    name: str, folders: Sequence[Path], slots: Sequence[SlotLayout] = TR808
) -> Pattern:
    """As find_pattern, but a path leads no further than into the folders: for the network."""
    if name == OFF:
        return SILENCE
    if not name.lower().endswith(TOML + MIDI):
        return _sourced(name, _named(name, folders), slots)
    own = _within(name, folders)
    if not own:
        where = ", ".join(map(str, folders)) or "the patterns folder"
        raise ConfigError(f"pattern {name[:80]!r}: no such file in {where}")
    return _sourced(name, own[0], slots)


def pattern_source(name: str, folders: Sequence[Path] = ()) -> str:
    """The text of a pattern's file; of a MIDI file, that of its pattern. Raises ConfigError."""
    if name == OFF:
        return SILENCE.to_toml()
    found = _found(name, folders)
    pattern = _parsed(found, TR808)
    return pattern.to_toml() if found.name.lower().endswith(MIDI) else found.read_text("utf-8")


def pattern_file(name: str, folders: Sequence[Path] = ()) -> Path | None:
    """The user's file that a name means; None for a pattern that ships. Raises ConfigError."""
    found = _found(name, folders)
    return found if isinstance(found, Path) else None


def pattern_names(folders: Sequence[Path] = ()) -> list[str]:
    """Every name find_pattern knows, sorted; a user's file hides a shipped one of that name."""
    files = [path for folder in folders for path in _files(folder)]
    own = {path.stem for path in files if path.suffix in TOML}
    midi = {path.name for path in files if path.suffix.lower() in MIDI}
    return sorted(own | midi | _shipped_names())


def save_pattern(pattern: Pattern, name: str, folder: Path) -> Path:
    """Write a pattern as the user's own of that name and return the file. Raises Gan808Error.

    What was there before is kept beside it, its name with a ~ at the end. Only a plain name is
    taken: whoever reaches the OSC port must not choose the folder.
    """
    stem = name.removesuffix(".toml")
    plain = is_plain_name(stem) and len(stem) <= NAME_LETTERS
    if not plain or stem == OFF or stem.lower().endswith(MIDI):
        raise ConfigError(f"{name[:80]!r} is no name for a pattern; give up to 80 letters, digits, "
                          f"spaces and . + - ~ @, and not {OFF}")
    path = folder / f"{stem}.toml"
    text = replace(pattern, name=stem).to_toml()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with atomic.replacing_file(path, durable=True) as unfinished:
            unfinished.write_text(text, encoding="utf-8")
            if path.is_file():
                atomic.write_bytes(path.with_name(f"{path.name}~"), path.read_bytes())
    except OSError as error:
        raise Gan808Error(f"{path}: cannot be written: {error.strerror}") from error
    return path


def _found(name: str, folders: Sequence[Path]) -> Path | Traversable:
    """The file that a name or a path means; a path need not exist."""
    if not name.lower().endswith(TOML + MIDI):
        return _named(name, folders)
    own = [] if _is_file(Path(name)) else _within(name, folders)
    return own[0] if own else Path(name)


def _named(name: str, folders: Sequence[Path]) -> Path | Traversable:
    """The file of a name. Raises ConfigError naming the patterns there are."""
    if Path(name).name == name:
        paths = [folder / f"{name}.toml" for folder in folders]
        for path in paths:
            if _is_file(path):
                return path
    if name in _shipped_names():
        return resources.files("gan808.sequencer") / "patterns" / f"{name}.toml"
    raise ConfigError(f"pattern {name[:80]!r}: no such pattern; there are "
                      f"{', '.join(pattern_names(folders))}, {OFF}, or a path ending in .toml or "
                      ".mid")


def _within(name: str, folders: Sequence[Path]) -> list[Path]:
    """The files a path can mean that are inside the folders, links followed."""
    try:
        paths = [(folder.resolve(), (folder / name).resolve()) for folder in folders]
    except (OSError, ValueError, RuntimeError):  # a zero byte, a ring of links
        return []
    return [path for folder, path in paths if path.is_relative_to(folder) and _is_file(path)]


def _is_file(path: Path) -> bool:
    """Whether there is such a file; no file has a name that is too long or has a zero byte."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _files(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir()
                if not path.name.startswith(".") and _is_file(path)]
    except OSError:  # not there, or not for us to read
        return []


def _shipped_names() -> set[str]:
    entries = (resources.files("gan808.sequencer") / "patterns").iterdir()
    return {entry.name.removesuffix(".toml") for entry in entries if entry.name.endswith(".toml")}


def _sourced(name: str, file: Path | Traversable, slots: Sequence[SlotLayout]) -> Pattern:
    """The pattern of a file, which knows what finds it again in another run."""
    pattern = _parsed(file, slots)
    if isinstance(file, Path) and name.lower().endswith(TOML + MIDI):
        return replace(pattern, source=str(file.resolve()))
    return replace(pattern, source=name)


def _parsed(file: Path | Traversable, slots: Sequence[SlotLayout]) -> Pattern:
    """Read a file. Raises ConfigError, one line."""
    if not isinstance(file, Path):
        return parse_pattern(file.read_text("utf-8"), f"pattern {file.name}")
    if file.name.lower().endswith(MIDI):
        from gan808.exchange.midi_patterns import (
            read_midi_file,  # mido when it is needed, not before
        )

        return read_midi_file(file, slots)
    return parse_pattern(read_text(file, MAX_FILE_BYTES, "pattern"), str(file))
