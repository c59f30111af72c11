"""How good a kit is, told by a judge that had no part in its training.

Sounds are compared as cepstra over time (librosa) of their log images. Held-out recordings, taken
through the same inversion and finishing, are judged alongside: they are what a perfect generator
would score.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import pairwise

import librosa
import numpy as np
from scipy import linalg
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from gan808.errors import TrainingError
from gan808.sound.renderer import Renderer
from gan808.sound.sound import Sound
from training.dataset import Dataset

CEPSTRA = 24
TIME_EDGES = (0, 2, 4, 8, 16, 32, 64, 128)  # frames; finer at the attack
DIMENSIONS = 32
TRAINING_A_CLASS = 200
SOUNDS_A_CLASS = 24
FIRST_SEED = 1_000_000  # seeds no factory sound has
MIN_HELD_OUT = 24


@dataclass(frozen=True)
class Score:
    """What the judge says of a set of sounds.

    frechet_distance: to training recordings, in the judge's space, 0 is equal. class_accuracy:
    share recognised as the class asked. inception_score: Salimans et al. 2016, 1 to the number of
    classes. spread: mean distance between two sounds of a class. nearest: median distance to the
    nearest training recording.
    """

    frechet_distance: float
    class_accuracy: float
    inception_score: float
    spread: float
    nearest: float


@dataclass(frozen=True)
class Evaluation:
    """generated and real (held out) on the same scale; accepted: share of renders that the
    renderer would file; rejected: the rest by reason."""

    generated: Score
    real: Score
    accepted: float
    rejected: dict[str, int]
    n_generated: int
    n_real: int
    per_class_accuracy: dict[str, float]

    def to_dict(self) -> dict[str, object]:
        """Plain values for report/scores.json."""
        return asdict(self)


def embed(images: np.ndarray) -> np.ndarray:
    """Cepstra pooled over widening spans of time: (n, bands, frames) log images in nepers to
    float32 (n, CEPSTRA * spans)."""
    decibels = images * (20 / np.log(10))
    cepstra = librosa.feature.mfcc(S=decibels, n_mfcc=CEPSTRA)  # (n, CEPSTRA, frames)
    n_frames = images.shape[-1]
    edges = [edge * n_frames // TIME_EDGES[-1] for edge in TIME_EDGES]
    spans = [cepstra[..., a:b].mean(axis=-1) for a, b in pairwise(edges)]
    return np.asarray(np.concatenate(spans, axis=-1), dtype=np.float32)


def frechet_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Between Gaussians fitted to (n, d) and (m, d): Dowson and Landau 1982."""
    mean = a.mean(axis=0) - b.mean(axis=0)
    cov_a, cov_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = linalg.sqrtm(cov_a @ cov_b)
    return float(mean @ mean + np.trace(cov_a + cov_b - 2 * np.real(root)))


def inception_score(probability: np.ndarray) -> float:
    """exp of the mean divergence of (n, n_classes) probabilities from their mean."""
    p = np.maximum(probability, 1e-12)
    divergence = (p * (np.log(p) - np.log(p.mean(axis=0)))).sum(axis=1)
    return float(np.exp(divergence.mean()))


class Judge:
    """A space and a classifier fitted to training recordings only."""

    def __init__(self, embedded: np.ndarray, labels: np.ndarray) -> None:
        n_dimensions = min(DIMENSIONS, len(embedded) - 1, embedded.shape[1])
        self._space: Pipeline = make_pipeline(StandardScaler(), PCA(n_dimensions, random_state=0))
        self._known = self._space.fit_transform(embedded)
        self._classifier = LogisticRegression(max_iter=1000, C=0.1).fit(self._known, labels)

    def probability(self, embedded: np.ndarray) -> np.ndarray:
        """(n, n_classes) over the labels it was fitted to."""
        return np.asarray(self._classifier.predict_proba(self._space.transform(embedded)))

    def score(self, embedded: np.ndarray, labels: np.ndarray) -> Score:
        points = self._space.transform(embedded)
        probability = self._classifier.predict_proba(points)
        heard = self._classifier.classes_[probability.argmax(axis=1)]
        nearest = np.linalg.norm(points[:, None] - self._known[None], axis=2).min(axis=1)
        spreads = []
        for label in np.unique(labels):
            inside = points[labels == label]
            if len(inside) > 1:
                between = np.linalg.norm(inside[:, None] - inside[None], axis=2)
                spreads.append(between.sum() / (len(inside) * (len(inside) - 1)))
        return Score(
            frechet_distance=frechet_distance(points, self._known),
            class_accuracy=float((heard == labels).mean()),
            inception_score=inception_score(probability),
            spread=float(np.mean(spreads)), nearest=float(np.median(nearest)),
        )


def _log_images(renderer: Renderer, audio: list[np.ndarray]) -> np.ndarray:
    return renderer.images_of(audio)[..., 0]


def _balanced(dataset: Dataset, held_out: bool, most: int) -> np.ndarray:
    """Indices of up to so many recordings of each class, at random but always the same."""
    random = np.random.default_rng(808)
    chosen = []
    for label in range(len(dataset.classes)):
        there = np.flatnonzero((dataset.labels == label) & (dataset.held_out == held_out))
        chosen.append(random.permutation(there)[:most])
    return np.concatenate(chosen)


def evaluate(
    renderer: Renderer, dataset: Dataset, say: Callable[[str], None] = lambda _: None
) -> tuple[Evaluation, list[Sound]]:
    """Judge a kit against the dataset it was trained on; also returns the sounds judged.

    Raises TrainingError when fewer than MIN_HELD_OUT recordings were held out or the classes
    differ.
    """
    if renderer.kit.classes != dataset.classes:
        raise TrainingError(f"{dataset.folder}: has other classes than kit {renderer.kit.name}")
    held_out = _balanced(dataset, True, SOUNDS_A_CLASS)
    if len(held_out) < MIN_HELD_OUT:
        raise TrainingError(
            f"{dataset.folder}: {len(held_out)} recordings held out, a judgement needs "
            f"{MIN_HELD_OUT}; the kit plays, it is only not scored"
        )
    known = _balanced(dataset, False, TRAINING_A_CLASS)
    judge = Judge(embed(np.stack([dataset.image(i) for i in known])), dataset.labels[known])
    say(f"judging {len(held_out)} held-out recordings")
    images = np.stack([dataset.image(i) for i in held_out])[..., None]
    real = embed(_log_images(renderer, renderer.audio_from_images(images)))
    names = [name for name in dataset.classes for _ in range(SOUNDS_A_CLASS)]
    say(f"judging {len(names)} generated sounds")
    sounds = renderer.render(names, range(FIRST_SEED, FIRST_SEED + len(names)))
    reasons = [renderer.rejection(sound) for sound in sounds]
    generated = embed(_log_images(renderer, [sound.audio for sound in sounds]))
    labels = np.repeat(np.arange(len(dataset.classes)), SOUNDS_A_CLASS)
    right = judge.probability(generated).argmax(axis=1) == labels
    evaluation = Evaluation(
        generated=judge.score(generated, labels),
        real=judge.score(real, dataset.labels[held_out]),
        accepted=reasons.count(None) / len(reasons),
        rejected={r: reasons.count(r) for r in sorted({r for r in reasons if r is not None})},
        n_generated=len(sounds), n_real=len(held_out),
        per_class_accuracy={
            name: float(right[labels == i].mean()) for i, name in enumerate(dataset.classes)
        },
    )
    return evaluation, sounds
