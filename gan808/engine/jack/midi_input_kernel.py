"""MIDI inputs in the process callback, for numba: to the engine first, then to Python's rings.

Runs on JACK's own thread and never takes the interpreter lock. Imported only to be compiled.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gan808.engine.jack.layout import MIDI_INPUTS
from gan808.engine.jack.midi_layout import MAX_BYTES, RING_EVENTS
from gan808.engine.kernels.atomics import clock_gettime_s, load_acquire, store_release
from gan808.engine.kernels.intrinsics import bytes_at, call_c
from gan808.engine.kernels.voices import compiled
from gan808.engine.layout import COMMAND_MIDI, MIDI_ANSWERS, RING_COMMANDS

MAX_READING_S = 5e-6
# The callback runs within the cycle, or one later where JACK was held up.
TRUSTED_CYCLES = 2.0
CHANNEL_MESSAGES, SYSTEM_EXCLUSIVE, HIGHEST_DATA = 0x80, 0xF0, 0x7F
MESSAGE_BYTES = 3


@compiled
def find_events(memory: Any, engine: Any, frames: int) -> int:
    """How many events this cycle brings on all inputs; none of them is played yet."""
    found = 0
    for index in range(MIDI_INPUTS):
        memory.midi_buffers[index] = 0
        port = load_acquire(memory.midi_in[index].port, 0)
        if port == 0:
            continue
        buffer = call_c(memory.get_buffer, (port, np.uint32(frames)), np.int64(0))
        if buffer == 0:
            continue
        count = int(call_c(memory.get_event_count, (buffer,), np.uint32(0)))
        if count > 0:
            memory.midi_buffers[index] = buffer
            found += count
    for answer in range(min(found, MIDI_ANSWERS)):
        engine.midi_answers[answer] = 0
    return found


@compiled
def read_event(memory: Any, index: int, event: int) -> bool:
    """Reads an event of an input into memory.event; False where there is none."""
    failed = call_c(memory.get_event, (
        memory.event.ctypes.data, memory.midi_buffers[index], np.uint32(event)), np.int32(0))
    memory.event[0] &= 0xFFFFFFFF
    return failed == 0 and memory.event[1] > 0


@compiled
def push_message(memory: Any, engine: Any, frame: int, answer: int) -> None:
    """Puts the event, if it is one plain channel message, into the engine's ring for a frame.

    What is not plain, or finds the ring full, is not answered: Python plays it.
    """
    data = bytes_at(memory.event[2])
    if memory.event[1] != MESSAGE_BYTES or not CHANNEL_MESSAGES <= data[0] < SYSTEM_EXCLUSIVE \
            or data[1] > HIGHEST_DATA or data[2] > HIGHEST_DATA:
        return
    port = memory.engine_port
    written = engine.ring_write[port][0]
    if written - load_acquire(engine.ring_read[port], 0) >= RING_COMMANDS:
        return
    command = engine.rings[port][written % RING_COMMANDS]
    command.frame, command.order, command.kind, command.slot = frame, 0, COMMAND_MIDI, 0
    command.cell = np.int64(data[0]) << 16 | np.int64(data[1]) << 8 | np.int64(data[2])
    command.parameter = answer
    command.value, command.gain, command.pan, command.tune_semitones = 0.0, 0.0, 0.0, 0.0
    command.decay = 1.0
    store_release(engine.ring_write[port], 0, written + 1)


@compiled
def play_events(memory: Any, engine: Any, first: int, span: int) -> None:
    """Hands the engine the messages of `span` frames of the cycle, which it is about to mix."""
    answer = 0
    for index in range(MIDI_INPUTS):
        if memory.midi_buffers[index] == 0:
            continue
        count = int(call_c(
            memory.get_event_count, (memory.midi_buffers[index],), np.uint32(0)))
        for event in range(min(count, MIDI_ANSWERS - answer)):
            if read_event(memory, index, event) and first <= memory.event[0] < first + span:
                push_message(memory, engine, engine.frame + memory.event[0] - first,
                             answer + event)
        answer = min(answer + count, MIDI_ANSWERS)


@compiled
def keep_bytes(ring: Any, time_s: float, data: Any, begin: int, size: int, played: int) -> None:
    """Copies up to MAX_BYTES bytes into the ring; counts them as lost when that is full."""
    written = ring.written[0]
    if written - load_acquire(ring.read, 0) >= RING_EVENTS:
        ring.lost += 1
        return
    kept = ring.events[written % RING_EVENTS]
    kept.time_s, kept.size, kept.played = time_s, size, played
    for index in range(size):
        kept.data[index] = data[begin + index]
    store_release(ring.written, 0, written + 1)


@compiled
def keep_event(memory: Any, ring: Any, time_s: float, played: int) -> None:
    """Keeps the bytes in memory.event, in parts where they are many; whoever reads joins them.

    Of system exclusive only its beginning is kept, and what some programs put behind its end.
    """
    data, size = bytes_at(memory.event[2]), memory.event[1]
    begin = 0
    if size > MAX_BYTES and data[0] == SYSTEM_EXCLUSIVE:
        keep_bytes(ring, time_s, data, 0, 1, 0)
        begin = 1
        while begin < size and data[begin] <= HIGHEST_DATA:
            begin += 1
    while begin < size:
        part = min(size - begin, MAX_BYTES)
        keep_bytes(ring, time_s, data, begin, part, played)
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
def keep_events(memory: Any, engine: Any, frames: int) -> None:
    """Keeps for Python what has come in this cycle, each message with the time of its frame and
    whether it was played."""
    began_s, length_s = read_cycle(memory)
    answer = 0
    for index in range(MIDI_INPUTS):
        if memory.midi_buffers[index] == 0:
            continue
        count = int(call_c(
            memory.get_event_count, (memory.midi_buffers[index],), np.uint32(0)))
        for event in range(count):
            if read_event(memory, index, event):
                played = engine.midi_answers[answer] if answer < MIDI_ANSWERS else 0
                keep_event(memory, memory.midi_in[index],
                           began_s + length_s * memory.event[0] / frames, played)
            answer += 1
