"""The networks as they run give what the networks of Keras give."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gan808.sound.network.inference import (
    MANY,
    fixed_critic,
    fixed_generator,
    multiply_adds,
    taps,
)
from gan808.sound.network.networks import build_critic, build_generator
from gan808.sound.network.spec import HOUSE_SPEC, PAPER_SPEC, NetworkSpec
from gan808.sound.sound import BATCH
from gan808.sound.spectral.geometry import HOUSE, PAPER
from tests.tiny_kit import GEOMETRY, SPEC

N_CLASSES = 3
ODD_SPEC = NetworkSpec(
    latent_size=8, latent_distribution="uniform", width=2, multipliers=(1, 2, 3, 4, 5), kernel=5,
    per_class_realness=False, class_embedding=0, patch=1,
)


def batch(spec):
    random = np.random.default_rng(1)
    latents = random.standard_normal((BATCH, spec.latent_size)).astype(np.float32)
    return latents, (np.arange(BATCH) % N_CLASSES).astype(np.int32)


@pytest.fixture(params=[SPEC, ODD_SPEC], ids=["house-like", "paper-like"])
def models(request):
    keras.utils.set_random_seed(808)
    sizes = (request.param, GEOMETRY, N_CLASSES)
    generator, critic = build_generator(*sizes), build_critic(*sizes)
    for variable in (*generator.trainable_variables, *critic.trainable_variables):
        if variable.path.endswith("bias"):  # born as zeros, which would hide a lost bias
            variable.assign(keras.random.normal(variable.shape, stddev=0.1))
    return request.param, generator, critic


@pytest.mark.parametrize(("precision", "tolerance"), [(tf.float32, 1e-4), (tf.bfloat16, 0.1)])
def test_images_and_opinions_are_those_of_keras(models, precision, tolerance):
    """float32: the order of sums differs; bfloat16 holds 8 bits, an error that grows a layer."""
    spec, generator, critic = models
    latents, labels = batch(spec)
    wanted = np.asarray(generator([latents, labels], training=False))
    given = np.asarray(fixed_generator(generator, spec, N_CLASSES, precision)(latents, labels))
    assert given.dtype == np.float32
    np.testing.assert_allclose(given, wanted, atol=tolerance)
    opinions = fixed_critic(critic, spec, precision)(wanted)
    for ours, theirs in zip(opinions, critic(wanted, training=False), strict=True):
        scale = max(float(np.abs(theirs).max()), 1.0)
        np.testing.assert_allclose(ours, theirs, atol=tolerance * scale)


@pytest.mark.parametrize("precision", [tf.float32, tf.bfloat16])
def test_a_place_in_the_batch_changes_no_bit(models, precision):
    spec, generator, critic = models
    latents, labels = batch(spec)
    generate, listen = (fixed_generator(generator, spec, N_CLASSES, precision),
                        fixed_critic(critic, spec, precision))
    images = np.asarray(generate(latents, labels))
    turned = np.asarray(generate(latents[::-1].copy(), labels[::-1].copy()))[::-1]
    np.testing.assert_array_equal(turned, images)
    for one, other in zip(listen(images), listen(images[::-1].copy()), strict=True):
        np.testing.assert_array_equal(np.asarray(other)[::-1], one)


def test_gradients_reach_the_latents(models):
    spec, generator, _ = models
    latents, labels = batch(spec)
    generate = fixed_generator(generator, spec, N_CLASSES, tf.float32)
    at = tf.constant(latents)
    with tf.GradientTape() as tape:
        tape.watch(at)
        total = tf.reduce_sum(generate(at, labels))
    assert np.abs(tape.gradient(total, at)).max() > 0


@pytest.mark.parametrize("side", [3, 4, 5, 6, 7])
def test_taps_are_those_of_a_transposed_convolution(side):
    """In one dimension: an impulse at 4 appears where the taps say."""
    kernel = np.arange(1.0, side + 1).astype(np.float32).reshape(1, side, 1, 1)
    impulse = np.zeros((1, 1, 9, 1), np.float32)
    impulse[0, 0, 4] = 1.0
    wanted = np.asarray(tf.nn.conv2d_transpose(impulse, kernel, (1, 1, 18, 1), (1, 2), "SAME"))
    ours = np.zeros(18, np.float32)
    for phase, tap, offset in taps(side):
        ours[2 * (4 - offset) + phase] = kernel[0, tap, 0, 0]
    np.testing.assert_array_equal(ours, wanted[0, 0, :, 0])


def test_only_the_papers_networks_are_many():
    for spec, geometry, many in ((PAPER_SPEC, PAPER, True), (HOUSE_SPEC, HOUSE, False)):
        assert (multiply_adds(build_generator(spec, geometry, 12)) > MANY) == many
        assert (multiply_adds(build_critic(spec, geometry, 12)) > MANY) == many
