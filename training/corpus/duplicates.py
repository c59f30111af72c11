"""One of each sound: sample libraries hold the same recording under many names.

A SoundFont's kits share samples, and its velocities often differ in level alone, which training
takes away. A recording that is there fifty times is learned by heart or left out by a network, and
counted fifty times by an evaluation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from gan808.sound.spectral.spectrogram import stft

from ..parallel import in_order
from .recording import Skipped, Spooled

SAME = "the same sound as another of its class"
N_FFT, HOP = 512, 128
TIME_EDGES_S = (0.0, 0.004, 0.012, 0.03, 0.06, 0.12, 0.25, 0.5, 2.0)
BAND_EDGES_HZ = (0.0, 150.0, 400.0, 800.0, 1600.0, 3200.0, 6400.0, 11000.0, 96000.0)
LONG_FFT = 1 << 16  # of the whole sound: bins narrower than a pitch that one hears
LOWEST_HZ, BANDS_AN_OCTAVE, N_FINE = 30.0, 12, 112  # up to 19 kHz
RANGE_DB = 50.0  # below the loudest: what is quieter tells nothing
STEP_DB = 0.5
ALIKE_DB = 1.0  # in every band, at every time: no two takes of a drum come so near


def levels(audio: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    """What a sound is known by, in steps of STEP_DB: its levels in 8 bands at 8 times, and in bands
    of a semitone as a whole, each below the loudest of its kind. int8 (64 + N_FINE,). audio:
    float32 (n,), onset first."""
    power = np.abs(stft(audio, N_FFT, HOP)) ** 2  # (frames, bins)
    times = [round(edge * sample_rate_hz / HOP) for edge in TIME_EDGES_S]
    bins = [round(edge * N_FFT / sample_rate_hz) for edge in BAND_EDGES_HZ]
    coarse = [power[a : max(b, a + 1), low : max(high, low + 1)].sum()
              for a, b in pairwise(times) for low, high in pairwise(bins)]
    whole = np.abs(np.fft.rfft(audio[:LONG_FFT], LONG_FFT)) ** 2
    edges = LOWEST_HZ * 2.0 ** (np.arange(N_FINE + 1) / BANDS_AN_OCTAVE)
    places = np.minimum((edges * LONG_FFT / sample_rate_hz).astype(int), len(whole) - 1)
    fine = np.add.reduceat(whole, places)[:N_FINE]
    return np.concatenate([_steps(np.asarray(coarse)), _steps(fine)])


def _steps(power: np.ndarray) -> np.ndarray:
    floor = max(float(power.max()), 1e-20) * 10 ** (-RANGE_DB / 10)
    return np.round(10 * np.log10(np.maximum(power, floor) / floor) / STEP_DB).astype(np.int8)


def one_of_each(
    sounds: Sequence[Spooled], audio: Callable[[Spooled], np.ndarray], sample_rate_hz: int,
    skipped: Skipped,
) -> list[Spooled]:
    """The sounds without those that are like an earlier one of their class; these are added to
    skipped."""
    kept: list[Spooled] = []
    known: defaultdict[str, _Known] = defaultdict(_Known)
    found = in_order(lambda sound: (sound, levels(audio(sound), sample_rate_hz)), sounds)
    for sound, those in found:
        if (other := known[sound.class_name].like(those)) is not None:
            skipped.add(sound.origin, f"{SAME}: {other}")
        else:
            known[sound.class_name].add(those, sound.origin)
            kept.append(sound)
    return kept


class _Known:
    """Levels of the sounds of a class, in an array that doubles when it is full."""

    def __init__(self) -> None:
        self._rows = np.zeros((64, 64 + N_FINE), np.int8)
        self._n = 0
        self._origins: list[str] = []

    def like(self, those: np.ndarray) -> str | None:
        """The origin of the first that is the same sound."""
        apart = np.abs(self._rows[: self._n].astype(np.int16) - those)
        same = np.flatnonzero(apart.max(axis=1, initial=0) <= ALIKE_DB / STEP_DB)
        return self._origins[same[0]] if len(same) else None

    def add(self, those: np.ndarray, origin: str) -> None:
        self._origins.append(origin)
        if self._n == len(self._rows):
            self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
        self._rows[self._n] = those
        self._n += 1
