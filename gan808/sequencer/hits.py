"""What the sequencer has scheduled and what it has taken back, for whoever sends it elsewhere.

Written by the sequencer with its lock held, read by one other thread; neither waits.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

# Where nobody reads the oldest go: more than this is not scheduled ahead.
MOST_NEWS = 1024


@dataclass(frozen=True, slots=True)
class ScheduledHit:
    """A hit of the pattern, as it is to sound: slot 0..15, velocity 0..1, the engine's frame."""

    slot: int
    velocity: float
    frame: int


@dataclass(frozen=True, slots=True)
class TakenBack:
    """Hits scheduled before this, from `frame` on, do not sound."""

    frame: int


class HitLog:
    """Hits on their way, in the order of their scheduling. Count-ins are none."""

    def __init__(self) -> None:
        self._news: deque[ScheduledHit | TakenBack] = deque(maxlen=MOST_NEWS)

    def write(self, news: ScheduledHit | TakenBack) -> None:
        """Note what has been done."""
        self._news.append(news)

    def read(self) -> list[ScheduledHit | TakenBack]:
        """What has been done since the last call."""
        return [self._news.popleft() for _ in range(len(self._news))]
