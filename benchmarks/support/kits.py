"""Kits of random numbers at the recipes' full sizes: as quick as trained ones, and no waiting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from gan808.sound.kit.kit import save_kit
from gan808.sound.kit.manifest import FactoryEntry, KitManifest, Provenance, SlotEntry, Thresholds
from gan808.sound.network.spec import HOUSE_SPEC, PAPER_SPEC
from gan808.sound.spectral.geometry import GEOMETRIES, Geometry
from gan808.sound.spectral.spectrogram import Moments
from tests.tiny_kit import random_weights

SPECS = {"house": HOUSE_SPEC, "paper": PAPER_SPEC}
CLASS = "kick"
FACTORY_SOUNDS = 8


def tone(geometry: Geometry, number: int) -> np.ndarray:
    """A decaying sine, float32, 100 ms, another pitch for each number."""
    t = np.arange(geometry.sample_rate_hz // 10) / geometry.sample_rate_hz
    return np.asarray(0.5 * np.sin(2 * np.pi * 60 * (3 + number) * t) * np.exp(-t / 0.02)
                      * np.minimum(1.0, t[::-1] * 200), np.float32)


def click(geometry: Geometry, _number: int) -> np.ndarray:
    """A bump of a millisecond, float32: over before the next block of 128 frames at 48 kHz."""
    return np.asarray(0.2 * np.hanning(geometry.sample_rate_hz // 1000), np.float32)


def write_random_kit(
    folder: Path, recipe: str, *, slots: int = 4, width: int | None = None,
    sound: Callable[[Geometry, int], np.ndarray] = tone,
) -> Path:
    """Write FOLDER, a kit of the house's or the paper's geometry and networks; width stands in for
    the recipe's d, sound makes the sounds it begins with.

    Its numbers are random, so it has one class, which the critic cannot mistake, and thresholds
    that let everything pass: every sound that is made can be played.
    """
    geometry, spec = GEOMETRIES[recipe], SPECS[recipe]
    spec = replace(spec, width=width or spec.width)
    weights = random_weights(spec, geometry, 1)
    audio = {f"{CLASS}-{i}.flac": sound(geometry, i) for i in range(FACTORY_SOUNDS)}
    manifest = KitManifest(
        format_version=1, name=folder.name, description="random numbers, for benchmarks",
        classes=(CLASS,), geometry=geometry, network=spec, thresholds=Thresholds(confidence=0.0),
        slots=tuple(SlotEntry.model_validate({
            "code": f"K{i + 1}", "name": f"Kick {i + 1}", "class": CLASS, "notes": (36 + i,),
            "choke": 0, "filter": None}) for i in range(slots)),
        provenance=(Provenance(source="sine waves", licence="CC0-1.0", sounds=FACTORY_SOUNDS),),
        factory=tuple(FactoryEntry.model_validate({
            "file": file, "class": CLASS, "seed": i, "class_heard": CLASS, "confidence": 1.0,
            "realness": 0.5}) for i, file in enumerate(audio)),
    )
    top, floor = np.log(geometry.n_fft / 8), np.log(geometry.magnitude_floor)
    bands = np.linspace(top - 2.0, top - 5.0, geometry.n_bands, dtype=np.float32)
    moments = Moments(bands, np.minimum((bands - floor) / 3, 1.5).astype(np.float32))
    realness = np.linspace(-2.0, 2.0, 65, dtype=np.float32)[None]
    save_kit(folder, manifest, moments, realness, weights, audio)
    return folder
