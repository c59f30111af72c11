"""Recipes that take milliseconds a step, and sounds to train them on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile

from tests.tiny_kit import GEOMETRY, SPEC, drum
from training.recipes import HOUSE_RECIPE, PAPER_RECIPE

TINY = replace(
    HOUSE_RECIPE, name="tiny", spec=SPEC, geometry=GEOMETRY, batch=4, precision="float32",
)
TINY_PAPER = replace(
    PAPER_RECIPE,
    name="tiny_paper",
    spec=replace(SPEC, latent_distribution="uniform", per_class_realness=False, class_embedding=0),
    geometry=GEOMETRY,
    batch=4,
    critic_steps=2,
)


def write_drums(root: Path, classes: tuple[str, ...] = ("kick", "snare"), each: int = 6) -> Path:
    """ROOT/CLASS/N.wav: tones that differ by class and number."""
    for class_name in classes:
        (root / class_name).mkdir(parents=True, exist_ok=True)
        for i in range(each):
            noise = np.random.default_rng(i).standard_normal(1600).astype(np.float32)
            audio = drum(class_name, i) + (0.2 * noise if class_name == "snare" else 0.0)
            soundfile.write(root / class_name / f"{i}.wav", np.clip(audio, -1, 1), 16000)
    return root
