"""Python's side of the real-time engine: ports that enqueue, the arena of sounds, statistics.

Owns the memory the audio callback works in. A `Port` belongs to the one thread that asked for it;
`write_sound`, `discard` and `assign` belong to one thread (the machine's); the rest may be called
from anywhere. Nothing here waits for the callback.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np

# What modules made by cffi use at run time; cffi itself brings a parser of C along, which takes
# longer to load than all else that the engine needs.
from _cffi_backend import FFI
from numpy.typing import NDArray

from gan808.engine import layout
from gan808.engine.clock import EngineClock, clock_source
from gan808.engine.journal import Journal
from gan808.engine.layout import ALL_SLOTS, CELL_GUARD, NO_CELL, RING_COMMANDS
from gan808.engine.routines import routines

__all__ = ["ALL_SLOTS", "NO_CELL", "Engine", "EngineClock", "EngineStats", "Port", "SlotParameter"]

# A sound cut to fit its cell ends in a fade of this length.
CUT_FADE_S = 0.01


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


@dataclass(frozen=True, slots=True)
class EngineStats:
    """Counters since the engine was made.

    late_commands were due in the past and acted at once; dropped_commands found a ring, the queue
    or every voice full. voices sound now, fading ones included. peak is the largest |sample|
    since the last `stats()`. load is the share of real time the callback uses, smoothed.
    """

    blocks: int
    frames: int
    xruns: int
    late_commands: int
    dropped_commands: int
    stolen_voices: int
    voices: int
    peak: float
    load: float


class Port:
    """One thread's way into the engine: a single-producer ring of commands.

    Frames count from the start of the stream; 0 means now. Every method returns False when the
    ring was full; the command is then dropped and counted. At one frame, assign and set take
    effect before triggers and stops, whichever port they came by; triggers and stops keep order.
    """

    def __init__(self, engine: Engine, name: str, index: int) -> None:
        self.name = name
        self.index = index
        self.dropped = 0
        self._engine = engine
        memory = engine._memory[0]
        self._ring = memory["rings"][index]
        self._written_at = memory["ring_write"][index].ctypes.data
        self._read_at = memory["ring_read"][index].ctypes.data
        self._load, self._store = routines().load, routines().store
        self._written = self._load(self._written_at)
        self._room_until = self._written

    def trigger(self, slot: int, velocity: float, frame: int = 0, *, gain: float = 1.0,
                pan: float = 0.0, tune_semitones: float = 0.0) -> bool:
        """Starts a voice on slot 0..15 with velocity 0..1.

        gain 0..4 multiplies; pan and tune_semitones (up to 48 either way) add to the slot's own.
        """
        return self._push((frame, 0, layout.COMMAND_TRIGGER, slot, 0, 0, velocity, gain, pan,
                           tune_semitones))

    def stop(self, slot: int = ALL_SLOTS, frame: int = 0) -> bool:
        """Silences one slot, or all, with a 5 ms fade."""
        return self._push((frame, 0, layout.COMMAND_STOP, slot, 0, 0, 0.0, 0.0, 0.0, 0.0))

    def release(self, slot: int, frame: int = 0) -> bool:
        """Ends the slot's voices as a gate does on note off: a 12 ms fade."""
        return self._push((frame, 0, layout.COMMAND_RELEASE, slot, 0, 0, 0.0, 0.0, 0.0, 0.0))

    def forget(self) -> bool:
        """Takes back this port's triggers that are not due yet."""
        return self._push((0, 0, layout.COMMAND_FORGET, 0, 0, 0, 0.0, 0.0, 0.0, 0.0))

    def assign(self, slot: int, cell: int, frame: int = 0, *, mark: int = 0) -> bool:
        """Makes a cell the slot's sound from `frame` on; NO_CELL empties the slot.

        mark, 0 to 2**31 - 1, names the sound to a recording (journal.py). On the thread of
        `write_sound` only. A cell refused by a full ring is still yours: assign it again or discard
        it. Raises IndexError for a slot or cell that does not exist.
        """
        self._engine._check(slot, cell)
        command = (frame, 0, layout.COMMAND_ASSIGN, slot, cell, mark, 0.0, 0.0, 0.0, 0.0)
        if cell == NO_CELL:
            return self._push(command)
        # Counted before it is sent: the callback may be done with it before this returns.
        self._engine._assigned[cell] += 1
        if self._push(command):
            self._engine._claimed[cell] = False
            return True
        self._engine._assigned[cell] -= 1
        return False

    def set_slot(self, slot: int, parameter: SlotParameter, value: float, frame: int = 0) -> bool:
        """Sets one parameter of a slot, clipped to its range.

        Level, pan and mute glide for sounding voices; the others hold from the next trigger on.
        """
        return self._push((frame, 0, layout.COMMAND_SET, slot, 0, int(parameter), value, 0.0, 0.0,
                           0.0))

    def set_master(self, volume: float, frame: int = 0) -> bool:
        """Glides the master volume to 0..1."""
        return self._push((frame, 0, layout.COMMAND_MASTER, 0, 0, 0, volume, 0.0, 0.0, 0.0))

    @property
    def engine_address(self) -> int:
        """The engine's memory, for compiled code that pushes on this port's thread itself."""
        return self._engine.memory_address

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


