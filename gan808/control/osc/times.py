"""When an OSC bundle is due: wall clock to monotonic clock to frames; what waits until it is near.

Used by the OSC thread only.
"""

from __future__ import annotations

import heapq
import itertools
import math
import time
from collections import Counter
from collections.abc import Callable, Hashable

from gan808.control.osc.clients import SHARES
from gan808.engine.protocols import ClockLike

# Reading two clocks takes a microsecond or two; a reading this wide was interrupted between them.
MAX_READING_S = 50e-6
# The offset of the two clocks changes only when somebody sets the wall clock.
SET_S = 200e-6
# The engine's clock trembles by a few frames around the sound card's; what it is off by more is
# drift, and what it is off by much more a period that was lost.
TREMBLE_FRAMES, LOST_FRAMES = 8, 64
TAGS = 1024


class WallClock:
    """Maps wall-clock seconds since 1970 to time.monotonic seconds.

    The offset is kept until the wall clock is set, so that two time tags a second apart come out
    a second apart, to well under a sample.
    """

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._offset_s = math.nan

    def monotonic_at(self, unix_s: float) -> float:
        """The monotonic time of a wall-clock time."""
        for _ in range(4):
            before_s, wall_s, after_s = self._monotonic(), self._wall(), self._monotonic()
            if after_s - before_s <= MAX_READING_S:
                break
        offset_s = (before_s + after_s) / 2 - wall_s
        if not abs(offset_s - self._offset_s) < SET_S:
            self._offset_s = offset_s
        return unix_s + self._offset_s


class TagFrames:
    """Maps the monotonic times of time tags to frames.

    Equal tags get the same frame, and tags are as far apart in frames as in time. To keep that, the
    mapping stays as it is while the engine's clock strays from it by no more than TREMBLE_FRAMES,
    moves along with a clock that strays further, and begins anew with one that is more than
    LOST_FRAMES away.
    """

    def __init__(self, clock: ClockLike, sample_rate_hz: int) -> None:
        self._clock = clock
        self._rate_hz = sample_rate_hz
        self._offset = math.nan
        self._frames: dict[float, int] = {}

    def frame_at(self, due_s: float) -> int:
        """The frame of a tag, at least 1. Asked again it is the same, as long as fewer than TAGS
        other tags were asked for in between."""
        if due_s not in self._frames:
            if len(self._frames) >= TAGS:
                del self._frames[next(iter(self._frames))]
            self._frames[due_s] = max(1, self._mapped(due_s))
        return self._frames[due_s]

    def _mapped(self, due_s: float) -> int:
        place = due_s * self._rate_hz
        offset = self._clock.frame_at(due_s) - place
        off = offset - self._offset
        if not abs(off) <= LOST_FRAMES:
            self._offset = offset
        elif abs(off) > TREMBLE_FRAMES:
            self._offset += math.copysign(math.ceil(abs(off) - TREMBLE_FRAMES), off)
        return round(place + self._offset)


class Schedule:
    """Work that waits for a time, a bounded number of items for each owner and altogether."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._order = itertools.count()
        self._heap: list[tuple[float, int, Hashable, Callable[[], None]]] = []
        self._shares: Counter[Hashable] = Counter()

    def __len__(self) -> int:
        return len(self._heap)

    def put(self, at_s: float, work: Callable[[], None], owner: Hashable = None) -> bool:
        """Keep work until at_s; False when the owner has no room left."""
        if self._shares[owner] >= self._limit or len(self._heap) >= SHARES * self._limit:
            return False
        self._shares[owner] += 1
        heapq.heappush(self._heap, (at_s, next(self._order), owner, work))
        return True

    def wait_s(self, now_s: float, longest_s: float) -> float:
        """How long nothing is due, at most longest_s."""
        if not self._heap:
            return longest_s
        return min(max(self._heap[0][0] - now_s, 0.0), longest_s)

    def run_due(self, now_s: float) -> None:
        """Do everything that is due, in order of time and then of arrival."""
        while self._heap and self._heap[0][0] <= now_s:
            _, _, owner, work = heapq.heappop(self._heap)
            self._shares[owner] -= 1
            if not self._shares[owner]:
                del self._shares[owner]
            work()
