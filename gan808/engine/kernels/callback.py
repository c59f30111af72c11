"""The audio callback: a numba cfunc that mixes one block without ever taking the interpreter lock.

Runs on PortAudio's thread (or on the thread of an output that writes files). It never allocates,
locks, logs or raises, and always fills its output.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numba
import numpy as np
from numba import types as numba_types

from gan808.engine.kernels.atomics import clock_gettime_s, load_acquire, store_release
from gan808.engine.kernels.mixing import mix_voices
from gan808.engine.kernels.queue import apply_due, drain_rings
from gan808.engine.kernels.slots import ask_for_slots, clear_slots, hand_out_slots
from gan808.engine.kernels.tape import answer_recording, open_tape, tape_block
from gan808.engine.kernels.voices import compiled, ramp_gain
from gan808.engine.layout import CHUNK_FRAMES, LIMITER_THRESHOLD, MEMORY

# PortAudio's paOutputUnderflow: the device ran dry before this block.
OUTPUT_UNDERFLOW = 4
# Adriaensen's loop: 0.5 Hz of bandwidth smooths block jitter and follows a drifting clock.
LOOP_BANDWIDTH_HZ = 0.5
# Past this error the stream has stopped or skipped: start again instead of gliding there.
LOOP_RESET_S = 0.05
LOAD_SMOOTHING = 0.1
INAUDIBLE = 1e-9

types: Any = numba_types
carray: Any = numba.carray
_ulong = types.uint64 if ctypes.sizeof(ctypes.c_ulong) == 8 else types.uint32
CALLBACK_TYPE = types.int32(types.voidptr, types.voidptr, _ulong, types.voidptr, _ulong,
                            types.CPointer(numba.from_dtype(MEMORY)))
WORDS = types.Array(types.int64, 1, "C")
NUMBERS = types.Array(types.float64, 1, "C")


@compiled
def limited(memory: Any, left: float, right: float) -> float:
    """The gain that keeps this frame under 1: exactly 1 up to the threshold, then a soft knee.

    The envelope rises at once and falls slowly, so it never lies below the signal and the gain
    never jumps where the signal does not.
    """
    level = max(abs(left), abs(right))
    envelope = memory.limiter_envelope * memory.limiter_release
    if envelope < INAUDIBLE:
        envelope = 0.0
    envelope = max(envelope, level)
    memory.limiter_envelope = envelope
    if envelope <= LIMITER_THRESHOLD:
        return np.float64(1.0)
    room = 1.0 - LIMITER_THRESHOLD
    over = (envelope - LIMITER_THRESHOLD) / room
    return (LIMITER_THRESHOLD + room * over / (1.0 + over)) / envelope


@compiled
def write_span(memory: Any, out: Any, first: int, frames: int) -> None:
    """Applies master volume and limiter and interleaves what was mixed into the output."""
    left, right = memory.left, memory.right
    index, ramp_frames = memory.master_ramp_index, memory.master_ramp_frames
    peak = memory.peak
    for frame in range(frames):
        master = ramp_gain(memory.master, memory.master_target, index, ramp_frames)
        index = min(index + 1, ramp_frames)
        left_sample, right_sample = left[frame] * master, right[frame] * master
        gain = limited(memory, left_sample, right_sample)
        left_out, right_out = np.float32(left_sample * gain), np.float32(right_sample * gain)
        out[2 * (first + frame)], out[2 * (first + frame) + 1] = left_out, right_out
        peak = max(peak, max(abs(left_out), abs(right_out)))
    memory.master_ramp_index = index
    memory.peak = peak


@compiled
def mix_span(memory: Any, out: Any, first: int, frames: int) -> int:
    """Mixes up to the next command, the end of the block or of the scratch; returns the frames."""
    apply_due(memory)
    span = min(frames, CHUNK_FRAMES)
    if memory.queued > 0:
        span = min(span, memory.queue[0].frame - memory.frame)
    memory.left[:span] = 0.0
    memory.right[:span] = 0.0
    if memory.by_slot != 0:
        clear_slots(memory, span)
    mix_voices(memory, span)
    write_span(memory, out, first, span)
    if memory.by_slot != 0:
        hand_out_slots(memory, first, span)
    memory.frame += span
    return span


@compiled
def count_voices(memory: Any) -> None:
    """Counts what sounds now."""
    sounding = 0
    voices = memory.voices
    for index in range(memory.physical_voices):
        if voices[index].state != 0:
            sounding += 1
    memory.sounding = sounding


@compiled
def publish_clock(memory: Any, time_s: float) -> None:
    """Publishes frame, time of the frame and seconds per frame, odd version while writing.

    Release on every store and acquire on every load make a torn reading visible as a changed
    version, on any processor.
    """
    index, values = memory.clock_index, memory.clock_time
    version = index[0] + 1
    store_release(index, 0, version)
    store_release(index, 1, memory.frame)
    store_release(values, 0, time_s)
    store_release(values, 1, memory.seconds_per_frame)
    store_release(index, 0, version + 1)


@compiled
def follow_clock(memory: Any, now_s: float, frames: int, skipped: bool) -> None:
    """One turn of the delay-locked loop (Adriaensen 2005) at the start of a block."""
    nominal = 1.0 / memory.sample_rate_hz
    error = now_s - memory.next_time_s
    if memory.live == 0 or memory.clock_locked == 0 or abs(error) > LOOP_RESET_S:
        memory.seconds_per_frame = nominal
        memory.clock_locked = memory.live
        skipped = True
    if skipped:
        memory.next_time_s = now_s
        error = 0.0
    publish_clock(memory, memory.next_time_s)
    omega = 2.0 * np.pi * LOOP_BANDWIDTH_HZ * frames * nominal
    memory.next_time_s += np.sqrt(2.0) * omega * error + frames * memory.seconds_per_frame
    memory.seconds_per_frame += omega * omega * error / frames


@compiled
def process(memory: Any, out: Any, frames: int, flags: int) -> None:
    """Mixes one block of interleaved stereo into out, float32 (2 * frames,)."""
    began_s = 0.0
    if memory.clock_address != 0:
        began_s = clock_gettime_s(memory.clock_address, memory.clock_id)
    skipped = (flags & OUTPUT_UNDERFLOW) != 0
    memory.xruns += 1 if skipped else 0
    request = load_acquire(memory.requests, 0)
    if request != memory.peak_answered:
        memory.peak_answered = request
        memory.peak = 0.0
    if frames > 0:
        follow_clock(memory, began_s, frames, skipped)
    answer_recording(memory)
    open_tape(memory, frames)
    ask_for_slots(memory)
    drain_rings(memory)
    done = 0
    while done < frames:
        done += mix_span(memory, out, done, frames - done)
    tape_block(memory, out, frames)
    count_voices(memory)
    memory.blocks += 1
    if memory.clock_address != 0 and frames > 0:
        spent_s = clock_gettime_s(memory.clock_address, memory.clock_id) - began_s
        load = spent_s * memory.sample_rate_hz / frames
        memory.load += LOAD_SMOOTHING * (load - memory.load)


def callback(_input: Any, output: Any, frames: Any, _time: Any, flags: Any,
             userdata: Any) -> int:
    """PortAudio's PaStreamCallback on interleaved float32 stereo; userdata is a MEMORY."""
    memory = carray(userdata, 1)[0]
    count = np.int64(frames)
    out = carray(output, (2 * count,), np.float32)
    process(memory, out, count, np.int64(flags))
    return 0


def load_word(word: Any) -> int:
    """The int64 at an address, acquired."""
    return load_acquire(carray(word, 1), 0)


def store_word(word: Any, value: int) -> None:
    """Puts an int64 at an address, released."""
    store_release(carray(word, 1), 0, value)


def read_clock(index: Any, values: Any, out: Any) -> int:
    """Reads clock_index and clock_time into out, float64 (3,): frame, its time in seconds and
    seconds per frame. 0 when the callback was writing: try again."""
    index, values, out = carray(index, 2), carray(values, 2), carray(out, 3)
    version = load_acquire(index, 0)
    out[0] = load_acquire(index, 1)
    out[1] = load_acquire(values, 0)
    out[2] = load_acquire(values, 1)
    return 1 if load_acquire(index, 0) == version and version % 2 == 0 else 0


ROUTINES = {
    "callback": (CALLBACK_TYPE, callback),
    "load_word": (types.int64(types.CPointer(types.int64)), load_word),
    "store_word": (types.void(types.CPointer(types.int64), types.int64), store_word),
    "read_clock": (types.int32(types.CPointer(types.int64), types.CPointer(types.float64),
                               types.CPointer(types.float64)), read_clock),
}
