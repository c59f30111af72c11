"""Python's side of the real-time engine: ports that enqueue, the arena of sounds, statistics.

Owns the memory the audio callback works in. A `Port` (ports.py) belongs to the one thread that
asked for it; `write_sound`, `discard` and `assign` belong to one thread (the machine's); the rest
may be called from anywhere. Nothing here waits for the callback.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

# What modules made by cffi use at run time; cffi itself brings a parser of C along, which takes
# longer to load than all else that the engine needs.
from _cffi_backend import FFI
from numpy.typing import NDArray

from gan808.engine import layout
from gan808.engine.arena import Arena
from gan808.engine.clock import EngineClock
from gan808.engine.kernel_api import routines
from gan808.engine.kernels.clock_source import clock_source
from gan808.engine.keymap import Keymaps
from gan808.engine.layout import ALL_SLOTS, NO_CELL
from gan808.engine.ports import Port, SlotParameter
from gan808.engine.recorder import Journal, State, restore
from gan808.engine.slot_buffers import SlotBuffers

__all__ = ["ALL_SLOTS", "NO_CELL", "Engine", "EngineClock", "EngineStats", "Port", "SlotParameter"]

MAX_SOUND_S = 2.5  # what a cell holds


@dataclass(frozen=True, slots=True)
class EngineStats:
    """Counters since the engine was made.

    late_commands were due in the past and acted at once; dropped_commands found a ring, the queue
    or every voice full. voices sound now, fading ones included. peak is the largest |sample|
    since it was reset last. load is the share of real time the callback uses, smoothed.
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


