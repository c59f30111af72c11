"""A sound made small enough to look at: spectrogram and peaks in bytes. Pure; any thread."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from gan808.sound.sound import Sound

COLUMNS, BANDS, PEAKS = 48, 32, 64
WINDOW_FRAMES = 1024
LOWEST_HZ, HIGHEST_HZ = 40.0, 18_000.0
FLOOR_DB = 72.0  # below the loudest level nothing is shown


@dataclass(frozen=True, slots=True)
class Picture:
    """levels: 0 to 255 in COLUMNS columns of BANDS bands, the lowest first; peaks: PEAKS pairs of
    the least and greatest sample as signed bytes, 127 full scale."""

    id: str
    levels: bytes
    peaks: bytes

    @property
    def values(self) -> tuple[str | int | bytes, ...]:
        """As /sound/picture answers."""
        return (self.id, COLUMNS, BANDS, self.levels, self.peaks)


def picture_of(sound: Sound) -> Picture:
    """The picture of a sound's first channel, in well under a millisecond."""
    audio = sound.channels[0]
    return Picture(sound.id, _levels(audio, sound.sample_rate_hz), _peaks(audio))


def _levels(audio: np.ndarray, rate_hz: int) -> bytes:
    padded = np.concatenate([audio, np.zeros(WINDOW_FRAMES, np.float32)])
    starts = np.linspace(0, max(1, len(audio) - WINDOW_FRAMES // 4), COLUMNS).astype(int)
    frames = padded[starts[:, None] + np.arange(WINDOW_FRAMES)] * np.hanning(WINDOW_FRAMES)
    power = np.abs(np.fft.rfft(frames)) ** 2
    db = 10 * np.log10(np.maximum(power @ _bands(rate_hz), 1e-12))
    shown = np.clip((db - db.max() + FLOOR_DB) / FLOOR_DB, 0, 1)
    return np.asarray(np.rint(shown * 255), np.uint8).tobytes()


@lru_cache(maxsize=4)
def _bands(rate_hz: int) -> np.ndarray:
    """float (WINDOW_FRAMES // 2 + 1, BANDS): triangles evenly apart in the logarithm of pitch."""
    bins = np.fft.rfftfreq(WINDOW_FRAMES, 1 / rate_hz)
    edges = np.geomspace(LOWEST_HZ, min(HIGHEST_HZ, rate_hz / 2), BANDS + 2)
    # A band narrower than a bin still hears the bins beside it.
    width = np.maximum(edges[2:] - edges[:-2], 2 * bins[1]) / 2
    triangles = 1 - np.abs(bins[:, None] - edges[1:-1]) / width
    return np.asarray(np.clip(triangles, 0, 1))


def _peaks(audio: np.ndarray) -> bytes:
    edges = np.linspace(0, len(audio), PEAKS, endpoint=False).astype(int)
    least, greatest = np.minimum.reduceat(audio, edges), np.maximum.reduceat(audio, edges)
    pairs = np.stack([least, greatest], axis=1)
    return np.asarray(np.clip(np.rint(pairs * 127), -127, 127), np.int8).tobytes()
