"""Patterns: rows of steps for each slot, and their text. Immutable values; no thread.

A row is a readable string: X accent, x normal, o soft, g ghost, . rest; spaces and | are ignored.
Rows may have different lengths: each goes round by itself. notation.py has the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

from gan808.errors import ConfigError
from gan808.sequencer.clock import STEPS_PER_BAR
from gan808.sequencer.notation import TABLES, add_rows, read_rows
from gan808.sequencer.steps import REST, VELOCITIES, Row, row_of
from gan808.toml_json import from_toml

__all__ = ["OFF", "SILENCE", "VELOCITIES", "Pattern", "parse_pattern"]

OFF = "off"
_KEYS = ("name", "description", "tempo_bpm", "swing", *TABLES)
_RANGES = {"tempo_bpm": (20.0, 400.0), "swing": (0.0, 1.0)}


@dataclass(frozen=True)
class Pattern:
    """Rows of 1 to 64 steps by slot code, a tempo and a swing.

    rows may be given as plain velocities 0..1; they are kept as steps. source: the name or path it
    was found by, "" where it was not.
    """

    name: str
    tempo_bpm: float = 120.0
    swing: float = 0.0
    description: str = ""
    rows: Mapping[str, Row] = field(default_factory=lambda: MappingProxyType({}))
    source: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        rows = {code: row_of(row) for code, row in self.rows.items()}
        object.__setattr__(self, "rows", MappingProxyType(rows))

    @property
    def n_steps(self) -> int:
        """The length of the longest row; a bar where there is none."""
        return max(map(len, self.rows.values()), default=STEPS_PER_BAR)

    @cached_property
    def earliest(self) -> float:
        """The furthest that a step comes before its place, in steps; 0 or more."""
        nudges = (step.nudge for row in self.rows.values() for step in row if step.sounds)
        return max(0.0, -min(nudges, default=0.0))

    @cached_property
    def has_fill(self) -> bool:
        """Whether it has steps of its own for bars that end in a fill."""
        return any(step.condition == "fill" for row in self.rows.values() for step in row)

    def fitted(self, codes: Sequence[str]) -> Pattern:
        """The pattern with rows named for a kit's slots.

        Rows go to the slots they name. A kit that knows none of the names, one trained on sounds
        of another sort, gets the rows in order, so that there is a beat all the same.
        """
        if not self.rows or any(code in codes for code in self.rows):
            return self
        return replace(self, rows=dict(zip(codes, self.rows.values(), strict=False)))

    def laid_out(self, codes: Sequence[str]) -> list[Row]:
        """A row for each slot of a kit; one rest where the pattern has none for it."""
        rows = self.fitted(codes).rows
        return [rows.get(code, (REST,)) for code in codes]

    def row(self, code: str) -> Row:
        """The row of a slot; where there is none, rests as long as the pattern."""
        return self.rows.get(code) or (REST,) * self.n_steps

    def with_rows(self, rows: Mapping[str, Row]) -> Pattern:
        """The pattern with these rows instead of its own, or added."""
        return replace(self, rows={**self.rows, **rows})

    def with_step(self, code: str, index: int, **values: float | str) -> Pattern:
        """The pattern with fields of one step changed; index counts from 0."""
        row = list(self.row(code))
        row[index] = replace(row[index], **values)  # type: ignore[arg-type]
        return self.with_rows({code: tuple(row)})

    def to_toml(self) -> str:
        """The text of a pattern file; parse_pattern reads an equal pattern from it."""
        import tomlkit  # when first needed, as a start should not wait for it

        content = tomlkit.document()
        content.add("name", tomlkit.string(self.name))
        if self.description:
            content.add("description", tomlkit.string(self.description))
        tempo = self.tempo_bpm
        content.add("tempo_bpm", tomlkit.item(int(tempo) if tempo == int(tempo) else tempo))
        content.add("swing", tomlkit.float_(repr(self.swing)))
        add_rows(content, self.rows)
        return tomlkit.dumps(content)


SILENCE = Pattern(OFF, description="nothing: bars are counted and sounds evolve")


def parse_pattern(text: str, source: str) -> Pattern:
    """Read one pattern file's text. Raises ConfigError naming the source and what is wrong."""
    try:
        values = from_toml(text)
    except ValueError as error:
        raise ConfigError(f"{source}: not valid TOML: {error}") from error
    unknown = sorted(set(values) - set(_KEYS))
    if unknown:
        raise ConfigError(f"{source}: {unknown[0]} is unknown; a pattern has {', '.join(_KEYS)}")
    return Pattern(
        name=_text(values, "name", source),
        description=_text(values, "description", source),
        tempo_bpm=_number(values, "tempo_bpm", 120.0, source),
        swing=_number(values, "swing", 0.0, source),
        rows=read_rows(values, source),
    )


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
