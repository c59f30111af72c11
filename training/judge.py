"""The judge: a space to compare sounds in and a classifier, fitted to training recordings alone.

It hears log images as the dataset holds them, so it depends on no kit, and it shares nothing with
a critic. The space: level over time and frequency, finer at the attack, and how much each region
varies along either axis (noise, lines, clicks), standardised, its first principal components. The
classifier: small neural networks on it whose opinions are averaged. It beat logistic regression,
discriminant analysis, a support vector machine and a convolutional network by its accuracy on
held-out sounds; docs/evaluation.md has the figures.
"""

from __future__ import annotations

import hashlib
import warnings
from contextlib import suppress
from itertools import pairwise

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from gan808 import atomic

from .dataset import Dataset

VERSION = 3  # of what is kept beside a dataset: other numbers here, another judge
FRAME_EDGES = (0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 80, 96, 112, 128)  # of 128
COARSE_EDGES = (0, 4, 16, 48, 96, 128)
REGIONS, COARSE_REGIONS = 24, 8  # along the frequency axis
DIMENSIONS = 64
HIDDEN, DECAY, ROUNDS, NETWORKS = 64, 0.1, 60, 3
RANGE_DB = 66.0  # what lies so far below a full-scale sine is silence to it: the codec changes it
# Nepers, 2.6 dB: where training sounds are all but silent (in the last second) a feature hardly
# varies, and in units of that a single faint tail would outweigh everything else.
LEAST_SCALE = 0.3
A_CLASS = 400  # training images a class that it is fitted to
CHUNK = 256


