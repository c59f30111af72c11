"""What averaging over frames took from noise: its magnitudes' fluctuation from frame to frame.

The magnitudes of Gaussian noise are Rayleigh distributed. A column that averages frames has their
mean; laid flat over those frames it sounds like a whistle through a comb, not like noise. Pure
functions of their arguments, NumPy only, any thread.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from gan808.sound.geometry import Geometry

LEVELS = 256  # steps of the distribution: a random byte picks one
WORD_BYTES = 8
ALL_NOISE_FRAMES = 3.0  # from columns that span so many frames on it has its full depth


@cache
def _rayleigh() -> np.ndarray:
    """Equally likely values of a Rayleigh variable of mean 1: float32 (LEVELS,)."""
    values = np.sqrt(-2.0 * np.log1p(-(np.arange(LEVELS) + 0.5) / LEVELS))
    return np.asarray(values / values.mean(), np.float32)


def fluctuation(geometry: Geometry, n_frames: int, stream: int) -> np.ndarray:
    """Factors of mean 1 for the magnitudes of the first n_frames: float32 (n_bins, n_frames).

    They are 1 where columns are single frames; from there on Rayleigh variables, smoothed over
    three frames as overlapping frames are alike. stream, 0 or more, names the random numbers; fewer
    frames have the same ones. They are raw bits of PCG64, whose stream NumPy keeps for ever.
    """
    depth = np.clip((geometry.frames_a_column[:n_frames] - 1) / (ALL_NOISE_FRAMES - 1), 0.0, 1.0)
    depth[: geometry.linear_columns] = 0.0
    factors = np.ones((n_frames, geometry.n_bins), np.float32)
    first = geometry.linear_columns
    if first >= n_frames:
        return factors.T
    words = -(-geometry.n_bins // WORD_BYTES)
    bits = np.random.PCG64(stream).random_raw((n_frames - first + 2) * words).astype("<u8")
    bytes_ = bits.view(np.uint8).reshape(-1, words * WORD_BYTES)[:, : geometry.n_bins]
    r = _rayleigh()[bytes_]
    smooth = np.float32(0.25) * (r[:-2] + r[2:]) + np.float32(0.5) * r[1:-1]
    factors[first:] += depth[first:, None].astype(np.float32) * (smooth - np.float32(1.0))
    return factors.T
