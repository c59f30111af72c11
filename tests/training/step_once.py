"""A few steps of the tiny recipes on the backend that KERAS_BACKEND names, run as a program.

Weights come from NumPy's generator, so every backend begins alike. Prints JSON: the losses by
recipe, and the sum of squares of the weights after.
"""

from __future__ import annotations

import json
import sys

import keras
import numpy as np

from gan808.sound.networks import build_critic, build_generator
from gan808.sound.spectrogram import Moments
from tests.tiny_kit import GEOMETRY
from tests.training.tiny_recipe import TINY, TINY_PAPER
from training.recipes import Recipe
from training.steps import make_steps

N_CLASSES = 3


def run(recipe: Recipe, n_steps: int = 2) -> dict[str, float]:
    """The last losses, and what became of the weights."""
    random = np.random.default_rng(808)
    models = (build_generator(recipe.spec, GEOMETRY, N_CLASSES),
              build_critic(recipe.spec, GEOMETRY, N_CLASSES))
    for model in models:
        for variable in model.variables:
            variable.assign(0.1 * random.standard_normal(variable.shape).astype(np.float32))
    bands = GEOMETRY.n_bands
    moments = Moments(np.full(bands, -3.0, np.float32), np.ones(bands, np.float32))
    steps = make_steps(recipe, *models, moments)
    report: dict[str, float] = {}
    for step in range(n_steps):
        batches = [
            (random.uniform(-1, 1, (recipe.batch, *GEOMETRY.image_shape)).astype(np.float32),
             random.integers(0, N_CLASSES, recipe.batch))
            for _ in range(recipe.critic_steps)
        ]
        report |= steps.run(step, 1e-3, batches, random)
    for model in (steps.generator, steps.critic, steps.averaged):
        report[f"weights of {model.name}"] = float(
            sum(np.square(np.asarray(w, np.float64)).sum() for w in model.get_weights())
        )
    return report


def everything() -> dict[str, dict[str, float]]:
    return {recipe.name: run(recipe) for recipe in (TINY, TINY_PAPER)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps({"backend": keras.backend.backend(), "tensorflow":
                                 "tensorflow" in sys.modules, "reports": everything()}) + "\n")