def _edges(edges: tuple[int, ...], n: int) -> list[tuple[int, int]]:
    """Spans of an axis of n, from edges out of 128; those too narrow for n are left out."""
    placed = sorted({edge * n // edges[-1] for edge in edges})
    return list(pairwise(placed))


def describe(images: np.ndarray) -> np.ndarray:
    """Features of log images in nepers, float32 (n, bands, frames): float32 (n, n_features)."""
    n_bands, n_frames = images.shape[1:]
    spans = _edges(FRAME_EDGES, n_frames)
    columns = []
    for low, high in pairwise(np.linspace(0, n_bands, REGIONS + 1).astype(int)):
        columns += [images[:, low:high, a:b].mean(axis=(1, 2)) for a, b in spans]
    for low, high in pairwise(np.linspace(0, n_bands, COARSE_REGIONS + 1).astype(int)):
        for a, b in _edges(COARSE_EDGES, n_frames):
            part = images[:, low:high, a:b]
            columns += [part.mean(axis=2).std(axis=1), part.mean(axis=1).std(axis=1)]
    return np.stack(columns, axis=1).astype(np.float32)


class Judge:
    """floor, centre, scale, origin and axes make the space; in, out and their biases the networks.
    Arrays by name, nothing else, so that it can be kept as numbers."""

    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        self.arrays = arrays
        self.n_classes = int(arrays["n_classes"][0])

    @classmethod
    def fitted(
        cls, features: np.ndarray, labels: np.ndarray, n_classes: int, floor: float = -np.inf
    ) -> Judge:
        """From features of training recordings, float32 (n, n_features), none of whose images lay
        below the floor in nepers, and their classes."""
        centre, scale = features.mean(axis=0), np.maximum(features.std(axis=0), LEAST_SCALE)
        standard = ((features - centre) / scale).astype(np.float64)
        n_dimensions = min(DIMENSIONS, len(features) - 1, features.shape[1])
        space = PCA(n_dimensions, svd_solver="full").fit(standard)
        arrays = {"centre": centre, "scale": scale, "axes": space.components_,
                  "origin": space.mean_, "n_classes": np.array([n_classes]),
                  "floor": np.array([floor])}
        points = space.transform(standard)
        known = np.unique(labels)
        arrays["known"] = known
        for i in range(NETWORKS if len(known) > 1 else 0):
            arrays |= _network(points, labels, i)
        return cls(arrays)

    def points(self, images: np.ndarray) -> np.ndarray:
        """Log images in nepers, float32 (n, bands, frames), in the space: float64 (n, d)."""
        floor = np.float32(self.arrays["floor"][0])
        parts = [self.place(describe(np.maximum(images[i : i + CHUNK], floor)))
                 for i in range(0, len(images), CHUNK)]
        return np.concatenate(parts) if parts else np.empty((0, len(self.arrays["axes"])))

    def place(self, features: np.ndarray) -> np.ndarray:
        """Features, float32 (n, n_features), in the space."""
        a = self.arrays
        standard = (features.astype(np.float64) - a["centre"]) / a["scale"]
        return np.asarray((standard - a["origin"]) @ a["axes"].T)

    def probability(self, points: np.ndarray) -> np.ndarray:
        """Of each class, float64 (n, n_classes), what the networks say on average."""
        a = self.arrays
        total = np.zeros((len(points), self.n_classes))
        if len(a["known"]) == 1:
            total[:, a["known"][0]] = 1.0
            return total
        for i in range(NETWORKS):
            hidden = np.maximum(points @ a[f"in{i}"] + a[f"in_bias{i}"], 0.0)
            logits = hidden @ a[f"out{i}"] + a[f"out_bias{i}"]
            if logits.shape[1] == 1:  # two classes: one number tells them apart
                logits = np.concatenate([np.zeros_like(logits), logits], axis=1)
            exponent = np.exp(logits - logits.max(axis=1, keepdims=True))
            total[:, a["known"]] += exponent / exponent.sum(axis=1, keepdims=True) / NETWORKS
        return total


def _network(points: np.ndarray, labels: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    network = MLPClassifier((HIDDEN,), alpha=DECAY, max_iter=ROUNDS, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # ROUNDS is meant as a limit
        network.fit(points, labels)
    (inner, outer), (inner_bias, outer_bias) = network.coefs_, network.intercepts_
    return {f"in{seed}": inner, f"in_bias{seed}": inner_bias,
            f"out{seed}": outer, f"out_bias{seed}": outer_bias}


def _mark(dataset: Dataset) -> str:
    """Tells one dataset's judge from another's."""
    digest = hashlib.sha256(f"{VERSION} {dataset.geometry} {dataset.classes}".encode())
    for array in (dataset.labels, dataset.held_out):
        digest.update(array.tobytes())
    digest.update("\n".join(dataset.origins).encode())
    return digest.hexdigest()[:16]


def judge_of(dataset: Dataset) -> Judge:
    """The judge of a dataset: kept beside it once fitted, where its folder can be written."""
    path = dataset.folder / f"judge-{_mark(dataset)}.safetensors"
    try:
        return Judge(load_file(path))
    except (OSError, SafetensorError, KeyError):
        pass  # not there, or cut short: fit it again
    chosen = _fitting_part(dataset)
    floor = np.log(dataset.geometry.n_fft / 4) - RANGE_DB * np.log(10) / 20
    features = np.concatenate([
        describe(np.maximum(dataset.log_images(chosen[i : i + CHUNK]), np.float32(floor)))
        for i in range(0, len(chosen), CHUNK)])
    with threadpool_limits(1):  # small matrices: more threads only wait for each other
        judge = Judge.fitted(
            features, dataset.labels[chosen].astype(int), len(dataset.classes), floor)
    # A dataset on a full or read-only disk can be judged too.
    with suppress(OSError, SafetensorError), atomic.replacing_file(path) as writing:
        save_file({name: np.ascontiguousarray(a) for name, a in judge.arrays.items()}, writing)
    return judge


def _fitting_part(dataset: Dataset) -> np.ndarray:
    """Indices of up to A_CLASS training images of each class, pitched copies among them."""
    random = np.random.default_rng(808)
    parts = []
    for label in range(len(dataset.classes)):
        there = np.flatnonzero((dataset.labels == label) & ~dataset.held_out)
        parts.append(random.permutation(there)[:A_CLASS])
    return np.concatenate(parts)