class Engine:
    """The sixteen-slot sampler: arena, voices and mixer shared with the audio callback.

    One engine plays on one output at a time. It owns callback and memory, so it must outlive the
    stream that plays it.
    """

    def __init__(self, sample_rate_hz: int, *, cells: int = 256, max_sound_s: float = MAX_SOUND_S,
                 voices: int = 64) -> None:
        """Raises ValueError."""
        if not 1 <= cells <= layout.MAX_CELLS:
            raise ValueError(f"cells must be 1 to {layout.MAX_CELLS}, not {cells}")
        if not 1 <= voices <= layout.MAX_VOICES:
            raise ValueError(f"voices must be 1 to {layout.MAX_VOICES}, not {voices}")
        if sample_rate_hz <= 0 or max_sound_s <= 0:
            raise ValueError("sample_rate_hz and max_sound_s must be positive")
        self.sample_rate_hz = int(sample_rate_hz)
        self.latency_frames = 0
        self.plays = False  # whether an output plays it; the output says so
        self.voices = voices
        self._memory = layout.allocate_memory()
        self._ports: dict[str, Port] = {}
        self._ports_lock = threading.Lock()
        self._peak_requests = 0
        self._routines = routines()
        self._arena = Arena(self._memory[0], self._routines.load, cells, max_sound_s,
                            self.sample_rate_hz)
        self._fill_memory(voices)
        self.clock = EngineClock(self._memory, self._routines.read_clock)
        self.keymaps = Keymaps(self._memory[0], self._routines.load)
        self.journal = Journal(self._memory[0], self._routines)
        self._ffi = FFI()

    def _fill_memory(self, voices: int) -> None:
        memory = self._memory[0]
        memory["voice_limit"] = voices
        memory["physical_voices"] = voices + layout.FADING_VOICES
        memory["clock_address"], memory["clock_id"] = clock_source()
        self._fill_rate()
        memory["master"] = memory["master_target"] = 1.0
        memory["keymap"] = layout.NO_KEYMAP
        memory["midi_channels"]["gain"] = 1.0
        memory["slots"]["cell"] = NO_CELL
        memory["slots"]["level"] = 1.0
        memory["slots"]["decay"] = 1.0

    def _fill_rate(self) -> None:
        """What of the memory depends on the rate, the arena apart."""
        memory, rate = self._memory[0], self.sample_rate_hz
        memory["sample_rate_hz"] = rate
        memory["seconds_per_frame"] = 1.0 / rate
        memory["clock_time"][1] = 1.0 / rate
        memory["limiter_release"] = math.exp(-1.0 / (layout.LIMITER_RELEASE_S * rate))
        memory["ramp_frames"] = max(1, round(layout.RAMP_S * rate))
        memory["steal_fade_frames"] = max(1, round(layout.STEAL_FADE_S * rate))
        memory["choke_fade_frames"] = max(1, round(layout.CHOKE_FADE_S * rate))
        memory["release_fade_frames"] = max(1, round(layout.RELEASE_FADE_S * rate))

    def change_rate(self, sample_rate_hz: int) -> None:
        """Go on at another rate. Only while no output plays, on the machine's thread.

        Settings stay, those on their way too; hits on their way are dropped, what sounds is cut
        off, and no slot has a sound any more: write and assign them anew. Frames count on.
        """
        if self.plays:
            raise ValueError("the rate changes only while nothing plays")
        memory, block = self._memory[0], np.zeros((1, layout.CHANNELS), np.float32)
        self.process(block)  # moves what the rings hold into the queue
        queue = memory["queue"][:int(memory["queued"])]
        queue[:] = np.sort(queue, order=("frame", "order"))
        queue["frame"] = memory["frame"]
        queue["kind"][queue["kind"] == layout.COMMAND_TRIGGER] = layout.COMMAND_NOTHING
        self.process(block)
        memory["voices"]["state"] = layout.VOICE_FREE
        memory["slots"]["cell"] = NO_CELL
        memory["sounding"] = memory["limiter_envelope"] = memory["clock_locked"] = 0
        self.sample_rate_hz = int(sample_rate_hz)
        self._arena.change_rate(self.sample_rate_hz)
        self._fill_rate()
        self.clock.restart()

    def port(self, name: str) -> Port:
        """The port of this name, made on first use; one per producing thread.

        Raises ValueError past the eighth.
        """
        with self._ports_lock:
            if name not in self._ports:
                if len(self._ports) >= layout.MAX_PORTS:
                    raise ValueError(f"all {layout.MAX_PORTS} ports are taken: {name!r} has none")
                self._ports[name] = Port(name, len(self._ports), self._memory, self._arena,
                                         self.keymaps)
            return self._ports[name]

    @property
    def max_sound_frames(self) -> int:
        """What a cell holds, in frames."""
        return self._arena.max_sound_frames

    def write_sound(self, audio: NDArray[np.float32]) -> int | None:
        """Copies float32 (n,), or (n, 2) in stereo, n >= 1, into the arena and returns its cell;
        None when there is no room.

        The cell stays yours until it is assigned or discarded. A stereo sound takes a second one,
        which comes and goes with it. Longer sounds than the arena's max_sound_s are cut with a
        fade. Raises ValueError for another shape or for NaN.
        """
        return self._arena.write(audio)

    def discard(self, cell: int) -> None:
        """Gives back a written cell that was never assigned. Raises IndexError."""
        self._arena.discard(cell)

    def free_cells(self) -> int:
        """How many cells `write_sound` could use now."""
        return self._arena.free_cells()

    def restore(self, state: State, cells: Mapping[int, int]) -> None:
        """Takes over the state a recording began in; only before anything was played.

        cells: where each mark's sound was written in this engine. Raises Gan808Error for numbers
        that no recording holds.
        """
        restore(self._memory[0], self._arena, state, cells)

    def stats(self, *, reset_peak: bool = True) -> EngineStats:
        """What the callback has counted so far. reset_peak: the next peak is of what comes now."""
        memory = self._memory[0]
        peak = float(memory["peak"])
        if reset_peak:
            self._peak_requests += 1
            self._routines.store(memory["requests"].ctypes.data, self._peak_requests)
        ports_dropped = sum(port.dropped for port in tuple(self._ports.values()))
        return EngineStats(
            blocks=int(memory["blocks"]), frames=int(memory["frame"]),
            xruns=int(memory["xruns"]), late_commands=int(memory["late"]),
            dropped_commands=int(memory["dropped"]) + ports_dropped,
            stolen_voices=int(memory["stolen"]), voices=int(memory["sounding"]),
            peak=peak, load=float(memory["load"]))

    def begun(self, since: int) -> tuple[int, list[tuple[int, float]]]:
        """How many voices have ever begun; and slot and velocity of those that began after number
        `since` and still sound.

        Read while the callback works, so it may be a block old: good enough for a display.
        """
        memory = self._memory[0]
        voices, count = memory["voices"], int(memory["starts"])
        found = np.flatnonzero(voices["started"] > since)
        slots, loud = voices["slot"][found].tolist(), voices["amplitude"][found].tolist()
        return count, [(slot, min(1.0, amplitude ** (2 / 3)))
                       for slot, amplitude in zip(slots, loud, strict=True)]

    @property
    def frames(self) -> int:
        """Frames mixed so far."""
        return int(self._memory[0]["frame"])

    @property
    def blocks(self) -> int:
        """Blocks mixed so far."""
        return int(self._memory[0]["blocks"])

    def set_live(self, live: bool) -> None:
        """Whether blocks follow real time (a device) or are mixed as fast as they can."""
        self._memory[0]["live"] = int(live)

    def process(self, out: NDArray[np.float32], slots: SlotBuffers | None = None) -> None:
        """Mixes the next n frames into float32 (n, 2), C order, on the calling thread; and each
        slot alone into the first n of `slots`, where they are wanted.

        Not while a device plays this engine. Raises ValueError for another shape or dtype.
        """
        if out.dtype != np.float32 or out.ndim != 2 or out.shape[1] != layout.CHANNELS \
                or not out.flags.c_contiguous:
            raise ValueError(f"out must be C-ordered float32 (n, 2), not {out.dtype} {out.shape}")
        if slots is None:
            self._mix(out)
            return
        if slots.frames < len(out):
            raise ValueError(f"slots hold {slots.frames} frames, the block has {len(out)}")
        self._memory["slot_buffers"] = slots.address
        self._mix(out)
        self._memory["slot_buffers"] = 0

    def _mix(self, out: NDArray[np.float32]) -> None:
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
