"""A kit small enough to render in milliseconds: random weights, the whole format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from gan808.sound.kit.kit import load_kit, save_kit
from gan808.sound.kit.manifest import FactoryEntry, KitManifest, Provenance, SlotEntry, Thresholds
from gan808.sound.kit.slots import TR808, SlotLayout
from gan808.sound.network.spec import NetworkSpec
from gan808.sound.network.weights import critic_shapes, generator_shapes
from gan808.sound.spectral.geometry import Geometry
from gan808.sound.spectral.spectrogram import Moments

GEOMETRY = Geometry(
    sample_rate_hz=16000, n_fft=128, hop=32, n_bands=64, n_frames=64, linear_to_hz=0.0,
    magnitude_floor=1e-3,
)
SPEC = NetworkSpec(
    latent_size=8, latent_distribution="normal", width=4, multipliers=(1, 1, 1, 1), kernel=4,
    per_class_realness=True, class_embedding=4, patch=2,
)
CLASSES = tuple(sorted({slot.class_name for slot in TR808}))
FACTORY_A_CLASS = 3


def drum(class_name: str, seed: int, geometry: Geometry = GEOMETRY) -> np.ndarray:
    """A decaying tone of a pitch of its own for each class and seed: float32, 100 ms."""
    classes = {slot.class_name: i for i, slot in enumerate(TR808)}
    hz = 150.0 * 2 ** (classes.get(class_name, 16) / 4 + seed / 24)
    t = np.arange(int(0.1 * geometry.sample_rate_hz)) / geometry.sample_rate_hz
    fade = np.minimum(1.0, np.arange(len(t))[::-1] / 160)
    return np.asarray(0.8 * np.sin(2 * np.pi * hz * t) * np.exp(-t / 0.03) * fade, np.float32)


def random_weights(
    spec: NetworkSpec, geometry: Geometry, n_classes: int, bias: float = 0.0
) -> dict[str, np.ndarray]:
    """Every number of a kit's networks, float16, drawn as training draws them (He et al. 2015);
    biases, which are born as zeros, deviate by that much."""
    random = np.random.default_rng(808)
    sizes = (spec, geometry, n_classes)
    weights = {}
    for name, shape in {**generator_shapes(*sizes), **critic_shapes(*sizes)}.items():
        deviation = np.sqrt(2 / np.prod(shape[:-1]))
        if name.endswith(".bias"):
            deviation = bias
        elif name.endswith(".embeddings"):
            deviation = 0.03  # as Keras's
        weights[name] = (deviation * random.standard_normal(shape)).astype(np.float16)
    return weights


def slot_entry(slot: SlotLayout) -> SlotEntry:
    return SlotEntry.model_validate({
        "code": slot.code, "name": slot.name, "class": slot.class_name, "notes": slot.notes,
        "choke": slot.choke, "filter": slot.filter,
    })


def write_tiny_kit(
    folder: Path, *, geometry: Geometry = GEOMETRY, confidence: float = 0.0,
    run: str | None = None, rendered: bool = False,
) -> Path:
    """Write a kit FOLDER with the sixteen slots of the default kit; its name is the folder's.

    Its networks are random, so by default every class they hear is accepted. rendered: its factory
    sounds are what they make, as of a trained kit; else decaying tones.
    """
    weights = random_weights(SPEC, geometry, len(CLASSES))
    factory = {
        f"{name}-{seed}.flac": (name, seed) for name in CLASSES for seed in range(FACTORY_A_CLASS)
    }
    manifest = KitManifest(
        format_version=1, name=folder.name, description="random weights, for tests",
        classes=CLASSES, geometry=geometry, network=SPEC,
        thresholds=Thresholds(confidence=confidence),
        slots=tuple(slot_entry(slot) for slot in TR808),
        provenance=(Provenance(source="sine waves", licence="CC0-1.0", sounds=36),),
        factory=tuple(
            FactoryEntry.model_validate({
                "file": file, "class": name, "seed": seed, "class_heard": name,
                "confidence": 0.9, "realness": 0.5,
            })
            for file, (name, seed) in factory.items()
        ),
    )
    moments = Moments(
        np.linspace(-1.0, -4.0, geometry.n_bands, dtype=np.float32),
        np.full(geometry.n_bands, 1.5, dtype=np.float32),
    )
    realness = np.tile(np.linspace(-2.0, 2.0, 65, dtype=np.float32), (len(CLASSES), 1))
    audio = {file: drum(*identity, geometry) for file, identity in factory.items()}
    save_kit(folder, manifest, moments, realness, weights, audio, run)
    if rendered:
        _render_factory(folder, (moments, realness, weights))
    load_kit(folder)
    return folder


def _render_factory(folder: Path, numbers: tuple[Any, Any, Any]) -> None:
    """Save the kit once more, with factory sounds that its networks have made."""
    from gan808.sound.renderer import Renderer

    kit = load_kit(folder)
    entries = kit.manifest.factory
    sounds = Renderer(kit, kit.geometry.sample_rate_hz).render(
        [entry.class_name for entry in entries], [entry.seed for entry in entries])
    heard = tuple(
        entry.model_copy(update={"class_heard": sound.class_heard,
                                 "confidence": round(sound.confidence, 4)})
        for entry, sound in zip(entries, sounds, strict=True))
    save_kit(folder, kit.manifest.model_copy(update={"factory": heard}), *numbers,
             {entry.file: sound.audio for entry, sound in zip(entries, sounds, strict=True)})
