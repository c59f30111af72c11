"""The output comes back at another rate: the machine goes on at that one. From the wiring's thread.

Sounds are resampled, the pattern goes on where it was, settings stay.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from gan808.errors import Gan808Error

if TYPE_CHECKING:
    from gan808.instrument.machine import Machine

# Sixteen sounds are resampled in some tens of milliseconds.
LONGEST_S = 10.0


def change_rate(machine: Machine, sample_rate_hz: int) -> None:
    """Go over to a rate, while no output plays; returns when it is done. From any thread but the
    machine's. Raises Gan808Error."""
    try:
        machine.ask(partial(_carry_out, machine, sample_rate_hz)).result(LONGEST_S)
    except TimeoutError:
        raise Gan808Error(
            f"the machine is too busy to go over to {sample_rate_hz} Hz") from None


def _carry_out(machine: Machine, sample_rate_hz: int) -> None:
    """On the machine thread."""
    machine.engine.change_rate(sample_rate_hz)
    machine.sequencer.change_rate(sample_rate_hz, machine.engine.frames)
    machine.renew_lead()
    machine.swaps.change_rate()
