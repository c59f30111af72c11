"""The networks: shapes, conditioning, and latents that never change."""

import hashlib

import keras
import numpy as np
import pytest

from gan808.errors import KitError
from gan808.sound.network.networks import build_critic, build_generator, realness_of
from gan808.sound.network.spec import HOUSE_SPEC, PAPER_SPEC, NetworkSpec, latent_from_seed
from gan808.sound.spectral.geometry import HOUSE, PAPER
from tests.tiny_kit import GEOMETRY, SPEC


@pytest.mark.parametrize(
    ("spec", "geometry"), [(HOUSE_SPEC, HOUSE), (PAPER_SPEC, PAPER)], ids=["house", "paper"]
)
def test_shapes_of_both_recipes(spec, geometry):
    generator, critic = build_generator(spec, geometry, 5), build_critic(spec, geometry, 5)
    assert generator.output_shape == (None, *geometry.image_shape)
    realness, heard = critic.output_shape
    assert realness == (None, 5 if spec.per_class_realness else 1)
    assert heard == (None, 5)


def test_the_class_asked_changes_the_image():
    keras.utils.set_random_seed(1)
    generator = build_generator(SPEC, GEOMETRY, 3)
    latent = np.repeat(latent_from_seed(7, SPEC)[None], 3, axis=0)
    images = np.asarray(generator([latent, np.arange(3)]))
    assert np.abs(images[0] - images[1]).max() > 1e-3
    assert np.abs(images[1] - images[2]).max() > 1e-3
    assert np.abs(images).max() <= 1.0


def test_realness_is_read_for_the_label_where_there_is_one_a_class():
    scores = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal(np.asarray(realness_of(scores, np.array([2, 0]))), [2.0, 3.0])
    np.testing.assert_array_equal(
        np.asarray(realness_of(scores[:, :1], np.array([2, 0]))), [0.0, 3.0]
    )


@pytest.mark.parametrize(
    ("spec", "digest"),
    [
        (HOUSE_SPEC, "b787fbdf70871120"),
        (PAPER_SPEC, "e57e529954b25518"),
    ],
    ids=["house", "paper"],
)
def test_a_seed_names_the_same_latent_for_ever(spec, digest):
    """Sounds are known by their seeds: a change here would rename every sound ever kept."""
    latents = np.stack([latent_from_seed(seed, spec) for seed in (0, 1, 2**31 - 1)])
    rounded = np.round(latents.astype(np.float64), 5) + 0.0
    assert hashlib.sha256(rounded.tobytes()).hexdigest()[:16] == digest


def test_latents_have_the_distribution_of_the_recipe():
    normal = np.concatenate([latent_from_seed(seed, HOUSE_SPEC) for seed in range(200)])
    uniform = np.concatenate([latent_from_seed(seed, PAPER_SPEC) for seed in range(200)])
    assert abs(normal.mean()) < 0.03
    assert normal.std() == pytest.approx(1.0, abs=0.03)
    assert uniform.min() == pytest.approx(-1.0, abs=1e-3)
    assert uniform.max() == pytest.approx(1.0, abs=1e-3)


def test_sizes_that_do_not_fit_or_would_fill_memory_are_refused():
    values = HOUSE_SPEC.to_dict()
    with pytest.raises(KitError, match="do not divide"):
        NetworkSpec(**{**values, "multipliers": (1, 2, 4)})
    with pytest.raises(KitError, match="width 100000"):
        NetworkSpec(**{**values, "width": 100000})
