"""Layers that networks have only where their spec asks for an experiment
(gan808/sound/network/spec.py).

All are functions of their inputs and weights alone. A seed names one sound, noise included, and the
critic's opinion of a sound does not depend on what else is in the batch.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from gan808.sound.network.spec import DEVIATION_GROUP, texture_fields


def residual_block(x: Any, channels: int, name: str, activation: Any) -> Any:
    """x plus two 3 by 3 convolutions of it (He et al. 2016); the second begins at zero, so that a
    new block changes nothing."""
    start = keras.initializers.VarianceScaling(2.0, "fan_in", "truncated_normal")
    inner = layers.Conv2D(channels, 3, padding="same", kernel_initializer=start,
                          name=f"{name}a")(activation(x))
    inner = layers.Conv2D(channels, 3, padding="same", kernel_initializer="zeros",
                          name=f"{name}b")(activation(inner))
    return layers.Add(name=name)([x, inner])


class Texture(layers.Layer):
    """Adds noise that the latent chooses: fixed fields of noise (texture_fields), mixed by as many
    of the latent's numbers, times one learned weight a channel, at first zero (after Karras et al.
    2019, whose noise is new with every picture; here a seed must name one sound).

    Inputs: (batch, h, w, channels) and the latent (batch, latent_size).
    """

    def build(self, input_shape: Any) -> None:
        (_, rows, columns, channels), (_, latent_size) = input_shape
        self._fields = texture_fields(rows, columns, latent_size)
        self._n = len(self._fields)
        self._shape = (-1, rows, columns, 1)
        self.strength = self.add_weight(shape=(channels,), initializer="zeros", name="strength")

    def call(self, inputs: Any) -> Any:
        x, latent = inputs
        mixed = ops.matmul(latent[:, : self._n], ops.cast(self._fields, latent.dtype))
        return x + ops.reshape(mixed, self._shape) * self.strength


class GroupDeviation(layers.Layer):
    """How much the sounds of a group of DEVIATION_GROUP neighbours in the batch differ, as one
    number a sound: (batch, n) to (batch, 1) (after Karras et al. 2018).

    In training only; elsewhere it is 0. It goes into the realness head, which is linear, so that
    leaving it out moves all scores of a class alike and their quantiles stay.
    """

    def call(self, x: Any, training: bool = False) -> Any:
        if not training:
            return ops.zeros_like(x[:, :1])
        groups = ops.reshape(x, (-1, DEVIATION_GROUP, x.shape[-1]))
        deviation = ops.sqrt(ops.var(groups, axis=1) + 1e-8)  # (groups, n)
        mean = ops.mean(deviation, axis=-1, keepdims=True)
        return ops.reshape(ops.repeat(mean, DEVIATION_GROUP, axis=0), (-1, 1))
