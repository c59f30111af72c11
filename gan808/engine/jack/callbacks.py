"""Callbacks of JACK clients for numba: one block of sound and MIDI, and what the server tells.

They run on JACK's own threads and never take the interpreter lock. Imported only to be compiled.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numba import types as numba_types

from gan808.engine.jack.layout import CHUNK_FRAMES, OUTPUT
from gan808.engine.jack.midi_input_kernel import find_events, keep_events, play_events
from gan808.engine.jack.midi_output_kernel import send_due
from gan808.engine.jack.transport_kernel import follow_transport, is_ready, tell_place
from gan808.engine.jack.transport_layout import POSITION
from gan808.engine.kernels.atomics import load_acquire, store_release
from gan808.engine.kernels.intrinsics import call_c, floats_at, memory_at
from gan808.engine.kernels.voices import compiled
from gan808.engine.layout import CHANNELS

UNDERFLOW = np.uint64(4)  # PortAudio's paOutputUnderflow, which the engine's callback understands
SAMPLE_BYTES = 4

types: Any = numba_types
carray: Any = numba.carray
USERDATA = types.CPointer(numba.from_dtype(OUTPUT))
PLACE = types.CPointer(numba.from_dtype(POSITION))
PROCESS_TYPE = types.int32(types.uint32, USERDATA)
WORD = types.CPointer(types.int64)


@compiled
def play(memory: Any, frames: int) -> None:
    """Sends what is due, plays what has come, mixes this cycle and hands each channel to its port.

    However long the cycle is, announced or not; what a port has no buffer for is mixed unheard, so
    that time goes on.
    """
    engine = carray(memory_at(memory.engine), 1)[0]
    flags = np.uint64(0)
    memory.frames = frames
    xruns = load_acquire(memory.xruns, 0)
    if xruns != memory.xruns_told:
        memory.xruns_told = xruns
        flags = UNDERFLOW
    send_due(memory, engine.frame, frames)
    follow_transport(memory, engine)
    events = find_events(memory, engine, frames)
    left = call_c(memory.get_buffer, (memory.left_port, np.uint32(frames)), np.int64(0))
    right = call_c(memory.get_buffer, (memory.right_port, np.uint32(frames)), np.int64(0))
    first = 0
    while first < frames:
        span = min(CHUNK_FRAMES, frames - first)
        if events > 0:
            play_events(memory, engine, first, span)
        call_c(memory.callback, (
            np.int64(0), memory.stereo.ctypes.data, np.uint64(span), np.int64(0), flags,
            memory.engine), np.int32(0))
        hand_over(memory, left, 0, first, span)
        hand_over(memory, right, 1, first, span)
        flags = np.uint64(0)
        first += span
    if events > 0:
        keep_events(memory, engine, frames)
    store_release(memory.cycles, 0, memory.cycles[0] + 1)


@compiled
def hand_over(memory: Any, buffer: int, channel: int, first: int, span: int) -> None:
    """Copies a channel of what was mixed to its port's buffer, if it has one, from `first` on."""
    if buffer == 0:
        return
    out = floats_at(buffer + SAMPLE_BYTES * first)
    for frame in range(span):
        out[frame] = memory.stereo[CHANNELS * frame + channel]


def process(frames: Any, userdata: Any) -> int:
    """JACK's JackProcessCallback; userdata is an OUTPUT."""
    play(carray(userdata, 1)[0], np.int64(frames))
    return 0


def sync(_state: Any, position: Any, userdata: Any) -> int:
    """JACK's JackSyncCallback; userdata is an OUTPUT."""
    return is_ready(carray(userdata, 1)[0], np.int64(carray(position, 1)[0].frame))


def timebase(_state: Any, _frames: Any, position: Any, _new: Any, userdata: Any) -> None:
    """JACK's JackTimebaseCallback; userdata is an OUTPUT."""
    tell_place(carray(userdata, 1)[0], carray(position, 1)[0])


def count(word: Any) -> int:
    """JACK's JackXRunCallback: one more in the int64 at userdata."""
    words = carray(word, 1)
    store_release(words, 0, load_acquire(words, 0) + 1)
    return 0


def mark(word: Any) -> None:
    """JACK's JackShutdownCallback: the int64 at userdata becomes 1."""
    store_release(carray(word, 1), 0, 1)


def ignore(_text: Any) -> None:
    """For jack_set_error_function: what libjack would print is told by our own errors."""


ROUTINES = {
    "process": (PROCESS_TYPE, process),
    "sync": (types.int32(types.int32, PLACE, USERDATA), sync),
    "timebase": (
        types.void(types.int32, types.uint32, PLACE, types.int32, USERDATA), timebase),
    "count": (types.int32(WORD), count),
    "mark": (types.void(WORD), mark),
    "ignore": (types.void(types.voidptr), ignore),
}
