"""A WAV of 32-bit floats that is whole at any moment: the engine's samples, bit for bit.

libsndfile writes the header of a WAV when it is closed, so that a program that is killed leaves a
file of length nought; here the header is brought up to date as often as `keep` is called. One
thread at a time.
"""

from __future__ import annotations

import errno
import os
import struct
from contextlib import suppress
from io import RawIOBase
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gan808.engine.layout import CHANNELS
from gan808.errors import DeviceError

BYTES_PER_FRAME = 4 * CHANNELS
IEEE_FLOAT = 3
# A WAV counts its bytes in 32 bits; half of that is also safe for readers that sign them.
PART_BYTES = 2_000_000_000
_HEADER = struct.Struct("<4sI4s4sIHHIIHHH4sII4sI")


class WavFile:
    """Writes float32 (n, 2), in a new numbered part whenever a file is full. Never over a file."""

    def __init__(self, path: Path, sample_rate_hz: int, part_bytes: int = PART_BYTES) -> None:
        """Opens the first part. Raises DeviceError."""
        self.path = path
        self._sample_rate_hz = sample_rate_hz
        self._part_frames = part_bytes // BYTES_PER_FRAME
        self._part = 1
        self._frames = 0
        self._file: RawIOBase | None = self._open()

    def write(self, block: NDArray[np.float32]) -> None:
        """Appends a block. Raises DeviceError when the disk is full or gone; what fitted stays."""
        while len(block):
            if self._frames == self._part_frames:
                self.close()
                self._part += 1
                self._file = self._open()
            fits = block[:self._part_frames - self._frames]
            self._append(np.ascontiguousarray(fits, "<f4").tobytes())
            block = block[len(fits):]

    @property
    def empty(self) -> bool:
        """Whether not one frame has been written."""
        return self._part == 1 and self._frames == 0

    def keep(self) -> None:
        """Makes the file whole as it is: what a kill leaves. Raises DeviceError."""
        if self._file is not None:
            try:
                self._file.seek(0)
                self._file.write(self._header())
                self._file.seek(0, os.SEEK_END)
            except OSError as error:
                raise self._failure(error) from error

    def close(self) -> None:
        """Completes the file; safe to call twice. Raises DeviceError."""
        file = self._file
        if file is None:
            return
        try:
            self.keep()
        finally:
            self._file = None
            file.close()

    @property
    def _part_path(self) -> Path:
        if self._part == 1:
            return self.path
        return self.path.with_name(f"{self.path.stem}-part{self._part}{self.path.suffix}")

    def _open(self) -> RawIOBase:
        self._frames = 0
        try:
            file = self._part_path.open("xb", buffering=0)
        except FileExistsError as error:
            raise DeviceError(f"{self._part_path}: there is one already; choose another name") \
                from error
        except OSError as error:
            raise self._failure(error) from error
        try:
            header = self._header()
            if file.write(header) < len(header):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:  # a name that is taken by nothing could not be used again
            file.close()
            with suppress(OSError):
                self._part_path.unlink()
            raise self._failure(error) from error
        return file

    def _append(self, data: bytes) -> None:
        if self._file is None:
            raise DeviceError(f"{self._part_path} is closed")
        left = memoryview(data)
        try:
            while left:  # a disk that fills up takes a part, and nothing the next time
                left = left[self._file.write(left):]
        except OSError as error:
            self._frames += (len(data) - len(left)) // BYTES_PER_FRAME
            self._file.truncate(_HEADER.size + self._frames * BYTES_PER_FRAME)
            raise self._failure(error) from error
        self._frames += len(data) // BYTES_PER_FRAME

    def _header(self) -> bytes:
        n_bytes, rate = self._frames * BYTES_PER_FRAME, self._sample_rate_hz
        return _HEADER.pack(
            b"RIFF", _HEADER.size - 8 + n_bytes, b"WAVE",
            b"fmt ", 18, IEEE_FLOAT, CHANNELS, rate, rate * BYTES_PER_FRAME, BYTES_PER_FRAME, 32, 0,
            b"fact", 4, self._frames, b"data", n_bytes)

    def _failure(self, error: OSError) -> DeviceError:
        return DeviceError(f"{self._part_path}: cannot be written: {error.strerror}")
