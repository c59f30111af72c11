"""The generator's gradient: how an image's slope becomes the latent's. For match.py.

Every layer's adjoint is one more node: of a transposed convolution the convolution of the same
numbers and the other way about, of a rectifier its mask. Pure functions; any thread.
"""

from __future__ import annotations

import numpy as np

from gan808.sound.network.graph import Generator, Graph
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
    last = len(generator.ups) - 1
    for i, up in reversed(list(enumerate(generator.ups))):
        if i < last:
            x = _before_rectifier(graph, x, up.before_rectifier)
        x = up.convolution.down(graph, x)
    x = _before_rectifier(graph, x, generator.before_ups)
    kernel = graph.constant(generator.kernel[:, : spec.latent_size])
    return graph.add("MatMul", graph.add("Flatten", x), kernel, output="latent_slope")


def _before_tanh(graph: Graph, slope: str, y: str) -> str:
    one = graph.constant(np.ones((), np.float32))
    return graph.add("Mul", slope, graph.add("Sub", one, graph.add("Mul", y, y)))


def _before_rectifier(graph: Graph, slope: str, x: str) -> str:
    nothing = graph.constant(np.zeros((), np.float32))
    return graph.add("Where", graph.add("Greater", x, nothing), slope, nothing)
