"""Commands inside the audio callback: rings drained into one time-ordered queue, then applied.

Compiled by numba into the callback and run on its thread. The queue is a binary heap in the
shared memory, ordered by frame, then by order: assign and set before triggers and stops of the
same frame, then first come first served.
"""

from __future__ import annotations

from typing import Any

from gan808.engine.kernels.atomics import load_acquire, store_release
from gan808.engine.kernels.midi import play_message
from gan808.engine.kernels.tape import note_command
from gan808.engine.kernels.voices import (
    clipped,
    compiled,
    fade_slot,
    glide_slot,
    ramp_gain,
    start_voice,
)
from gan808.engine.layout import (
    ALL_SLOTS,
    CHOKE,
    COMMAND_ASSIGN,
    COMMAND_FORGET,
    COMMAND_KEYMAP,
    COMMAND_MASTER,
    COMMAND_MIDI,
    COMMAND_NOTHING,
    COMMAND_RELEASE,
    COMMAND_SET,
    COMMAND_STOP,
    COMMAND_TRIGGER,
    DECAY,
    LEVEL,
    MASTER_MOST,
    MAX_PORTS,
    MUTE,
    NO_CELL,
    NO_KEYMAP,
    PAN,
    QUEUE_COMMANDS,
    RING_COMMANDS,
    SLOTS,
    TUNE,
)

# Above any sequence number: triggers, stops and MIDI sort after what settles how they sound.
AFTER_SETTINGS = 1 << 60


@compiled
def earlier(command: Any, other: Any) -> bool:
    """Whether a command is due before another."""
    if command.frame != other.frame:
        return command.frame < other.frame
    return command.order < other.order


@compiled
def queue_push(memory: Any) -> None:
    """Sorts in the command that rests in the queue's last element."""
    queue = memory.queue
    resting = queue[QUEUE_COMMANDS]
    hole = memory.queued
    while hole > 0:
        parent = (hole - 1) // 2
        if not earlier(resting, queue[parent]):
            break
        queue[hole] = queue[parent]
        hole = parent
    queue[hole] = resting
    memory.queued += 1


@compiled
def queue_pop(memory: Any) -> None:
    """Removes the earliest command, queue[0]."""
    queue = memory.queue
    memory.queued -= 1
    last = memory.queued
    queue[QUEUE_COMMANDS] = queue[last]
    resting = queue[QUEUE_COMMANDS]
    hole = 0
    child = 1
    while child < last:
        if child + 1 < last and earlier(queue[child + 1], queue[child]):
            child += 1
        if not earlier(queue[child], resting):
            break
        queue[hole] = queue[child]
        hole = child
        child = 2 * hole + 1
    queue[hole] = resting


@compiled
def release_cell(memory: Any, cell: int) -> None:
    """Counts one assignment of a cell as over, for Python to see."""
    if 0 <= cell < memory.cells:
        released = memory.cell_released
        store_release(released, cell, released[cell] + 1)


@compiled
def forget(memory: Any, port: int, frame: int) -> None:
    """Takes back the triggers of a port that are due at `frame` or later: they stay queued and do
    nothing."""
    queue = memory.queue
    for index in range(memory.queued):
        ours = queue[index].kind == COMMAND_TRIGGER and queue[index].parameter == port
        if ours and queue[index].frame >= frame:
            queue[index].kind = COMMAND_NOTHING


@compiled
def accept(memory: Any, command: Any, port: int) -> None:
    """Puts one command from a port's ring into the queue; what is due already is due now."""
    if command.kind == COMMAND_FORGET:
        forget(memory, port if command.slot == 0 else command.slot - 1, command.frame)
        return
    if memory.queued >= QUEUE_COMMANDS:
        memory.dropped += 1
        if command.kind == COMMAND_ASSIGN:
            release_cell(memory, command.cell)
        return
    memory.queue[QUEUE_COMMANDS] = command
    resting = memory.queue[QUEUE_COMMANDS]
    if resting.frame < memory.frame:
        if resting.frame > 0:
            memory.late += 1
        resting.frame = memory.frame
    if resting.kind == COMMAND_TRIGGER:
        resting.parameter = port
    memory.order += 1
    resting.order = memory.order
    if resting.kind <= COMMAND_RELEASE or resting.kind == COMMAND_MIDI:
        resting.order += AFTER_SETTINGS
    queue_push(memory)


