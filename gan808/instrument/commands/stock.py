"""The stock as others may see and use it: what is in it, and a sound out of it that is not played.
Machine thread only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from gan808.errors import Gan808Error
from gan808.sound.sound import Sound

if TYPE_CHECKING:
    from gan808.instrument.calls import Answer, Call, Handler
    from gan808.instrument.context import Context
    from gan808.instrument.slots import Slot

MOST_LISTED = 48  # of each slot
MOST_BYTES = 48_000  # an answer is one datagram
LEFT = 4  # sounds of a class that nobody outside may take: evolution needs some


class StockCommands:
    """Lists the sounds that each slot may draw, and gives them away."""

    def __init__(self, context: Context, keep: Callable[[Sound], None]) -> None:
        """keep: has a sound at hand for who asks for its audio."""
        self._context = context
        self._keep = keep
        self._turn = 0

    def handlers(self) -> dict[str, Handler]:
        """What the rows of the table do."""
        return {"/pool/sounds": self._list, "/pool/take": self._take}

    def _list(self, _: Call) -> Answer:
        room, told = MOST_BYTES, list[str]()
        stock = self._context.pool.sounds()
        for slot in self._context.swaps.slots:
            for sound in self._of(slot, stock):
                room -= len(slot.layout.code) + len(sound.id) + 8
                if room < 0:
                    return tuple(told)
                told += [slot.layout.code, sound.id]
        return tuple(told)

    def _of(self, slot: Slot, stock: list[Sound]) -> Iterator[Sound]:
        """The slot's sound, then those in stock that it may draw, the longest there first."""
        if slot.sound is not None:
            yield slot.sound
        own = [sound for sound in stock if sound.class_heard == slot.layout.class_name]
        if slot.layout.third is not None and len(own) > 2:
            ranked = sorted(own, key=lambda sound: sound.descriptors.pitch_hz)
            third, n = slot.layout.third, len(own)
            there = {s.id for s in ranked[third * n // 3:(third + 1) * n // 3]}
            own = [sound for sound in own if sound.id in there]
        yield from own[:MOST_LISTED]

    def _take(self, call: Call) -> Answer:
        """Take a sound out of the stock and name it. Where few are left name one of them instead,
        each in turn, and leave it there."""
        context = self._context
        slot = context.swaps.slots[call.slot]
        layout = slot.layout
        sound = None
        if context.pool.stock().get(layout.class_name, 0) > LEFT:
            sound = context.pool.take(layout.class_name, layout.third, width=slot.width)
        if sound is None:
            there = list(self._of(slot, context.pool.sounds()))
            if not there:
                raise Gan808Error(f"{layout.code}: no {layout.class_name} in stock yet")
            self._turn += 1
            sound = there[self._turn % len(there)]
        self._keep(sound)
        return (sound.id,)
