"""How often each recording of a class is drawn.

Packs differ in size a hundredfold, and a large one is many takes of one drum. So packs are drawn by
the square root of how many sounds they have (as corpora of unlike languages are: Conneau et al.
2020, XLM-R), no pack for more than a share of the class while others can make it up, and no sound
so often that a network would learn it by heart. Within a pack all sounds are alike.
"""

from __future__ import annotations

import numpy as np

MOST_OF_CLASS = 0.25
MOST_REPEATS = 3.0  # of a sound, over what it had if all sounds of the class were drawn alike,
COUNTED = 30  # where a pack of more sounds, as synthesised voices are, counts as so many


def chances(collections: np.ndarray) -> np.ndarray:
    """Of each sound of a class to be drawn, by whose each is, (n,) names: float64 (n,), sum 1."""
    if not len(collections):
        return np.zeros(0)
    _, of, sizes = np.unique(collections, return_inverse=True, return_counts=True)
    alike = sizes / np.minimum(sizes, COUNTED).sum()
    limits = np.minimum(MOST_REPEATS * alike, 1.0)
    even = _filled(np.ones(len(sizes)), limits)
    limits = np.minimum(limits, max(MOST_OF_CLASS, even.max()))
    return np.asarray((_filled(np.sqrt(sizes), limits) / sizes)[of])


def _filled(weights: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """Shares in proportion to the weights, none above its limit, sum 1. The limits add up to 1 or
    more."""
    full = np.zeros(len(weights), dtype=bool)
    shares = weights / weights.sum()
    while (over := ~full & (shares > limits)).any():
        full |= over
        shares[full] = limits[full]
        rest = weights[~full].sum()
        if rest > 0:
            shares[~full] = weights[~full] * (1.0 - limits[full].sum()) / rest
    return np.asarray(shares / shares.sum())
