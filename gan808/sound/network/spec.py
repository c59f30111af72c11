"""Sizes of a generator-critic pair, and the latent a seed names. Pure functions and values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from gan808.errors import KitError
from gan808.sound.spectral.geometry import STRIDES

MOST = {"latent_size": 4096, "width": 512, "kernel": 15, "class_embedding": 1024}
MOST_MULTIPLIER = 64
# Layers that kits could have once, and what kit.toml says of those that had none. They made no
# sound better (docs/experiments.md).
GONE: dict[str, Any] = {"low_blocks": 0, "texture": False, "minibatch_deviation": False}


@dataclass(frozen=True)
class NetworkSpec:
    """Sizes and habits of one generator-critic pair.

    width: d; multipliers: channels / d of the stride-2 layers from the image inwards; kernel:
    side of every convolution; patch: the image is folded into patch x patch channels first
    (sub-pixel convolution, Shi et al. 2016), which saves the costliest layer on a processor.
    """

    latent_size: int
    latent_distribution: Literal["normal", "uniform"]
    width: int
    multipliers: tuple[int, ...]
    kernel: int
    per_class_realness: bool
    class_embedding: int  # 0: one-hot
    patch: int  # 1 or 2

    def __post_init__(self) -> None:
        if self.patch not in (1, 2) or self.patch * 2 ** len(self.multipliers) != STRIDES:
            raise KitError(
                f"network: patch {self.patch} and {len(self.multipliers)} layers do not divide the "
                f"image by {STRIDES}; accepted: patch 1 with 5 multipliers, patch 2 with 4"
            )
        if min(self.latent_size, self.width, self.kernel, *self.multipliers) < 1:
            raise KitError("network: sizes must be positive")
        too_much = [f"{name} {getattr(self, name)} > {n}" for name, n in MOST.items()
                    if getattr(self, name) > n]
        if too_much or self.class_embedding < 0 or max(self.multipliers) > MOST_MULTIPLIER:
            raise KitError(f"network: a size is out of range {'; '.join(too_much)}".rstrip())

    def to_dict(self) -> dict[str, Any]:
        """Plain values for kit.toml."""
        return asdict(self)


def without_gone(table: Mapping[str, Any]) -> dict[str, Any]:
    """A spec's plain values without the layers that are gone. Raises KitError where one is asked
    for."""
    there = [f"{name} {table[name]}" for name, none in GONE.items()
             if table.get(name, none) != none]
    if there:
        raise KitError(f"network: {', '.join(there)}: layers that this version no longer has")
    return {name: value for name, value in table.items() if name not in GONE}


HOUSE_SPEC = NetworkSpec(
    latent_size=128, latent_distribution="normal", width=40, multipliers=(1, 2, 4, 6),
    kernel=4, per_class_realness=True, class_embedding=32, patch=2,
)
PAPER_SPEC = NetworkSpec(
    latent_size=100, latent_distribution="uniform", width=64, multipliers=(1, 2, 4, 8, 16),
    kernel=5, per_class_realness=False, class_embedding=0, patch=1,
)


def latent_from_seed(seed: int, spec: NetworkSpec) -> np.ndarray:
    """The latent a seed names: float32, shape (latent_size,). Same seed, same latent, for ever.

    PCG64 and its normal and uniform transforms are stable across platforms and NumPy's versions
    as long as a stream is drawn this way.
    """
    random = np.random.Generator(np.random.PCG64(seed))
    if spec.latent_distribution == "uniform":
        return random.uniform(-1.0, 1.0, spec.latent_size).astype(np.float32)
    return random.standard_normal(spec.latent_size).astype(np.float32)
