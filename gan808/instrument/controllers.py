"""MIDI controllers and the rows of the parameter table: which number moves what, and how far.

Pure functions of the table.
"""

from __future__ import annotations

from gan808.instrument.parameter import Argument, Kind, Parameter, Value
from gan808.instrument.parameters import TABLE


def controllers() -> dict[int, tuple[Parameter, int | None]]:
    """MIDI controller number -> (row, slot 0..15 or None where it is for the whole machine)."""
    table: dict[int, tuple[Parameter, int | None]] = {}
    for row in TABLE:
        for slot, number in enumerate(row.cc):
            table[number] = (row, slot if row.per_slot else None)
    return table


def from_controller(parameter: Parameter, value: int) -> tuple[Value, ...] | None:
    """Arguments for a controller value 0..127; None where it does nothing (an action below 64).

    Ranges that cross zero in the middle (pan, tune) have their zero at exactly 64.
    """
    if parameter.kind is Kind.ACTION:
        return () if value >= 64 else None
    return (scaled(parameter.arguments[0], value),)


def scaled(argument: Argument, value: int) -> Value:
    """Where a controller value 0..127 falls in the argument's range or among its choices."""
    if argument.choices:
        return argument.choices[value * len(argument.choices) // 128]
    low, high = argument.minimum or 0.0, argument.maximum or 1.0
    if low < 0:
        share = min(1.0, (value - 64) / 63) if value >= 64 else (value - 64) / 64
        place = high * share
    else:
        place = low + (high - low) * value / 127
    return round(place) if argument.type == "i" else place
