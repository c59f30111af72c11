"""The memory a JACK client shares with its process callback, as one structured dtype.

Addresses, handles and numbers are fixed before the first cycle; MIDI ports come and go, and have
rings of their own (midi_layout.py). The rest belongs to JACK's threads.
"""

from __future__ import annotations

import numpy as np

from gan808.engine.jack.midi_layout import MIDI_IN, MIDI_OUT
from gan808.engine.jack.transport_layout import TRANSPORT
from gan808.engine.layout import CHANNELS, INDEX_STRIDE, SLOT_CHANNELS

# JACK's own largest cycle; a longer one is mixed in parts.
CHUNK_FRAMES = 8192
# Of programs listened to by name each has an input of its own, so that one knows who sent what.
MIDI_INPUTS = 8
# Clock and notes may go to different programs.
MIDI_OUTPUTS = 2

OUTPUT = np.dtype([
    ("xruns", "i8", (INDEX_STRIDE,)),
    ("cycles", "i8", (INDEX_STRIDE,)),  # that have ended
    ("xruns_told", "i8"),
    ("frames", "i8"),  # of the last cycle: a server may change it while it runs
    ("client", "i8"),
    ("left_port", "i8"),
    ("right_port", "i8"),
    ("slot_ports", "i8", (SLOT_CHANNELS,)),  # left and right of each slot; 0: the mix alone
    # the addresses of the engine's callback and of its memory; whose ring MIDI goes into
    ("callback", "i8"),
    ("engine", "i8"),
    ("engine_port", "i8"),
    # addresses of libjack's functions
    ("get_buffer", "i8"),
    ("get_event_count", "i8"),
    ("get_event", "i8"),
    ("get_cycle_times", "i8"),
    ("get_time", "i8"),
    ("clear_buffer", "i8"),
    ("write_event", "i8"),
    ("query_transport", "i8"),
    # clock_gettime and the clock behind time.monotonic
    ("clock_address", "i8"),
    ("clock_id", "i8"),
    # what they write to: the cycle's first frame, its beginning and end in us, its length
    ("cycle_frame", "u4", (2,)),
    ("cycle_us", "u8", (2,)),
    ("period_us", "f4", (2,)),
    # jack_midi_event_t: frame of the cycle, size, address of the bytes
    ("event", "i8", (3,)),
    ("slot_port_buffers", "i8", (SLOT_CHANNELS,)),  # of this cycle; 0: there is none
    ("slot_buffers", "i8", (SLOT_CHANNELS,)),  # where in them the engine mixes next
    ("midi_buffers", "i8", (MIDI_INPUTS,)),  # of this cycle; 0: nothing has come
    ("stereo", "f4", (CHANNELS * CHUNK_FRAMES,)),
    ("midi_in", MIDI_IN, (MIDI_INPUTS,)),
    ("midi_out", MIDI_OUT, (MIDI_OUTPUTS,)),
    ("transport", TRANSPORT),
], align=True)
