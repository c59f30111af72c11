"""The losses by value, against critics whose gradients are known."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from training import losses


def gradient_of(function, points):
    with tf.GradientTape() as tape:
        tape.watch(points)
        total = tf.reduce_sum(function(points))
    return tape.gradient(total, points)


def test_the_penalty_is_of_each_samples_own_gradient_norm():
    """A linear critic w . x has gradient w everywhere: the penalty is (|w| - 1)^2 exactly, and of
    two samples with norms 3 and 1 it is the mean of 4 and 0, not the norm of the whole batch."""
    weights = tf.constant([[3.0, 0.0], [0.0, 1.0]])
    points = tf.zeros((2, 2))
    gradient = gradient_of(lambda x: tf.reduce_sum(weights * x, axis=1), points)
    images = tf.reshape(gradient, (2, 2, 1, 1))
    assert float(losses.gradient_penalty(images)) == pytest.approx(2.0)


def test_the_zero_centred_penalty_is_half_the_mean_squared_norm():
    gradient = tf.reshape(tf.constant([[3.0, 4.0], [0.0, 1.0]]), (2, 2, 1, 1))
    assert float(losses.zero_centred_penalty(gradient)) == pytest.approx((25 + 1) / 2 / 2)


def test_wasserstein_is_the_difference_of_means():
    real, fake = np.array([1.0, 3.0], np.float32), np.array([-1.0, 1.0], np.float32)
    assert float(losses.wasserstein_critic(real, fake)) == pytest.approx(-2.0)
    assert float(losses.wasserstein_generator(real, fake)) == pytest.approx(0.0)


def test_relativistic_pairs_real_with_generated():
    real, fake = np.array([2.0], np.float32), np.array([0.0], np.float32)
    assert float(losses.relativistic_critic(real, fake)) == pytest.approx(np.log1p(np.exp(-2)))
    assert float(losses.relativistic_generator(real, fake)) == pytest.approx(np.log1p(np.exp(2)))


def test_class_loss_is_cross_entropy():
    logits = keras.ops.convert_to_tensor(np.array([[2.0, 0.0]], np.float32))
    expected = np.log1p(np.exp(-2.0))
    assert float(losses.class_loss(logits, np.array([0]))) == pytest.approx(expected, rel=1e-5)
