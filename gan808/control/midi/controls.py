"""What moved controllers do on the machine's thread: each at its latest value, however many come.

`MidiControls` is called by the thread that reads MIDI, and by the machine's for what it was asked
to do. A flood takes one place of the machine's queue for every control there is, not for every
message.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Hashable
from typing import TYPE_CHECKING

from gan808.errors import Gan808Error
from gan808.instrument.parameter import Parameter, Value

if TYPE_CHECKING:
    from gan808.instrument.machine import Machine

PROGRAM = "program"
QUIET_S = 1.0  # failures are told at most so often
log = logging.getLogger("gan808")


class MidiControls:
    """Sets values and sets off actions of one machine."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._latest: dict[Hashable, tuple[Value, ...]] = {}
        self._queued: set[Hashable] = set()
        self._told_s = -QUIET_S

    def move(self, row: Parameter, slot: int | None, values: tuple[Value, ...]) -> None:
        """Carry out a row of the table, its slot 0..15 first where it has one; never waits."""
        arguments = values if slot is None else (slot, *values)
        # Arguments before the last say what is moved: a step, another seed.
        self._put((row.address, arguments[:-1] if values else arguments), arguments)

    def choose(self, program: int) -> None:
        """Load the kit of a program change, 0..127."""
        self._put((PROGRAM, ()), (program,))

    def _put(self, key: tuple[str, tuple[Value, ...]], arguments: tuple[Value, ...]) -> None:
        # The value first: `_take` looks at it after it has let the key go, so none is missed.
        self._latest[key] = arguments
        if key not in self._queued:
            self._queued.add(key)
            self._machine.post(self._take, key)

    def _take(self, key: tuple[str, tuple[Value, ...]]) -> None:
        """On the machine thread."""
        self._queued.discard(key)
        arguments = self._latest[key]
        if key[0] == PROGRAM:
            self._machine.load_numbered_kit(int(arguments[0]), self._say_failure)
            return
        self._machine.submit(key[0], *arguments, reply=self._say_failure)

    def _say_failure(self, result: object) -> None:
        """A knob that cannot be turned says so now and then, not at every step."""
        now_s = time.monotonic()
        if isinstance(result, Gan808Error) and now_s - self._told_s >= QUIET_S:
            self._told_s = now_s
            log.warning("%s", result)
