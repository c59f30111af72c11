"""Another kit, read and made ready beside the one that plays, and worn when it is.

Runs on the machine thread but for the reading of the kit's sounds, which takes some tenths of a
second: a short-lived thread "gan808-kit" does that, or a burst of swaps would come late.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from gan808.errors import Gan808Error, Guard, KitError
from gan808.instrument.events import KitLoaded, Notice
from gan808.instrument.protocols import KitLike
from gan808.instrument.state import State
from gan808.instrument.swaps import Placement
from gan808.sound.sound import Sound

if TYPE_CHECKING:
    from gan808.instrument.commands.handlers import Call, Reply
    from gan808.instrument.machine import Machine

# Kits read at the same time: a flood of program changes must not become one of threads.
MOST_READING = 4


@dataclass(frozen=True, slots=True)
class _Wish:
    """Who asked for a kit, and the scene that is to be played with it, if it is for one."""

    call: Call
    number: int
    scene: State | None


class KitLoading:
    """Carries out /kit/load. Of kits asked for one after the other the last is loaded."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._asked = 0
        self._reading = 0
        self._waiting: tuple[_Wish, KitLike] | None = None

    def load(self, call: Call) -> None:
        """The kit that the call names. Raises KitError for one that is not there."""
        self.load_for(call, self._machine.library.kit(str(call.arguments[0])))

    def load_for(self, call: Call, kit: KitLike, scene: State | None = None) -> None:
        """Read its sounds first: what is broken should fail before a process is started for it.
        scene: what of it is played then; the call is answered with what it asked for."""
        self._asked += 1
        wish = _Wish(call, self._asked, scene)
        if self._reading < MOST_READING:
            self._begin(wish, kit)
            return
        if self._waiting is not None:
            _overtaken(*self._waiting)
        self._waiting = wish, kit

    def load_numbered(self, number: int, reply: Reply | None) -> None:
        """Load the kit at that place of /kit/list, from 0; said where there is none."""
        names = self._machine.library.kit_names()
        if names[number:number + 1] == [self._machine.kit.name]:
            return  # it plays already, and its sounds with it
        if number < len(names):
            self._machine.submit("/kit/load", names[number], reply=reply)
            return
        text = f"program {number + 1}: there are {len(names)} kits"
        self._machine.emit(Notice(text))
        if reply is not None:
            reply(Gan808Error(text))

    def _begin(self, wish: _Wish, kit: KitLike) -> None:
        read = partial(self._read, wish, kit)
        if self._machine.live:
            threading.Thread(target=read, name="gan808-kit", daemon=True).start()
        else:
            read()
        self._reading += 1

    def _read(self, wish: _Wish, kit: KitLike) -> None:
        """On the thread of its own; what comes of it is the machine's again."""
        was_read = partial(self._machine.go_on, wish.call, self._was_read, wish, kit)
        with Guard("/kit/load", was_read):
            was_read(kit.factory_sounds(self._machine.engine.sample_rate_hz))

    def _was_read(self, wish: _Wish, kit: KitLike, result: list[Sound] | Gan808Error) -> None:
        self._reading -= 1
        if self._waiting is not None:
            following, self._waiting = self._waiting, None
            self._machine.go_on(following[0].call, self._begin, *following)
        if isinstance(result, Gan808Error):
            wish.call.answer(result)
        elif wish.number != self._asked:
            _overtaken(wish, kit)
        else:
            self._machine.filler.load_kit(
                kit, partial(self._machine.go_on, wish.call, self._wear, wish, result)
            )

    def _wear(self, wish: _Wish, sounds: list[Sound], result: KitLike | Gan808Error) -> None:
        """The filler's answer, back on the machine thread: the new kit runs, or it could not."""
        machine, call = self._machine, wish.call
        if isinstance(result, Gan808Error):
            call.answer(result)
            return
        frame = machine.sequencer.next_frame(machine.evolution.quantise, machine.now())
        try:
            if wish.scene is not None:
                machine.snapshots.dress(wish.scene)
            machine.switches.wear(result, sounds, frame, partial(self._worn, wish, result))
        except Gan808Error as error:
            machine.filler.give_up_kit(result)
            call.answer(error)
            return
        if wish.scene is not None:
            machine.snapshots.take_pattern(wish.scene)

    def _worn(self, wish: _Wish, kit: KitLike, frame: int) -> None:
        """The frame has come: codes, notes, sounds and what is rendered are the kit's."""
        machine, call = self._machine, wish.call
        if wish.scene is not None:
            machine.snapshots.render_missing(wish.scene.slots)
        machine.emit(KitLoaded(kit.name, frame))
        call.answer((kit.name,) if wish.scene is None else call.arguments)


class KitSwitches:
    """Kits on their way to the frame they are to play from. Machine thread only.

    The engine has their sounds from the moment they are worn, each for its frame; what the machine
    says of codes, notes and slots changes when that frame has come.
    """

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._coming: list[tuple[int, Callable[[], None]]] = []

    def __bool__(self) -> bool:
        return bool(self._coming)

    def pending(self, frame: int) -> bool:
        """Whether another kit has the slots by then: what is drawn for this one comes too late."""
        return bool(self._coming) and frame >= self._coming[0][0]

    def wear(self, kit: KitLike, sounds: Sequence[Sound], frame: int,
             worn: Callable[[int], None] = lambda frame: None) -> None:
        """Take over a kit wholly at `frame`, 0 = now: sounds, codes, notes and rows; then
        worn(frame). Raises Gan808Error; then the kit before plays on."""
        machine, now = self._machine, self._machine.now()
        if self._coming:  # one that is on its way comes first
            frame = max(frame, self._coming[-1][0])
        if machine.swaps.sent_until > now:  # so do swaps, which are sent ahead of their beat
            frame = max(frame, machine.swaps.sent_until)
        placement = machine.swaps.prepare(kit, sounds, frame, own=kit is machine.kit)
        machine.sequencer.set_codes(tuple(slot.code for slot in kit.slots), frame)
        if frame > now:
            machine.midi_map.prepare(kit, frame)
        self._coming.append((frame, partial(self._switch, kit, placement, worn)))
        self.carry_out(now)

    def carry_out(self, frame: int) -> None:
        """The time is that of `frame`: the kits that were to come by then are there."""
        while self._coming and self._coming[0][0] <= frame:
            self._coming.pop(0)[1]()

    def _switch(self, kit: KitLike, placement: Placement, worn: Callable[[int], None]) -> None:
        machine = self._machine
        machine.swaps.commit(placement)
        if kit is not machine.kit:  # before anything is asked of it
            machine.filler.adopt_kit(kit)
        machine.become(kit)
        worn(placement.frame)


def _overtaken(wish: _Wish, kit: KitLike) -> None:
    wish.call.answer(KitError(f"kit {kit.name}: another was asked for meanwhile"))
