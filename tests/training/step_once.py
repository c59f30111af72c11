"""A few steps of the tiny recipes on the backend that KERAS_BACKEND names.

Weights come from NumPy's generator, so every backend begins alike. `main` prints JSON: the losses
by recipe; its argument is the .npz file that takes every weight after, by recipe and number.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import keras
import numpy as np

from gan808.sound.spectral.spectrogram import Moments
from tests.tiny_kit import GEOMETRY
from tests.training.tiny_recipe import TINY, TINY_PAPER
from training.networks import build_critic, build_generator
from training.recipes import Recipe
from training.steps import make_steps

N_CLASSES = 3
# The networks in bfloat16 with their penalties in float32.
HALF = replace(TINY, name="bfloat16", precision="bfloat16")
TWO_CRITICS = replace(TINY, name="two critics", attack_columns=24)
# What TINY does TWO_CRITICS does too.
RECIPES = (TINY_PAPER, TWO_CRITICS, HALF)


def run(recipe: Recipe, n_steps: int = 2) -> tuple[dict[str, float], list[np.ndarray]]:
    """The last losses, and the weights of generator, critic and average."""
    random = np.random.default_rng(808)
    half = recipe.precision == "bfloat16"  # whether or not this processor is quick at it
    keras.config.set_dtype_policy("mixed_bfloat16" if half else "float32")
    models = (build_generator(recipe.spec, GEOMETRY, N_CLASSES),
              build_critic(recipe.spec, GEOMETRY, N_CLASSES, recipe.attack_columns))
    keras.config.set_dtype_policy("float32")
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
    networks = (steps.generator, steps.critic, steps.averaged)
    return report, [np.asarray(w) for model in networks for w in model.get_weights()]


def main(out: str) -> None:
    """Take the steps of all recipes."""
    done = {recipe.name: run(recipe) for recipe in RECIPES}
    np.savez(out, **{f"{name} {i}": array for name, (_, weights) in done.items()
                     for i, array in enumerate(weights)})
    sys.stdout.write(json.dumps({
        "backend": keras.backend.backend(), "reports": {name: done[name][0] for name in done},
    }) + "\n")
