"""JACK's transport in its callbacks, for numba: read in each cycle, begun with on its very frame.

Runs on JACK's own threads and never takes the interpreter lock. Imported only to be compiled.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gan808.engine.jack.transport_layout import (
    BBT,
    ROLLING,
    STARTING,
    TICK_DOUBLE,
)
from gan808.engine.kernels.atomics import load_acquire, store_release
from gan808.engine.kernels.intrinsics import call_c
from gan808.engine.kernels.voices import compiled
from gan808.engine.layout import COMMAND_FORGET, COMMAND_TRIGGER, RING_COMMANDS

STEPS_PER_BEAT, BEATS_PER_BAR, TICKS_PER_BEAT = 4.0, 4, 1920.0


@compiled
def push_command(memory: Any, engine: Any, frame: int, kind: int, slot: int, velocity: float,
                 pan: float, tune_semitones: float, decay: float) -> None:
    """Puts a command into the engine's ring; one that finds it full is lost."""
    port = memory.engine_port
    written = engine.ring_write[port][0]
    if written - load_acquire(engine.ring_read[port], 0) >= RING_COMMANDS:
        return
    command = engine.rings[port][written % RING_COMMANDS]
    command.frame, command.order, command.kind, command.slot = frame, 0, kind, slot
    command.cell, command.parameter = 0, 0
    command.value, command.gain = velocity, 1.0
    command.pan, command.tune_semitones, command.decay = pan, tune_semitones, decay
    store_release(engine.ring_write[port], 0, written + 1)


@compiled
def fits(transport: Any, position: int) -> bool:
    """Whether the first hits are there for a start at a position."""
    number = load_acquire(transport.prepared, 0)
    return number > 0 and transport.tables[number % 2].position == position


@compiled
def play_prepared(memory: Any, engine: Any, position: int) -> int:
    """Plays the first hits of a start in this cycle; the frame until which they are all of them,
    0 where there are none for that position."""
    transport = memory.transport
    if not fits(transport, position):
        return 0
    table = transport.tables[load_acquire(transport.prepared, 0) % 2]
    for index in range(table.count):
        hit = table.hits[index]
        push_command(memory, engine, engine.frame + hit.frame, COMMAND_TRIGGER, hit.slot,
                     hit.velocity, hit.pan, hit.tune_semitones, hit.decay)
    return int(engine.frame + table.frames)


@compiled
def take_back(memory: Any, engine: Any) -> None:
    """Steps that were scheduled from here on are not played, whoever has sent them."""
    push_command(memory, engine, engine.frame, COMMAND_FORGET, 0, 0.0, 0.0, 0.0, 0.0)
    push_command(memory, engine, engine.frame, COMMAND_FORGET, memory.transport.steps_port + 1,
                 0.0, 0.0, 0.0, 0.0)


@compiled
def turn_transport(memory: Any, engine: Any, rolling: int, position: int) -> None:
    """What follows when it starts or stops with this cycle."""
    transport = memory.transport
    if rolling != 0 and transport.rolling == 0:
        transport.starts += 1
        transport.start_frame, transport.start_position = engine.frame, position
        transport.sent_until = play_prepared(memory, engine, position)
    elif rolling == 0 and transport.rolling != 0:
        take_back(memory, engine)
    elif rolling != 0:
        # A timebase master is asked for a place in every cycle that rolls.
        transport.ours = 1 if transport.told != transport.told_seen else 0
    transport.told_seen = transport.told
    transport.rolling = rolling


@compiled
def publish_transport(transport: Any, frame: int, state: int) -> None:
    """Publishes a reading in the order of WHOLE and REAL, odd version while writing."""
    whole, real, place = transport.whole, transport.real, transport.place[0]
    version = transport.version[0] + 1
    store_release(transport.version, 0, version)
    store_release(whole, 0, frame)
    store_release(whole, 1, np.int64(place.frame))
    store_release(whole, 2, state)
    store_release(whole, 3, transport.starts)
    store_release(whole, 4, transport.start_frame)
    store_release(whole, 5, transport.start_position)
    store_release(whole, 6, transport.sent_until)
    store_release(whole, 7, transport.ours)
    store_release(whole, 8, np.int64(place.valid))
    store_release(whole, 9, np.int64(place.bar))
    store_release(whole, 10, np.int64(place.beat))
    store_release(whole, 11, np.int64(place.tick))
    store_release(whole, 12, np.int64(place.bbt_offset))
    store_release(real, 0, np.float64(place.beats_per_bar))
    store_release(real, 1, np.float64(place.beat_type))
    store_release(real, 2, place.ticks_per_beat)
    store_release(real, 3, place.beats_per_minute)
    store_release(real, 4, place.tick_double)
    store_release(transport.version, 0, version + 1)


@compiled
def follow_transport(memory: Any, engine: Any) -> None:
    """Reads the transport at the beginning of a cycle, where somebody wants to know."""
    transport = memory.transport
    wanted = load_acquire(transport.wanted, 0)
    if wanted != transport.followed:
        transport.followed, transport.rolling = wanted, 0
    if wanted == 0:
        return
    state = int(call_c(memory.query_transport, (
        memory.client, transport.place.ctypes.data), np.int32(0)))
    if state != STARTING:
        transport.waited_frames = 0
    turn_transport(memory, engine, 1 if state == ROLLING else 0,
                   np.int64(transport.place[0].frame))
    publish_transport(transport, engine.frame, state)


@compiled
def is_ready(memory: Any, position: int) -> int:
    """Whether a start at a position may go ahead: the first hits are there, or it has waited for
    long enough."""
    transport = memory.transport
    transport.waited_frames += memory.frames
    if load_acquire(transport.wanted, 0) == 0 or fits(transport, position):
        return 1
    return 1 if transport.waited_frames > transport.patience_frames else 0


@compiled
def tell_place(memory: Any, place: Any) -> None:
    """Fills in bar, beat and tick of a position as timebase master: 4/4, from the line."""
    transport = memory.transport
    line = transport.lines[load_acquire(transport.line, 0) % 2]
    step = line.step + (np.float64(place.frame) - line.frame) / line.frames_per_step
    beats = max(0.0, step / STEPS_PER_BEAT)
    beat = np.floor(beats)
    tick = (beats - beat) * TICKS_PER_BEAT
    bar = np.floor(beat / BEATS_PER_BAR)
    place.bar = np.int32(bar + 1)
    place.beat = np.int32(beat - bar * BEATS_PER_BAR + 1)
    place.tick = np.int32(tick)
    place.tick_double = tick
    place.bar_start_tick = bar * BEATS_PER_BAR * TICKS_PER_BEAT
    place.beats_per_bar = np.float32(BEATS_PER_BAR)
    place.beat_type = np.float32(4.0)
    place.ticks_per_beat = TICKS_PER_BEAT
    place.beats_per_minute = line.tempo_bpm
    place.valid = np.uint32(BBT | TICK_DOUBLE)
    transport.told += 1
