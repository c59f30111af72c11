"""The memory a JACK MIDI port shares with its process callback, as one structured dtype.

The callback writes the ring of an INPUT and one thread of Python reads it; of an OUTPUT it is the
other way round. Addresses and handles are fixed before the first cycle.
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
DUE = np.dtype([("frame", "f8"), ("size", "i4"), ("data", "u1", (MAX_BYTES,))], align=True)
OUTPUT = np.dtype([
    ("written", "i8", (INDEX_STRIDE,)),
    ("read", "i8", (INDEX_STRIDE,)),
    ("client", "i8"),
    ("port", "i8"),
    # addresses of libjack's functions
    ("get_buffer", "i8"),
    ("clear_buffer", "i8"),
    ("write_event", "i8"),
    ("get_frame", "i8"),
    # the address of the engine's count of frames mixed; 0: due frames are JACK's own
    ("engine_frame", "i8"),
    # JACK's frames so far, and the last 32 bits of them that it told
    ("jack_frame", "i8"),
    ("jack_frame_bits", "i8"),
    # engine's frames less JACK's: the least of this span of cycles and of the one before
    ("cycles", "i8"),
    ("apart", "i8", (2,)),
    # messages sent in a later cycle than they were due
    ("late", "i8"),
    # what JACK had no room for
    ("lost", "i8"),
    ("events", DUE, (RING_EVENTS,)),
], align=True)
