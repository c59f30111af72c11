"""A kit's networks as they run: their numbers made constants, each layer in its quickest form.

networks.py says what they are and training runs those; these give the same images and opinions.
Constants let TensorFlow bring a layer's numbers into the processor's order once instead of with
every batch. Runs in the render process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import llvmlite.binding
import numpy as np

from gan808.errors import RenderError
from gan808.sound.network.spec import NetworkSpec
from gan808.sound.network.tensors import tf
from gan808.sound.sound import BATCH

# Multiply-adds of a layer stack from which bfloat16 pays: the house's generator has 60 million and
# takes 2 ms, the paper's 840 million and 23 ms; at half its width 210 million, 5 ms saved a sound.
MANY = 150_000_000
FEW_CHANNELS = 4  # of a transposed convolution's output: cheaper as an ordinary one
FEW_PLACES = 32  # of its input: cheaper as one matrix product
BFLOAT16_FEATURES = ("avx512bf16", "amx-bf16", "bf16")

Apply = Callable[[Any], Any]


def multiply_adds(model: keras.Model) -> int:
    """Multiply-adds of the model's convolutions for one image."""
    total = 0
    for layer in model.layers:
        if isinstance(layer, (keras.layers.Conv2D, keras.layers.Conv2DTranspose)):
            transposed = isinstance(layer, keras.layers.Conv2DTranspose)
            rows, columns = (layer.input if transposed else layer.output).shape[1:3]
            total += int(np.prod(layer.kernel.shape)) * rows * columns
    return total


def precision_for(model: keras.Model) -> tf.DType:
    """bfloat16 for a large model where the processor multiplies it itself, else float32."""
    features = llvmlite.binding.get_host_cpu_features()
    able = any(features.get(name, False) for name in BFLOAT16_FEATURES)
    return tf.bfloat16 if able and multiply_adds(model) > MANY else tf.float32


def fixed_generator(
    model: keras.Model, spec: NetworkSpec, n_classes: int, precision: tf.DType
) -> Callable[[Any, Any], Any]:
    """networks.build_generator's model as a graph: latents float32 (BATCH, latent_size) and labels
    int32 (BATCH,) to images float32 (BATCH, n_bands, n_frames, 1). Gradients pass through it."""
    if not spec.plain:
        return _as_it_is(model)
    names = {layer.name for layer in model.layers}
    classes = _numbers(model, "class", "embeddings") if "class" in names else np.eye(n_classes)
    table = tf.constant(classes, precision)
    dense = _dense(model, "in", precision)
    shape = model.get_layer("up0").input.shape[1:]
    steps = [_transposed(model.get_layer(f"up{i}"), precision)
             for i in range(len(spec.multipliers))]

    def generate(latents: Any, labels: Any) -> Any:
        joined = tf.concat([tf.cast(latents, precision), tf.gather(table, labels)], axis=-1)
        x = tf.nn.relu(tf.reshape(dense(joined), (BATCH, *shape)))
        for i, step in enumerate(steps):
            x = step(x) if i == len(steps) - 1 else tf.nn.relu(step(x))
        if spec.patch > 1:
            x = tf.nn.depth_to_space(x, spec.patch)
        return tf.tanh(tf.cast(x, tf.float32))

    return tf.function(generate)


def fixed_critic(model: keras.Model, spec: NetworkSpec, precision: tf.DType) -> Apply:
    """networks.build_critic's model as a graph: images float32 (BATCH, n_bands, n_frames, 1) to
    realness and class logits, float32."""
    if not spec.plain:
        return _as_it_is(model)
    steps = [_strided(model.get_layer(f"down{i}"), precision)
             for i in range(len(spec.multipliers))]
    heads = [_dense(model, name, tf.float32) for name in ("realness", "heard")]

    def listen(images: Any) -> Any:
        x = tf.cast(images, precision)
        if spec.patch > 1:
            x = tf.nn.space_to_depth(x, spec.patch)
        for step in steps:
            x = tf.nn.leaky_relu(step(x), 0.2)
        flat = tf.cast(tf.reshape(x, (BATCH, -1)), tf.float32)
        return [head(flat) for head in heads]

    return tf.function(listen)


def _as_it_is(model: keras.Model) -> Callable[..., Any]:
    """A network with layers that only experiments have: right, if not as quick."""
    if keras.backend.backend() != "tensorflow":
        raise RenderError("a kit with experimental layers renders with KERAS_BACKEND=tensorflow")
    return tf.function(lambda *inputs: model(
        list(inputs) if len(inputs) > 1 else inputs[0], training=False
    ))


