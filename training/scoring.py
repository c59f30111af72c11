"""How good the generator is while it learns: its images against sounds that were held out.

The judge is fitted to held-out recordings only, which no update ever saw, so a generator that
copies its training sounds gains nothing. Images are compared as they are, without a way back to
audio: cheap enough for every few minutes. Runs on the training thread, in the chief only.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass

import keras
import numpy as np

from gan808.sound.network_spec import NetworkSpec, latent_from_seed
from training.dataset import Dataset
from training.evaluate import MIN_HELD_OUT, Judge, embed

HELD_OUT_A_CLASS = 64
IMAGES_A_CLASS = 24
BATCH = 32
FIRST_SEED = 2_000_000  # neither factory sounds nor the evaluation's
SHARE_OF_TIME = 0.02  # what scoring may take of a run's time


@dataclass(frozen=True)
class HeldOutScore:
    """score: frechet_distance over class_accuracy, what a checkpoint is chosen by, less is
    better: images must lie where held-out ones do and be heard as the class asked."""

    score: float
    frechet_distance: float
    class_accuracy: float
    inception_score: float
    spread: float

    def to_dict(self) -> dict[str, float]:
        """Plain values, in the order of scores.csv."""
        return asdict(self)


def _held_out(dataset: Dataset) -> np.ndarray:
    """Indices of up to HELD_OUT_A_CLASS held-out recordings of each class, evenly chosen."""
    chosen = []
    for label in range(len(dataset.classes)):
        there = np.flatnonzero((dataset.labels == label) & dataset.held_out)
        chosen.append(there[np.linspace(0, len(there) - 1, min(HELD_OUT_A_CLASS, len(there)))
                      .astype(int)] if len(there) else there)
    return np.concatenate(chosen)


def can_score(dataset: Dataset) -> bool:
    """Whether enough was held out, of two classes at least."""
    held_out = _held_out(dataset)
    return len(held_out) >= MIN_HELD_OUT and len(np.unique(dataset.labels[held_out])) > 1


class Scorer:
    """Judges one run. Attributes: cost_s, how long the last score took."""

    def __init__(self, dataset: Dataset, spec: NetworkSpec) -> None:
        held_out = _held_out(dataset)
        images = np.stack([dataset.image(i) for i in held_out])
        self._judge = Judge(embed(images), dataset.labels[held_out].astype(np.int64))
        labels = np.unique(dataset.labels[held_out])  # classes with nothing held out have no judge
        self._labels = np.repeat(labels, IMAGES_A_CLASS).astype(np.int32)
        seeds = range(FIRST_SEED, FIRST_SEED + len(self._labels))
        self._latents = np.stack([latent_from_seed(seed, spec) for seed in seeds])
        self.cost_s = 0.0

    def score(self, generator: keras.Model) -> HeldOutScore:
        """What the judge makes of the generator's images of always the same latents."""
        begun = time.monotonic()
        found = self._judge.score(embed(images_of(generator, self._latents, self._labels)),
                                  self._labels.astype(np.int64))
        self.cost_s = time.monotonic() - begun
        return HeldOutScore(
            found.frechet_distance / max(found.class_accuracy, 0.01), found.frechet_distance,
            found.class_accuracy, found.inception_score, found.spread,
        )


def images_of(generator: keras.Model, latents: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """A generator's images, BATCH at a time: float32 (n, bands, frames)."""
    parts = [
        np.asarray(generator([latents[i : i + BATCH], labels[i : i + BATCH]], training=False))
        for i in range(0, len(labels), BATCH)
    ]
    return np.concatenate(parts)[..., 0]
