"""The sounds in the engine's memory: cells that the callback plays from, and which are free.

`write`, `discard` and what a port tells of assignments belong to one thread (the machine's).
Nothing here waits for the callback.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan808.engine import layout
from gan808.engine.layout import CELL_GUARD, NO_CELL

# A sound cut to fit its cell ends in a fade of this length.
CUT_FADE_S = 0.01


class Arena:
    """float32 (cells, guard + frames + guard), and who holds each cell.

    A cell is claimed from `write` until a port has sent it to a slot or it is discarded. It is free
    again when the callback has released it as often as it was assigned and no voice sounds it.
    """

    def __init__(self, memory: Any, load: Callable[[int], int], cells: int, max_sound_s: float,
                 sample_rate_hz: int) -> None:
        """memory: a MEMORY record; load: of kernel_api.routines."""
        self._memory = memory
        self._load = load
        self._max_sound_s = max_sound_s
        self._assigned = np.zeros(cells, np.int64)
        self._claimed = np.zeros(cells, np.bool_)
        # The cell of a stereo sound's right channel, by the cell that names the sound.
        self._right_of: dict[int, int] = {}
        self._next_cell = 0
        memory["cell_right"] = NO_CELL
        self._allocate(sample_rate_hz)

    def _allocate(self, sample_rate_hz: int) -> None:
        self._sample_rate_hz = sample_rate_hz
        self.max_sound_frames = math.ceil(self._max_sound_s * sample_rate_hz)
        # Pages of cells that are never written are never touched.
        self._audio = np.zeros((self._assigned.size, self.max_sound_frames + 2 * CELL_GUARD),
                               np.float32)
        self._memory["arena_address"] = self._audio.ctypes.data
        self._memory["cells"], self._memory["cell_stride"] = self._audio.shape

    def change_rate(self, sample_rate_hz: int) -> None:
        """Cells as long in seconds at another rate, all of them free. Only while no output plays,
        and once no slot and no command on its way holds a cell."""
        self._memory["cell_voices"] = self._memory["cell_released"] = 0
        self._assigned[:] = 0
        self._claimed[:] = False
        self._right_of.clear()
        self._allocate(sample_rate_hz)

    def write(self, audio: NDArray[np.float32]) -> int | None:
        """Copies float32 (n,), or (n, 2) in stereo, n >= 1, into a free cell, or two, and returns
        the one that names the sound; None when there is no room.

        Longer sounds than max_sound_frames are cut with a fade. Raises ValueError for another shape
        or for NaN.
        """
        sound = np.asarray(audio, np.float32)
        stereo = sound.ndim == 2 and sound.shape[1] == layout.CHANNELS
        if not (sound.ndim == 1 or stereo) or sound.size == 0 or not np.isfinite(sound).all():
            raise ValueError("a sound is finite float32 (n,) or (n, 2), n >= 1: got shape "
                             f"{sound.shape}")
        cell = self._free_cell()
        if cell is None:
            return None
        self._fill(cell, sound[:, 0] if stereo else sound)
        if stereo and not self._add_right(cell, sound[:, 1]):
            self._claimed[cell] = False
            return None
        return cell

    def _add_right(self, cell: int, sound: NDArray[np.float32]) -> bool:
        right = self._free_cell()
        if right is None:
            return False
        self._fill(right, sound)
        self._right_of[cell] = right
        self._memory["cell_right"][cell] = right
        return True

    def _fill(self, cell: int, sound: NDArray[np.float32]) -> None:
        """Copies float32 (n,) into a free cell, which is then claimed."""
        count = min(sound.size, self.max_sound_frames)
        row = self._audio[cell]
        row[CELL_GUARD:CELL_GUARD + count] = sound[:count]
        row[CELL_GUARD + count:CELL_GUARD + count + CELL_GUARD] = 0.0
        if count < sound.size:
            fade = min(count, round(CUT_FADE_S * self._sample_rate_hz))
            end = CELL_GUARD + count
            row[end - fade:end] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)
        self._memory["cell_length"][cell] = count
        self._memory["cell_right"][cell] = NO_CELL
        self._claimed[cell] = True

    def discard(self, cell: int) -> None:
        """Gives back a written cell that was never assigned. Raises IndexError."""
        self.check(cell)
        self._claimed[cell] = False

    def check(self, cell: int) -> None:
        """Raises IndexError for a cell that does not exist; NO_CELL is let pass."""
        if not NO_CELL <= cell < self._assigned.size:
            raise IndexError(f"cell must be -1 to {self._assigned.size - 1}, not {cell}")

    def count_assignment(self, cell: int) -> None:
        """An assignment of the cell is about to be sent: in use until that is released."""
        self._assigned[cell] += 1

    def take_back_assignment(self, cell: int) -> None:
        """What was counted last could not be sent."""
        self._assigned[cell] -= 1

    def end_claim(self, cell: int) -> None:
        """A slot or a voice holds the cell from now on, and its writer no longer."""
        self._claimed[cell] = False

    def free_cells(self) -> int:
        """How many cells `write` could use now."""
        return int(self._free().sum())

    def _free(self) -> NDArray[np.bool_]:
        # What is released is read before what sounds: once no slot and no queued command holds
        # a cell no further voice can start on it, so a later zero of its voices is final.
        cells, memory = self._assigned.size, self._memory
        self._load(memory["cell_released"].ctypes.data)
        released = memory["cell_released"][:cells].copy()
        self._load(memory["cell_voices"].ctypes.data)
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
