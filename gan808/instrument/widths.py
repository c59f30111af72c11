"""Slots in stereo: the stock they need, and their present sounds made as wide as they are set.

Machine thread only; the rendering happens elsewhere and its answer comes back here.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from gan808.errors import Gan808Error
from gan808.instrument.events import Notice
from gan808.sound.sound import Sound

if TYPE_CHECKING:
    from gan808.instrument.context import Context

log = logging.getLogger("gan808")


class Widths:
    """Has the slots' sounds rendered at the widths that are set.

    A knob sends thirty widths a second and the renderer makes a few sounds. Of the widths that come
    while one is rendered for a slot only the last is made.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._rendering: dict[int, float] = {}

    def follow(self) -> None:
        """Another kit may play: say what is to be stocked, and widen the slots' sounds again."""
        self._stock()
        for slot in self._context.swaps.slots:
            self._widen(slot.index)

    def changed(self, index: int) -> None:
        """The slot has another width: its sounds have it from now on, the present one included."""
        self._stock()
        self._context.swaps.slots[index].coming.clear()
        self._widen(index)

    def _stock(self) -> None:
        wanted: dict[str, set[float]] = {}
        for slot in self._context.swaps.slots:
            wanted.setdefault(slot.layout.class_name, set()).add(slot.width)
        self._context.pool.want(wanted)

    def _widen(self, index: int) -> None:
        slot = self._context.swaps.slots[index]
        sound, width = slot.sound, slot.width
        if index in self._rendering or sound is None or sound.kit != self._context.kit.name:
            return
        if sound.file or sound.width == width:  # a file is as wide as it is
            return
        self._rendering[index] = width
        self._context.filler.request(
            sound.class_asked, sound.point.widened(width),
            partial(self._context.post, self._widened, index, sound),
        )

    def _widened(self, index: int, before: Sound, result: Sound | Gan808Error) -> None:
        """Replace a sound by itself at another width, without a step of undo, unless the slot has
        got another sound meanwhile."""
        made, swaps = self._rendering.pop(index), self._context.swaps
        if index >= len(swaps.slots):
            return
        slot = swaps.slots[index]
        if isinstance(result, Gan808Error):
            # Whoever renders has told the user already; the next sound is as wide as it should be.
            log.info("%s: its sound keeps its width: %s", slot.layout.code, result)
            return
        try:
            if slot.sound is before:
                # The sound it takes the place of may itself be on its way: to a bar, with its kit.
                on_its_way = slot.since >= self._context.engine.frames
                swaps.put(index, result, slot.since if on_its_way else 0, remember=False)
        except Gan808Error as error:
            self._context.emit(Notice(str(error)))
            return
        if slot.width != made:
            self._widen(index)
