"""The process callback of a JACK MIDI input, for numba: keeps what has come in a ring.

Runs on JACK's own thread and never takes the interpreter lock. Imported only to be compiled.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numba import types as numba_types

from gan808.engine.jack.midi_layout import INPUT, MAX_BYTES, RING_EVENTS
from gan808.engine.kernels.atomics import clock_gettime_s, load_acquire, store_release
from gan808.engine.kernels.intrinsics import bytes_at, call_c
from gan808.engine.kernels.voices import compiled

MAX_READING_S = 5e-6
# The callback runs within the cycle, or one later where JACK was held up.
TRUSTED_CYCLES = 2.0
SYSTEM_EXCLUSIVE, HIGHEST_DATA = 0xF0, 0x7F

types: Any = numba_types
PROCESS_TYPE = types.int32(types.uint32, types.CPointer(numba.from_dtype(INPUT)))


@compiled
def keep_bytes(memory: Any, time_s: float, data: Any, begin: int, size: int) -> None:
    """Copies up to MAX_BYTES bytes into the ring; counts them as lost when that is full."""
    written = memory.written[0]
    if written - load_acquire(memory.read, 0) >= RING_EVENTS:
        memory.lost += 1
        return
    kept = memory.events[written % RING_EVENTS]
    kept.time_s, kept.size = time_s, size
    for index in range(size):
        kept.data[index] = data[begin + index]
    store_release(memory.written, 0, written + 1)


@compiled
def keep_event(memory: Any, time_s: float, size: int) -> None:
    """Keeps the bytes in memory.event, in parts where they are many; whoever reads joins them.

    Of system exclusive only its beginning is kept, and what some programs put behind its end.
    """
    data = bytes_at(memory.event[2])
    begin = 0
    if size > MAX_BYTES and data[0] == SYSTEM_EXCLUSIVE:
        keep_bytes(memory, time_s, data, 0, 1)
        begin = 1
        while begin < size and data[begin] <= HIGHEST_DATA:
            begin += 1
    while begin < size:
        part = min(size - begin, MAX_BYTES)
        keep_bytes(memory, time_s, data, begin, part)
        begin += part


@compiled
def clock_offset_s(memory: Any) -> float:
    """time.monotonic minus JACK's clock now: they may be two clocks, and drift.

    Both are read at once; a reading in between which the thread was held up is taken again.
    """
    offset_s = 0.0
    for _ in range(4):
        before_s = clock_gettime_s(memory.clock_address, memory.clock_id)
        jack_s = np.float64(call_c(memory.get_time, (), np.uint64(0))) * 1e-6
        after_s = clock_gettime_s(memory.clock_address, memory.clock_id)
        offset_s = (before_s + after_s) / 2 - jack_s
        if after_s - before_s < MAX_READING_S:
            break
    return offset_s


@compiled
def read_cycle(memory: Any) -> tuple[float, float]:
    """When this cycle began on the scale of time.monotonic, and its length, in seconds.

    JACK smooths its times. After it was held up they may be far from the truth for seconds: then
    the cycle begins now.
    """
    begin = memory.cycle_us.ctypes.data
    call_c(memory.get_cycle_times, (
        memory.client, memory.cycle_frame.ctypes.data, begin, begin + 8,
        memory.period_us.ctypes.data), np.int32(0))
    length_s = np.float64(memory.cycle_us[1] - memory.cycle_us[0]) * 1e-6
    began_s = np.float64(memory.cycle_us[0]) * 1e-6 + clock_offset_s(memory)
    now_s = clock_gettime_s(memory.clock_address, memory.clock_id)
    if abs(now_s - began_s) > TRUSTED_CYCLES * length_s:
        began_s = now_s
    return began_s, length_s


@compiled
def receive(memory: Any, frames: int) -> None:
    """Keeps what has come in this cycle, each message with the time of its frame."""
    buffer = call_c(memory.get_buffer, (memory.port, np.uint32(frames)), np.int64(0))
    count = call_c(memory.get_event_count, (buffer,), np.uint32(0))
    if count == 0:
        return
    began_s, length_s = read_cycle(memory)
    for index in range(count):
        failed = call_c(memory.get_event, (
            memory.event.ctypes.data, buffer, np.uint32(index)), np.int32(0))
        frame, size = memory.event[0] & 0xFFFFFFFF, memory.event[1]
        if failed == 0 and size > 0:
            keep_event(memory, began_s + length_s * frame / frames, size)


def process(frames: Any, userdata: Any) -> int:
    """JACK's JackProcessCallback; userdata is an INPUT."""
    receive(numba.carray(userdata, 1)[0], np.int64(frames))
    return 0


ROUTINES = {"process": (PROCESS_TYPE, process)}
