"""A recording inside the audio callback: what it carries out, what it plays, and where it began.

Compiled by numba into the callback and run on its thread. Only the callback knows at which frame a
command took effect, so it is the callback that writes the journal. Both go into rings that one
reader of Python's empties (engine/recorder.py); a full ring is counted, never waited for.
"""

from __future__ import annotations

from typing import Any

from gan808.engine.kernels.atomics import float32_at, load_acquire, store_release
from gan808.engine.kernels.voices import compiled
from gan808.engine.layout import (
    CHANNELS,
    COMMAND_FORGET,
    JOURNAL_COMMANDS,
    SLOTS,
    VOICE_FREE,
)

SAMPLE_BYTES = 4


@compiled
def keep_state(memory: Any) -> None:
    """Copies all that the coming sound depends on; a free voice holds nothing."""
    state = memory.state
    state.frame = memory.frame
    state.starts = memory.starts
    state.limiter_envelope = memory.limiter_envelope
    state.master, state.master_target = memory.master, memory.master_target
    state.master_ramp_index = memory.master_ramp_index
    state.master_ramp_frames = memory.master_ramp_frames
    for slot in range(SLOTS):
        state.slots[slot] = memory.slots[slot]
    for index in range(memory.physical_voices):
        if memory.voices[index].state == VOICE_FREE:
            state.voices[index].state = VOICE_FREE
        else:
            state.voices[index] = memory.voices[index]


@compiled
def answer_recording(memory: Any) -> None:
    """Begins (an odd number asked) or ends (an even one) a recording at this block's first frame.
    Before the block's commands are read, so that the journal has them all."""
    asked = load_acquire(memory.recording_asked, 0)
    if asked == memory.recording_answered[0]:
        return
    memory.recording = asked % 2
    if memory.recording != 0:
        memory.recording_began = memory.frame
        memory.gap_running = 0
        memory.journal_lost = 0
        keep_state(memory)
    else:
        memory.recording_ended = memory.frame
    store_release(memory.recording_answered, 0, asked)


@compiled
def note_command(memory: Any, command: Any) -> None:
    """Writes a command that is about to be carried out, with its frame, into the journal."""
    if memory.recording == 0 or command.kind >= COMMAND_FORGET:
        return
    written = memory.journal_written[0]
    if written - load_acquire(memory.journal_read, 0) >= JOURNAL_COMMANDS:
        memory.journal_lost += 1
        return
    memory.journal[written % JOURNAL_COMMANDS] = command
    store_release(memory.journal_written, 0, written + 1)


@compiled
def open_tape(memory: Any, frames: int) -> None:
    """Finds out whether a block of so many frames goes on the tape.

    A block for which the tape has no room is left out. Where blocks are missing, and how many
    frames, is told once there is room again. One such message can be under way at a time: until its
    reader has taken it, further blocks are left out too.
    """
    memory.taping = 0
    if memory.recording == 0:
        return
    written = memory.tape_written[0]
    room = memory.tape_frames - (written - load_acquire(memory.tape_read, 0))
    told = memory.gap_written[0] == load_acquire(memory.gap_read, 0)
    if room < frames or (memory.gap_running > 0 and not told):
        memory.gap_running += frames
        return
    if memory.gap_running > 0:
        memory.gap_place, memory.gap_frames = written, memory.gap_running
        memory.gap_running = 0
        store_release(memory.gap_written, 0, memory.gap_written[0] + 1)
    memory.taping = 1


@compiled
def put_on_tape(
    memory: Any, first: int, channel: int, samples: Any, step: int, frames: int
) -> None:
    """Copies every step-th of the samples to a channel of the tape, from `first` of the block on;
    the tape must be open for the block."""
    tape, channels = float32_at(memory.tape_address), memory.tape_channels
    place, around = memory.tape_written[0] + first, memory.tape_frames - 1
    for frame in range(frames):
        tape[channels * ((place + frame) & around) + channel] = samples[step * frame]


@compiled
def tape_block(memory: Any, out: Any, frames: int) -> None:
    """Copies a block's output, float32 (2 * frames,), to the tape and tells its reader."""
    if memory.taping == 0:
        return
    for channel in range(CHANNELS):
        put_on_tape(memory, 0, channel, float32_at(out.ctypes.data + SAMPLE_BYTES * channel),
                    CHANNELS, frames)
    store_release(memory.tape_written, 0, memory.tape_written[0] + frames)
