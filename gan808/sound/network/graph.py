"""The generator and the critic as ONNX graphs, for one image at a time, all in float32.

Shapes are ONNX's: (1, channels, rows, columns). Keras keeps channels last, so its kernels are
turned round here, and those of the dense layers sorted, once, while the graph is built.
Pure functions; any thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from onnx import NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

from gan808.sound.network.spec import NetworkSpec
from gan808.sound.network.weights import Weights, lowest_shape
from gan808.sound.spectral.geometry import Geometry

# The oldest that have all that is used: what a player's ONNX Runtime reads.
OPSET, IR_VERSION = 17, 8
LEAK = 0.2  # of the critic's leaky rectifiers
FLOAT = TensorProto.FLOAT


class Graph:
    """A graph in the making: its nodes, its numbers, and its inputs by name."""

    def __init__(self) -> None:
        self._nodes: list[NodeProto] = []
        self._numbers: list[TensorProto] = []
        self._inputs: list[ValueInfoProto] = []

    def input(self, name: str, shape: Sequence[int], kind: int = FLOAT) -> str:
        """Declares an input; returns its name."""
        self._inputs.append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def constant(self, array: np.ndarray) -> str:
        """Takes in numbers; returns their name."""
        name = f"c{len(self._numbers)}"
        self._numbers.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def add(self, operator: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        """Adds a node of one output; returns that output's name."""
        name = output or f"n{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def reshape(self, x: str, shape: Sequence[int], output: str = "") -> str:
        return self.add("Reshape", x, self.constant(np.asarray(shape, np.int64)), output=output)

    def serialised(self, name: str, outputs: Sequence[str]) -> bytes:
        """The finished graph, as onnxruntime.InferenceSession takes it."""
        results = [helper.make_tensor_value_info(output, FLOAT, None) for output in outputs]
        graph = helper.make_graph(self._nodes, name, self._inputs, results, self._numbers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)],
                                  ir_version=IR_VERSION)
        return bytes(model.SerializeToString())


@dataclass(frozen=True, eq=False)
class Convolution:
    """A convolution, or the transposed one of the same numbers. kernel: float32 (out, in, side,
    side), or (in, out, side, side) transposed, which are the same place in memory: the adjoint of
    either is the other of the same kernel. stride 2 halves, transposed doubles, an even image."""

    kernel: str
    side: int
    stride: int

    def down(self, graph: Graph, x: str, bias: str = "") -> str:
        """Padded as Keras's "same"."""
        before, after = self._pads()
        return graph.add("Conv", x, self.kernel, *filter(None, [bias]), strides=[self.stride] * 2,
                         pads=[before, before, after, after])

    def up(self, graph: Graph, x: str, bias: str = "") -> str:
        before, after = self._pads()
        beyond = max(self.stride - self.side, 0)
        return graph.add("ConvTranspose", x, self.kernel, *filter(None, [bias]),
                         strides=[self.stride] * 2, output_padding=[beyond] * 2,
                         pads=[before, before, after, after])

    def _pads(self) -> tuple[int, int]:
        both = max(self.side - self.stride, 0)
        return both // 2, both - both // 2


def convolution(graph: Graph, kernel: np.ndarray, stride: int) -> Convolution:
    """From Keras's kernel, float32 (side, side, in, out), or (side, side, out, in) transposed."""
    return Convolution(graph.constant(kernel.transpose(3, 2, 0, 1)), kernel.shape[0], stride)


def channels_first(kernel: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """A dense kernel, float32 (n, m), whose n count (rows, columns, channels), sorted to count
    (channels, rows, columns), which is the shape given."""
    channels, rows, columns = shape
    sorted_ = kernel.reshape(rows, columns, channels, -1).transpose(2, 0, 1, 3)
    return sorted_.reshape(kernel.shape)


@dataclass(frozen=True, eq=False)
class Up:
    """One doubling of the generator. before_rectifier: its output."""

    convolution: Convolution
    before_rectifier: str


@dataclass(frozen=True, eq=False)
class Generator:
    """The generator's forward pass in a graph, with all that its gradient needs (backward.py).

    kernel: of the first dense layer, float32 (outputs, latent_size + condition)."""

    kernel: np.ndarray
    before_ups: str
    ups: Sequence[Up]
    image: str


def condition_table(n_classes: int, weights: Weights) -> np.ndarray:
    """What the generator is told of each class, float32 (n_classes, n): its embedding, or which
    one it is."""
    return np.asarray(
        weights.get("generator.class.embeddings", np.eye(n_classes, dtype=np.float32)))


def add_generator(
    graph: Graph, spec: NetworkSpec, geometry: Geometry, n_classes: int, weights: Weights
) -> Generator:
    """Inputs: latent float32 (1, latent_size), condition float32 (1, a row of condition_table).
    Output: image float32 (1, 1, n_bands, n_columns) in -1..1."""
    latent = graph.input("latent", (1, spec.latent_size))
    condition = graph.input("condition", (1, condition_table(n_classes, weights).shape[1]))
    joined = graph.add("Concat", latent, condition, axis=1)
    lowest = lowest_shape(spec, geometry)
    kernel = channels_first(weights["generator.in.kernel"].T, lowest)
    bias = channels_first(weights["generator.in.bias"][:, None], lowest)[:, 0]
    dense = graph.add("Gemm", joined, graph.constant(kernel), graph.constant(bias), transB=1)
    x = before_ups = graph.reshape(dense, (1, *lowest))
    ups: list[Up] = []
    for i in range(len(spec.multipliers)):
        step = convolution(graph, weights[f"generator.up{i}.kernel"], 2)
        x = step.up(graph, graph.add("Relu", x),
                    graph.constant(weights[f"generator.up{i}.bias"]))
        ups.append(Up(step, x))
    if spec.patch > 1:
        x = graph.add("DepthToSpace", x, blocksize=spec.patch)
    return Generator(kernel, before_ups, ups, graph.add("Tanh", x, output="image"))


def add_critic(
    graph: Graph, spec: NetworkSpec, geometry: Geometry, weights: Weights
) -> tuple[str, str]:
    """Input: image float32 (1, 1, n_bands, n_columns). Outputs: realness (1, 1 or n_classes) and
    class logits (1, n_classes)."""
    bands, frames, _ = geometry.image_shape
    x = graph.input("image", (1, 1, bands, frames))
    if spec.patch > 1:
        x = graph.add("SpaceToDepth", x, blocksize=spec.patch)
    for i in range(len(spec.multipliers)):
        step = convolution(graph, weights[f"critic.down{i}.kernel"], 2)
        x = step.down(graph, x, graph.constant(weights[f"critic.down{i}.bias"]))
        x = graph.add("LeakyRelu", x, alpha=LEAK)
    lowest = lowest_shape(spec, geometry)
    flat = graph.add("Flatten", x)
    realness, heard = (
        graph.add("Gemm", flat, graph.constant(channels_first(weights[f"critic.{name}.kernel"],
                                                              lowest)),
                  graph.constant(weights[f"critic.{name}.bias"]), output=name)
        for name in ("realness", "heard"))
    return realness, heard
