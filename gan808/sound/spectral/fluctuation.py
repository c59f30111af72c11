"""Gives the noise in averaged columns back its fluctuation from frame to frame.

The magnitudes of Gaussian noise are Rayleigh distributed. A column that averages frames has their
mean. Spread over those frames as it is, that mean sounds like a whistle through a comb, not like
noise. Pure functions of their arguments, NumPy and SciPy, any thread.
"""

from __future__ import annotations

import numpy as np
from scipy import fft

from gan808.sound.spectral.geometry import Geometry
from gan808.sound.spectral.spectrogram import AT_ONCE, hann

WORD_BYTES = 8
REACH = (3, 5)  # bins to either side that surround one; a Hann window's lobe ends at 2
TONE_NEPERS = (0.7, 1.7)  # above its surroundings: the highest of what is noise, the least tone
ALL_NOISE_FRAMES = 3.0  # from columns that span so many frames on it has its full depth


def noise_share(log_bins: np.ndarray) -> np.ndarray:
    """How much of each bin is noise, 0..1, of log magnitudes float32 (n_bins, columns): the same
    shape.

    What averages noise is smooth along frequency, a lasting tone stands out of its surroundings by
    its window's main lobe. A tone must not tremble.
    """
    beside = np.pad(log_bins, ((REACH[1], REACH[1]), (0, 0)), mode="reflect")
    n = len(log_bins)

    def moved(by: int) -> np.ndarray:
        return beside[REACH[1] + by : REACH[1] + by + n]

    surroundings = sum(moved(side * by) for side in (-1, 1) for by in range(REACH[0], REACH[1] + 1))
    top = np.maximum(np.maximum(moved(-1), moved(1)), log_bins)
    height = top - surroundings / np.float32(2 * (REACH[1] - REACH[0] + 1))
    low, high = TONE_NEPERS
    return np.asarray(np.clip((high - height) / (high - low), 0.0, 1.0), np.float32)


def fluctuation(
    log_bins: np.ndarray, geometry: Geometry, n_frames: int, stream: int
) -> np.ndarray:
    """Factors of mean 1 for the magnitudes of the first n_frames of a sound whose log magnitudes
    are log_bins, float32 (n_bins, as many columns as these frames need): float32 (n_bins,
    n_frames).

    They are 1 where columns are single frames; from there on, where there is noise, they are the
    magnitudes of white noise in the same transform, so that neighbours are as alike as the
    transform makes them. stream, 0 or more, names the noise; fewer frames have the same.
    """
    first = geometry.linear_columns
    factors = np.ones((n_frames, geometry.n_bins), np.float32).T
    if first >= n_frames:
        return factors
    noise = _white(geometry.hop * (n_frames - first - 1) + geometry.n_fft, stream)
    window = hann(geometry.n_fft)
    frames = np.lib.stride_tricks.sliding_window_view(noise, geometry.n_fft)[:: geometry.hop]
    # Weighed so that the mean of the distribution is 1.
    window = window / np.sqrt(np.pi / 4 * np.square(window).sum())
    rayleigh = np.empty((len(frames), geometry.n_bins), np.float32)
    for i in range(0, len(frames), AT_ONCE):
        spectra = fft.rfft(frames[i : i + AT_ONCE] * window, workers=1)
        # Not np.abs: what that fuses depends on the processor.
        np.sqrt(spectra.real**2 + spectra.imag**2, out=rayleigh[i : i + AT_ONCE])
    span = (geometry.frames_a_column[first:n_frames] - 1) / (ALL_NOISE_FRAMES - 1)
    depth = np.clip(span, 0.0, 1.0).astype(np.float32)
    share = geometry.frames_between.part(first, n_frames).of(noise_share(log_bins), axis=1)
    factors[:, first:] += depth * share * (rayleigh.T - np.float32(1.0))
    return factors


def _white(n_samples: int, stream: int) -> np.ndarray:
    """Noise of variance 1: float32 (n_samples,). It is made of raw bits of PCG64, whose stream
    NumPy keeps for ever."""
    words = np.random.PCG64(stream).random_raw(-(-n_samples // WORD_BYTES)).astype("<u8")
    values = words.view(np.uint8)[:n_samples].astype(np.float32) - np.float32(127.5)
    return values / np.float32(np.sqrt((256**2 - 1) / 12))
