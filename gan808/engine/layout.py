"""The memory the audio callback shares with Python, as one structured dtype.

Python writes rings, arena and requests; the callback writes everything else. Indices that hand
memory from one side to the other are int64 words read and written with acquire and release.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SLOTS = 16
ALL_SLOTS = -1
NO_CELL = -1
CHANNELS = 2
SLOT_CHANNELS = SLOTS * CHANNELS  # left and right of each slot alone, in their order

MAX_PORTS = 8
RING_COMMANDS = 1024
QUEUE_COMMANDS = 4096
MAX_CELLS = 1024
MAX_VOICES = 256
# A stolen or choked voice needs room to fade while its successor already sounds.
FADING_VOICES = 64
PHYSICAL_VOICES = MAX_VOICES + FADING_VOICES
VOICES_PER_SLOT = 4
CHUNK_FRAMES = 1024
POSITION_BITS = 32
ENVELOPE_FRAMES = 32
# What a recording's reader may fall behind: eleven seconds of sound at 48 kHz, five by slot, so
# many commands. The tapes are powers of two, for the callback.
TAPE_FRAMES = 1 << 19
SLOT_TAPE_FRAMES = 1 << 18
JOURNAL_COMMANDS = 8192
# Zeros before and after a sound, so that four-point interpolation never reads its neighbour.
CELL_GUARD = 4

COMMAND_TRIGGER, COMMAND_STOP, COMMAND_RELEASE = 0, 1, 2
COMMAND_ASSIGN, COMMAND_SET, COMMAND_MASTER = 3, 4, 5
# The slot of a FORGET: 0 the port it comes by, or another one, plus 1.
COMMAND_FORGET, COMMAND_NOTHING, COMMAND_KEYMAP, COMMAND_MIDI = 6, 7, 8, 9
LEVEL, TUNE, DECAY, PAN, MUTE, CHOKE = 0, 1, 2, 3, 4, 5
VOICE_FREE, VOICE_SOUNDING, VOICE_FADING = 0, 1, 2

# What MIDI messages do (kernels/midi.py). A keymap in use, those on their way, one to write.
KEYMAPS, NO_KEYMAP = 4, -1
MIDI_CHANNELS, MIDI_VALUES = 16, 128
KEY_NOTE, KEY_CONTROLLER, KEY_PRESSURE = 0, 1, 2
# ASK: Python decides. NOTHING: nothing that could be late. STRIKE: a slot, with the channel's gain,
# pan and pedal. HIT: a slot, without them. STOP: one slot or all. CHANNEL: what the number means.
ACT_ASK, ACT_NOTHING, ACT_STRIKE, ACT_HIT, ACT_STOP, ACT_CHANNEL = 0, 1, 2, 3, 4, 5
# Answers to the messages of one cycle: whether each was acted upon. The last is nobody's.
MIDI_ANSWERS = RING_COMMANDS

RAMP_S = 0.005
STEAL_FADE_S = 0.003
CHOKE_FADE_S = 0.005
RELEASE_FADE_S = 0.012
LIMITER_RELEASE_S = 0.06
LIMITER_THRESHOLD = 0.8
MASTER_MOST = 2.0  # the mix is turned up to this at most, before the limiter

CACHE_LINE_BYTES = 64
# Producer and consumer indices sit on cache lines of their own.
INDEX_STRIDE = CACHE_LINE_BYTES // 8

COMMAND = np.dtype([
    ("frame", "i8"),
    ("order", "i8"),
    ("kind", "i4"),
    ("slot", "i4"),
    ("cell", "i4"),
    ("parameter", "i4"),
    ("value", "f4"),
    ("gain", "f4"),
    ("pan", "f4"),
    ("tune_semitones", "f4"),
    ("decay", "f4"),
], align=True)

SLOT = np.dtype([
    ("cell", "i4"),
    ("level", "f4"),
    ("tune_semitones", "f4"),
    ("decay", "f4"),
    ("pan", "f4"),
    ("muted", "i4"),
    ("choke", "i4"),
    # what names the cell's sound to a recording: see recorder.py
    ("mark", "i4"),
], align=True)

# left and right hold the gains where the running ramp began; *_target where it ends.
VOICE = np.dtype([
    ("started", "i8"),
    # fixed point, POSITION_BITS of fraction: adding it up frame by frame never rounds
    ("position", "i8"),
    ("step", "i8"),
    # the envelope where the running stretch began, and how far into the stretch the voice is
    ("envelope", "f8"),
    ("stretch_factor", "f8"),
    ("envelope_frame", "i4"),
    ("decays", "i4"),
    ("state", "i4"),
    ("slot", "i4"),
    ("cell", "i4"),
    ("mark", "i4"),
    ("length_frames", "i4"),
    ("amplitude", "f4"),
    ("pan", "f4"),
    ("left", "f4"),
    ("right", "f4"),
    ("left_target", "f4"),
    ("right_target", "f4"),
    ("ramp_index", "i4"),
    ("ramp_frames", "i4"),
    ("fade_index", "i4"),
    ("fade_frames", "i4"),
    ("decay_table", "f4", (ENVELOPE_FRAMES,)),
], align=True)

KEY = np.dtype([
    ("action", "i4"),
    ("slot", "i4"),
    ("velocity", "f4"),  # below 0: the curve's
], align=True)
KEYMAP = np.dtype([
    # of message kind, channel 0-15 and number: see keymap.place
    ("keys", KEY, (3 * MIDI_CHANNELS * MIDI_VALUES,)),
    ("curve", "f4", (MIDI_VALUES,)),  # velocity 0-1 of a MIDI velocity
    ("gated", "i4", (SLOTS,)),
], align=True)
# What a MIDI channel remembers: control/midi/channel.py has the same in Python.
MIDI_CHANNEL = np.dtype([
    ("gain", "f4"),
    ("pan", "f4"),
    ("holding", "i4"),
    ("held", "i4"),  # a bit a slot: its key was let go while the pedal was down
], align=True)

# All that the coming sound depends on besides the coming commands: where a recording begins.
STATE = np.dtype([
    ("frame", "i8"),
    ("starts", "i8"),
    ("limiter_envelope", "f8"),
    ("master", "f4"),
    ("master_target", "f4"),
    ("master_ramp_index", "i4"),
    ("master_ramp_frames", "i4"),
    ("slots", SLOT, (SLOTS,)),
    ("voices", VOICE, (PHYSICAL_VOICES,)),
], align=True)

MEMORY = np.dtype([
    ("ring_write", "i8", (MAX_PORTS, INDEX_STRIDE)),
    ("ring_read", "i8", (MAX_PORTS, INDEX_STRIDE)),
    # version, frame; then time of that frame and seconds per frame: see kernel.publish_clock
    ("clock_index", "i8", (INDEX_STRIDE,)),
    ("clock_time", "f8", (INDEX_STRIDE,)),
    ("cell_released", "i8", (MAX_CELLS,)),
    ("cell_voices", "i8", (MAX_CELLS,)),
    ("cell_length", "i8", (MAX_CELLS,)),
    # the cell that holds the right channel; NO_CELL: the sound is mono
    ("cell_right", "i8", (MAX_CELLS,)),
    # fixed before the first block
    ("arena_address", "i8"),
    ("cell_stride", "i8"),
    ("cells", "i8"),
    ("voice_limit", "i8"),
    ("physical_voices", "i8"),
    ("clock_address", "i8"),
    ("clock_id", "i8"),
    ("sample_rate_hz", "f8"),
    ("limiter_release", "f8"),
    ("ramp_frames", "i4"),
    ("steal_fade_frames", "i4"),
    ("choke_fade_frames", "i4"),
    ("release_fade_frames", "i4"),
    # asked by Python
    ("live", "i8"),
    ("requests", "i8", (INDEX_STRIDE,)),
    # a recording: see kernels/tape.py
    ("recording_asked", "i8", (INDEX_STRIDE,)),
    ("tape_read", "i8", (INDEX_STRIDE,)),
    ("journal_read", "i8", (INDEX_STRIDE,)),
    ("gap_read", "i8", (INDEX_STRIDE,)),
    ("tape_address", "i8"),
    ("tape_frames", "i8"),
    ("tape_channels", "i8"),  # a frame of it: CHANNELS, and SLOT_CHANNELS where slots are taped
    # answered by the callback
    ("recording_answered", "i8", (INDEX_STRIDE,)),
    ("tape_written", "i8", (INDEX_STRIDE,)),
    ("journal_written", "i8", (INDEX_STRIDE,)),
    ("gap_written", "i8", (INDEX_STRIDE,)),
    ("gap_place", "i8"),
    ("gap_frames", "i8"),
    ("gap_running", "i8"),
    ("journal_lost", "i8"),
    ("recording_began", "i8"),
    ("recording_ended", "i8"),
    ("recording", "i8"),
    ("taping", "i8"),  # whether the running block goes on the tape
    # where an output wants each slot alone in this block: see kernels/slots.py
    ("slot_buffers", "i8"),  # the address of SLOT_CHANNELS addresses of float32; 0: nowhere
    ("by_slot", "i8"),
    # state of the callback
    ("frame", "i8"),
    ("order", "i8"),
    # voices started so far: which of two is the older
    ("starts", "i8"),
    ("peak_answered", "i8"),
    ("queued", "i8"),
    ("next_time_s", "f8"),
    ("seconds_per_frame", "f8"),
    ("clock_locked", "i8"),
    ("limiter_envelope", "f8"),
    ("master", "f4"),
    ("master_target", "f4"),
    ("master_ramp_index", "i4"),
    ("master_ramp_frames", "i4"),
    # counters
    ("blocks", "i8"),
    ("xruns", "i8"),
    ("late", "i8"),
    ("dropped", "i8"),
    ("stolen", "i8"),
    ("sounding", "i8"),
    ("peak", "f8"),
    ("load", "f8"),
    ("slots", SLOT, (SLOTS,)),
    ("voices", VOICE, (PHYSICAL_VOICES,)),
    ("tone", "f4", (CHUNK_FRAMES,)),
    ("left", "f4", (CHUNK_FRAMES,)),
    ("right", "f4", (CHUNK_FRAMES,)),
    ("slot_mix", "f4", (SLOTS, CHANNELS, CHUNK_FRAMES)),
    ("rings", COMMAND, (MAX_PORTS, RING_COMMANDS)),
    ("journal", COMMAND, (JOURNAL_COMMANDS,)),
    ("keymaps", KEYMAP, (KEYMAPS,)),
    ("keymap", "i8"),  # in use; NO_KEYMAP: Python decides everything
    ("keymap_released", "i8", (KEYMAPS,)),
    ("midi_channels", MIDI_CHANNEL, (MIDI_CHANNELS,)),
    ("midi_answers", "i4", (MIDI_ANSWERS + 1,)),
    ("midi_command", COMMAND),  # what a message comes to
    ("state", STATE),
    # the last element is where an element rests while others move around it
    ("queue", COMMAND, (QUEUE_COMMANDS + 1,)),
], align=True)


def allocate_memory() -> NDArray[np.void]:
    """One zeroed MEMORY record, shape (1,), that begins on a cache line."""
    raw = np.zeros(MEMORY.itemsize + CACHE_LINE_BYTES, dtype=np.uint8)
    skip = -raw.ctypes.data % CACHE_LINE_BYTES
    return raw[skip:skip + MEMORY.itemsize].view(MEMORY)
