"""Carries out what evolution decides: swaps slots from the stock, and tells when the stock has
nothing.

Machine thread only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from gan808.errors import Gan808Error
from gan808.instrument.events import Event, Notice
from gan808.instrument.evolution import Evolution
from gan808.instrument.swaps import Swaps


class Evolver:
    """Swaps at beats, and for hits in fresh mode.

    used_slots: those the pattern plays; pending(frame): whether another kit comes by that frame.
    """

    def __init__(
        self, evolution: Evolution, swaps: Swaps, used_slots: Callable[[], Iterable[int]],
        pending: Callable[[int], bool], emit: Callable[[Event], None],
    ) -> None:
        self._evolution = evolution
        self._swaps = swaps
        self._used_slots = used_slots
        self._pending = pending
        self._emit = emit

    def beat(self, index: int, frame: int, next_frame: int) -> None:
        """The swaps that are due between this beat and the next."""
        for due in self._evolution.beat(index, frame, next_frame):
            if self._pending(due.frame):
                continue
            used = set(self._used_slots())
            free = [slot.index for slot in self._swaps.slots if not slot.locked]
            candidates = [slot for slot in free if slot in used] or free
            for _ in range(due.swaps if candidates else 0):
                if self._evolution.mode == "all":
                    self._swap_each(free, due.frame)
                else:
                    self._swap_one(candidates, due.frame)

    def refresh(self, slot: int, frame: int) -> None:
        """A new sound for the hit at that frame, unless the slot is locked or a kit comes."""
        slots = self._swaps.slots
        if self._pending(frame):
            return
        if slot < len(slots) and not slots[slot].locked and not self._swap(slot, frame):
            self._swaps.say_empty(slot)

    def _swap_one(self, candidates: list[int], frame: int) -> None:
        """Swap whichever slot's turn it is and has something in stock."""
        order = self._evolution.order(candidates)
        for slot in order:
            if self._swap(slot, frame):
                self._evolution.took(slot)
                return
        self._swaps.say_empty(order[0])

    def _swap_each(self, slots: list[int], frame: int) -> None:
        for slot in slots:
            if not self._swap(slot, frame):
                self._swaps.say_empty(slot)

    def _swap(self, slot: int, frame: int) -> bool:
        try:
            return self._swaps.evolve(slot, frame) is not None
        except Gan808Error as error:
            self._emit(Notice(str(error)))
            return True
