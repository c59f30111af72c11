"""How rows are written: signs under the beats, and beside them what a sign cannot say.

Pure; no thread. A pattern file has a table [steps] with a row of velocities for each slot, and may
have [chance], [ratchet], [nudge], [condition], [velocity], [tune_semitones], [pan] and [decay] with
more about the same steps. A row of those is written in one of three ways: signs, one under each
step; a number, for every step of the row; or { 5 = 0.3 }, exact values by step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from gan808.errors import ConfigError
from gan808.sequencer.clock import STEPS_PER_BAR, STEPS_PER_BEAT
from gan808.sequencer.steps import (
    MAX_NUDGE,
    MAX_RATCHET,
    MAX_REPEATS,
    MAX_STEPS,
    MAX_TUNE_SEMITONES,
    REST,
    VELOCITIES,
    Row,
    Step,
    is_condition,
    nearest_sign,
)

if TYPE_CHECKING:
    from tomlkit import TOMLDocument
    from tomlkit.items import InlineTable, SingleKey

_IGNORED = " |"


@dataclass(frozen=True)
class Detail:
    """One of the tables beside [steps]: a field of Step, its range, and its signs."""

    field: str
    low: float
    high: float
    signs: Mapping[str, float | str]
    told: str
    whole: bool = False

    def checked(self, value: object, where: str) -> float | str:
        """A number in range. Raises ConfigError."""
        if isinstance(value, int | float) and not isinstance(value, bool) and (
                self.low <= value <= self.high and not (self.whole and value != int(value))):
            return int(value) if self.whole else float(value)
        kind = "a whole number" if self.whole else "a number"
        raise ConfigError(f"{where} = {value!r}: give {kind} from {self.low:g} to {self.high:g}")


class Condition(Detail):
    """The table of conditions, whose values are texts."""

    def checked(self, value: object, where: str) -> str:
        """A condition. Raises ConfigError."""
        if isinstance(value, str) and is_condition(value):
            return value
        raise ConfigError(f"{where} = {value!r}: give fill, !fill, first, !first, or such as 1:2, "
                          f"the first of every two times, up to {MAX_REPEATS}")


# In the order they are written. Chances are tenths; e and l are a tenth of a step, E and L a
# quarter: at 90 BPM 17 and 42 milliseconds.
DETAILS = (
    Detail("velocity", 0.0, 1.0, {}, ""),
    Detail("chance", 0.0, 1.0, {str(n): n / 10 for n in range(1, 10)}, "1 to 9, tenths"),
    Detail("ratchet", 1, MAX_RATCHET, {str(n): n for n in range(2, MAX_RATCHET + 1)},
           f"2 to {MAX_RATCHET} hits", whole=True),
    Detail("nudge", -MAX_NUDGE, MAX_NUDGE, {"E": -0.25, "e": -0.1, "l": 0.1, "L": 0.25},
           "e E early, l L late"),
    Condition("condition", 0, 0, {"f": "fill", "n": "!fill", "1": "first", "a": "1:2", "b": "2:2"},
              "f fill, n not in a fill, 1 first, a and b each other time"),
    Detail("tune_semitones", -MAX_TUNE_SEMITONES, MAX_TUNE_SEMITONES, {}, ""),
    Detail("pan", -1.0, 1.0, {}, ""),
    Detail("decay", 0.0, 1.0, {}, ""),
)
TABLES = ("steps", *(detail.field for detail in DETAILS))


def read_rows(values: Mapping[str, Any], source: str) -> Mapping[str, Row]:
    """The rows of a file's tables. Raises ConfigError naming file, row, step and what is accepted.
    """
    if "steps" not in values:
        raise ConfigError(f"{source}: [steps] is missing; give rows such as BD = \"X... x...\"")
    steps = _table(values, "steps", source)
    rows = {code: read_row(signs, f"{source}: {code}") for code, signs in steps.items()}
    for detail in DETAILS:
        for code, given in _table(values, detail.field, source).items():
            where = f"{source}: [{detail.field}] {code}"
            if code not in rows:
                raise ConfigError(f"{where}: there is no such row in [steps]; there are "
                                  f"{', '.join(rows)}")
            rows[code] = _detailed(rows[code], detail, given, where)
    return MappingProxyType(rows)


def _table(values: Mapping[str, Any], name: str, source: str) -> dict[str, Any]:
    table = values.get(name, {})
    if not isinstance(table, dict):
        raise ConfigError(f"{source}: {name} = {table!r}: it is a table: [{name}]")
    return table


def read_row(signs: object, where: str) -> Row:
    """A row of velocities from its signs. Raises ConfigError beginning with `where`."""
    if not isinstance(signs, str):
        raise ConfigError(f"{where} = {signs!r}: give a text such as \"X... x...\"")
    steps = [sign for sign in signs if sign not in _IGNORED]
    for number, sign in enumerate(steps, 1):
        if sign not in VELOCITIES:
            raise ConfigError(f"{where}: step {number}: {sign!r} is no step; steps are X x o g "
                              "and .")
    if not 1 <= len(steps) <= MAX_STEPS:
        raise ConfigError(f"{where} has {len(steps)} steps; give 1 to {MAX_STEPS}")
    return tuple(Step(VELOCITIES[sign]) if sign != "." else REST for sign in steps)


def _detailed(row: Row, detail: Detail, given: object, where: str) -> Row:
    """The row with one more table's values."""
    if isinstance(given, str):
        return _by_signs(row, detail, given, where)
    if isinstance(given, dict):
        return _by_step(row, detail, given, where)
    value = detail.checked(given, where)
    return tuple(_with(step, detail, value) if step.sounds else step for step in row)


