"""Sizes of a generator-critic pair, and the latent a seed names. Pure functions and values."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from gan808.errors import KitError
from gan808.sound.spectral.geometry import STRIDES

MOST = {"latent_size": 4096, "width": 512, "kernel": 15, "class_embedding": 1024}
MOST_MULTIPLIER = 64
MOST_BLOCKS = 8
DEVIATION_GROUP = 4  # samples that minibatch_deviation compares with each other
TEXTURE_SEED = 808
TEXTURE_FIELDS = 8  # noise fields a resolution; so many of the latent's numbers mix them


@dataclass(frozen=True)
class NetworkSpec:
    """Sizes and habits of one generator-critic pair.

    width: d; multipliers: channels / d of the stride-2 layers from the image inwards; kernel:
    side of every convolution; patch: the image is folded into patch x patch channels first
    (sub-pixel convolution, Shi et al. 2016), which saves the costliest layer on a processor.

    Experiments, off unless asked for (docs/experiments.md). low_blocks: residual
    blocks at the lowest resolution of both networks. texture: noise fields that the latent mixes,
    added to the generator's layers. minibatch_deviation: the critic is told in training how much
    the sounds of a group differ.
    """

    latent_size: int
    latent_distribution: Literal["normal", "uniform"]
    width: int
    multipliers: tuple[int, ...]
    kernel: int
    per_class_realness: bool
    class_embedding: int  # 0: one-hot
    patch: int  # 1 or 2
    low_blocks: int = 0
    texture: bool = False
    minibatch_deviation: bool = False

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
        if not 0 <= self.low_blocks <= MOST_BLOCKS:
            raise KitError(f"network: low_blocks {self.low_blocks} is not in 0..{MOST_BLOCKS}")
        if too_much or self.class_embedding < 0 or max(self.multipliers) > MOST_MULTIPLIER:
            raise KitError(f"network: a size is out of range {'; '.join(too_much)}".rstrip())

    @property
    def plain(self) -> bool:
        """Whether it is made of nothing but the layers every kit has."""
        return not (self.low_blocks or self.texture or self.minibatch_deviation)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for kit.toml."""
        return asdict(self)


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


def texture_fields(rows: int, columns: int, latent_size: int) -> np.ndarray:
    """The noise that spec.texture adds at a resolution, the same for ever: float32
    (TEXTURE_FIELDS, rows * columns), or as many fields as the latent has numbers, if fewer."""
    n = min(TEXTURE_FIELDS, latent_size)
    random = np.random.Generator(np.random.PCG64([TEXTURE_SEED, rows, columns]))
    fields = random.standard_normal((n, rows * columns)) / np.sqrt(n)
    return fields.astype(np.float32)
