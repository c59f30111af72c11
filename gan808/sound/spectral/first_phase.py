"""Where Griffin-Lim begins: the phases of its first spectrogram. Pure functions, in NumPy and, for
the peaks, compiled (phase_kernel.py keeps them in numba's cache)."""

from __future__ import annotations

from typing import Any

import numpy as np

from gan808.sound.spectral.fourier import compiled
from gan808.sound.spectral.geometry import Geometry

QUIET = 1e-9
TURN = 2 * np.pi


def overlaps_little(geometry: Geometry) -> bool:
    """Whether frames overlap by half at most. Such frames say little about each other, and rounds
    from noise end far off; with more overlap noise comes nearer in as many rounds."""
    return 2 * geometry.hop >= geometry.n_fft


def noise(geometry: Geometry) -> np.ndarray:
    """The same random phases each time: float64 (n_bins, n_frames), radians."""
    random = np.random.Generator(np.random.PCG64(808))
    return random.uniform(-np.pi, np.pi, (geometry.n_frames, geometry.n_bins)).T


@compiled
def follow_peaks(target: Any, n_fft: int, hop: int, onset: int) -> Any:
    """First phases of magnitudes float32 (n_bins, n_frames): float32, same shape, radians.

    Single-pass spectrogram inversion (Beauregard, Harish and Wyse 2015): every peak of a frame is
    a sinusoid whose frequency a parabola through the logarithms tells; its phase goes on from the
    frame before, and the bins around it alternate as a windowed sinusoid's do. Frames that begin
    before the sample `onset` have the phases of a click there.
    """
    n_bins, n_frames = target.shape
    log, last, now = np.empty(n_bins), np.zeros(n_bins), np.zeros(n_bins)
    phases = np.empty((n_bins, n_frames), np.float32)
    for frame in range(n_frames):
        since = onset - frame * hop
        if since > 0:
            for k in range(n_bins):
                now[k] = -TURN * k * since / n_fft
        else:
            for k in range(n_bins):
                log[k] = np.log(np.float64(target[k, frame]) + QUIET)
            _continue(log, last, now, TURN * hop / n_fft)
        for k in range(n_bins):
            last[k] = now[k] % TURN
            phases[k, frame] = last[k]
    return phases


@compiled
def _continue(levels: Any, last: Any, now: Any, step: float) -> None:
    """Phases one frame on, for log magnitudes; a bin's own frequency turns by step times its
    number. Each peak owns the bins up to the middle between it and the next."""
    first, peak = 0, -1
    for k in range(1, len(levels) - 1):
        if levels[k] > levels[k - 1] and levels[k] >= levels[k + 1]:
            if peak >= 0:
                border = (peak + k) // 2 + 1
                _turn(levels, last, now, step, peak, first, border)
                first = border
            peak = k
    if peak >= 0:
        _turn(levels, last, now, step, peak, first, len(levels))
        return
    for k in range(len(levels)):
        now[k] = last[k] + step * k


@compiled
def _turn(
    levels: Any, last: Any, now: Any, step: float, peak: int, first: int, end: int
) -> None:
    """The phases of the bins first..end - 1 around their peak."""
    left, top, right = levels[peak - 1], levels[peak], levels[peak + 1]
    offset = 0.5 * (left - right) / (left - 2 * top + right - 1e-12)
    moved = last[peak] + step * (peak + min(max(offset, -0.5), 0.5))
    for k in range(first, end):
        now[k] = moved + np.pi * ((k - peak) % 2)
