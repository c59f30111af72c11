"""Patterns: sixteenths of a bar for each slot, read from TOML files. Pure; no thread.

A row is a readable string: X accent, x normal, o soft, g ghost, . rest; spaces and | are ignored.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any

from gan808.errors import ConfigError
from gan808.machine.clock import STEPS_PER_BAR

OFF = "off"
MAX_BARS = 4
MAX_FILE_BYTES = 1 << 16
VELOCITIES = {"X": 1.0, "x": 0.78, "o": 0.55, "g": 0.32, ".": 0.0}
_KEYS = ("name", "description", "tempo_bpm", "swing", "steps")
_RANGES = {"tempo_bpm": (20.0, 400.0), "swing": (0.0, 1.0)}


@dataclass(frozen=True)
class Pattern:
    """Velocities 0..1 by slot code; every row has n_steps of them, a multiple of 16 up to 64.

    source: the name or path it was found by, "" for one that is in no file.
    """

    name: str
    tempo_bpm: float = 120.0
    swing: float = 0.0
    description: str = ""
    rows: Mapping[str, tuple[float, ...]] = field(default_factory=lambda: MappingProxyType({}))
    source: str = ""

    @property
    def n_steps(self) -> int:
        return len(next(iter(self.rows.values()), (0.0,) * STEPS_PER_BAR))

    def laid_out(self, codes: Sequence[str]) -> list[list[float]]:
        """Velocities for a kit's slots, [slot][step].

        Rows go to the slots they name. A kit that knows none of the names, one trained on sounds
        of another sort, gets the rows in order, so that there is a beat all the same.
        """
        known = any(code in codes for code in self.rows)
        names = list(codes) if known else list(self.rows)
        empty = (0.0,) * self.n_steps
        return [
            list(self.rows.get(names[slot], empty) if slot < len(names) else empty)
            for slot in range(len(codes))
        ]


SILENCE = Pattern(OFF, description="nothing: bars are counted and sounds evolve")


def parse_pattern(text: str, source: str) -> Pattern:
    """Read one pattern file's text. Raises ConfigError naming the source and what is wrong."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{source}: not valid TOML: {error}") from error
    unknown = sorted(set(values) - set(_KEYS))
    if unknown:
        raise ConfigError(f"{source}: {unknown[0]} is unknown; a pattern has {', '.join(_KEYS)}")
    rows = values.get("steps")
    if not isinstance(rows, dict) or not rows:
        raise ConfigError(f"{source}: [steps] is missing; give rows such as BD = \"X... x...\"")
    read = {code: _row(code, row, source) for code, row in rows.items()}
    lengths = {len(row) for row in read.values()}
    if len(lengths) > 1:
        raise ConfigError(f"{source}: rows of {sorted(lengths)} steps; make them all the same")
    return Pattern(
        name=_text(values, "name", source),
        description=_text(values, "description", source),
        tempo_bpm=_number(values, "tempo_bpm", 120.0, source),
        swing=_number(values, "swing", 0.0, source),
        rows=MappingProxyType(read),
    )


def _row(code: str, row: object, source: str) -> tuple[float, ...]:
    if not isinstance(row, str):
        raise ConfigError(f"{source}: {code} = {row!r}: give a text such as \"X... x...\"")
    steps = [sign for sign in row if sign not in " |"]
    wrong = next((sign for sign in steps if sign not in VELOCITIES), None)
    if wrong is not None:
        raise ConfigError(f"{source}: {code}: {wrong!r} is no step; steps are X x o g and .")
    if not steps or len(steps) % STEPS_PER_BAR or len(steps) > STEPS_PER_BAR * MAX_BARS:
        raise ConfigError(f"{source}: {code} has {len(steps)} steps; give 16, 32, 48 or 64")
    return tuple(VELOCITIES[sign] for sign in steps)


def _text(values: Mapping[str, Any], key: str, source: str) -> str:
    text = values.get(key, "" if key == "description" else None)
    if not isinstance(text, str) or (key == "name" and not text):
        raise ConfigError(f"{source}: {key} = {text!r}: give a text in quotes")
    return text


def _number(values: Mapping[str, Any], key: str, default: float, source: str) -> float:
    number, (low, high) = values.get(key, default), _RANGES[key]
    if isinstance(number, bool) or not isinstance(number, int | float) or not low <= number <= high:
        raise ConfigError(f"{source}: {key} = {number!r}: give a number from {low:g} to {high:g}")
    return float(number)


def find_pattern(name: str, folders: Sequence[Path] = ()) -> Pattern:
    """A pattern by name (the user's folders first, then those that ship), by path, or `off`.

    Raises ConfigError naming the patterns there are.
    """
    if name == OFF:
        return SILENCE
    if name.endswith(".toml"):
        return replace(_read(Path(name)), source=str(Path(name).resolve()))
    for folder in folders:
        path = folder / f"{name}.toml"
        if Path(name).name == name and path.is_file():
            return replace(_read(path), source=name)
    shipped = resources.files("gan808.machine") / "patterns"
    if name in _shipped_names():
        return parse_pattern((shipped / f"{name}.toml").read_text("utf-8"), f"pattern {name}")
    raise ConfigError(f"pattern {name!r}: no such pattern; there are "
                      f"{', '.join(pattern_names(folders))}, {OFF}, or a path ending in .toml")


def pattern_names(folders: Sequence[Path] = ()) -> list[str]:
    """Every name find_pattern knows, sorted; a user's file hides a shipped one of that name."""
    own = {path.stem for folder in folders if folder.is_dir() for path in folder.glob("*.toml")}
    return sorted(own | _shipped_names())


def _shipped_names() -> set[str]:
    entries = (resources.files("gan808.machine") / "patterns").iterdir()
    return {entry.name.removesuffix(".toml") for entry in entries if entry.name.endswith(".toml")}


def _read(path: Path) -> Pattern:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ConfigError(f"{path}: too large for a pattern")
        return parse_pattern(path.read_text("utf-8"), str(path))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not text in UTF-8: {error.reason}") from error
