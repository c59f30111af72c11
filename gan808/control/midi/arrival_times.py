"""When MIDI messages arrived: each with its time, whatever thread reads it and when.

Pure; used by the threads that read the ports.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

# The clock is set by the best readings of the last one to two spans: short enough that a poor
# crystal (100 ppm) drifts less than a millisecond and that lost messages are soon forgotten.
SPAN_S = 5.0


@dataclass(frozen=True, slots=True)
class Arrival:
    """One whole message: its bytes, when it came in time.monotonic seconds, from which port, and
    whether the audio callback has acted on it already."""

    data: list[int]
    arrival_s: float
    source: str = ""
    played: bool = False


class ArrivalClock:
    """Arrival times free of Python's wake-up jitter, from RtMidi's delta times.

    The deltas are measured where the message arrives; how late Python reads them varies, but is
    never negative. So the earliest of the recent readings tells where the deltas' zero is.
    """

    def __init__(self) -> None:
        self._stamp_s = 0.0
        self._span_began_s = -math.inf
        self._zero_s = math.inf
        self._zero_before_s = math.inf

    def arrival(self, delta_s: float, now_s: float) -> float:
        """When a message arrived that came delta_s after the one before and is read at now_s."""
        self._stamp_s += delta_s
        age_s = now_s - self._span_began_s
        if age_s >= SPAN_S:
            self._zero_before_s = self._zero_s if age_s < 2 * SPAN_S else math.inf
            self._zero_s = math.inf
            self._span_began_s = now_s
        self._zero_s = min(self._zero_s, now_s - self._stamp_s)
        return self._stamp_s + min(self._zero_s, self._zero_before_s)
