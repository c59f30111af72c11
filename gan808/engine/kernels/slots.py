"""Each slot by itself inside the audio callback: what was mixed of it, for buffers and the tape.

Compiled by numba into the callback and run on its thread. Nothing of it is done in a block for
which nobody wants it. A slot is heard here as in the mix, but for the master volume and the
limiter.
"""

from __future__ import annotations

from typing import Any

from gan808.engine.kernels.atomics import float32_at
from gan808.engine.kernels.intrinsics import int64_at
from gan808.engine.kernels.tape import put_on_tape
from gan808.engine.kernels.voices import compiled
from gan808.engine.layout import CHANNELS, SLOTS

SAMPLE_BYTES = 4


@compiled
def ask_for_slots(memory: Any) -> None:
    """Finds out whether this block is wanted by slot: for an output, or for the tape."""
    taped = memory.taping != 0 and memory.tape_channels > CHANNELS
    memory.by_slot = 1 if memory.slot_buffers != 0 or taped else 0


@compiled
def clear_slots(memory: Any, frames: int) -> None:
    """Silence, for voices to be added to."""
    for slot in range(SLOTS):
        for channel in range(CHANNELS):
            memory.slot_mix[slot, channel, :frames] = 0.0


@compiled
def hand_out_slots(memory: Any, first: int, frames: int) -> None:
    """Copies what was mixed of each slot to who wants it, from `first` of the block on."""
    taped = memory.taping != 0 and memory.tape_channels > CHANNELS
    for index in range(SLOTS * CHANNELS):
        mixed = float32_at(memory.slot_mix[index // CHANNELS, index % CHANNELS].ctypes.data)
        if memory.slot_buffers != 0:
            buffer = int64_at(memory.slot_buffers)[index]
            if buffer != 0:
                out = float32_at(buffer + SAMPLE_BYTES * first)
                for frame in range(frames):
                    out[frame] = mixed[frame]
        if taped:
            put_on_tape(memory, first, CHANNELS + index, mixed, 1, frames)
