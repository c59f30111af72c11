"""The generator's gradient: how an image's slope becomes the latent's. For match.py.

Every layer's adjoint is one more node: of a transposed convolution the convolution of the same
numbers and the other way about, of a rectifier its mask. Pure functions; any thread.
"""

from __future__ import annotations

import numpy as np

from gan808.sound.network.graph import Generator, Graph, Up
from gan808.sound.network.spec import NetworkSpec
from gan808.sound.spectral.geometry import Geometry


def add_backward(
    graph: Graph, spec: NetworkSpec, geometry: Geometry, generator: Generator
) -> str:
    """Input: image_slope float32 (1, 1, n_bands, n_columns), of a number by the image. Output:
    latent_slope (1, latent_size), of that number by the latent."""
    bands, frames, _ = geometry.image_shape
    x = _before_tanh(graph, graph.input("image_slope", (1, 1, bands, frames)), generator.image)
    if spec.patch > 1:
        x = graph.add("SpaceToDepth", x, blocksize=spec.patch)
    by_noise: list[str] = []
    last = len(generator.ups) - 1
    for i, up in reversed(list(enumerate(generator.ups))):
        if i < last:
            x = _before_rectifier(graph, x, up.before_rectifier)
        if up.fields:
            by_noise.append(_by_mixing(graph, x, up, spec.latent_size))
        x = up.convolution.down(graph, x)
    x = _before_rectifier(graph, x, generator.before_ups)
    for block in reversed(generator.blocks):
        inner = block.second.up(graph, x)
        inner = _before_rectifier(graph, inner, block.before_second)
        inner = block.first.up(graph, inner)
        x = graph.add("Add", x, _before_rectifier(graph, inner, block.before_first))
    kernel = graph.constant(generator.kernel[:, : spec.latent_size])
    slope = graph.add("MatMul", graph.add("Flatten", x), kernel)
    return graph.add("Sum", slope, *by_noise, output="latent_slope")


def _before_tanh(graph: Graph, slope: str, y: str) -> str:
    one = graph.constant(np.ones((), np.float32))
    return graph.add("Mul", slope, graph.add("Sub", one, graph.add("Mul", y, y)))


def _before_rectifier(graph: Graph, slope: str, x: str) -> str:
    nothing = graph.constant(np.zeros((), np.float32))
    return graph.add("Where", graph.add("Greater", x, nothing), slope, nothing)


def _by_mixing(graph: Graph, slope: str, up: Up, latent_size: int) -> str:
    """The slope of the latent's numbers that mix the noise; of the others 0: (1, latent_size)."""
    axes = graph.constant(np.array([1], np.int64))
    by_field = graph.add("ReduceSum", graph.add("Mul", slope, up.strength), axes, keepdims=1)
    mixed = graph.add("MatMul", graph.add("Flatten", by_field),
                      graph.add("Transpose", up.fields, perm=[1, 0]))
    beyond = graph.constant(np.array([0, 0, 0, latent_size - up.n_fields], np.int64))
    return graph.add("Pad", mixed, beyond)
