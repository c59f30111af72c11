"""The process callback of a JACK MIDI output, for numba: sends what is due, each at its frame.

Runs on JACK's own thread and never takes the interpreter lock. Imported only to be compiled.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numba import types as numba_types

from gan808.engine.atomics import load_acquire, store_release
from gan808.engine.ccalls import call_c
from gan808.engine.jack_midi_kernel import read_cycle
from gan808.engine.jack_midi_layout import OUTPUT, RING_EVENTS
from gan808.engine.voices import compiled

types: Any = numba_types
PROCESS_TYPE = types.int32(types.uint32, types.CPointer(numba.from_dtype(OUTPUT)))


@compiled
def send(memory: Any, frames: int) -> None:
    """Writes the messages due in this cycle; JACK wants their frames in order."""
    buffer = call_c(memory.get_buffer, (memory.port, np.uint32(frames)), np.int64(0))
    call_c(memory.clear_buffer, (buffer,), np.int64(0))
    read = memory.read[0]
    written = load_acquire(memory.written, 0)
    if read == written:
        return
    began_s, length_s = read_cycle(memory)
    if length_s <= 0.0:
        return
    earliest = 0
    while read < written:
        event = memory.events[read % RING_EVENTS]
        frame = int(np.floor((event.time_s - began_s) / length_s * frames + 0.5))
        if frame >= frames:
            break
        if frame < earliest:
            memory.late += np.int64(frame < 0)
            frame = earliest
        failed = call_c(memory.write_event, (
            buffer, np.uint32(frame), event.data.ctypes.data, np.int64(event.size)), np.int32(0))
        memory.lost += np.int64(failed != 0)
        earliest = frame
        read += 1
    store_release(memory.read, 0, read)


def process(frames: Any, userdata: Any) -> int:
    """JACK's JackProcessCallback; userdata is an OUTPUT."""
    send(numba.carray(userdata, 1)[0], np.int64(frames))
    return 0


ROUTINES = {"process": (PROCESS_TYPE, process)}
