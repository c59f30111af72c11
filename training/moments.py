"""By what images are scaled: sums over training images, and each band's moments from them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gan808 import atomic
from gan808.sound.kit.manifest import Normalisation
from gan808.sound.spectral.geometry import Geometry
from gan808.sound.spectral.spectrogram import CLIP_SIGMAS, Moments

PROGRESS = "progress.npz"
BIN_NEPERS = 0.025  # of the counts from which ranges follow
TOP_NEPERS = 8.0
LOUDER = 1e-3  # of what a band holds may be louder than its range's top
HEADROOM_NEPERS = np.log(2.0)  # above that: the gain of augmentation, MAX_GAIN_DB


def keeps_range(geometry: Geometry) -> bool:
    """Whether images are scaled by the range of each band: the paper's linear bands are by three
    deviations, as published. Those clip what seldom sounds, the top of hats and the ring of
    toms; docs/experiments.md has what it costs."""
    return geometry.linear_to_hz > 0


def normalisation_of(moments: Moments, geometry: Geometry) -> Normalisation:
    """What kit.toml calls them: a range begins at the geometry's floor, in every band."""
    lowest = moments.mean - CLIP_SIGMAS * moments.deviation
    ranges = np.allclose(lowest, np.log(geometry.magnitude_floor), atol=1e-3)
    return "log_per_band_range" if ranges else "log_per_band_3_sigma"


class BandSums:
    """Per-band sums and counts of training images, from which the moments follow; on disk between
    shards."""

    def __init__(self, folder: Path, geometry: Geometry) -> None:
        self._path = folder / PROGRESS
        self._geometry = geometry
        self._floor = float(np.log(geometry.magnitude_floor))
        self.n_shards = 0
        self.n_training = 0
        self.total = np.zeros(geometry.n_bands)
        self.squares = np.zeros(geometry.n_bands)
        n_bins = int(np.ceil((TOP_NEPERS - self._floor) / BIN_NEPERS))
        self.counts = np.zeros((geometry.n_bands, n_bins), np.int64)
        if self._path.is_file():
            with np.load(self._path, allow_pickle=False) as kept:
                self.n_shards, self.n_training = int(kept["n_shards"]), int(kept["n_training"])
                self.total, self.squares = kept["total"], kept["squares"]
                self.counts = kept["counts"]

    def add(self, image: np.ndarray) -> None:
        self.n_training += 1
        self.total += image.mean(axis=1)
        self.squares += (image.astype(np.float64) ** 2).mean(axis=1)
        n_bands, n_bins = self.counts.shape
        bins = np.clip((image - self._floor) / BIN_NEPERS, 0, n_bins - 1).astype(np.int64)
        places = bins + n_bins * np.arange(n_bands)[:, None]
        self.counts += np.bincount(places.ravel(), minlength=n_bands * n_bins).reshape(
            n_bands, n_bins)

    def save(self) -> None:
        with atomic.replacing_file(self._path) as unfinished, unfinished.open("wb") as file:
            np.savez(file, n_shards=self.n_shards, n_training=self.n_training, total=self.total,
                     squares=self.squares, counts=self.counts)

    def moments(self) -> Moments:
        """By range: the middle of each band's, and what makes its ends the clipping points."""
        if keeps_range(self._geometry):
            below = self.counts.cumsum(axis=1) < (1.0 - LOUDER) * self.counts.sum(axis=1)[:, None]
            top = self._floor + BIN_NEPERS * (1 + below.sum(axis=1)) + HEADROOM_NEPERS
            return Moments(((self._floor + top) / 2).astype(np.float32),
                           ((top - self._floor) / (2 * CLIP_SIGMAS)).astype(np.float32))
        mean = self.total / self.n_training
        deviation = np.sqrt(np.maximum(self.squares / self.n_training - mean**2, 1e-4))
        return Moments(mean.astype(np.float32), deviation.astype(np.float32))
