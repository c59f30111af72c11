"""What moved controllers do on the machine's thread, each at its latest value.

`MidiControls` is called by the thread that reads MIDI, and by the machine's. However many messages
a control sends, it has at most one entry in the machine's queue.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Hashable

from gan808.errors import Gan808Error
from gan808.instrument.calls import Reply
from gan808.instrument.parameter import Parameter, Value

PROGRAM = "program"
QUIET_S = 1.0  # failures are told at most so often
log = logging.getLogger("gan808")


class MidiControls:
    """Sets values and sets off actions."""

    def __init__(
        self, post: Callable[..., None], submit: Callable[..., object],
        load_kit: Callable[[int, Reply], None],
    ) -> None:
        """post, submit and load_kit (a number 0..127) are the machine's."""
        self._post, self._submit, self._load_kit = post, submit, load_kit
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
            self._post(self._take, key)

    def _take(self, key: tuple[str, tuple[Value, ...]]) -> None:
        """On the machine thread."""
        self._queued.discard(key)
        arguments = self._latest[key]
        if key[0] == PROGRAM:
            self._load_kit(int(arguments[0]), self._say_failure)
            return
        self._submit(key[0], *arguments, reply=self._say_failure)

    def _say_failure(self, result: object) -> None:
        """A knob that cannot be turned says so now and then, not at every step."""
        now_s = time.monotonic()
        if isinstance(result, Gan808Error) and now_s - self._told_s >= QUIET_S:
            self._told_s = now_s
            log.warning("%s", result)