@compiled
def drain_rings(memory: Any) -> None:
    """Moves all commands the ports have sent into the queue."""
    for port in range(MAX_PORTS):
        written_at, read_at = memory.ring_write[port], memory.ring_read[port]
        written = load_acquire(written_at, 0)
        read = read_at[0]
        if read == written:
            continue
        ring = memory.rings[port]
        while read < written:
            accept(memory, ring[read % RING_COMMANDS], port)
            read += 1
        store_release(read_at, 0, read)


@compiled
def set_parameter(memory: Any, command: Any) -> None:
    """Sets one slot parameter; level, pan and mute glide, the rest hold from the next hit."""
    slot = memory.slots[command.slot]
    value = command.value
    if command.parameter == TUNE:
        slot.tune_semitones = clipped(value, -24.0, 24.0)
    elif command.parameter == DECAY:
        slot.decay = clipped(value, 0.0, 1.0)
    elif command.parameter == CHOKE:
        slot.choke = int(clipped(value, 0.0, 8.0))
    else:
        if command.parameter == LEVEL:
            slot.level = clipped(value, 0.0, 1.0)
        elif command.parameter == PAN:
            slot.pan = clipped(value, -1.0, 1.0)
        elif command.parameter == MUTE:
            slot.muted = 1 if value > 0.5 else 0
        glide_slot(memory, command.slot)


@compiled
def assign_cell(memory: Any, command: Any) -> None:
    """Makes a cell the slot's sound from the next trigger on."""
    slot = memory.slots[command.slot]
    old = slot.cell
    slot.cell = command.cell if command.cell < memory.cells else NO_CELL
    slot.mark = command.parameter
    release_cell(memory, old)


@compiled
def set_keymap(memory: Any, keymap: int) -> None:
    """Makes a keymap what MIDI means from now on, and lets go of the one before."""
    old = memory.keymap
    memory.keymap = keymap
    if old != NO_KEYMAP:
        released = memory.keymap_released
        store_release(released, old, released[old] + 1)


@compiled
def set_master(memory: Any, gain: float) -> None:
    """Starts the master's glide to a new gain."""
    memory.master = ramp_gain(memory.master, memory.master_target, memory.master_ramp_index,
                              memory.master_ramp_frames)
    memory.master_target = clipped(gain, 0.0, MASTER_MOST)
    memory.master_ramp_index, memory.master_ramp_frames = 0, memory.ramp_frames


@compiled
def apply(memory: Any, command: Any) -> None:
    """Carries out one command."""
    kind, slot = command.kind, command.slot
    if kind == COMMAND_MASTER:
        set_master(memory, command.value)
    elif kind == COMMAND_KEYMAP:
        set_keymap(memory, command.cell)
    elif kind == COMMAND_STOP and slot == ALL_SLOTS:
        fade_slot(memory, ALL_SLOTS, memory.choke_fade_frames)
    elif slot < 0 or slot >= SLOTS:
        memory.dropped += 1
    elif kind == COMMAND_TRIGGER:
        start_voice(memory, command)
    elif kind == COMMAND_STOP:
        fade_slot(memory, slot, memory.choke_fade_frames)
    elif kind == COMMAND_RELEASE:
        fade_slot(memory, slot, memory.release_fade_frames)
    elif kind == COMMAND_ASSIGN:
        assign_cell(memory, command)
    elif kind == COMMAND_SET:
        set_parameter(memory, command)


@compiled
def apply_due(memory: Any) -> None:
    """Carries out every command due at or before memory.frame."""
    while memory.queued > 0 and memory.queue[0].frame <= memory.frame:
        if memory.queue[0].kind == COMMAND_MIDI:
            play_message(memory, memory.queue[0])
        else:
            note_command(memory, memory.queue[0])
            apply(memory, memory.queue[0])
        queue_pop(memory)
