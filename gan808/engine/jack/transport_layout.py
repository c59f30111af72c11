"""The memory that JACK's callbacks share with whoever follows the transport, as structured dtypes.

Python writes `wanted`, the tables and the lines, and says by one store which of two is the one that
holds; the callbacks write everything else, and publish it under a version.
"""

from __future__ import annotations

import numpy as np

from gan808.engine.layout import INDEX_STRIDE

# jack_transport_state_t
STOPPED, ROLLING, STARTING = 0, 1, 3
# jack_position_bits_t
BBT, BBT_OFFSET, TICK_DOUBLE = 0x10, 0x40, 0x200

# jack_position_t, packed in JACK's own headers.
POSITION = np.dtype({
    "names": ["unique_1", "usecs", "frame_rate", "frame", "valid", "bar", "beat", "tick",
              "bar_start_tick", "beats_per_bar", "beat_type", "ticks_per_beat",
              "beats_per_minute", "bbt_offset", "tick_double"],
    "formats": ["u8", "u8", "u4", "u4", "u4", "i4", "i4", "i4",
                "f8", "f4", "f4", "f8", "f8", "u4", "f8"],
    "offsets": [0, 8, 16, 20, 24, 28, 32, 36, 40, 48, 52, 56, 64, 88, 100],
    "itemsize": 256,  # more than it has: room for versions to come
})

MOST_HITS = 128
HIT = np.dtype([
    ("frame", "i8"), ("slot", "i8"), ("velocity", "f8"), ("pan", "f8"), ("tune_semitones", "f8"),
    ("decay", "f8"),
], align=True)
# The hits of the first `frames` frames after a start at `position`.
PREPARED = np.dtype([
    ("position", "i8"), ("frames", "i8"), ("count", "i8"), ("hits", HIT, (MOST_HITS,)),
], align=True)
# Where the timebase's steps lie, in frames of the transport.
LINE = np.dtype([
    ("frame", "f8"), ("step", "f8"), ("frames_per_step", "f8"), ("tempo_bpm", "f8"),
], align=True)

# A reading: whole numbers and others, each stored by itself.
WHOLE = ("frame", "position", "state", "starts", "start_frame", "start_position", "sent_until",
         "ours", "valid", "bar", "beat", "tick", "bbt_offset")
REAL = ("beats_per_bar", "beat_type", "ticks_per_beat", "beats_per_minute", "tick_double")

TRANSPORT = np.dtype([
    ("wanted", "i8", (INDEX_STRIDE,)),  # 0: by nobody; else another number for each who begins to
    ("prepared", "i8", (INDEX_STRIDE,)),  # the table is this modulo 2; 0: none
    ("line", "i8", (INDEX_STRIDE,)),  # the line is this modulo 2
    ("version", "i8", (INDEX_STRIDE,)),  # of the reading; odd while it is written
    ("whole", "i8", (len(WHOLE),)),
    ("real", "f8", (len(REAL),)),
    ("followed", "i8"),  # the `wanted` of the last cycle
    ("rolling", "i8"),
    ("starts", "i8"),
    ("start_frame", "i8"),
    ("start_position", "i8"),
    ("sent_until", "i8"),
    # how long a start has waited for a table, and the longest it may
    ("waited_frames", "i8"),
    ("patience_frames", "i8"),
    # places told as timebase master, those of which the reading knows, and whether we are it
    ("told", "i8"),
    ("told_seen", "i8"),
    ("ours", "i8"),
    # whose triggers are taken back when it stops
    ("steps_port", "i8"),
    ("tables", PREPARED, (2,)),
    ("lines", LINE, (2,)),
    ("place", POSITION, (1,)),  # of this cycle
], align=True)
