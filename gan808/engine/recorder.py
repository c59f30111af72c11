"""Python's side of a recording: what the callback carried out and played, emptied as it goes.

One reader thread at a time. Nothing here is waited for by the callback, and it is never waited for:
`ask` is answered at the first frame of the next block. `restore` puts the memory of another engine
into the state a recording began in, so that the same commands at the same frames give the same
samples.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan808.engine import layout
from gan808.engine.arena import Arena
from gan808.engine.kernel_api import Routines
from gan808.engine.layout import (
    CHANNELS,
    JOURNAL_COMMANDS,
    NO_CELL,
    SLOT_CHANNELS,
    SLOT_TAPE_FRAMES,
    STATE,
    TAPE_FRAMES,
)
from gan808.errors import Gan808Error

# What a marked sound is called while it has no cell in this engine.
NO_MARK = 0
State = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Losses:
    """What the rings had no room for: frames that are silent on the tape, commands left out."""

    frames: int
    commands: int


class Journal:
    """The recording of one engine: `ask`, then take commands and frames until it is over.

    A frame is left and right of the mix and, in a recording by slot, left and right of each slot
    before master volume and limiter: `channels` numbers.
    """

    def __init__(self, memory: Any, routines: Routines) -> None:
        """memory: a MEMORY record."""
        self._memory = memory
        self._load, self._store = routines.load, routines.store
        self._at = {name: self._memory[name].ctypes.data for name in (
            "recording_asked", "recording_answered", "tape_written", "tape_read",
            "journal_written", "journal_read", "gap_written", "gap_read")}
        self._asked = 0
        self.channels = CHANNELS
        self._tape: NDArray[np.float32] | None = None
        self._taken = 0
        self._silent = 0

    def ask(self, record: bool, *, by_slot: bool = False) -> None:
        """Have recording begin, by slot too or not, or end, with the next block. Only once the last
        was answered."""
        if record:
            self._begin(by_slot)
        self._asked += 1
        self._store(self._at["recording_asked"], self._asked)

    def _begin(self, by_slot: bool) -> None:
        frames = SLOT_TAPE_FRAMES if by_slot else TAPE_FRAMES
        self.channels = CHANNELS + SLOT_CHANNELS if by_slot else CHANNELS
        if self._tape is None or self._tape.shape != (frames, self.channels):
            # Written once, so that its pages are there before the callback needs them.
            self._tape = np.full((frames, self.channels), 0.0, np.float32)
            self._memory["tape_address"] = self._tape.ctypes.data
            self._memory["tape_frames"], self._memory["tape_channels"] = self._tape.shape
            self._memory["journal"] = np.zeros((), layout.COMMAND)
            self._memory["state"] = np.zeros((), STATE)
        for ring in ("tape", "journal", "gap"):
            self._store(self._at[f"{ring}_read"], self._load(self._at[f"{ring}_written"]))
        self._taken = self._silent = 0

    @property
    def answered(self) -> bool:
        """Whether the callback has followed the last `ask`."""
        return self._load(self._at["recording_answered"]) == self._asked

    @property
    def began_frame(self) -> int:
        """The first frame of the recording, once that was answered."""
        return int(self._memory["recording_began"])

    @property
    def ended_frame(self) -> int:
        """The frame after the last, once the end was answered."""
        return int(self._memory["recording_ended"])

    @property
    def taken_frames(self) -> int:
        """Frames handed out by `frames`, silence for lost ones included."""
        return self._taken

    @property
    def losses(self) -> Losses:
        """What has been lost of this recording so far."""
        return Losses(self._silent, int(self._memory["journal_lost"]))

    def state(self) -> State:
        """The state of the engine when the recording began: plain numbers, without cells. Only
        voices that sound are in it, each with its index, since voices are summed in that order."""
        state = self._memory["state"]
        voices = [_plain(voice) | {"index": index} for index, voice in enumerate(state["voices"])
                  if voice["state"] != layout.VOICE_FREE]
        return _plain(state) | {"slots": [_plain(s) for s in state["slots"]], "voices": voices}

    def commands(self) -> NDArray[np.void]:
        """Commands carried out since the last call, COMMAND records in the order it was done."""
        read = self._load(self._at["journal_read"])
        count = self._load(self._at["journal_written"]) - read
        places = (read + np.arange(count)) % JOURNAL_COMMANDS
        taken: NDArray[np.void] = self._memory["journal"][places]
        self._store(self._at["journal_read"], read + count)
        return taken

    def frames(self) -> NDArray[np.float32]:
        """What was played since the last call, float32 (n, channels); zeros for what was lost."""
        # First what was written: a gap told between the two readings then lies at its end or
        # behind it, and never within what would be taken for whole.
        end = self._load(self._at["tape_written"])
        told = self._load(self._at["gap_written"])
        gap = told != self._load(self._at["gap_read"])
        read = self._load(self._at["tape_read"])
        if not gap:
            return self._take(read, end)
        place, lost = int(self._memory["gap_place"]), int(self._memory["gap_frames"])
        before = self._take(read, place)
        self._silent += lost
        self._taken += lost
        silence = np.zeros((lost, self.channels), np.float32)
        self._store(self._at["gap_read"], told)
        return np.concatenate([before, silence, self._take(place, max(place, end))])

    def rest(self, end_frame: int) -> NDArray[np.float32]:
        """After the last `frames`: zeros for what was lost at the very end."""
        lost = max(0, end_frame - self.began_frame - self._taken)
        self._silent += lost
        self._taken += lost
        return np.zeros((lost, self.channels), np.float32)

    def _take(self, read: int, end: int) -> NDArray[np.float32]:
        if self._tape is None or end == read:
            return np.zeros((0, self.channels), np.float32)
        taken = self._tape.take(np.arange(read, end), axis=0, mode="wrap")
        self._store(self._at["tape_read"], end)
        self._taken += end - read
        return taken


def _plain(record: Any) -> dict[str, Any]:
    """The numbers of a record by name. Cells are left out: they are places in this run's arena."""
    return {name: record[name].tolist() for name in record.dtype.names
            if name not in ("cell", "slots", "voices", "unused")}


