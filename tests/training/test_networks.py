"""The networks as training has them: shapes, conditioning, and the same as those that play."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from gan808.sound.kit.kit import load_kit
from gan808.sound.network.session import Networks
from gan808.sound.network.spec import HOUSE_SPEC, PAPER_SPEC, latent_from_seed
from gan808.sound.network.weights import critic_shapes, generator_shapes
from gan808.sound.spectral.geometry import HOUSE, PAPER
from tests.sound.network.specs import SPECS, kit_of
from tests.tiny_kit import GEOMETRY, SPEC
from training.kit_weights import load_networks, weights_of
from training.networks import build_critic, build_generator, realness_of


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


def test_a_second_critic_sees_the_attack_alone_and_is_in_no_kit():
    critic = build_critic(SPEC, GEOMETRY, 3, attack_columns=16)
    image = np.random.default_rng(1).uniform(-1, 1, (1, *GEOMETRY.image_shape)).astype(np.float32)
    ending = image.copy()
    ending[:, :, 16:] = 0.5
    (before, _), (after, _) = (critic(each, training=False) for each in (image, ending))
    assert before.shape == (1, 3, 2)
    whole, attack = np.abs(np.asarray(after) - np.asarray(before)).max(axis=(0, 1))
    assert attack == 0.0 < whole
    np.testing.assert_array_equal(
        np.asarray(realness_of(before, np.array([2]))), np.asarray(before)[:, 2])
    kept = weights_of(critic)
    assert {name: array.shape for name, array in kept.items()} == critic_shapes(SPEC, GEOMETRY, 3)


@pytest.mark.parametrize("name", SPECS, ids=lambda name: name.replace(" ", "-"))
def test_what_plays_is_what_was_trained(name, tiny_kit, tmp_path):
    """The order of sums differs, so the last digits do: images within 2e-5, opinions within 2e-5
    of the largest."""
    kit = kit_of(tiny_kit, tmp_path, SPECS[name])
    generator, critic = load_networks(kit)
    latents = np.stack([latent_from_seed(seed, SPECS[name]) for seed in range(8)])
    labels = np.arange(8, dtype=np.int32)
    wanted = np.asarray(generator([latents, labels], training=False))
    networks = Networks(kit)
    np.testing.assert_allclose(networks.generate(latents, labels), wanted, atol=2e-5)
    for ours, theirs in zip(networks.listen(wanted), critic(wanted, training=False), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-5 * max(np.abs(theirs).max(), 1.0))


def test_the_shipped_kit_plays_what_was_trained():
    kit = load_kit(Path(__file__).parents[2] / "kits" / "gan808")
    generator, critic = load_networks(kit)
    latents = np.stack([latent_from_seed(seed, kit.manifest.network) for seed in range(12)])
    labels = np.arange(12, dtype=np.int32)
    wanted = np.asarray(generator([latents, labels], training=False))
    networks = Networks(kit)
    np.testing.assert_allclose(networks.generate(latents, labels), wanted, atol=2e-5)
    for ours, theirs in zip(networks.listen(wanted), critic(wanted, training=False), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-5 * max(np.abs(theirs).max(), 1.0))


def test_a_kit_keeps_the_names_and_shapes_that_keras_gives(tiny_kit, tmp_path):
    """`read_weights` knows them without Keras."""
    for i, spec in enumerate(SPECS.values()):
        sizes = (spec, GEOMETRY, 12)
        ours = generator_shapes(*sizes) | critic_shapes(*sizes)
        weights = weights_of(build_generator(*sizes), build_critic(*sizes))
        assert {name: array.shape for name, array in weights.items()} == ours, i


@pytest.mark.parametrize("name", SPECS, ids=lambda name: name.replace(" ", "-"))
def test_the_slope_is_keras_gradient(name, tiny_kit, tmp_path):
    kit = kit_of(tiny_kit, tmp_path, SPECS[name])
    generator, _ = load_networks(kit)
    latents = np.stack([latent_from_seed(seed, SPECS[name]) for seed in range(8)])
    labels = np.arange(8, dtype=np.int32)
    weight = np.random.default_rng(1).standard_normal((8, *GEOMETRY.image_shape)).astype(np.float32)
    at = tf.constant(latents)
    with tf.GradientTape() as tape:
        tape.watch(at)
        total = tf.reduce_sum(generator([at, tf.constant(labels)], training=False) * weight)
    theirs = np.asarray(tape.gradient(total, at))
    ours = Networks(kit).latent_slopes(latents, labels, weight)
    np.testing.assert_allclose(ours, theirs, atol=1e-4 * np.abs(theirs).max())
