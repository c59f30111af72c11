"""Loudness after ITU-R BS.1770-4: K-weighting, and the momentary maximum over 400 ms. NumPy only;
pure functions."""

from __future__ import annotations

from functools import cache

import numpy as np

MOMENTARY_S = 0.4
RINGS_S = 0.5  # the high-pass has fallen by 200 dB
OFFSET_DB = -0.691  # BS.1770-4, annex 1, equation 2
# The standard gives both filters' coefficients for 48 kHz. These are the analogue prototypes
# behind them (as libebur128 and pyloudnorm have them), so that any rate can be served.
SHELF_HZ, SHELF_DB, SHELF_Q = 1681.974450955533, 3.999843853973347, 0.7071752369554196
HIGH_PASS_HZ, HIGH_PASS_Q = 38.13547087602444, 0.5003270373238773


@cache
def k_weighting(sample_rate_hz: int) -> np.ndarray:
    """Second-order sections, shape (2, 6): the head's shelf, then the RLB high-pass."""
    k = np.tan(np.pi * SHELF_HZ / sample_rate_hz)
    high = 10 ** (SHELF_DB / 20)
    band = high**0.4996667741545416
    a0 = 1 + k / SHELF_Q + k * k
    shelf = [(high + band * k / SHELF_Q + k * k) / a0, 2 * (k * k - high) / a0,
             (high - band * k / SHELF_Q + k * k) / a0,
             1.0, 2 * (k * k - 1) / a0, (1 - k / SHELF_Q + k * k) / a0]
    k = np.tan(np.pi * HIGH_PASS_HZ / sample_rate_hz)
    a0 = 1 + k / HIGH_PASS_Q + k * k
    high_pass = [1.0, -2.0, 1.0, 1.0, 2 * (k * k - 1) / a0, (1 - k / HIGH_PASS_Q + k * k) / a0]
    return np.array([shelf, high_pass])


def _weighted(channels: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    """Samples (n, channels) through the K-weighting, in the frequency domain: SciPy's filter would
    be loaded before the first note. The filters ring for less than the silence that is added."""
    n = _quick_length(len(channels) + round(RINGS_S * sample_rate_hz))
    spectrum = np.fft.rfft(channels, n, axis=0) * _response(sample_rate_hz, n)[:, None]
    return np.asarray(np.fft.irfft(spectrum, n, axis=0)[: len(channels)])


def _quick_length(n: int) -> int:
    """The least power of two, or three times one, that is no less: quick to transform, and so few
    that what is kept for each is little."""
    power = 1 << (n - 1).bit_length()
    return 3 * power // 4 if 3 * power // 4 >= n else power


@cache
def _response(sample_rate_hz: int, n: int) -> np.ndarray:
    """The K-weighting's, of a transform of n samples: complex128 (n // 2 + 1,)."""
    once = np.exp(-2j * np.pi * np.arange(n // 2 + 1) / n)
    twice = once * once
    response = np.ones(n // 2 + 1, dtype=complex)
    for b0, b1, b2, a0, a1, a2 in k_weighting(sample_rate_hz):
        response *= (b0 + b1 * once + b2 * twice) / (a0 + a1 * once + a2 * twice)
    return response


def momentary_lkfs(audio: np.ndarray, sample_rate_hz: int) -> float:
    """The loudest 400 ms, LKFS, of audio (n,) or (n, channels of weight 1); -inf for silence.
    What is shorter is measured in a window of 400 ms, the rest of it silent."""
    channels = np.asarray(audio, dtype=np.float64).reshape(len(audio), -1)
    window = round(MOMENTARY_S * sample_rate_hz)
    power = np.square(_weighted(channels, sample_rate_hz)).sum(axis=1)
    power = np.pad(power, (0, max(0, window - len(power))))
    energy = np.concatenate([[0.0], np.cumsum(power)])
    loudest = (energy[window:] - energy[:-window]).max() / window
    return float(OFFSET_DB + 10 * np.log10(loudest)) if loudest > 0 else float("-inf")


# Hits of one velocity relative to their kit's kick, LU. Machines: FluidR3's program 25 (TR-808);
# acoustic: the median of its programs 0 (Standard) and 8 (Room) and of TimGM6mb's 0, of toms and
# congas the mean over their notes. The shaker is their maracas, the hand drum their low bongo.
RELATIVE_LU: dict[str, dict[str, float]] = {
    "machine": {
        "kick": 0.0, "snare": -1.3, "tom": 1.0, "conga": -0.6, "rimshot": -11.2, "claves": -1.3,
        "clap": -0.8, "shaker": -11.0, "cowbell": -3.2, "cymbal": -1.1, "open_hat": 1.6,
        "closed_hat": -3.6,
    },
    "acoustic": {
        "kick": 0.0, "snare": 2.2, "tom": 2.3, "conga": -1.3, "rimshot": -2.2, "side_stick": -2.2,
        "claves": 0.9, "clap": 1.9, "shaker": -1.8, "tambourine": 3.1, "cowbell": -2.9,
        "cymbal": 7.0, "crash": 7.0, "ride": -1.4, "ride_bell": -0.9, "splash": 1.5, "china": 2.7,
        "open_hat": -4.8, "closed_hat": -7.7, "pedal_hat": -7.2, "bongo": -2.8, "hand_drum": -1.4,
        "timbale": 1.6, "agogo": -2.4, "woodblock": -1.4, "triangle": 2.1,
    },
}
KICK_LKFS = -27.0  # the sharpest kicks then peak at -5 dBFS: little is held back by PEAK
PEAK = 0.95


def balance_gain(audio: np.ndarray, sample_rate_hz: int, target_lkfs: float) -> float:
    """The gain that brings audio, (n,) or (n, 2), to a momentary loudness without a peak above
    PEAK; 1 for silence and for what is not finite. Two channels count as one: a mono sound is
    played by both speakers too."""
    peak = np.abs(audio).max(initial=0.0)
    if not np.isfinite(peak) or peak == 0.0:
        return 1.0
    n_channels = 1 if audio.ndim == 1 else audio.shape[1]
    loudness = momentary_lkfs(audio, sample_rate_hz) - 10 * np.log10(n_channels)
    if not np.isfinite(loudness):
        return 1.0
    return float(min(10 ** ((target_lkfs - loudness) / 20), PEAK / peak))
