"""Time in frames: what the callback's delay-locked loop says, read from any thread."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

# The callback writes for a few nanoseconds a block, so a second reading nearly always succeeds.
READ_ATTEMPTS = 1000


class EngineClock:
    """Maps time.monotonic seconds to stream frames and back (delay-locked loop, Adriaensen 2005).

    On an output that does not follow real time, or where the system has no POSIX clock, time is
    taken to stand still within a block: every time maps around the frame mixed last.
    """

    def __init__(self, memory: NDArray[np.void],
                 read_clock: Callable[[int, int, int], int]) -> None:
        self._memory = memory
        self._index: NDArray[np.int64] = memory[0]["clock_index"]
        self._addresses = memory[0]["clock_index"].ctypes.data, memory[0]["clock_time"].ctypes.data
        self._read_clock = read_clock

    def frame_now(self) -> int:
        """The frame being mixed now; 0 before the first block."""
        return self.frame_at(time.monotonic())

    def frame_at(self, monotonic_s: float) -> int:
        """The frame mixed at a time on the time.monotonic scale; never negative."""
        frame, time_s, seconds_per_frame = self._reading()
        return max(0, round(frame + (monotonic_s - time_s) / seconds_per_frame))

    def time_at(self, frame: int) -> float:
        """The time, on the time.monotonic scale, at which a frame is mixed."""
        start_frame, time_s, seconds_per_frame = self._reading()
        return time_s + (frame - start_frame) * seconds_per_frame

    def restart(self) -> None:
        """The frame mixed last is now, at the nominal rate. Only while nothing is mixed."""
        memory: Any = self._memory[0]
        memory["seconds_per_frame"] = 1.0 / float(memory["sample_rate_hz"])
        memory["clock_index"][1] = memory["frame"]
        memory["clock_time"][:2] = time.monotonic(), memory["seconds_per_frame"]

    def _reading(self) -> tuple[float, float, float]:
        memory: Any = self._memory[0]
        if not memory["live"] or not memory["clock_address"] or not self._index[0]:
            return float(memory["frame"]), time.monotonic(), 1.0 / float(memory["sample_rate_hz"])
        out = (ctypes.c_double * 3)()
        for _ in range(READ_ATTEMPTS):
            if self._read_clock(*self._addresses, ctypes.addressof(out)):
                break
        return out[0], out[1], out[2]
