"""The attack of one image and the rest of another."""

from __future__ import annotations

import numpy as np
import pytest

from gan808.sound.spectral.geometry import HOUSE, HOUSE_UNIFORM, Geometry
from gan808.sound.spectral.splice import ATTACK_S, REST_S, splice
from tests.tiny_kit import GEOMETRY


@pytest.mark.parametrize("geometry", [HOUSE, HOUSE_UNIFORM, GEOMETRY])
def test_the_first_columns_are_one_images_and_the_last_the_others(geometry: Geometry) -> None:
    """Also where columns widen; between the two it falls without a step."""
    one = np.ones(geometry.image_shape, np.float32)
    share = splice(one, np.zeros_like(one), geometry)[..., 0]
    np.testing.assert_array_equal(share, np.tile(share[0], (geometry.n_bands, 1)))
    at_s = (geometry.column_centres * geometry.hop - geometry.lead_samples) / (
        geometry.sample_rate_hz)
    assert (share[0][at_s <= ATTACK_S] == 1.0).all()
    assert (share[0][at_s >= REST_S] == 0.0).all()
    assert (np.diff(share[0]) <= 0).all()
    assert np.abs(np.diff(share[0])).max() < 0.5


def test_of_an_image_with_itself_it_is_that_image_but_for_rounding() -> None:
    image = np.random.default_rng(1).uniform(-1, 1, HOUSE.image_shape).astype(np.float32)
    np.testing.assert_allclose(splice(image, image, HOUSE), image, atol=1e-6)
