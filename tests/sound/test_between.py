"""Interpolation as the matrix says, without a matrix product."""

from __future__ import annotations

import numpy as np
import pytest

from gan808.sound.spectral.between import Between
from gan808.sound.spectral.geometry import HOUSE, PAPER


@pytest.mark.parametrize("matrix", [HOUSE.from_bands, HOUSE.from_columns, PAPER.from_bands],
                         ids=["bands", "columns", "paper"])
def test_it_is_the_product_with_the_matrix(matrix: np.ndarray) -> None:
    values = np.random.default_rng(808).normal(size=(len(matrix), 7)).astype(np.float32)
    between = Between.from_matrix(matrix)
    np.testing.assert_allclose(between.of(values, axis=0), matrix.T @ values, atol=1e-5)
    np.testing.assert_allclose(between.of(values.T, axis=1), values.T @ matrix, atol=1e-5)
    assert between.of(values, axis=0).dtype == np.float32


def test_columns_beyond_the_last_place_may_be_left_out() -> None:
    """A short sound's columns are all that its frames need."""
    values = np.random.default_rng(1).normal(size=(3, 128)).astype(np.float32)
    for n_frames in (32, 96, 224):
        n_columns = int(np.searchsorted(HOUSE.column_centres, n_frames - 1)) + 1
        part = HOUSE.frames_between.part(0, n_frames)
        np.testing.assert_array_equal(part.of(values[:, :n_columns], axis=1),
                                      HOUSE.frames_between.of(values, axis=1)[:, :n_frames])
