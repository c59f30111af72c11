"""The memory a JACK output shares with its process callback, as one structured dtype.

Everything but `stereo`, `xruns` and `xruns_told` is fixed before the first cycle; those belong to
JACK's threads.
"""

from __future__ import annotations

import numpy as np

from gan808.engine.layout import CHANNELS, INDEX_STRIDE

# JACK's own largest cycle; a longer one is mixed in parts.
CHUNK_FRAMES = 8192

OUTPUT = np.dtype([
    ("xruns", "i8", (INDEX_STRIDE,)),
    ("xruns_told", "i8"),
    ("left_port", "i8"),
    ("right_port", "i8"),
    ("get_buffer", "i8"),  # the address of jack_port_get_buffer
    ("callback", "i8"),  # the address of the engine's callback, and of its memory
    ("engine", "i8"),
    ("stereo", "f4", (CHANNELS * CHUNK_FRAMES,)),
], align=True)
