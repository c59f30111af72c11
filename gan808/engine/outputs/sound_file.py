"""Sound files through libsndfile: WAV or FLAC of 24 bits, WAV of floats. One thread at a time."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from gan808 import __version__, ownership
from gan808.engine.layout import CHANNELS
from gan808.engine.outputs.stems import StemFiles, stem_paths
from gan808.errors import DeviceError

PCM_24, FLOAT = "PCM_24", "FLOAT"  # by libsndfile's names
# A WAV file counts its bytes in 32 bits; half of that is also safe for readers that sign them.
PART_BYTES = 2_000_000_000
# Of 24 bits and of floats: parts of files that belong together end at one frame.
PART_FRAMES, STEM_PART_FRAMES = PART_BYTES // (3 * CHANNELS), PART_BYTES // (4 * CHANNELS)


class FileWriter:
    """Writes float32 (n, 2) in a new numbered part whenever a file is full. Over a file only where
    this program wrote it."""

    def __init__(self, path: Path, sample_rate_hz: int, *, subtype: str = PCM_24,
                 part_frames: int = PART_FRAMES) -> None:
        self.path = path
        self._sample_rate_hz = sample_rate_hz
        self._subtype = subtype
        self._part_frames = part_frames
        self._part = 1
        self._left_frames = self._part_frames
        self._file: soundfile.SoundFile | None = None

    def open(self) -> None:
        """Opens the first part. Raises DeviceError."""
        self._file = self._open_part()

    def check(self) -> None:
        """Raises DeviceError where `open` would meet a file that is not ours."""
        try:
            if not ownership.is_replaceable_sound(self._part_path):
                raise DeviceError(f"{self._part_path}: is there, and GAN-808 did not write it, so "
                                  "it is left alone; choose another --output")
        except OSError as error:
            raise self._failure(error) from error

    def write(self, block: NDArray[np.float32]) -> None:
        """Appends a block. Raises DeviceError when the disk is full or gone."""
        while len(block):
            if self._left_frames == 0:
                self.close()
                self._part += 1
                self._left_frames = self._part_frames
                self._file = self._open_part()
            fits = block[:self._left_frames]
            self._write(fits)
            self._left_frames -= len(fits)
            block = block[len(fits):]

    def close(self) -> None:
        """Completes the file. Raises DeviceError when the disk is full or gone."""
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            except (OSError, soundfile.LibsndfileError) as error:
                raise self._failure(error) from error

    @property
    def _part_path(self) -> Path:
        if self._part == 1:
            return self.path
        return self.path.with_name(f"{self.path.stem}-part{self._part}{self.path.suffix}")

    def _open_part(self) -> soundfile.SoundFile:
        self.check()
        try:
            file = soundfile.SoundFile(
                self._part_path, "w", self._sample_rate_hz, CHANNELS, self._subtype)
            # Before the first frame, so that it is in the header of a file that a kill leaves.
            file.software = f"{ownership.SOFTWARE} {__version__}"
            return file
        except (OSError, soundfile.LibsndfileError) as error:
            raise self._failure(error) from error

    def _write(self, block: NDArray[np.float32]) -> None:
        if self._file is None:
            raise DeviceError(f"{self._part_path} is not open")
        try:
            self._file.write(block)
        # soundfile asserts that libsndfile took every frame; a full disk fails that.
        except (OSError, soundfile.LibsndfileError, AssertionError) as error:
            raise self._failure(error) from error

    def _failure(self, error: BaseException) -> DeviceError:
        with suppress(OSError):  # a file of nothing would only be in the way
            if self._part_path.stat().st_size == 0:
                self._part_path.unlink()
        reason = str(error) or "the disk is full"
        return DeviceError(f"cannot write {self._part_path}: {' '.join(reason.split())}; "
                           "free some space or choose another --output")


def stem_writers(mix: Path, codes: Sequence[str], sample_rate_hz: int) -> StemFiles[FileWriter]:
    """The stems beside a mix, still to be opened. Raises DeviceError where one would meet a file
    that is not ours."""

    def opened(path: Path) -> FileWriter:
        writer = FileWriter(path, sample_rate_hz, subtype=FLOAT, part_frames=STEM_PART_FRAMES)
        writer.open()
        return writer

    for path in stem_paths(mix, codes):
        FileWriter(path, sample_rate_hz).check()
    return StemFiles(mix, codes, opened)
