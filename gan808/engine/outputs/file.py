"""Outputs without a device: a sound file, or nothing, at the pace of real time or faster.

Each has a thread of its own that mixes, writes and waits for the next block to be due.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gan808.engine.engine import Engine
from gan808.engine.layout import CHANNELS
from gan808.engine.outputs.output import Output, OutputRequest
from gan808.engine.outputs.stems import StemFiles
from gan808.engine.slot_buffers import SlotBuffers
from gan808.errors import DeviceError

if TYPE_CHECKING:
    from gan808.engine.outputs.sound_file import FileWriter

DEFAULT_SAMPLE_RATE_HZ = 48_000
DEFAULT_BLOCK_FRAMES = 128
FILE_PREFIX = "file:"
FILE_ENDINGS = (".wav", ".flac")
# A machine that slept does not catch up: it goes on from now.
LARGEST_DELAY_S = 1.0


class PacedOutput(Output):
    """Mixes block after block on its own thread."""

    def __init__(self, name: str, request: OutputRequest) -> None:
        super().__init__(name, request.sample_rate_hz or DEFAULT_SAMPLE_RATE_HZ,
                         request.block_frames or DEFAULT_BLOCK_FRAMES)
        self._end_frame = request.end_frame(self.sample_rate_hz)
        self._fast = request.fast
        self._before_block = request.before_block if request.fast else None
        self._slots: SlotBuffers | None = None  # where a subclass wants them

    def _open(self, engine: Engine) -> None:
        engine.set_live(not self._fast)
        self._open_files()

    def _open_files(self) -> None:
        """There is none to open."""

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
            engine.process(block[:count], self._slots)
            self._write(block[:count])
            done += count

    def _write(self, block: NDArray[np.float32]) -> None:
        """Takes float32 (n, 2), which is used again for the next block, as the slots' are."""

    def _wait_until_due(self, began_s: float, frame: int) -> float:
        due_s = began_s + frame / self.sample_rate_hz
        now_s = time.monotonic()
        if now_s < due_s:
            self._stopping.wait(due_s - now_s)
        elif now_s > due_s + LARGEST_DELAY_S:
            return began_s + now_s - due_s
        return began_s

    def _close(self) -> None:
        """Nothing is open."""


class NullOutput(PacedOutput):
    """Plays for nobody: spec `null`."""

    def __init__(self, request: OutputRequest) -> None:
        super().__init__("null", request)

    @classmethod
    def from_request(cls, request: OutputRequest) -> NullOutput | None:
        """An output for `null`."""
        return cls(request) if request.spec == "null" else None


class FileOutput(PacedOutput):
    """Plays into a file of 24 bits, and each slot into one of floats beside it where that is asked
    for: spec `file:PATH`."""

    def __init__(self, path: Path, request: OutputRequest) -> None:
        from gan808.engine.outputs import sound_file  # brings libsndfile along

        super().__init__(f"file:{path}", request)
        self.path = path
        self.by_slot = request.by_slot
        self._slots = SlotBuffers(self.block_frames) if request.by_slot else None
        self._writer = sound_file.FileWriter(path, self.sample_rate_hz, part_frames=(
            sound_file.STEM_PART_FRAMES if request.by_slot else sound_file.PART_FRAMES))
        self._stems: StemFiles[FileWriter] | None = None

    @classmethod
    def from_request(cls, request: OutputRequest) -> FileOutput | None:
        """An output for `file:PATH`. Raises DeviceError for a path that no sound can be written
        to."""
        if not request.spec.startswith(FILE_PREFIX):
            return None
        path = Path(request.spec.removeprefix(FILE_PREFIX)).expanduser()
        if path.suffix.lower() not in FILE_ENDINGS:
            raise DeviceError(f"{request.spec!r} must end in {' or '.join(FILE_ENDINGS)}")
        folder = path.absolute().parent
        if not folder.is_dir():
            raise DeviceError(f"no folder {folder} to write {path.name} in: make it")
        return cls(path, request)

    @classmethod
    def in_folder(cls, folder: Path, request: OutputRequest) -> FileOutput:
        """An output into a new WAV of a folder, which is made. Raises DeviceError."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DeviceError(f"cannot make the folder {folder}: {error.strerror}") from error
        stem = f"gan808-{time.strftime('%Y%m%d-%H%M%S')}"
        path, count = folder / f"{stem}.wav", 1
        while path.exists():
            count += 1
            path = folder / f"{stem}-{count}.wav"
        return cls(path, request)

    def _open_files(self) -> None:
        from gan808.engine.outputs.sound_file import stem_writers

        if self._slots is not None:
            self._stems = stem_writers(self.path, self._slot_codes(), self.sample_rate_hz)
        try:
            self._writer.open()
            if self._stems is not None:
                self._stems.open()
        except DeviceError:
            self._close()
            raise

    def _write(self, block: NDArray[np.float32]) -> None:
        self._writer.write(block)
        if self._slots is not None and self._stems is not None:
            self._stems.write(self._slots.audio[:, :, :len(block)])

    def _close(self) -> None:
        try:
            self._writer.close()
        finally:
            if self._stems is not None:
                self._stems.close()
