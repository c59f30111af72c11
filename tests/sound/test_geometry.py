"""Every array size follows from the geometry, and a bad one is refused by name."""

import numpy as np
import pytest

from gan808.errors import KitError
from gan808.sound.spectral.geometry import HOUSE, PAPER, Geometry


def test_house_and_paper_have_the_sizes_of_the_design():
    assert (HOUSE.image_shape, PAPER.image_shape) == ((192, 128, 1), (128, 128, 1))
    assert pytest.approx(0.737, abs=1e-3) == HOUSE.duration_s
    assert pytest.approx(1.016, abs=1e-3) == PAPER.duration_s


@pytest.mark.parametrize("geometry", [HOUSE, PAPER], ids=["house", "paper"])
def test_a_flat_spectrum_stays_flat_through_bands_and_back(geometry):
    flat = np.ones(geometry.n_bins, dtype=np.float32)
    bands = flat @ geometry.to_bands
    np.testing.assert_allclose(bands, 1.0, atol=1e-5)
    np.testing.assert_allclose(bands @ geometry.from_bands, 1.0, atol=1e-5)


def test_house_bands_are_single_bins_up_to_four_kilohertz():
    bin_hz = HOUSE.sample_rate_hz / HOUSE.n_fft
    below = HOUSE.band_centres_hz[HOUSE.band_centres_hz <= 4000]
    np.testing.assert_allclose(np.diff(below), bin_hz)
    assert HOUSE.band_centres_hz[-1] == pytest.approx(22050)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"n_bands": 100}, "n_bands 100"),
        ({"hop": 1000}, "hop 1000"),
        ({"sample_rate_hz": 10}, "sample_rate_hz 10"),
        ({"n_fft": 30}, "n_fft 30"),
        ({"linear_to_hz": 30000.0}, "linear_to_hz"),
        ({"magnitude_floor": 0.0}, "magnitude_floor"),
    ],
)
def test_an_impossible_geometry_is_refused_by_name(change, named):
    with pytest.raises(KitError, match=named):
        Geometry(**{**HOUSE.to_dict(), **change})
