"""How alike two sets of sounds are, as points of a judge's space: pure functions of arrays.

Points are float (n, d), one row a sound. docs/evaluation.md says what each figure tells and what
it does not.
"""

from __future__ import annotations

import numpy as np
from scipy import linalg

NEIGHBOURS = 5  # of Naeem et al. 2020


def frechet_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Between Gaussians fitted to (n, d) and (m, d): Dowson and Landau 1982, of generated images
    Heusel et al. 2017. Biased upwards by few points: compare only equal n."""
    mean = a.mean(axis=0) - b.mean(axis=0)
    cov_a, cov_b = (np.atleast_2d(np.cov(x, rowvar=False)) for x in (a, b))
    # tr sqrt(AB) = tr sqrt(sqrt(A) B sqrt(A)), which is symmetric: eigenvalues, no complex root.
    values, vectors = linalg.eigh(cov_a)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    cross = np.sqrt(np.maximum(linalg.eigvalsh(root @ cov_b @ root), 0.0)).sum()
    return max(0.0, float(mean @ mean + np.trace(cov_a) + np.trace(cov_b) - 2 * cross))


def cubic_kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(x.y / d + 1)^3 for every pair: (n, d) and (m, d) to (n, m)."""
    return np.asarray((a @ b.T / a.shape[1] + 1.0) ** 3)


def kernel_distance(aa: np.ndarray, bb: np.ndarray, ab: np.ndarray) -> float:
    """Squared maximum mean discrepancy from the cubic kernels of a with itself, b with itself and
    a with b: the unbiased estimate (Gretton et al. 2012; of generated images Binkowski et al. 2018,
    KID), so that equal distributions give 0 on average, at times less."""
    n, m = len(aa), len(bb)
    inside_a = (aa.sum() - np.trace(aa)) / (n * (n - 1))
    inside_b = (bb.sum() - np.trace(bb)) / (m * (m - 1))
    return float(inside_a + inside_b - 2 * ab.mean())


def inception_score(probability: np.ndarray, weights: np.ndarray | None = None) -> float:
    """exp of the mean divergence of (n, n_classes) probabilities from their mean: 1 to the number
    of classes (Salimans et al. 2016). weights, (n,), default to equal ones."""
    p = np.maximum(probability, 1e-12)
    share = np.full(len(p), 1.0 / len(p)) if weights is None else weights / weights.sum()
    divergence = (p * (np.log(p) - np.log(share @ p))).sum(axis=1)
    return float(np.exp(share @ divergence))


def distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Euclidean, (n, d) and (m, d) to (n, m)."""
    squares = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
    return np.asarray(np.sqrt(np.maximum(squares, 0.0)))


def radii(real: np.ndarray, k: int = NEIGHBOURS) -> np.ndarray:
    """How far each of (n, d) is from its k-th neighbour among the others: (n,). With fewer others
    the farthest."""
    between = np.sort(distances(real, real), axis=1)  # the first column is the point itself
    return np.asarray(between[:, min(k, len(real) - 1)])


def inside(real: np.ndarray, generated: np.ndarray, k: int = NEIGHBOURS) -> np.ndarray:
    """Which of the balls around (n, d) real points, as large as their neighbourhoods, hold which
    of (m, d): bool (n, m). Coverage and density follow (Naeem et al. 2020)."""
    return np.asarray(distances(real, generated) <= radii(real, k)[:, None])


def coverage(holds: np.ndarray) -> float:
    """Share of the real points whose ball holds a generated one; rises with the number of these:
    compare only equal n."""
    return float(holds.any(axis=1).mean())


def density(holds: np.ndarray, k: int = NEIGHBOURS) -> float:
    """In how many balls a generated point lies, as a share of k: 1 on average for equal
    distributions, less for points off the real ones, more for points amid them."""
    return float(holds.sum() / (k * holds.shape[1]))


def spread(points: np.ndarray) -> float:
    """Mean distance between two of (n, d), n >= 2."""
    return float(distances(points, points).sum() / (len(points) * (len(points) - 1)))


def nearest(points: np.ndarray, known: np.ndarray, chunk: int = 512) -> np.ndarray:
    """Distance of each of (n, d) to the nearest of (m, d): (n,)."""
    parts = [distances(points[i : i + chunk], known).min(axis=1)
             for i in range(0, len(points), chunk)]
    return np.concatenate(parts) if parts else np.empty(0)
