"""Waiting for OSC and playing what is plainly a hit, for numba: no interpreter on its way.

Runs on the thread that owns the engine's port, which has given up the interpreter lock meanwhile.
Imported only to be compiled.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numba import types as numba_types

from gan808.engine.kernels.atomics import load_acquire, store_release
from gan808.engine.kernels.intrinsics import call_c, floats_at
from gan808.engine.kernels.voices import compiled
from gan808.engine.layout import COMMAND_TRIGGER, MEMORY, RING_COMMANDS
from gan808.engine.trigger_layout import (
    ARRIVED,
    FAST_PATH,
    HIT_BYTES,
    NOTHING,
    PLAYED,
    SLOT_AT,
    TAGS_AT,
    VELOCITY_AT,
)

COMMA, TEXT, INTEGER, FLOAT = 44, 115, 105, 102

types: Any = numba_types
carray: Any = numba.carray
LISTEN_TYPE = types.int32(types.CPointer(numba.from_dtype(FAST_PATH)),
                          types.CPointer(numba.from_dtype(MEMORY)), types.int32)


@compiled
def slot_heard(path: Any) -> int:
    """The slot, 0 and up, that the bytes heard are a plain hit of; -1 when they are none."""
    heard = path.heard
    for index in range(TAGS_AT):
        if heard[index] != path.address[index]:
            return -1
    kind = heard[TAGS_AT + 1]
    if heard[TAGS_AT] != COMMA or heard[TAGS_AT + 2] != FLOAT or heard[TAGS_AT + 3] != 0:
        return -1
    key = 0
    for index in range(SLOT_AT, SLOT_AT + 4):
        key = (key << 8) | int(heard[index])
    if kind == INTEGER:
        return key - 1 if 1 <= key <= path.slots else -1
    if kind == TEXT:
        for index in range(path.keys):
            if path.key[index] == key:
                return int(path.slot[index])
    return -1


@compiled
def velocity_heard(path: Any) -> float:
    """The velocity heard, whatever it is: OSC's numbers begin with their highest byte."""
    for index in range(4):
        path.velocity[index] = path.heard[VELOCITY_AT + 3 - index]
    return floats_at(path.velocity.ctypes.data)[0]


@compiled
def push_hit(memory: Any, port: int, slot: int, velocity: float) -> bool:
    """Puts a trigger of now into the port's ring; False when that is full."""
    written = memory.ring_write[port][0]
    if written - load_acquire(memory.ring_read[port], 0) >= RING_COMMANDS:
        return False
    command = memory.rings[port][written % RING_COMMANDS]
    command.frame, command.order, command.kind = 0, 0, COMMAND_TRIGGER
    command.slot, command.cell, command.parameter = slot, 0, 0
    command.value, command.gain = velocity, 1.0
    command.pan, command.tune_semitones, command.decay = 0.0, 0.0, 1.0
    store_release(memory.ring_write[port], 0, written + 1)
    return True


@compiled
def heard_and_played(path: Any, memory: Any, timeout_ms: int) -> int:
    """See trigger_fast_path.TriggerFastPath.wait."""
    ready = call_c(path.poll, (path.entry.ctypes.data, np.uint64(1), np.int32(timeout_ms)),
                   np.int32(0))
    if ready <= 0:
        return NOTHING
    size = call_c(path.recv, (path.entry[0], path.heard.ctypes.data, np.uint64(HIT_BYTES + 1),
                             path.flags), np.int64(0))
    if size != HIT_BYTES:
        return ARRIVED
    slot, velocity = slot_heard(path), velocity_heard(path)
    if slot < 0 or not 0.0 <= velocity <= 1.0:  # a NaN is neither
        return ARRIVED
    return PLAYED if push_hit(memory, path.port, slot, velocity) else ARRIVED


def listen(path: Any, memory: Any, timeout_ms: int) -> int:
    """NOTHING, ARRIVED or PLAYED after at most timeout_ms."""
    return heard_and_played(carray(path, 1)[0], carray(memory, 1)[0], timeout_ms)


ROUTINES = {"listen": (LISTEN_TYPE, listen)}
