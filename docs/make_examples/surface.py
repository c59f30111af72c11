"""What the made examples have in common: their ports, and addresses checked against the table."""

from __future__ import annotations

from gan808.config import Settings
from gan808.instrument.parameter import ROOT, SLOT, Argument
from gan808.instrument.parameters import BY_ADDRESS
from gan808.sound.kit.slots import TR808

PORT = Settings().osc.port
# Where each example asks to be told of changes: a port each, so that two may run at once.
MAX_LISTENS, PD_LISTENS, TOUCHOSC_LISTENS = 9001, 9002, 9000
CODES = [slot.code for slot in TR808]


def address(row: str, code: str = "") -> str:
    """The OSC address of a row of the parameter table, with a slot's code in it. KeyError for one
    that is not there."""
    return ROOT + BY_ADDRESS[row].address_of(code)


def slot_row(name: str) -> str:
    """The row of the table for every slot's `name`."""
    return f"/slot/{SLOT}/{name}"


def span(row: str, low: float, high: float) -> tuple[float, float]:
    """A part of what the row's argument accepts. ValueError when it reaches beyond."""
    argument: Argument = BY_ADDRESS[row].arguments[0]
    least, most = argument.minimum, argument.maximum
    if least is None or most is None or not least <= low < high <= most:
        raise ValueError(f"{row}: {low} to {high} is not within {least} to {most}")
    return low, high
