"""A file for each slot beside that of the mix: as long, and begun at the same frame.

One thread at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from gan808.engine.layout import CHANNELS, SLOTS

SILENCE_FRAMES = 1 << 16
# Nothing limits a slot alone: floats go past full scale, where 24 bits would cut off.
ENDING = ".wav"


class SoundFileLike(Protocol):
    """An open file that takes float32 (n, 2). Both raise Gan808Error."""

    def write(self, block: NDArray[np.float32]) -> None: ...

    def close(self) -> None: ...


File = TypeVar("File", bound=SoundFileLike)


def stem_path(mix: Path, codes: Sequence[str], slot: int) -> Path:
    """Where a slot's file lies: beside the mix's, named by the slot's code, or by its number where
    the kit has none for it."""
    code = codes[slot] if slot < len(codes) else f"slot{slot + 1}"
    return mix.with_name(f"{mix.stem}-{code}{ENDING}")


def stem_paths(mix: Path, codes: Sequence[str]) -> list[Path]:
    """Where the files of a kit's slots lie."""
    return [stem_path(mix, codes, slot) for slot in range(len(codes))]


class StemFiles(Generic[File]):
    """The files of the kit's slots; a slot that only a later kit has gets one when it first sounds.

    open_file opens a file for writing; what it and the files raise is passed on.
    """

    def __init__(self, mix: Path, codes: Sequence[str], open_file: Callable[[Path], File]) -> None:
        """codes: of the kit's slots, in order."""
        self._mix = mix
        self._codes = tuple(codes)
        self._open_file = open_file
        self._frames = 0
        self.files: dict[int, File] = {}

    def open(self) -> None:
        """Opens a file for each of the kit's slots."""
        for slot in range(len(self._codes)):
            self._add(slot)

    def write(self, slots: NDArray[np.float32]) -> None:
        """Appends float32 (SLOTS, 2, n)."""
        for slot in range(SLOTS):
            if slot not in self.files and slots[slot].any():
                self._add(slot)
            if slot in self.files:
                self.files[slot].write(slots[slot].T)
        self._frames += slots.shape[-1]

    def close(self) -> None:
        """Completes them all, whatever one of them raises."""
        with ExitStack() as closing:
            for file in self.files.values():
                closing.callback(file.close)
        self.files.clear()

    def _add(self, slot: int) -> None:
        file = self.files[slot] = self._open_file(stem_path(self._mix, self._codes, slot))
        left = self._frames
        while left:
            file.write(np.zeros((min(left, SILENCE_FRAMES), CHANNELS), np.float32))
            left -= min(left, SILENCE_FRAMES)

