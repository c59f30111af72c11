"""MIDI out in the process callback, for numba: sends what is due, each message at its frame.

Runs on JACK's own thread and never takes the interpreter lock. Imported only to be compiled.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gan808.engine.jack.layout import MIDI_OUTPUTS
from gan808.engine.jack.midi_layout import RING_EVENTS
from gan808.engine.kernels.atomics import load_acquire, store_release
from gan808.engine.kernels.intrinsics import call_c
from gan808.engine.kernels.voices import compiled


@compiled
def send_due(memory: Any, first: int, frames: int) -> None:
    """Writes the messages due in this cycle, whose first frame of the engine is `first`."""
    for index in range(MIDI_OUTPUTS):
        send_from(memory, memory.midi_out[index], first, frames)


@compiled
def send_from(memory: Any, out: Any, first: int, frames: int) -> None:
    """Writes what is due of one port's ring; JACK wants the frames in order."""
    port = load_acquire(out.port, 0)
    if port == 0:
        return
    buffer = call_c(memory.get_buffer, (port, np.uint32(frames)), np.int64(0))
    if buffer == 0:
        return
    call_c(memory.clear_buffer, (buffer,), np.int64(0))
    read = out.read[0]
    written = load_acquire(out.written, 0)
    earliest = 0
    while read < written:
        event = out.events[read % RING_EVENTS]
        frame = int(np.floor(event.frame + 0.5)) - first
        if frame >= frames:
            break
        read += 1
        if event.size == 0:
            continue
        if frame < earliest:
            out.late += np.int64(frame < 0)
            frame = earliest
        failed = call_c(memory.write_event, (
            buffer, np.uint32(frame), event.data.ctypes.data, np.int64(event.size)), np.int32(0))
        out.lost += np.int64(failed != 0)
        earliest = frame
    store_release(out.read, 0, read)
