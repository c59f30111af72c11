"""Which slots change, and on which beat: the rule by which a kit evolves. Machine thread only.

No sounds here, only the plan; deterministic for a seed.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Quantise = Literal["now", "beat", "bar"]
Mode = Literal["one", "all", "fresh"]
BEATS_PER_BAR = 4
# 0.1 swaps a bar must fall due on the tenth bar although ten times 0.1 is a hair below 1.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Due:
    """Swaps due at one frame: how many, each of them one slot or, for mode all, every slot."""

    frame: int
    swaps: int


class Evolution:
    """Spreads `swaps_per_bar` (fractions allowed) over bars and beats, and deals out the slots."""

    def __init__(
        self, swaps_per_bar: float, quantise: Quantise, mode: Mode, seed: int | None = None
    ) -> None:
        self.swaps_per_bar = swaps_per_bar
        self.quantise: Quantise = quantise
        self.mode: Mode = mode
        self._random = random.Random(seed)
        self._due = 0.0
        self._by_beat = [0] * BEATS_PER_BAR
        self._bag: list[int] = []
        self._last: int | None = None
        self._changed: set[int] = set()  # since the bar began

    @property
    def fresh(self) -> bool:
        """Whether every hit gets a new sound."""
        return self.mode == "fresh" and self.swaps_per_bar > 0

    def beat(self, index: int, frame: int, next_frame: int) -> list[Due]:
        """What falls due in the beat that begins at `frame`; index counts beats from the start.

        After every bar the number of swaps made is the whole part of bars times swaps_per_bar.
        The first bar has none: a listener should know a sound before it goes.
        """
        place = index % BEATS_PER_BAR
        if place == 0:
            self._plan_bar(first=index == 0)
        count, self._by_beat[place] = self._by_beat[place], 0
        if self.quantise != "now":
            return [Due(frame, count)] if count else []
        frames = sorted(self._random.randrange(frame, max(next_frame, frame + 1))
                        for _ in range(count))
        return [Due(at, 1) for at in frames]

    def _plan_bar(self, *, first: bool) -> None:
        self._by_beat = [0] * BEATS_PER_BAR
        self._changed.clear()
        if first or self.mode == "fresh":
            return
        self._due += self.swaps_per_bar
        count = int(self._due + _ROUNDING)
        self._due -= count
        for _ in range(count):
            place = 0 if self.quantise == "bar" else self._random.randrange(BEATS_PER_BAR)
            self._by_beat[place] += 1

    def order(self, candidates: Sequence[int]) -> list[int]:
        """Slots in the order they should change: whichever has waited longest comes first.

        All candidates are taken once, in random order, before any comes again, and none comes twice
        running; the caller says which one it took with `took`. Slots that have changed in this bar
        are left out as long as there are others, even if nothing is in stock for those: a sound
        that is swapped before it was heard is wasted.
        """
        waiting = [slot for slot in self._bag if slot in candidates]
        if not waiting:
            waiting = self._random.sample(list(candidates), len(candidates))
            if waiting and waiting[0] == self._last:
                waiting.append(waiting.pop(0))
        others = [slot for slot in candidates if slot not in waiting]
        self._bag = waiting
        ordered = waiting + others
        return [slot for slot in ordered if slot not in self._changed] or ordered

    def took(self, slot: int) -> None:
        """That slot has changed; it waits until the others have had their turn."""
        self._bag = [waiting for waiting in self._bag if waiting != slot]
        self._last = slot
        self._changed.add(slot)
