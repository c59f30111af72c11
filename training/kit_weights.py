"""Keras's networks and a kit's numbers: float16 in the kit, float32 in memory."""

from __future__ import annotations

import keras
import numpy as np

from gan808.errors import KitError
from gan808.sound.kit.kit import Kit
from gan808.sound.network.weights import read_weights

from .networks import ATTACK, build_critic, build_generator


def _names(model: keras.Model) -> list[str]:
    """One name a variable, in the model's order: generator.up0.kernel."""
    return [f"{model.name}.{variable.path.replace('/', '.')}" for variable in model.variables]


def weights_of(*models: keras.Model) -> dict[str, np.ndarray]:
    """Every variable of the models by name, float16, but those that training alone needs. Raises
    KitError when one overflows it."""
    weights = {}
    for model in models:
        for name, variable in zip(_names(model), model.variables, strict=True):
            if name.startswith(f"critic.{ATTACK}"):
                continue
            array = np.asarray(variable.numpy(), dtype=np.float16)
            if not np.isfinite(array).all():
                raise KitError(f"{name}: does not fit float16; the run has diverged")
            weights[name] = np.ascontiguousarray(array)
    return weights


def load_networks(kit: Kit) -> tuple[keras.Model, keras.Model]:
    """Build the kit's generator and critic and fill them. Raises KitError naming the file and
    what does not fit."""
    manifest, weights = kit.manifest, read_weights(kit)
    sizes = (manifest.network, manifest.geometry, len(manifest.classes))
    models = build_generator(*sizes), build_critic(*sizes)
    for model in models:
        for name, variable in zip(_names(model), model.variables, strict=True):
            variable.assign(weights[name])
    return models
