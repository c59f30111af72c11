"""Curves, pictures and sounds of a run as TensorBoard reads them, with or without TensorFlow.

Records are tensorboardX's; each call writes on the caller's thread, so that a full disk is heard
of: the library's own writer would lose it in a thread of its own.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from tensorboardX import summary
from tensorboardX.proto.event_pb2 import Event, SessionLog
from tensorboardX.proto.summary_pb2 import Summary
from tensorboardX.record_writer import RecordWriter

FLUSH_S = 30.0


class Board:
    """One event file in a folder. Every method raises OSError when the disk is full."""

    def __init__(self, folder: Path, step: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        name = f"events.out.tfevents.{time.time_ns() // 1000}.gan808"  # read in the names' order
        self._records = RecordWriter(str(folder / name))
        self._flushed_s = time.monotonic()
        self._write(Event(wall_time=time.time(), file_version="brain.Event:2"))
        self.rewind(step)

    def rewind(self, step: int) -> None:
        """What earlier files say of steps after this one is not shown any more."""
        log = SessionLog(status=SessionLog.START)
        self._write(Event(wall_time=time.time(), step=step + 1, session_log=log))
        self._flush()

    def scalars(self, step: int, values: dict[str, float]) -> None:
        """One point of each curve."""
        self._add(step, Summary(value=[
            Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()
        ]))

    def picture(self, step: int, png: bytes) -> None:
        """The spectrograms of the fixed latents."""
        image = Summary.Image(height=0, width=0, colorspace=4, encoded_image_string=png)
        self._add(step, Summary(value=[Summary.Value(tag="samples/spectrograms", image=image)]))

    def sound(self, step: int, name: str, audio: np.ndarray, sample_rate_hz: int) -> None:
        """A sound, float32 (n,) within -1..1."""
        self._add(step, summary.audio(f"samples/{name}", audio, sample_rate_hz))

    def close(self) -> None:
        """Everything to disk."""
        self._flush()
        self._records.close()

    def _add(self, step: int, what: Summary) -> None:
        self._write(Event(wall_time=time.time(), step=step, summary=what))
        if time.monotonic() - self._flushed_s >= FLUSH_S:
            self._flush()

    def _write(self, event: Event) -> None:
        self._records.write(event.SerializeToString())

    def _flush(self) -> None:
        self._records.flush()
        self._flushed_s = time.monotonic()