# What a state from a file may hold, so that no number of it leads out of the memory.
_RANGES: Mapping[str, tuple[float, float]] = {
    "frame": (0, 1 << 60), "starts": (0, 1 << 60), "started": (0, 1 << 60),
    "limiter_envelope": (0, 1e6), "master": (0, layout.MASTER_MOST),
    "master_target": (0, layout.MASTER_MOST),
    "master_ramp_index": (0, 1 << 24), "master_ramp_frames": (0, 1 << 24),
    "level": (0, 1), "tune_semitones": (-24, 24), "decay": (0, 1), "pan": (-2, 2),
    "muted": (0, 1), "choke": (0, 8), "mark": (0, 1 << 31),
    "index": (0, layout.PHYSICAL_VOICES - 1), "step": (1, 1 << 40),
    "envelope": (0, 1), "stretch_factor": (0, 1),
    "envelope_frame": (0, layout.ENVELOPE_FRAMES), "decays": (0, 1), "state": (1, 2),
    "slot": (0, layout.SLOTS - 1), "length_frames": (1, 1 << 24), "position": (0, 1 << 56),
    "amplitude": (0, 4), "left": (-4, 4), "right": (-4, 4), "left_target": (-4, 4),
    "right_target": (-4, 4), "ramp_index": (0, 1 << 24), "ramp_frames": (0, 1 << 24),
    "fade_index": (0, 1 << 24), "fade_frames": (0, 1 << 24), "decay_table": (0, 1),
}


def restore(memory: Any, arena: Arena, state: State, cells: Mapping[int, int]) -> None:
    """Put the memory of an engine that has played nothing yet into a recording's first state.

    cells: where each mark's sound lies in this arena. Raises Gan808Error for numbers that no
    recording holds.
    """
    try:
        for name in STATE.names or ():
            if name not in ("slots", "voices"):
                memory[name] = _checked(name, state[name])
        for index, slot in enumerate(state["slots"][:layout.SLOTS]):
            _fill(memory["slots"][index], slot, cells)
        for voice in state["voices"]:
            index = int(_checked("index", voice["index"]))
            if index >= memory["physical_voices"]:
                raise ValueError(f"voice {index}")
            _fill(memory["voices"][index], voice, cells)
    except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
        raise Gan808Error(f"the recording's first state is damaged: {error}") from error
    _hold(memory, arena)


def _fill(record: Any, values: Mapping[str, Any], cells: Mapping[int, int]) -> None:
    for name in record.dtype.names:
        if name not in ("cell", "unused"):
            record[name] = _checked(name, values[name])
    record["cell"] = cells.get(int(values["mark"]), NO_CELL)
    if "position" in record.dtype.names and record["cell"] == NO_CELL:
        raise ValueError(f"a voice without its sound, {values['mark']}")


def _checked(name: str, value: Any) -> Any:
    low, high = _RANGES[name]
    numbers = np.asarray(value, np.float64)
    if not ((numbers >= low) & (numbers <= high)).all():
        raise ValueError(f"{name} {value}")
    return value


def _hold(memory: Any, arena: Arena) -> None:
    """Count what slots and voices hold, as their assignments and triggers would have."""
    for slot in memory["slots"]:
        if slot["cell"] != NO_CELL:
            arena.count_assignment(slot["cell"])
            arena.end_claim(slot["cell"])
    for voice in memory["voices"]:
        if voice["state"] == layout.VOICE_FREE:
            continue
        cell = int(voice["cell"])
        length = int(memory["cell_length"][cell])
        # A voice never reads past its sound, whatever a file says.
        voice["length_frames"] = min(int(voice["length_frames"]), length)
        voice["position"] = min(int(voice["position"]), length << layout.POSITION_BITS)
        arena.end_claim(cell)
        memory["cell_voices"][cell] += 1
