"""Every array size follows from the geometry, and a bad one is refused by name."""

import numpy as np
import pytest

from gan808.errors import KitError
from gan808.sound.spectral.geometry import HOUSE, HOUSE_UNIFORM, PAPER, Geometry


def test_house_and_paper_have_the_sizes_of_the_design():
    assert (HOUSE.image_shape, PAPER.image_shape) == ((192, 128, 1), (128, 128, 1))
    assert pytest.approx(2.409, abs=1e-3) == HOUSE.duration_s
    assert HOUSE_UNIFORM.image_shape == HOUSE.image_shape
    assert pytest.approx(0.737, abs=1e-3) == HOUSE_UNIFORM.duration_s
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
        ({"n_columns": 100}, "n_columns 100"),
        ({"n_columns": 416}, "n_columns 416"),
        ({"linear_columns": 0}, "linear_columns 0"),
        ({"n_columns": 0}, "linear_columns without n_columns"),
    ],
)
def test_an_impossible_geometry_is_refused_by_name(change, named):
    with pytest.raises(KitError, match=named):
        Geometry(**{**HOUSE.to_dict(), **change})


def test_columns_are_frames_at_the_attack_and_then_widen_by_one_ratio_to_the_last_frame():
    centres = HOUSE.column_centres
    np.testing.assert_array_equal(centres[:64], np.arange(64))
    steps = np.diff(centres)[63:]
    np.testing.assert_allclose(steps[1:] / steps[:-1], steps[1] / steps[0], rtol=1e-9)
    assert 1.0 < steps[0] < 1.1
    assert centres[-1] == pytest.approx(HOUSE.n_frames - 1)


def test_a_level_that_lasts_stays_through_columns_and_back_and_the_attack_is_untouched():
    frames = np.ones((2, HOUSE.n_frames), np.float32)
    frames[1, :64] = np.arange(64)
    back = frames @ HOUSE.to_columns @ HOUSE.from_columns
    np.testing.assert_allclose(back[0], 1.0, atol=1e-5)
    np.testing.assert_array_equal(back[1, :63], frames[1, :63])


def test_a_uniform_geometrys_columns_are_its_frames():
    np.testing.assert_array_equal(HOUSE_UNIFORM.to_columns, np.eye(128))
    np.testing.assert_array_equal(HOUSE_UNIFORM.from_columns, np.eye(128))


def test_a_geometry_survives_the_way_into_kit_toml_where_a_uniform_one_looks_as_it_always_did():
    for geometry in (HOUSE, HOUSE_UNIFORM, PAPER):
        assert Geometry(**geometry.to_dict()) == geometry
    assert "n_columns" not in HOUSE_UNIFORM.to_dict()
    assert HOUSE.to_dict()["n_columns"] == 128
