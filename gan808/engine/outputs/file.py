"""Outputs without a device: a sound file, or nothing, at the pace of real time or faster.

Each has a thread of its own that mixes, writes and waits for the next block to be due.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from gan808 import __version__, ownership
from gan808.engine.engine import Engine
from gan808.engine.layout import CHANNELS
from gan808.engine.outputs.output import Output
from gan808.errors import DeviceError

SUBTYPE = "PCM_24"
BYTES_PER_FRAME = 3 * CHANNELS
# A WAV file counts its bytes in 32 bits; half of that is also safe for readers that sign them.
PART_BYTES = 2_000_000_000
# A machine that slept does not catch up: it goes on from now.
LARGEST_DELAY_S = 1.0


class FileWriter:
    """Writes float32 (n, 2) as 24-bit sound, in a new numbered part whenever a file is full.
    Over a file only where this program wrote it."""

    def __init__(self, path: Path, sample_rate_hz: int, part_bytes: int = PART_BYTES) -> None:
        self.path = path
        self._sample_rate_hz = sample_rate_hz
        self._part_frames = part_bytes // BYTES_PER_FRAME
        self._part = 1
        self._left_frames = self._part_frames
        self._file: soundfile.SoundFile | None = None

    def open(self) -> None:
        """Opens the first part. Raises DeviceError."""
        self._file = self._open_part()

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
        try:
            if not ownership.is_replaceable_sound(self._part_path):
                raise DeviceError(f"{self._part_path}: is there, and GAN-808 did not write it, so "
                                  "it is left alone; choose another --output")
            file = soundfile.SoundFile(
                self._part_path, "w", self._sample_rate_hz, CHANNELS, SUBTYPE)
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


class PacedOutput(Output):
    """Mixes block after block on its own thread, into a file or nowhere."""

    def __init__(
        self,
        writer: FileWriter | None,
        sample_rate_hz: int,
        block_frames: int,
        seconds: float | None,
        before_block: Callable[[int], None] | None,
        fast: bool,
    ) -> None:
        super().__init__("null" if writer is None else f"file:{writer.path}", sample_rate_hz,
                         block_frames)
        self._writer = writer
        self._end_frame = None if seconds is None else max(1, round(seconds * sample_rate_hz))
        self._before_block = before_block
        self._fast = fast

    def _open(self, engine: Engine) -> None:
        engine.set_live(not self._fast)
        if self._writer is not None:
            self._writer.open()

    def _run(self, engine: Engine) -> None:
        first_frame = engine.frames
        block = np.zeros((self.block_frames, CHANNELS), np.float32)
        done = 0
        began_s = time.monotonic()
        while not self._stopping.is_set():
            count = self.block_frames
            if self._end_frame is not None:
                count = min(count, self._end_frame - done)
            if count <= 0:
                return
            if not self._fast:
                began_s = self._wait_until_due(began_s, done)
            if self._before_block is not None:
                self._before_block(first_frame + done + count)
            engine.process(block[:count])
            if self._writer is not None:
                self._writer.write(block[:count])
            done += count

    def _wait_until_due(self, began_s: float, frame: int) -> float:
        due_s = began_s + frame / self.sample_rate_hz
        now_s = time.monotonic()
        if now_s < due_s:
            self._stopping.wait(due_s - now_s)
        elif now_s > due_s + LARGEST_DELAY_S:
            return began_s + now_s - due_s
        return began_s

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
