"""The circuits of analogue drum machines, as few lines of DSP each: ringing filters, noise, banks
of square oscillators, envelopes.

NumPy and SciPy; pure functions of their arguments. Time runs at OVERSAMPLED_HZ, so that what the
hard edges of squares and the bent tops of driven sines fold back lies out of hearing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import signal

SAMPLE_RATE_HZ = 44_100
OVERSAMPLED_HZ = 2 * SAMPLE_RATE_HZ
ENDS_AFTER = 7.0  # time constants: -61 dB
LONGEST_S = 2.6  # what an image holds, and the fade where it ends
# The six free-running Schmitt triggers behind the TR-808's cymbal and hats; its cowbell takes two
# (Werner, Abel and Smith, "The TR-808 cymbal: a physically-informed, circuit-bendable, digital
# model", ICMC 2014).
METAL_HZ = (205.3, 304.4, 369.6, 522.7, 540.0, 800.0)


@dataclass(frozen=True)
class Dice:
    """Draws the settings of a voice, in the units they are heard in."""

    random: np.random.Generator

    def between(self, low: float, high: float) -> float:
        """Uniform in low..high."""
        return float(self.random.uniform(low, high))

    def ratio(self, low: float, high: float) -> float:
        """Uniform in the logarithm: for frequencies and times, which are heard as ratios."""
        return float(np.exp(self.random.uniform(np.log(low), np.log(high))))

    def chance(self, probability: float) -> bool:
        return bool(self.random.random() < probability)

    def noise(self, t: np.ndarray) -> np.ndarray:
        """White, one sample for each of t, deviation 1."""
        return np.asarray(self.random.standard_normal(len(t)))


def times(decay_s: float, extra_s: float = 0.0) -> np.ndarray:
    """Sample times in s of a sound that falls by that time constant, float64 (n,)."""
    length_s = min(ENDS_AFTER * decay_s + extra_s, LONGEST_S)
    return np.arange(int(length_s * OVERSAMPLED_HZ)) / OVERSAMPLED_HZ


def falling(t: np.ndarray, decay_s: float) -> np.ndarray:
    """An exponential envelope: 1 at t = 0, 1/e after decay_s, 0 before t = 0."""
    return np.where(t < 0, 0.0, np.exp(-np.maximum(t, 0.0) / decay_s))


def ringing(
    t: np.ndarray, hz: float, decay_s: float, sweep: float = 0.0, sweep_s: float = 0.01
) -> np.ndarray:
    """A bridged-T network struck by a pulse: a sine that dies away, its pitch higher by the share
    `sweep` at first and back after some sweep_s (Werner, Abel and Smith, "A physically-informed,
    circuit-bendable, digital model of the Roland TR-808 bass drum circuit", DAFx 2014)."""
    cycles = hz * (t - sweep * sweep_s * np.expm1(-t / sweep_s))
    return np.asarray(np.sin(2 * np.pi * cycles) * falling(t, decay_s))


def squares(t: np.ndarray, frequencies_hz: np.ndarray, phases: np.ndarray) -> np.ndarray:
    """Sum of square waves, phases in cycles, deviation about 1."""
    cycles = frequencies_hz[:, None] * t + phases[:, None]
    return np.asarray(np.sign(np.sin(2 * np.pi * cycles)).sum(axis=0) / np.sqrt(len(phases)))


def band(
    audio: np.ndarray, low_hz: float | None, high_hz: float | None, order: int = 2
) -> np.ndarray:
    """What lies between two corner frequencies, by Butterworth filters of that order on either
    side; None leaves a side open."""
    for corner_hz, kind in ((low_hz, "highpass"), (high_hz, "lowpass")):
        if corner_hz is not None:
            sections = signal.butter(order, corner_hz, kind, fs=OVERSAMPLED_HZ, output="sos")
            audio = signal.sosfilt(sections, audio)
    return np.asarray(audio)


def driven(audio: np.ndarray, drive: float) -> np.ndarray:
    """Softly clipped; drive 0 leaves it as it is. Peak at most 1 for a peak of 1."""
    return np.tanh(drive * audio) / np.tanh(drive) if drive > 0 else audio
