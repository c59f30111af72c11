"""Another kit, read and made ready beside the one that plays, until the frame it plays from.

Machine thread only: the disk's thread reads the kit, or a burst of swaps would come late.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from gan808.errors import Gan808Error, KitError
from gan808.instrument.calls import Call
from gan808.instrument.context import Context
from gan808.instrument.events import KitLoaded, Notice
from gan808.instrument.evolution import Evolution
from gan808.instrument.midi_map import MidiMap
from gan808.instrument.protocols import KitLike
from gan808.instrument.state import State
from gan808.instrument.swaps import Placement
from gan808.sequencer.sequencer import Sequencer
from gan808.sound.sound import Sound

if TYPE_CHECKING:
    from gan808.instrument.snapshots import Snapshots


@dataclass(frozen=True, slots=True)
class _Order:
    """Who asked for a kit, by which name, and the scene that is to be played with it, if it is for
    one."""

    call: Call
    name: str
    number: int
    scene: State | None


class KitLoading:
    """Carries out /kit/load. Of kits asked for one after the other the last is loaded."""

    def __init__(self, context: Context, switches: KitSwitches, snapshots: Snapshots,
                 sequencer: Sequencer, evolution: Evolution) -> None:
        self._context = context
        self._switches = switches
        self._snapshots = snapshots
        self._sequencer = sequencer
        self._evolution = evolution
        self._asked = 0

    def load(self, call: Call) -> None:
        """The kit that the call names; one that is not there is an error of the call's."""
        self._load(call, str(call.arguments[0]), self._context.library.kit)

    def load_with(self, call: Call, scene: State) -> None:
        """A scene's kit, by name or folder, and what of the scene is played then; the call is
        answered with what it asked for."""
        self._load(call, scene.kit, self._context.library.kit_at, scene)

    def load_numbered(self, call: Call, number: int) -> None:
        """Load the kit at that place of /kit/list, counted from 0. Where there is none, everybody
        is told."""
        self._context.disk.do_for(
            call, self._context.library.kit_names, partial(self._load_one_of, call, number))

    def _load_one_of(self, call: Call, number: int, names: Sequence[str]) -> None:
        if names[number:number + 1] == [self._context.kit.name]:
            call.answer((names[number],))  # it plays already, and its sounds with it
        elif number < len(names):
            self._load(call, names[number], self._context.library.kit)
        else:
            text = f"program {number + 1}: there are {len(names)} kits"
            self._context.emit(Notice(text))
            call.answer(Gan808Error(text))

    def _load(self, call: Call, name: str, find: Callable[[str], KitLike],
              scene: State | None = None) -> None:
        self._asked += 1
        order = _Order(call, name, self._asked, scene)
        self._context.disk.do_for(
            call, partial(self._read, order, find), partial(self._was_read, order))

    def _read(self, order: _Order, find: Callable[[str], KitLike]) -> tuple[KitLike, list[Sound]]:
        """On the disk's thread: read the kit and its sounds. What is broken fails here, before a
        process is started for it."""
        self._require_latest(order)
        kit = find(order.name)
        return kit, kit.factory_sounds(self._context.engine.sample_rate_hz)

    def _was_read(self, order: _Order, read: tuple[KitLike, list[Sound]]) -> None:
        self._require_latest(order)
        kit, sounds = read
        self._context.filler.load_kit(
            kit, partial(self._context.post, order.call.go_on, self._ready, order, sounds))

    def _require_latest(self, order: _Order) -> None:
        if order.number != self._asked:
            raise KitError(f"kit {order.name}: another was asked for meanwhile")

    def _ready(self, order: _Order, sounds: list[Sound], result: KitLike | Gan808Error) -> None:
        """The filler's answer, back on the machine thread: the new kit runs, or it could not."""
        if isinstance(result, Gan808Error):
            raise result
        frame = self._sequencer.next_frame(self._evolution.quantise, self._context.now())
        try:
            if order.scene is not None:
                self._snapshots.begin_next_kit_with(order.scene)
            self._switches.schedule(
                result, sounds, frame, partial(self._plays, order, result))
        except Gan808Error:
            self._context.filler.give_up_kit(result)
            raise
        if order.scene is not None:
            self._snapshots.take_pattern(order.scene)

    def _plays(self, order: _Order, kit: KitLike, frame: int) -> None:
        """The frame has come: codes, notes, sounds and what is rendered are the kit's."""
        call = order.call
        if order.scene is not None:
            self._snapshots.render_missing(order.scene.slots)
        self._context.emit(KitLoaded(kit.name, frame))
        call.answer((kit.name,) if order.scene is None else call.arguments)


class KitSwitches:
    """Kits on their way to the frame they are to play from. Machine thread only.

    The engine has their sounds from the moment they are scheduled, each for its frame; what the
    machine says of codes, notes and slots changes when that frame has come.
    """

    def __init__(self, context: Context, sequencer: Sequencer,
                 midi_map: MidiMap, changed: Callable[[KitLike], None]) -> None:
        """changed: called when another kit plays and its sounds are in their slots."""
        self._context = context
        self._sequencer = sequencer
        self._midi_map = midi_map
        self._changed = changed
        self._coming: list[tuple[int, Callable[[], None]]] = []

    def __bool__(self) -> bool:
        return bool(self._coming)

    def pending(self, frame: int) -> bool:
        """Whether another kit has the slots by then. A sound drawn for this one would come too
        late."""
        return bool(self._coming) and frame >= self._coming[0][0]

    def schedule(self, kit: KitLike, sounds: Sequence[Sound], frame: int,
                 plays: Callable[[int], None] = lambda frame: None) -> None:
        """Go over to a kit wholly at `frame`, 0 = now: sounds, codes, notes and rows; then
        plays(frame). Raises Gan808Error; then the kit before plays on."""
        context, now = self._context, self._context.now()
        if self._coming:  # one that is on its way comes first
            frame = max(frame, self._coming[-1][0])
        if context.swaps.sent_until > now:  # so do swaps, which are sent ahead of their beat
            frame = max(frame, context.swaps.sent_until)
        placement = context.swaps.prepare(kit, sounds, frame, own=kit is context.kit)
        self._sequencer.set_codes(tuple(slot.code for slot in kit.slots), frame)
        if frame > now:
            self._midi_map.prepare(kit, frame)
        self._coming.append((frame, partial(self._switch, kit, placement, plays)))
        self.carry_out(now)

    def carry_out(self, frame: int) -> None:
        """Complete every switch whose frame is not after `frame`."""
        while self._coming and self._coming[0][0] <= frame:
            self._coming.pop(0)[1]()

    def _switch(self, kit: KitLike, placement: Placement, plays: Callable[[int], None]) -> None:
        self._context.swaps.commit(placement)
        if kit is not self._context.kit:  # before anything is asked of it
            self._context.filler.adopt_kit(kit)
        self._changed(kit)
        plays(placement.frame)
