"""The memory a JACK MIDI port shares with the process callback, as one structured dtype.

The callback writes the ring of a MIDI_IN and one thread of Python reads it; of a MIDI_OUT it is the
other way round. A port of 0 is none.
"""

from __future__ import annotations

import numpy as np

from gan808.engine.layout import INDEX_STRIDE

RING_EVENTS = 2048
# What is longer comes in parts.
MAX_BYTES = 4

EVENT = np.dtype([
    ("time_s", "f8"),
    ("size", "i4"),
    ("played", "i4"),  # 1: the audio callback has acted upon it
    ("data", "u1", (MAX_BYTES,)),
], align=True)
MIDI_IN = np.dtype([
    ("written", "i8", (INDEX_STRIDE,)),
    ("read", "i8", (INDEX_STRIDE,)),
    ("port", "i8", (INDEX_STRIDE,)),
    ("lost", "i8"),
    ("events", EVENT, (RING_EVENTS,)),
], align=True)
# A size of 0: taken back.
DUE = np.dtype([("frame", "f8"), ("size", "i4"), ("data", "u1", (MAX_BYTES,))], align=True)
MIDI_OUT = np.dtype([
    ("written", "i8", (INDEX_STRIDE,)),
    ("read", "i8", (INDEX_STRIDE,)),
    ("port", "i8", (INDEX_STRIDE,)),
    # messages sent in a later cycle than they were due
    ("late", "i8"),
    # what JACK had no room for
    ("lost", "i8"),
    ("events", DUE, (RING_EVENTS,)),
], align=True)