class Engine:
    """The sixteen-slot sampler: arena, voices and mixer shared with the audio callback.

    One engine plays on one output at a time. It owns callback and memory, so it must outlive the
    stream that plays it.
    """

    def __init__(self, sample_rate_hz: int, *, cells: int = 256, max_sound_s: float = 1.5,
                 voices: int = 64) -> None:
        if not 1 <= cells <= layout.MAX_CELLS:
            raise ValueError(f"cells must be 1 to {layout.MAX_CELLS}, not {cells}")
        if not 1 <= voices <= layout.MAX_VOICES:
            raise ValueError(f"voices must be 1 to {layout.MAX_VOICES}, not {voices}")
        if sample_rate_hz <= 0 or max_sound_s <= 0:
            raise ValueError("sample_rate_hz and max_sound_s must be positive")
        self.sample_rate_hz = int(sample_rate_hz)
        self.latency_frames = 0
        self.voices = voices
        self.max_sound_frames = math.ceil(max_sound_s * sample_rate_hz)
        self._memory = layout.allocate_memory()
        # float32 (cells, guard + frames + guard); pages of cells never written are never touched.
        self._arena = np.zeros((cells, self.max_sound_frames + 2 * CELL_GUARD), np.float32)
        self._assigned = np.zeros(cells, np.int64)
        self._claimed = np.zeros(cells, np.bool_)
        # The cell of a stereo sound's right channel, by the cell that names the sound.
        self._right_of: dict[int, int] = {}
        self._next_cell = 0
        self._ports: dict[str, Port] = {}
        self._ports_lock = threading.Lock()
        self._peak_requests = 0
        self._routines = routines()
        self._fill_memory(voices)
        self.clock = EngineClock(self._memory, self._routines.read_clock, self.sample_rate_hz)
        self.journal = Journal(self)
        self._ffi = FFI()

    def _fill_memory(self, voices: int) -> None:
        memory, rate = self._memory[0], self.sample_rate_hz
        memory["arena_address"] = self._arena.ctypes.data
        memory["cell_stride"] = self._arena.shape[1]
        memory["cells"] = self._arena.shape[0]
        memory["voice_limit"] = voices
        memory["physical_voices"] = voices + layout.FADING_VOICES
        memory["clock_address"], memory["clock_id"] = clock_source()
        memory["sample_rate_hz"] = rate
        memory["seconds_per_frame"] = 1.0 / rate
        memory["clock_time"][1] = 1.0 / rate
        memory["limiter_release"] = math.exp(-1.0 / (layout.LIMITER_RELEASE_S * rate))
        memory["ramp_frames"] = max(1, round(layout.RAMP_S * rate))
        memory["steal_fade_frames"] = max(1, round(layout.STEAL_FADE_S * rate))
        memory["choke_fade_frames"] = max(1, round(layout.CHOKE_FADE_S * rate))
        memory["release_fade_frames"] = max(1, round(layout.RELEASE_FADE_S * rate))
        memory["master"] = memory["master_target"] = 1.0
        memory["cell_right"] = NO_CELL
        memory["slots"]["cell"] = NO_CELL
        memory["slots"]["level"] = 1.0
        memory["slots"]["decay"] = 1.0

    def port(self, name: str) -> Port:
        """The port of this name, made on first use; one per producing thread.

        Raises ValueError past the eighth.
        """
        with self._ports_lock:
            if name not in self._ports:
                if len(self._ports) >= layout.MAX_PORTS:
                    raise ValueError(f"all {layout.MAX_PORTS} ports are taken: {name!r} has none")
                self._ports[name] = Port(self, name, len(self._ports))
            return self._ports[name]

    def write_sound(self, audio: NDArray[np.float32]) -> int | None:
        """Copies float32 (n,), or (n, 2) in stereo, n >= 1, into the arena and returns its cell;
        None when there is no room.

        The cell stays yours until it is assigned or discarded. A stereo sound takes a second one,
        which comes and goes with it. Longer sounds than the arena's max_sound_s are cut with a
        fade. Raises ValueError for another shape or for NaN.
        """
        sound = np.asarray(audio, np.float32)
        stereo = sound.ndim == 2 and sound.shape[1] == layout.CHANNELS
        if not (sound.ndim == 1 or stereo) or sound.size == 0 or not np.isfinite(sound).all():
            raise ValueError("a sound is finite float32 (n,) or (n, 2), n >= 1: got shape "
                             f"{sound.shape}")
        cell = self._free_cell()
        if cell is None:
            return None
        self._fill_cell(cell, sound[:, 0] if stereo else sound)
        if stereo and not self._add_right(cell, sound[:, 1]):
            self._claimed[cell] = False
            return None
        return cell

    def _add_right(self, cell: int, sound: NDArray[np.float32]) -> bool:
        right = self._free_cell()
        if right is None:
            return False
        self._fill_cell(right, sound)
        self._right_of[cell] = right
        self._memory[0]["cell_right"][cell] = right
        return True

    def _fill_cell(self, cell: int, sound: NDArray[np.float32]) -> None:
        """Copies float32 (n,) into a free cell, which is then claimed."""
        count = min(sound.size, self.max_sound_frames)
        row = self._arena[cell]
        row[CELL_GUARD:CELL_GUARD + count] = sound[:count]
        row[CELL_GUARD + count:CELL_GUARD + count + CELL_GUARD] = 0.0
        if count < sound.size:
            fade = min(count, round(CUT_FADE_S * self.sample_rate_hz))
            end = CELL_GUARD + count
            row[end - fade:end] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)
        self._memory[0]["cell_length"][cell] = count
        self._memory[0]["cell_right"][cell] = NO_CELL
        self._claimed[cell] = True

    def discard(self, cell: int) -> None:
        """Gives back a written cell that was never assigned. Raises IndexError."""
        self._check(0, cell)
        self._claimed[cell] = False

    def free_cells(self) -> int:
        """How many cells `write_sound` could use now."""
        return int(self._free().sum())

    def _free(self) -> NDArray[np.bool_]:
        # What is released is read before what sounds: once no slot and no queued command holds
        # a cell no further voice can start on it, so a later zero of its voices is final.
        cells = self._assigned.size
        memory = self._memory[0]
        self._routines.load(memory["cell_released"].ctypes.data)
        released = memory["cell_released"][:cells].copy()
        self._routines.load(memory["cell_voices"].ctypes.data)
        sounding = memory["cell_voices"][:cells].copy()
        free: NDArray[np.bool_] = (released == self._assigned) & (sounding == 0) & ~self._claimed
        for cell, right in tuple(self._right_of.items()):
            if free[cell]:  # a right channel goes when its sound goes
                del self._right_of[cell]
                self._claimed[right] = False
                free[right] = True
        return free

    def _free_cell(self) -> int | None:
        # Round robin, so that a cell rests as long as it can before it is written again.
        free = np.roll(self._free(), -self._next_cell)
        first = int(free.argmax())
        if not free[first]:
            return None
        cell = (first + self._next_cell) % free.size
        self._next_cell = (cell + 1) % free.size
        return cell

    def _check(self, slot: int, cell: int) -> None:
        if not 0 <= slot < layout.SLOTS:
            raise IndexError(f"slot must be 0 to {layout.SLOTS - 1}, not {slot}")
        if not NO_CELL <= cell < self._assigned.size:
            raise IndexError(f"cell must be -1 to {self._assigned.size - 1}, not {cell}")

    def stats(self) -> EngineStats:
        """What the callback has counted so far."""
        memory = self._memory[0]
        peak = float(memory["peak"])
        self._peak_requests += 1
        self._routines.store(memory["requests"].ctypes.data, self._peak_requests)
        ports_dropped = sum(port.dropped for port in self._ports.values())
        return EngineStats(
            blocks=int(memory["blocks"]), frames=int(memory["frame"]),
            xruns=int(memory["xruns"]), late_commands=int(memory["late"]),
            dropped_commands=int(memory["dropped"]) + ports_dropped,
            stolen_voices=int(memory["stolen"]), voices=int(memory["sounding"]),
            peak=peak, load=float(memory["load"]))

    @property
    def frames(self) -> int:
        """Frames mixed so far."""
        return int(self._memory[0]["frame"])

    @property
    def frame_address(self) -> int:
        """Where the callback counts the frames it has mixed, an int64; for other callbacks."""
        return int(self._memory["frame"].ctypes.data)

    @property
    def blocks(self) -> int:
        """Blocks mixed so far."""
        return int(self._memory[0]["blocks"])

    def set_live(self, live: bool) -> None:
        """Whether blocks follow real time (a device) or are mixed as fast as they can."""
        self._memory[0]["live"] = int(live)

    def process(self, out: NDArray[np.float32]) -> None:
        """Mixes the next n frames into float32 (n, 2), C order, on the calling thread.

        Not while a device plays this engine. Raises ValueError for another shape or dtype.
        """
        if out.dtype != np.float32 or out.ndim != 2 or out.shape[1] != layout.CHANNELS \
                or not out.flags.c_contiguous:
            raise ValueError(f"out must be C-ordered float32 (n, 2), not {out.dtype} {out.shape}")
        self._routines.callback(None, out.ctypes.data, len(out), None, 0, self._memory.ctypes.data)

    @property
    def callback_address(self) -> int:
        """The audio callback, for compiled code that calls it itself."""
        return self._routines.callback_address

    @property
    def memory_address(self) -> int:
        """The callback's userdata, likewise; valid as long as the engine lives."""
        return int(self._memory.ctypes.data)

    @property
    def callback(self) -> Any:
        """The audio callback as a cffi pointer: a PaStreamCallback on float32 stereo output."""
        return self._ffi.cast("void *", self.callback_address)

    @property
    def userdata(self) -> Any:
        """The callback's memory as a cffi void pointer; valid as long as the engine lives."""
        return self._ffi.cast("void *", self.memory_address)
