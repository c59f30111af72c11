"""How good the generator is while it learns: its images against sounds that were held out.

The judge is that of `gan808 evaluate` (judge.py), fitted to training recordings; what it compares
with are held-out ones, which no update ever saw, so a generator that copies its training sounds
gains nothing. Images are compared as they are, without a way back to audio: cheap enough for every
few minutes. Runs on the training thread, in the chief only.
"""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass

import keras
import numpy as np

from gan808.sound.network.spec import NetworkSpec, latent_from_seed
from gan808.sound.spectral.spectrogram import denormalise

from .dataset import Dataset
from .evaluate import MIN_HELD_OUT
from .judge import judge_of
from .measures import frechet_distance, inception_score, spread

MOST_HELD_OUT = 64  # recordings of each class
DRAWN_A_CLASS = 64  # training images that training_distance compares with
IMAGES_A_CLASS = 24
BATCH = 32
FIRST_SEED = 2_000_000  # neither factory sounds nor the evaluation's
SHARE_OF_TIME = 0.02  # what scoring may take of a run's time


@dataclass(frozen=True)
class HeldOutScore:
    """score: frechet_distance over class_accuracy, what a checkpoint is chosen by, less is
    better: images must lie where held-out ones do and be heard as the class asked.
    inception_score: 1 to the number of classes. spread: mean distance between two images of a
    class. training_distance: Frechet distance to images as training draws them; held-out sounds
    are of other packs, so what is learnt shows there first."""

    score: float
    frechet_distance: float
    class_accuracy: float
    inception_score: float
    spread: float
    training_distance: float

    def to_dict(self) -> dict[str, float]:
        """Plain values, in the order of scores.csv."""
        return asdict(self)


def can_score(dataset: Dataset) -> bool:
    """Whether enough was held out, of two classes at least."""
    classes = np.unique(dataset.labels[dataset.choosing])
    return int(dataset.choosing.sum()) >= MIN_HELD_OUT and len(classes) > 1


class Scorer:
    """Judges one run. Attributes: cost_s, how long the last score took."""

    def __init__(self, dataset: Dataset, spec: NetworkSpec) -> None:
        self._dataset, self._judge = dataset, judge_of(dataset)
        chosen = []
        for label in np.unique(dataset.labels[dataset.choosing]):
            there = np.flatnonzero((dataset.labels == label) & dataset.choosing)
            n = min(MOST_HELD_OUT, len(there))
            chosen.append(there[np.linspace(0, len(there) - 1, n).astype(int)])
        held_out = np.concatenate(chosen)
        self._real = self._judge.points(dataset.log_images(held_out))
        # Classes of which nothing is held out are not asked for.
        labels = np.unique(dataset.labels[held_out])
        self._labels = np.repeat(labels, IMAGES_A_CLASS).astype(np.int32)
        self._drawn = self._judge.points(_drawn(dataset, labels))
        seeds = range(FIRST_SEED, FIRST_SEED + len(self._labels))
        self._latents = np.stack([latent_from_seed(seed, spec) for seed in seeds])
        self.cost_s = 0.0

    def score(self, generator: keras.Model) -> HeldOutScore:
        """What the judge makes of the generator's images of always the same latents."""
        begun = time.monotonic()
        images = images_of(generator, self._latents, self._labels)
        if not np.isfinite(images).all():  # the next step will tell
            return HeldOutScore(math.inf, math.inf, 0.0, 1.0, 0.0, math.inf)
        points = self._judge.points(denormalise(images, self._dataset.moments))
        probability = self._judge.probability(points)
        accuracy = float((probability.argmax(axis=1) == self._labels).mean())
        distance = frechet_distance(points, self._real)
        of_classes = [spread(points[self._labels == label]) for label in np.unique(self._labels)]
        self.cost_s = time.monotonic() - begun
        return HeldOutScore(distance / max(accuracy, 0.01), distance, accuracy,
                            inception_score(probability), float(np.mean(of_classes)),
                            frechet_distance(points, self._drawn))


def _drawn(dataset: Dataset, labels: np.ndarray) -> np.ndarray:
    """Log images of those classes as a generator is shown them, float32 (n, bands, frames)."""
    random = np.random.default_rng(FIRST_SEED)
    images, of = dataset.batch(DRAWN_A_CLASS * len(dataset.classes), random)
    return denormalise(images[np.isin(of, labels), ..., 0], dataset.moments)


def images_of(generator: keras.Model, latents: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """A generator's images, BATCH at a time: float32 (n, bands, frames)."""
    parts = [
        np.asarray(generator([latents[i : i + BATCH], labels[i : i + BATCH]], training=False))
        for i in range(0, len(labels), BATCH)
    ]
    return np.concatenate(parts)[..., 0]
