"""A recording as the networks know recordings: mono, at the geometry's rate, onset first, peak 1.

NumPy and soxr; any thread.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gan808.errors import AudioFileError, RenderError
from gan808.sound.audio_files import read_audio
from gan808.sound.kit.kit import to_rate

LONGEST_READ_S = 30.0  # a drum is looked for in the beginning of a long recording
SILENT_PEAK = 1e-3
ONSET_RATIO = 0.02  # of the peak: where the sound begins
PREROLL_S = 0.0004
ALIKE = 0.98  # of the channels' mean power is left in their mean: they hold the same


def read_recording(path: Path) -> tuple[np.ndarray, int]:
    """The first LONGEST_READ_S of a file, float32 (n, channels), and its rate. Raises RenderError,
    one line, for what is no audio."""
    if not path.is_file():
        raise RenderError(f"{path}: is no file; give a recording of one drum hit")
    try:
        return read_audio(path, LONGEST_READ_S, cut=True)
    except AudioFileError as error:
        raise RenderError(f"{path}: cannot be read as audio: {error}") from error


def mono(audio: np.ndarray) -> np.ndarray:
    """One channel of a recording, float32 (n, channels) to (n,): the mean where all hold the same,
    else the loudest. The mean of what differs combs, and of R = -L nothing is left."""
    audio = np.asarray(audio, dtype=np.float32)
    if not len(audio):
        return audio[:, 0]
    power = np.mean(audio.astype(np.float64) ** 2, axis=0)
    middle = audio.mean(axis=1)
    if np.mean(middle.astype(np.float64) ** 2) >= ALIKE * power.mean():
        return middle
    return np.ascontiguousarray(audio[:, power.argmax()])


def onset_first(audio: np.ndarray, from_hz: int, to_hz: int) -> np.ndarray | None:
    """Bring mono audio, float32 (n,), to the rate `to_hz`, its offset removed, its first sample
    just before the onset and its peak 1: float32 (m,). None for silence."""
    if np.abs(audio).max(initial=0.0) < SILENT_PEAK:
        return None
    moved = to_rate(np.asarray(audio - audio.mean(), dtype=np.float32), from_hz, to_hz)
    loudness = np.abs(moved)
    peak = loudness.max(initial=0.0)
    if peak < SILENT_PEAK:
        return None
    onset = int(np.argmax(loudness > ONSET_RATIO * peak))
    return np.asarray(moved[max(0, onset - int(PREROLL_S * to_hz)) :] / peak, dtype=np.float32)
