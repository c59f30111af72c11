"""Another kit, read and made ready beside the one that plays, and worn when it is.

Runs on the machine thread but for the reading of the kit's sounds, which takes some tenths of a
second: a short-lived thread "gan808-kit" does that, or a burst of swaps would come late.
"""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

from gan808.errors import Gan808Error, KitError
from gan808.machine.events import KitLoaded
from gan808.machine.needs import KitLike
from gan808.sound.sound import Sound

if TYPE_CHECKING:
    from gan808.machine.commands import Call
    from gan808.machine.machine import Machine


class KitLoading:
    """Carries out /kit/load. Of kits asked for one after the other the last is loaded."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._asked = 0

    def load(self, call: Call) -> None:
        """Find the kit and read its sounds first: what is broken should fail before a process
        is started for it. Raises KitError for a kit that is not there."""
        kit = self._machine.shelf.kit(str(call.arguments[0]))
        self._asked += 1
        read = partial(self._read, call, self._asked, kit)
        if self._machine.live:
            threading.Thread(target=read, name="gan808-kit", daemon=True).start()
        else:
            read()

    def _read(self, call: Call, number: int, kit: KitLike) -> None:
        """On the thread of its own; what comes of it is the machine's again."""
        try:
            sounds = kit.factory_sounds(self._machine.engine.sample_rate_hz)
        except Gan808Error as error:
            self._machine.later(call.answer, error)
        else:
            self._machine.later(self._prepare, call, number, kit, sounds)

    def _prepare(self, call: Call, number: int, kit: KitLike, sounds: list[Sound]) -> None:
        if number != self._asked:
            call.answer(KitError(f"kit {kit.name}: another was asked for meanwhile"))
            return
        self._machine.filler.load_kit(
            kit, partial(self._machine.later, self._wear, call, sounds)
        )

    def _wear(self, call: Call, sounds: list[Sound], result: KitLike | Gan808Error) -> None:
        """The filler's answer, back on the machine thread: the new kit runs, or it could not."""
        machine = self._machine
        if isinstance(result, Gan808Error):
            call.answer(result)
            return
        frame = machine.sequencer.next_frame(machine.evolution.quantise, machine.now())
        try:
            machine.wear(result, sounds, frame)
        except Gan808Error as error:
            call.answer(error)
            return
        machine.emit(KitLoaded(result.name, frame))
        call.answer((result.name,))
