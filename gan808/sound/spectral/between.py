"""Linear interpolation between neighbours, the same to the bit on every processor.

A matrix product sums in the order that the processor's BLAS likes, and its last bits with it: a
seed's sound would differ from one kind of processor to the next. Here two products are added.
Pure values, any thread.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Between:
    """Where each of n places lies between neighbours: after `below`, int (n,), of which it takes
    the share `lower`, float32 (n,), and of the next one the share `upper`."""

    below: np.ndarray
    lower: np.ndarray
    upper: np.ndarray

    @classmethod
    def from_matrix(cls, matrix: np.ndarray) -> Between:
        """Of weights float32 (n_neighbours, n), no more than two in a column, side by side."""
        below = (matrix != 0).argmax(axis=0)
        places, last = np.arange(matrix.shape[1]), len(matrix) - 1
        upper = np.where(below < last, matrix[np.minimum(below + 1, last), places], 0.0)
        return cls(below, matrix[below, places], upper.astype(np.float32))

    def part(self, first: int, end: int) -> Between:
        """Those places alone."""
        return Between(self.below[first:end], self.lower[first:end], self.upper[first:end])

    def of(self, values: np.ndarray, axis: int) -> np.ndarray:
        """Neighbours along an axis, 0 or 1, of float32 (..., ...) to as many places there; those
        beyond the last that any place needs may be left out. Places lie one after the other in
        memory: whole rows of it are taken, whatever the axis."""
        if axis == 1:
            return self.of(values.T, 0).T
        found = values.take(self.below, 0)
        found *= self.lower[:, None]
        above = values.take(np.minimum(self.below + 1, len(values) - 1), 0)
        above *= self.upper[:, None]
        found += above
        return found
