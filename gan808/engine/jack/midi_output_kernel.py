"""The process callback of a JACK MIDI output, for numba: sends what is due, each at its frame.

Runs on JACK's own thread and never takes the interpreter lock. Imported only to be compiled.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numba import types as numba_types

from gan808.engine.jack.midi_layout import OUTPUT, RING_EVENTS
from gan808.engine.kernels.atomics import load_acquire, store_release
from gan808.engine.kernels.intrinsics import call_c, int64_at
from gan808.engine.kernels.voices import compiled

types: Any = numba_types
PROCESS_TYPE = types.int32(types.uint32, types.CPointer(numba.from_dtype(OUTPUT)))
FRAME_BITS = 0xFFFFFFFF
# Cycles after which what was seen of the engine is forgotten, one span later: seconds, since the
# order may stay the same for long; an engine that was once held up is found again after them.
SPAN_CYCLES = 2048
FAR = 1 << 62


@compiled
def first_frame(memory: Any) -> int:
    """This cycle's first frame, counted as the engine counts.

    The engine mixes this cycle before or after this is called, as JACK has it: the least distance
    of late is that of the cycles in which it came after.
    """
    bits = np.int64(call_c(memory.get_frame, (memory.client,), np.uint32(0)))
    memory.jack_frame += (bits - memory.jack_frame_bits) & FRAME_BITS
    memory.jack_frame_bits = bits
    if memory.engine_frame == 0:
        return memory.jack_frame
    if memory.cycles % SPAN_CYCLES == 0:
        memory.apart[1] = memory.apart[0] if memory.cycles else FAR
        memory.apart[0] = FAR
    memory.cycles += 1
    apart = int64_at(memory.engine_frame)[0] - memory.jack_frame
    memory.apart[0] = min(memory.apart[0], apart)
    return memory.jack_frame + min(memory.apart[0], memory.apart[1])


@compiled
def send(memory: Any, frames: int) -> None:
    """Writes the messages due in this cycle; JACK wants their frames in order."""
    buffer = call_c(memory.get_buffer, (memory.port, np.uint32(frames)), np.int64(0))
    call_c(memory.clear_buffer, (buffer,), np.int64(0))
    first = first_frame(memory)
    read = memory.read[0]
    written = load_acquire(memory.written, 0)
    earliest = 0
    while read < written:
        event = memory.events[read % RING_EVENTS]
        frame = int(np.floor(event.frame + 0.5)) - first
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
