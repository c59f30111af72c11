"""The conditional generator and the critic with its auxiliary head (Keras 3, any backend).

SpecGAN (Donahue et al. 2018) with the class added: an embedding joins the latent on the way into
the generator; the critic reports realness and, from a second head, which class it hears
(auxiliary classifier, Odena et al. 2017). With `per_class_realness` the critic has one realness
output a class and the label picks it.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from gan808.sound.network.spec import NetworkSpec
from gan808.sound.spectral.geometry import STRIDES, Geometry

# Of the second critic's layers; a kit, which only listens, has none of them.
ATTACK, ATTACK_MULTIPLIERS = "attack", (1, 2, 2)


def _initializer() -> keras.initializers.Initializer:
    return keras.initializers.VarianceScaling(2.0, "fan_in", "truncated_normal")


def _fold(image: Any, patch: int) -> Any:
    """Space to depth: (batch, h, w, c) to (batch, h/p, w/p, p*p*c)."""
    h, w, c = image.shape[1:]
    x = layers.Reshape((h // patch, patch, w // patch, patch * c))(image)
    x = layers.Permute((1, 3, 2, 4))(x)
    return layers.Reshape((h // patch, w // patch, patch * patch * c))(x)


def _unfold(x: Any, patch: int) -> Any:
    """Depth to space, the inverse of _fold."""
    h, w, c = x.shape[1:]
    depth = c // patch**2
    x = layers.Reshape((h, w, patch, patch * depth))(x)
    x = layers.Permute((1, 3, 2, 4))(x)
    return layers.Reshape((h * patch, w * patch, depth))(x)


def build_generator(spec: NetworkSpec, geometry: Geometry, n_classes: int) -> keras.Model:
    """Latent and class index to a normalised image.

    Inputs: float (batch, latent_size), int (batch,). Output: float (batch, bands, frames, 1) in
    [-1, 1], float32.
    """
    latent = keras.Input((spec.latent_size,), name="latent")
    label = keras.Input((), dtype="int32", name="label")
    if spec.class_embedding:
        condition = layers.Embedding(n_classes, spec.class_embedding, name="class")(label)
    else:
        condition = ops.one_hot(label, n_classes)
    x = layers.Concatenate(name="condition")([latent, condition])
    rows, columns = (side // STRIDES for side in geometry.image_shape[:2])
    channels = [spec.width * m for m in spec.multipliers]
    x = layers.Dense(rows * columns * channels[-1], kernel_initializer=_initializer(), name="in")(x)
    x = layers.Reshape((rows, columns, channels[-1]))(x)
    x = layers.ReLU()(x)
    for i, n in enumerate([*channels[-2::-1], spec.patch**2]):  # (6,4) (12,8) .. (192,128)
        last = i == len(channels) - 1
        x = layers.Conv2DTranspose(
            n, spec.kernel, strides=2, padding="same", kernel_initializer=_initializer(),
            name=f"up{i}",
        )(x)
        if not last:
            x = layers.ReLU()(x)
    if spec.patch > 1:
        x = _unfold(x, spec.patch)
    image = layers.Activation("tanh", dtype="float32", name="image")(x)
    return keras.Model([latent, label], image, name="generator")


def build_critic(
    spec: NetworkSpec, geometry: Geometry, n_classes: int, attack_columns: int = 0
) -> keras.Model:
    """Image to realness and class logits.

    Input: float (batch, bands, frames, 1). Outputs, float32: realness (batch, n_classes or 1),
    class logits (batch, n_classes). With attack_columns realness has a second critic's beside it,
    (batch, n_classes or 1, 2), which sees only those columns, unfolded.
    """
    image = keras.Input(geometry.image_shape, name="image")
    x = _fold(image, spec.patch) if spec.patch > 1 else image
    for i, m in enumerate(spec.multipliers):
        x = layers.Conv2D(
            spec.width * m, spec.kernel, strides=2, padding="same",
            kernel_initializer=_initializer(), name=f"down{i}",
        )(x)
        x = layers.LeakyReLU(negative_slope=0.2)(x)
    x = layers.Flatten()(x)
    n_realness = n_classes if spec.per_class_realness else 1
    heads = {"kernel_initializer": "glorot_uniform", "dtype": "float32"}
    realness = layers.Dense(n_realness, name="realness", **heads)(x)
    heard = layers.Dense(n_classes, name="heard", **heads)(x)
    if attack_columns:
        x = layers.Cropping2D(((0, 0), (0, image.shape[2] - attack_columns)))(image)
        for i, m in enumerate(ATTACK_MULTIPLIERS):
            x = layers.Conv2D(
                spec.width * m, spec.kernel, strides=2, padding="same",
                kernel_initializer=_initializer(), name=f"{ATTACK}{i}",
            )(x)
            x = layers.LeakyReLU(negative_slope=0.2)(x)
        attack = layers.Dense(n_realness, name=ATTACK, **heads)(layers.Flatten()(x))
        columns = [layers.Reshape((n_realness, 1), dtype="float32")(y) for y in (realness, attack)]
        realness = layers.Concatenate(dtype="float32", name="both")(columns)
    return keras.Model(image, [realness, heard], name="critic")


def realness_of(realness: Any, label: Any) -> Any:
    """The realness that counts for a label: (batch, n) and int (batch,) to (batch,); of two critics
    (batch, n, 2) to (batch, 2)."""
    if realness.shape[1] == 1:
        return ops.squeeze(realness, 1)
    place = ops.reshape(label, (-1, *[1] * (len(realness.shape) - 1)))
    if len(realness.shape) == 3:
        place = ops.repeat(place, realness.shape[-1], axis=-1)
    return ops.squeeze(ops.take_along_axis(realness, place, axis=1), 1)