def _by_signs(row: Row, detail: Detail, text: str, where: str) -> Row:
    signs = [sign for sign in text if sign not in _IGNORED]
    if not detail.signs:
        raise ConfigError(f"{where} = {text!r}: give values by step, such as {{ 5 = 0.7 }}")
    if len(signs) != len(row):
        raise ConfigError(f"{where} has {len(signs)} signs under {len(row)} steps; give one "
                          "under each, . where there is nothing to say")
    read = []
    for number, (sign, step) in enumerate(zip(signs, row, strict=True), 1):
        if sign != "." and sign not in detail.signs:
            raise ConfigError(f"{where}: step {number}: {sign!r}: give {detail.told}, or .")
        if sign != "." and not step.sounds:
            raise ConfigError(f"{where}: step {number}: {sign} stands under a rest")
        read.append(step if sign == "." else _with(step, detail, detail.signs[sign]))
    return tuple(read)


def _by_step(row: Row, detail: Detail, given: Mapping[str, object], where: str) -> Row:
    read = list(row)
    for key, value in given.items():
        if not (key.isascii() and key.isdigit() and len(key) < 3 and 1 <= int(key) <= len(row)):
            raise ConfigError(f"{where}: step {key!r}: the row has steps 1 to {len(row)}")
        checked = detail.checked(value, f"{where}: step {key}")
        read[int(key) - 1] = _with(read[int(key) - 1], detail, checked)
    return tuple(read)


def _with(step: Step, detail: Detail, value: float | str) -> Step:
    return replace(step, **{detail.field: value})  # type: ignore[arg-type]


# Writing


def add_rows(content: TOMLDocument, rows: Mapping[str, Row]) -> None:
    """Add the tables of these rows, as read_rows takes them; reading them gives equal rows."""
    import tomlkit  # when first needed, as a start should not wait for it

    width = max((len(tomlkit.key(code).as_string()) for code in rows), default=0)
    steps = tomlkit.table()
    if rows:
        beats = [f"{beat}..." for beat in range(1, STEPS_PER_BAR // STEPS_PER_BEAT + 1)]
        steps.add(tomlkit.comment(f"{' ' * (width + 2)}{' '.join(beats)}"))
    for code, row in rows.items():
        steps.add(_key(code, width), tomlkit.string(write_row(row)))
    content.add("steps", steps)
    for detail in DETAILS:
        told = {code: _written(row, detail) for code, row in rows.items()}
        table = tomlkit.table()
        for code, value in told.items():
            if value:
                table.add(_key(code, width), value)
        if table:
            content.add(detail.field, table)


def _key(code: str, width: int) -> SingleKey:
    """The code as a key, so that signs stand under signs."""
    from tomlkit.items import SingleKey

    plain = SingleKey(code)
    return SingleKey(code, sep=f"{' ' * (width - len(plain.as_string()))} = ")


def write_row(row: Row) -> str:
    """A row's velocities as signs in groups of four, the nearest where none is exact."""
    return _grouped([nearest_sign(step.velocity) for step in row])


def _grouped(signs: list[str]) -> str:
    bars = [signs[start:start + STEPS_PER_BAR] for start in range(0, len(signs), STEPS_PER_BAR)]
    return "  | ".join(
        " ".join("".join(bar[at:at + STEPS_PER_BEAT]) for at in range(0, len(bar), STEPS_PER_BEAT))
        for bar in bars
    )


def _written(row: Row, detail: Detail) -> str | InlineTable | None:
    """What a detail's table says of a row: signs where they are exact, else values by step."""
    values = {number: getattr(step, detail.field) for number, step in enumerate(row, 1)
              if getattr(step, detail.field) != _understood(step, detail)}
    if not values:
        return None
    signs = {value: sign for sign, value in detail.signs.items()}
    if all(value in signs and row[number - 1].sounds for number, value in values.items()):
        under = [signs[values[n]] if n in values else "." for n in range(1, len(row) + 1)]
        return _grouped(under)
    import tomlkit

    by_step = tomlkit.inline_table()
    by_step.update({str(number): value for number, value in values.items()})
    return by_step


def _understood(step: Step, detail: Detail) -> float | str:
    """What a step has when the detail's table says nothing of it."""
    if detail.field == "velocity":
        return VELOCITIES[nearest_sign(step.velocity)]
    plain: float | str = getattr(REST, detail.field)
    return plain
