"""Recordings from a JACK server whose frames have times: what a message's way to its sound took.

`listening` runs the client listen.c while its context is open; `Heard` is what it brought.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.support.jack import RATE_HZ, Environment

# A frame of the recording and up to three bytes.
MidiEvent = tuple[int, Sequence[int]]


@dataclass
class Heard:
    """float32 stereo (n, 2), the time.monotonic of any frame, and the server's xruns."""

    audio: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 2), np.float32))
    times: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 2)))
    xruns: int = 0

    def time_of(self, frame: int) -> float:
        """When the period of a frame began, and the frame's place in it on top."""
        period = int(np.searchsorted(self.times[:, 0], frame, side="right")) - 1
        first, began_s = self.times[max(period, 0)]
        return float(began_s + (frame - first) / RATE_HZ)

    def frame_at(self, monotonic_s: float) -> float:
        """The frame that was mixed at a time, by the straight line through all periods: free of
        their jitter, if the server's clock does not drift."""
        slope, begin = np.polyfit(self.times[:, 1] - self.times[0, 1], self.times[:, 0], 1)
        return float(begin + slope * (monotonic_s - self.times[0, 1]))

    def onsets(self, channel: int, threshold: float, dead_frames: int) -> NDArray[np.intp]:
        """Frames at which a channel becomes louder than the threshold, once a dead time."""
        loud = np.flatnonzero(np.abs(self.audio[:, channel]) > threshold)
        onsets: list[int] = []
        for frame in loud:
            if not onsets or frame >= onsets[-1] + dead_frames:
                onsets.append(int(frame))
        return np.asarray(onsets, np.intp)


def build_listener(folder: Path) -> Path:
    """Compiles the client. Raises CalledProcessError where cc or JACK's headers are missing."""
    listener = folder / "listen"
    source = Path(__file__).with_name("listen.c")
    subprocess.run(["cc", "-O2", "-o", listener, source, "-ljack"], check=True)
    return listener


@contextmanager
def listening(listener: Path, environment: Environment, part: str, seconds: float,
              events: Sequence[MidiEvent] = ()) -> Iterator[Heard]:
    """Records ports whose names contain part from inside the context on, for so many seconds, and
    sends MIDI at frames of the recording; Heard is filled when the context ends."""
    with tempfile.TemporaryDirectory() as name:
        folder, heard = Path(name), Heard()
        lines = [f"{frame} " + " ".join(map(str, [*data, -1, -1][:3])) for frame, data in events]
        (folder / "events").write_text("\n".join(lines), encoding="ascii")
        process = subprocess.Popen(
            [listener, part, f"{seconds}", folder / "events" if events else "-",
             folder / "audio", folder / "times"],
            env=environment, stdout=subprocess.PIPE, text=True)
        try:
            if process.stdout is None or process.stdout.readline().strip() != "recording":
                raise RuntimeError("the listener does not start")
            yield heard
            told = process.communicate()[0]
        finally:
            process.kill()
            process.wait()
        heard.audio = np.fromfile(folder / "audio", np.float32).reshape(-1, 2)
        heard.times = np.fromfile(folder / "times", np.float64).reshape(-1, 2)
        heard.xruns = int(told.split()[-1])
