"""How sure a figure is: bootstrap intervals (Efron 1979), seeded, and draws of equal make-up.

A resample counts some points twice, which moves figures such as the Frechet distance away from the
value measured; so the spread of the resamples is laid around that value.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np

SEED = 808
CONFIDENCE = 0.95
REPLICATES = 200
Z = 1.959964  # of a normal distribution, for CONFIDENCE


@dataclass(frozen=True)
class Figure:
    """A value and its 95% interval."""

    value: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float]:
        return asdict(self)


def around(value: float, replicates: np.ndarray) -> Figure:
    """The middle 95% of replicates, (n,), moved so that their mean is the value."""
    known = replicates[np.isfinite(replicates)]
    if not len(known) or not math.isfinite(value):
        return Figure(value, value, value)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(known, [tail, 1 - tail]) - known.mean() + value
    return Figure(value, float(low), float(high))


def share(successes: int, n: int) -> Figure:
    """A proportion by Wilson's score interval (1927), which is right near 0 and 1 too."""
    if not n:
        return Figure(math.nan, math.nan, math.nan)
    p = successes / n
    centre = (p + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z * math.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2)) / (1 + Z**2 / n)
    return Figure(p, max(0.0, centre - half), min(1.0, centre + half))


def resampled(labels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Indices drawn with replacement within each label, (n,)."""
    parts = []
    for label in np.unique(labels):
        there = np.flatnonzero(labels == label)
        parts.append(random.choice(there, len(there)))
    return np.concatenate(parts)


def drawn(
    labels: np.ndarray, counts: dict[int, int], random: np.random.Generator, *, again: bool = False
) -> np.ndarray:
    """Indices of so many of each label, or as many as there are; with replacement when `again`
    (then always so many)."""
    parts = []
    for label, n in counts.items():
        there = np.flatnonzero(labels == label)
        if len(there):
            parts.append(random.choice(there, n if again else min(n, len(there)), replace=again))
    return np.concatenate(parts) if parts else np.empty(0, dtype=int)


def bootstrap(
    value: float, once: Callable[[np.random.Generator], float], n: int | None = None
) -> tuple[Figure, np.ndarray]:
    """The interval of a value from n runs (REPLICATES) of `once`, which resamples by the generator
    given; and the runs. Run i of every figure has the same generator, so ratios of figures that
    resample something in common are sharper than their parts."""
    runs = np.asarray([once(np.random.default_rng([SEED, i])) for i in range(n or REPLICATES)])
    return around(value, runs), runs
