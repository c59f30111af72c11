"""What MIDI messages do in the audio callback, as a table to be filled and sent.

A `Keymap` belongs to whoever fills it; an empty one leaves every message to Python. `Keymaps` are
those in the engine's memory: they belong to the one thread that sends them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import Any

import numpy as np

from gan808.engine import layout
from gan808.engine.layout import ALL_SLOTS, KEYMAP, MIDI_CHANNELS, MIDI_VALUES

BY_CURVE = -1.0
CHANNEL_CONTROLLERS = (10, 11, 64, *range(120, 128))


class KeyKind(IntEnum):
    """Kinds of messages that have keys: notes on and off, controllers, pressure on one key."""

    NOTE = layout.KEY_NOTE
    CONTROLLER = layout.KEY_CONTROLLER
    PRESSURE = layout.KEY_PRESSURE


class Act(IntEnum):
    """What a key does; layout.py says what each is."""

    ASK = layout.ACT_ASK
    NOTHING = layout.ACT_NOTHING
    STRIKE = layout.ACT_STRIKE
    HIT = layout.ACT_HIT
    STOP = layout.ACT_STOP
    CHANNEL = layout.ACT_CHANNEL


class Keymap:
    """record: KEYMAP, shape (1,)."""

    def __init__(self) -> None:
        self.record = np.zeros(1, KEYMAP)
        # A view by kind, channel and number.
        self._keys = self.record[0]["keys"].reshape(len(KeyKind), MIDI_CHANNELS, MIDI_VALUES)

    def put(self, kind: KeyKind, channel: int | slice, number: int | slice, act: Act,
            slot: int = 0, velocity: float = BY_CURVE) -> None:
        """What a key does: of a channel 0..15 and a number 0..127, or of all in a slice.

        slot 0..15, ALL_SLOTS for a stop of all; velocity 0..1. Raises ValueError for another slot.
        """
        lowest = ALL_SLOTS if act == Act.STOP else 0
        if not lowest <= slot < layout.SLOTS:
            raise ValueError(f"slot must be {lowest} to {layout.SLOTS - 1}, not {slot}")
        self._keys[kind, channel, number] = (int(act), slot, velocity)

    def set_curve(self, velocities: Iterable[float]) -> None:
        """Velocity 0..1 for each of the 128 of MIDI."""
        self.record[0]["curve"] = np.fromiter(velocities, np.float32, MIDI_VALUES)

    def set_gated(self, slots: Iterable[int]) -> None:
        """The slots whose sound ends when their key is let go."""
        self.record[0]["gated"] = 0
        self.record[0]["gated"][list(slots)] = 1


class Keymaps:
    """The keymaps in the engine's memory. One that was sent can be written again once the callback
    has gone over to another."""

    def __init__(self, memory: Any, load: Callable[[int], int]) -> None:
        """memory: a MEMORY record; load: of kernel_api.routines."""
        self._tables = memory["keymaps"]
        self._released = memory["keymap_released"]
        self._load = load
        self._sent = [0] * layout.KEYMAPS

    def write(self, keymap: Keymap) -> int | None:
        """Copies a keymap to a free place and counts it as sent. Its index; None where no place is
        free."""
        for index, sent in enumerate(self._sent):
            address = self._released.ctypes.data + index * self._released.itemsize
            if self._load(address) == sent:
                self._tables[index] = keymap.record[0]
                self._sent[index] += 1
                return index
        return None

    def take_back(self, index: int) -> None:
        """The keymap at that index could not be sent after all."""
        self._sent[index] -= 1
