"""The memory a TriggerFastPath shares with its compiled routine, as one structured dtype. One
thread."""

from __future__ import annotations

import numpy as np

# A plain hit: address, type tags, a slot and a velocity, each of them padded by OSC 1.0.
ADDRESS = b"/gan808/trig\0\0\0\0"
TAGS_AT, SLOT_AT, VELOCITY_AT, HIT_BYTES = 16, 20, 24, 28
# A slot as four bytes of text: its code in capitals and small letters, its number.
KEYS = 64
NOTHING, ARRIVED, PLAYED = 0, 1, 2

FAST_PATH = np.dtype([
    ("poll", "i8"),  # addresses of the C library's functions
    ("recv", "i8"),
    ("entry", "i4", (2,)),  # a struct pollfd: the socket, and what to wait for
    ("flags", "i4"),  # of recv
    ("port", "i4"),  # the engine's, whose ring is written
    ("slots", "i4"),  # how many there are
    ("keys", "i4"),
    ("key", "i8", (KEYS,)),
    ("slot", "i4", (KEYS,)),
    ("address", "u1", (TAGS_AT,)),
    # one byte more than a hit, so that what is longer is told apart
    ("heard", "u1", (HIT_BYTES + 4,)),
    ("velocity", "u1", (4,)),
], align=True)