def _numbers(model: keras.Model, layer: str, name: str) -> np.ndarray:
    return np.asarray(getattr(model.get_layer(layer), name))


def _dense(model: keras.Model, name: str, precision: tf.DType) -> Apply:
    kernel = tf.constant(_numbers(model, name, "kernel"), precision)
    bias = tf.constant(_numbers(model, name, "bias"), precision)
    return lambda x: tf.matmul(x, kernel) + bias


def _strided(layer: Any, precision: tf.DType) -> Apply:
    kernel = tf.constant(np.asarray(layer.kernel), precision)
    bias = tf.constant(np.asarray(layer.bias), precision)
    return lambda x: tf.nn.bias_add(tf.nn.conv2d(x, kernel, 2, "SAME"), bias)


def _transposed(layer: Any, precision: tf.DType) -> Apply:
    """A transposed convolution of stride 2; kernel (side, side, out, in)."""
    kernel = np.asarray(layer.kernel)
    bias = tf.constant(np.asarray(layer.bias), precision)
    rows, columns = layer.input.shape[1:3]
    side, out = kernel.shape[0], kernel.shape[2]
    if out <= FEW_CHANNELS and 3 <= side <= 6:
        apply = _as_convolution(kernel, precision)
    elif rows * columns <= FEW_PLACES:
        apply = _as_product(kernel, rows, columns, precision)
    else:
        numbers = tf.constant(kernel, precision)
        shape = (BATCH, 2 * rows, 2 * columns, out)

        def apply(x: Any) -> Any:
            return tf.nn.conv2d_transpose(x, numbers, shape, 2, "SAME")

    return lambda x: tf.nn.bias_add(apply(x), bias)


def taps(side: int) -> list[tuple[int, int, int]]:
    """(phase, tap, offset): output 2p + phase of a transposed convolution of stride 2, padding
    "same", adds input p + offset times the kernel's tap."""
    before = max(side - 2, 0) // 2
    return [(phase, tap, (phase + before - tap) // 2)
            for phase in (0, 1) for tap in range(side) if (phase + before - tap) % 2 == 0]


def _as_convolution(kernel: np.ndarray, precision: tf.DType) -> Apply:
    """Its four phases as four times the channels of a 3 by 3 convolution (Shi et al. 2016)."""
    side, _, out, into = kernel.shape
    folded = np.zeros((3, 3, into, 2, 2, out), np.float32)
    for row_phase, row_tap, row in taps(side):
        for column_phase, column_tap, column in taps(side):
            folded[row + 1, column + 1, :, row_phase, column_phase] = (
                kernel[row_tap, column_tap].T
            )
    numbers = tf.constant(folded.reshape(3, 3, into, 4 * out), precision)
    return lambda x: tf.nn.depth_to_space(tf.nn.conv2d(x, numbers, 1, "SAME"), 2)


def _as_product(kernel: np.ndarray, rows: int, columns: int, precision: tf.DType) -> Apply:
    """One matrix product gives what every input adds to the outputs around it; they are summed
    along the rows, then along the columns."""
    side, _, out, into = kernel.shape
    numbers = tf.constant(kernel.transpose(3, 0, 1, 2).reshape(into, -1), precision)

    def apply(x: Any) -> Any:
        each = tf.matmul(tf.reshape(x, (-1, into)), numbers)
        each = tf.reshape(each, (BATCH, rows, columns, side, side * out))
        tall = tf.reshape(_summed(each, side, 1), (BATCH, 2 * rows, columns, side, out))
        return tf.reshape(_summed(tall, side, 2), (BATCH, 2 * rows, 2 * columns, out))

    return apply


def _summed(each: Any, side: int, axis: int) -> Any:
    """(.., n, .., side, m), n at the axis, to (.., n, 2, .., m): the two phases of each place."""
    n = each.shape[axis]
    phases: list[Any] = [0.0, 0.0]
    for phase, tap, offset in taps(side):
        padding = [[0, 0]] * 4
        padding[axis] = [max(-offset, 0), max(offset, 0)]
        padded = tf.pad(tf.cast(each[..., tap, :], tf.float32), padding)
        begin = [0] * 4
        begin[axis] = max(offset, 0)
        size = [-1] * 4
        size[axis] = n
        phases[phase] += tf.slice(padded, begin, size)
    return tf.cast(tf.stack(phases, axis=axis + 1), each.dtype)
