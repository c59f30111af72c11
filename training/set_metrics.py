"""A set of sounds against a reference: Frechet and kernel distance, coverage, density, with
intervals, on draws that have as many sounds of each class as the reference has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from . import measures
from .intervals import REPLICATES, SEED, Figure, around, drawn, resampled

NAMES = ("frechet", "kernel", "coverage", "density")
DRAWS = 8  # the value is the mean of so many; a bootstrap's run has one: intervals a little wide


@dataclass(frozen=True, eq=False)
class JudgedSet:
    """A set of sounds as the judge hears it: points float64 (n, d), probability float64
    (n, n_classes), labels int (n,), the class each stands for."""

    points: np.ndarray
    probability: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def of(self, chosen: np.ndarray) -> JudgedSet:
        """A part of it, by indices or mask."""
        return JudgedSet(self.points[chosen], self.probability[chosen], self.labels[chosen])

    @property
    def right(self) -> np.ndarray:
        """Whether each is heard as what it stands for: bool (n,)."""
        return np.asarray(self.probability.argmax(axis=1) == self.labels)


@dataclass(frozen=True, eq=False)
class Measured:
    """A figure and the bootstrap's runs behind it, for ratios."""

    figure: Figure
    runs: np.ndarray

    def over(self, other: Measured) -> Figure:
        """The ratio to another figure, resampled together with it."""
        divisor = np.where(np.abs(other.runs) > 1e-12, other.runs, np.nan)
        base = other.figure.value
        value = self.figure.value / base if abs(base) > 1e-12 else np.nan
        return around(float(value), self.runs / divisor)


class Reference:
    """Real sounds to compare with, (n, d), and their classes."""

    def __init__(self, heard: JudgedSet) -> None:
        self._points, self._labels = heard.points, heard.labels
        self._unit = float(np.sqrt((heard.points**2).mean()))  # the kernel is made for such numbers
        self.counts = dict(sorted(Counter(int(label) for label in heard.labels).items()))
        self._scaled = self._scale(heard.points)
        self._kernel = measures.cubic_kernel(self._scaled, self._scaled)

    def _scale(self, points: np.ndarray) -> np.ndarray:
        """For the kernel; float32 halves what the many draws move."""
        return np.asarray(points / self._unit, dtype=np.float32)

    def compare(self, heard: JudgedSet) -> dict[str, Measured]:
        """By NAMES. Kernel distances are in thousandths."""
        points, labels = heard.points, heard.labels
        all_of = np.arange(len(self._points))
        holds = measures.inside(self._points, points)
        across = measures.cubic_kernel(self._scaled, self._scale(points))
        among = measures.cubic_kernel(self._scale(points), self._scale(points))

        def once(rows: np.ndarray, columns: np.ndarray) -> list[float]:
            kept = holds[np.ix_(rows, columns)]
            return [
                measures.frechet_distance(points[columns], self._points[rows]),
                1000 * measures.kernel_distance(
                    among[np.ix_(columns, columns)], self._kernel[np.ix_(rows, rows)],
                    across[np.ix_(rows, columns)]),
                measures.coverage(kept), measures.density(kept),
            ]

        random = np.random.default_rng(SEED)
        values = np.mean(
            [once(all_of, drawn(labels, self.counts, random)) for _ in range(DRAWS)], axis=0)
        runs = np.asarray([self._run(once, labels, i) for i in range(REPLICATES)])
        return {name: Measured(around(float(values[i]), runs[:, i]), runs[:, i])
                for i, name in enumerate(NAMES)}

    def _run(
        self, once: Callable[[np.ndarray, np.ndarray], list[float]], labels: np.ndarray, number: int
    ) -> np.ndarray:
        rows = resampled(self._labels, np.random.default_rng([SEED, number]))
        random = np.random.default_rng([SEED, number, 1])
        pool = resampled(labels, random)
        return np.asarray(once(rows, pool[drawn(labels[pool], self.counts, random)]))
