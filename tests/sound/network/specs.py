"""Small networks of every make that a kit can have, and kits of their random numbers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from safetensors.numpy import save_file

from gan808.sound.kit.kit import WEIGHTS, Kit, load_kit
from gan808.sound.network.session import Networks
from gan808.sound.network.spec import NetworkSpec
from tests.tiny_kit import GEOMETRY, SPEC, random_weights

PAPER_LIKE = NetworkSpec(
    latent_size=8, latent_distribution="uniform", width=2, multipliers=(1, 2, 3, 4, 5), kernel=5,
    per_class_realness=False, class_embedding=0, patch=1,
)
SPECS = {
    "house-like": SPEC,
    "paper-like": PAPER_LIKE,
    "kernel of 3": replace(PAPER_LIKE, kernel=3),
    "kernel of 1": replace(SPEC, kernel=1),
}


def kit_of(tiny_kit: Path, folder: Path, spec: NetworkSpec) -> Kit:
    """The tiny kit with other networks, random, their biases too."""
    kit = load_kit(tiny_kit)
    save_file(random_weights(spec, GEOMETRY, len(kit.classes), bias=0.1), folder / WEIGHTS)
    return Kit(folder, kit.manifest.model_copy(update={"network": spec}))


def networks_of(tiny_kit: Path, folder: Path, spec: NetworkSpec, threads: int = 1) -> Networks:
    return Networks(kit_of(tiny_kit, folder, spec), threads)
