"""Ways into the engine: a ring of commands for each thread that plays."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from gan808.engine import layout
from gan808.engine.arena import Arena
from gan808.engine.kernel_api import routines
from gan808.engine.keymap import Keymap, Keymaps
from gan808.engine.layout import ALL_SLOTS, NO_CELL, QUEUE_COMMANDS, RING_COMMANDS

# gain, pan, tune and decay of a command that starts no voice
NO_HIT = 0.0, 0.0, 0.0, 0.0


class SlotParameter(IntEnum):
    """What `Port.set_slot` can set.

    LEVEL 0..1, TUNE semitones -24..24, DECAY 0..1 (1: the whole sound), PAN -1..1, MUTE 0 or 1,
    CHOKE group 0..8 (0: none).
    """

    LEVEL = layout.LEVEL
    TUNE = layout.TUNE
    DECAY = layout.DECAY
    PAN = layout.PAN
    MUTE = layout.MUTE
    CHOKE = layout.CHOKE


class Port:
    """One thread's way into the engine: a single-producer ring of commands.

    Frames count from the start of the stream; 0 means now. Every method returns False when the
    ring was full; the command is then dropped and counted. At one frame, assign and set take
    effect before triggers and stops, whichever port they came by; triggers and stops keep order.
    """

    def __init__(self, name: str, index: int, memory: Any, arena: Arena,
                 keymaps: Keymaps) -> None:
        """index 0..7: which of the memory's rings; memory: MEMORY records, shape (1,)."""
        self.name = name
        self.index = index
        self.dropped = 0
        self._arena, self._keymaps = arena, keymaps
        self._memory_address = int(memory.ctypes.data)
        self._queued = memory["queued"]
        memory = memory[0]
        self._ring = memory["rings"][index]
        self._written_at = memory["ring_write"][index].ctypes.data
        self._read_at = memory["ring_read"][index].ctypes.data
        self._load, self._store = routines().load, routines().store
        self._written = self._load(self._written_at)
        self._room_until = self._written

    def trigger(self, slot: int, velocity: float, frame: int = 0, *, gain: float = 1.0,
                pan: float = 0.0, tune_semitones: float = 0.0, decay: float = 1.0) -> bool:
        """Starts a voice on slot 0..15 with velocity 0..1.

        gain 0..4 multiplies; pan and tune_semitones (up to 48 either way) add to the slot's own;
        decay 0..1 multiplies it.
        """
        return self._push((frame, 0, layout.COMMAND_TRIGGER, slot, 0, 0, velocity, gain, pan,
                           tune_semitones, decay))

    def stop(self, slot: int = ALL_SLOTS, frame: int = 0) -> bool:
        """Silences one slot, or all, with a 5 ms fade."""
        return self._push((frame, 0, layout.COMMAND_STOP, slot, 0, 0, 0.0, *NO_HIT))

    def release(self, slot: int, frame: int = 0) -> bool:
        """Ends the slot's voices as a gate does on note off: a 12 ms fade."""
        return self._push((frame, 0, layout.COMMAND_RELEASE, slot, 0, 0, 0.0, *NO_HIT))

    def forget(self, frame: int = 0) -> bool:
        """Takes back this port's triggers that are not due yet, from `frame` on."""
        return self._push((frame, 0, layout.COMMAND_FORGET, 0, 0, 0, 0.0, *NO_HIT))

    def assign(self, slot: int, cell: int, frame: int = 0, *, mark: int = 0) -> bool:
        """Makes a cell the slot's sound from `frame` on; NO_CELL empties the slot.

        mark, 0 to 2**31 - 1, names the sound to a recording (recorder.py). On the thread of
        `write_sound` only. A cell refused by a full ring is still yours: assign it again or discard
        it. Raises IndexError for a slot or cell that does not exist.
        """
        if not 0 <= slot < layout.SLOTS:
            raise IndexError(f"slot must be 0 to {layout.SLOTS - 1}, not {slot}")
        self._arena.check(cell)
        command = (frame, 0, layout.COMMAND_ASSIGN, slot, cell, mark, 0.0, *NO_HIT)
        if cell == NO_CELL:
            return self._push(command)
        # Counted before it is sent: the callback may be done with it before this returns.
        self._arena.count_assignment(cell)
        if self._push(command):
            self._arena.end_claim(cell)
            return True
        self._arena.take_back_assignment(cell)
        return False

    def set_slot(self, slot: int, parameter: SlotParameter, value: float, frame: int = 0) -> bool:
        """Sets one parameter of a slot, clipped to its range.

        Level, pan and mute glide for sounding voices; the others hold from the next trigger on.
        """
        return self._push((frame, 0, layout.COMMAND_SET, slot, 0, int(parameter), value,
                           *NO_HIT))

    def set_master(self, gain: float, frame: int = 0) -> bool:
        """Glides the gain of the whole mix to 0..MASTER_MOST."""
        return self._push((frame, 0, layout.COMMAND_MASTER, 0, 0, 0, gain, *NO_HIT))

    def set_keymap(self, keymap: Keymap, frame: int = 0) -> bool:
        """Makes a keymap what MIDI in the callback means from `frame` on.

        On one thread only. False where those sent before are all still on their way.
        """
        index = self._keymaps.write(keymap)
        if index is None:
            return False
        if self._push((frame, 0, layout.COMMAND_KEYMAP, 0, index, 0, 0.0, *NO_HIT)):
            return True
        self._keymaps.take_back(index)
        return False

    def midi(self, status: int, number: int, value: int, frame: int = 0) -> bool:
        """Has the callback act on a channel message of three bytes as the keymap says."""
        message = status << 16 | number << 8 | value
        return self._push((frame, 0, layout.COMMAND_MIDI, 0, message, layout.MIDI_ANSWERS, 0.0,
                           *NO_HIT))

    @property
    def room(self) -> int:
        """How many commands fit into the ring now, and from there into the callback's queue, where
        those of a later frame wait."""
        waiting = self._written - self._load(self._read_at)
        return min(RING_COMMANDS, QUEUE_COMMANDS - int(self._queued[0])) - waiting

    @property
    def engine_address(self) -> int:
        """The engine's memory, for compiled code that pushes on this port's thread itself."""
        return self._memory_address

    def pushed_elsewhere(self) -> None:
        """Compiled code has pushed on this port's thread: go on behind that."""
        self._written = self._load(self._written_at)

    def _push(self, command: tuple[float, ...]) -> bool:
        written = self._written
        if written >= self._room_until:
            self._room_until = self._load(self._read_at) + RING_COMMANDS
            if written >= self._room_until:
                self.dropped += 1
                return False
        self._ring[written % RING_COMMANDS] = command
        self._written = written + 1
        self._store(self._written_at, written + 1)
        return True
