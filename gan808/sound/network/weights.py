"""A kit's numbers: float16 in weights.safetensors, float32 in memory. Any thread."""

from __future__ import annotations

import math

import numpy as np
from safetensors import SafetensorError, safe_open

from gan808.errors import KitError
from gan808.sound.kit import checks
from gan808.sound.kit.kit import WEIGHTS, Kit
from gan808.sound.network.spec import NetworkSpec
from gan808.sound.spectral.geometry import STRIDES, Geometry

Shapes = dict[str, tuple[int, ...]]
Weights = dict[str, np.ndarray]

MOST_BYTES = 2**31 - 2**24  # a serialised graph ends at 2 GiB, and holds a network's numbers


def lowest_shape(spec: NetworkSpec, geometry: Geometry) -> tuple[int, int, int]:
    """Channels, rows and columns where the image is smallest."""
    bands, frames, _ = geometry.image_shape
    return spec.width * spec.multipliers[-1], bands // STRIDES, frames // STRIDES


def up_channels(spec: NetworkSpec) -> list[int]:
    """Output channels of the generator's transposed convolutions, in their order."""
    return [*(spec.width * m for m in spec.multipliers[-2::-1]), spec.patch**2]


def generator_shapes(spec: NetworkSpec, geometry: Geometry, n_classes: int) -> Shapes:
    """Name and shape of every number of the generator, as Keras names and lays them out."""
    channels, rows, columns = lowest_shape(spec, geometry)
    shapes: Shapes = {}
    if spec.class_embedding:
        shapes["generator.class.embeddings"] = (n_classes, spec.class_embedding)
    joined = spec.latent_size + (spec.class_embedding or n_classes)
    _add(shapes, "generator.in", (joined, rows * columns * channels))
    for i, n in enumerate(up_channels(spec)):
        _add(shapes, f"generator.up{i}", (spec.kernel, spec.kernel, n, channels), n)
        channels = n
    return shapes


def critic_shapes(spec: NetworkSpec, geometry: Geometry, n_classes: int) -> Shapes:
    """Name and shape of every number of the critic, as Keras names and lays them out."""
    shapes: Shapes = {}
    channels = spec.patch**2
    for i, m in enumerate(spec.multipliers):
        _add(shapes, f"critic.down{i}", (spec.kernel, spec.kernel, channels, spec.width * m))
        channels = spec.width * m
    flat = math.prod(lowest_shape(spec, geometry))
    n_realness = n_classes if spec.per_class_realness else 1
    _add(shapes, "critic.realness", (flat, n_realness))
    _add(shapes, "critic.heard", (flat, n_classes))
    return shapes


def _add(shapes: Shapes, name: str, kernel: tuple[int, ...], n_bias: int | None = None) -> None:
    shapes[f"{name}.kernel"] = kernel
    shapes[f"{name}.bias"] = (kernel[-1] if n_bias is None else n_bias,)


def read_weights(kit: Kit) -> Weights:
    """The numbers of the kit's generator and critic, float32. Raises KitError naming the file and
    what does not fit kit.toml."""
    manifest, path = kit.manifest, kit.folder / WEIGHTS
    sizes = manifest.network, manifest.geometry, len(manifest.classes)
    checks.check_weights(path)
    try:
        with safe_open(path, framework="numpy") as file:
            there = set(file.keys())
            weights: Weights = {}
            for shapes in (generator_shapes(*sizes), critic_shapes(*sizes)):
                if 4 * sum(map(math.prod, shapes.values())) > MOST_BYTES:
                    raise KitError(f"{path}: a network of more than 2 GiB cannot be played")
                for name, wanted in shapes.items():
                    if name not in there:
                        raise KitError(f"{path}: {name} is missing")
                    shape = tuple(file.get_slice(name).get_shape())
                    if shape != wanted:
                        raise KitError(f"{path}: {name} has shape {shape}, kit.toml asks for "
                                       f"{wanted}")
                    weights[name] = file.get_tensor(name).astype(np.float32)
                    if not np.isfinite(weights[name]).all():
                        raise KitError(f"{path}: {name} holds values that are not finite")
    except (OSError, SafetensorError) as error:
        raise KitError(f"{path}: cannot be read ({error})") from error
    return weights
