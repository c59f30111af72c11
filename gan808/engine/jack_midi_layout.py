"""The memory a JACK MIDI input shares with its process callback, as one structured dtype.

The callback writes the ring; one thread of Python reads it. Everything before `cycle_frame` but the
indices is fixed before the first cycle.
"""

from __future__ import annotations

import numpy as np

from gan808.engine.layout import INDEX_STRIDE

RING_EVENTS = 2048
# What is longer comes in parts.
MAX_BYTES = 4

EVENT = np.dtype([("time_s", "f8"), ("size", "i4"), ("data", "u1", (MAX_BYTES,))], align=True)
INPUT = np.dtype([
    ("written", "i8", (INDEX_STRIDE,)),
    ("read", "i8", (INDEX_STRIDE,)),
    ("client", "i8"),
    ("port", "i8"),
    # addresses of libjack's functions
    ("get_buffer", "i8"),
    ("get_event_count", "i8"),
    ("get_event", "i8"),
    ("get_cycle_times", "i8"),
    ("get_time", "i8"),
    # clock_gettime and the clock behind time.monotonic
    ("clock_address", "i8"),
    ("clock_id", "i8"),
    # what they write to: the cycle's first frame, its beginning and end in us, its length
    ("cycle_frame", "u4", (2,)),
    ("cycle_us", "u8", (2,)),
    ("period_us", "f4", (2,)),
    # jack_midi_event_t: frame of the cycle, size, address of the bytes
    ("event", "i8", (3,)),
    ("lost", "i8"),
    ("events", EVENT, (RING_EVENTS,)),
], align=True)
