"""A kit's networks and their numbers: float16 in weights.safetensors, float32 in memory.

Imports Keras; runs in the render process, in `kits verify` and in training's export.
"""

from __future__ import annotations

import keras
import numpy as np
from safetensors import SafetensorError, safe_open

from gan808.errors import KitError
from gan808.sound import kit_checks
from gan808.sound.kit import WEIGHTS, Kit
from gan808.sound.networks import build_critic, build_generator


def _names(model: keras.Model) -> list[str]:
    """One name a variable, in the model's order: generator.up0.kernel."""
    return [f"{model.name}.{variable.path.replace('/', '.')}" for variable in model.variables]


def weights_of(*models: keras.Model) -> dict[str, np.ndarray]:
    """Every variable of the models by name, float16. Raises KitError when one overflows it."""
    weights = {}
    for model in models:
        for name, variable in zip(_names(model), model.variables, strict=True):
            array = np.asarray(variable.numpy(), dtype=np.float16)
            if not np.isfinite(array).all():
                raise KitError(f"{name}: does not fit float16; the run has diverged")
            weights[name] = np.ascontiguousarray(array)
    return weights


def load_networks(kit: Kit) -> tuple[keras.Model, keras.Model]:
    """Build the kit's generator and critic and fill them. Raises KitError naming the file and
    what does not fit."""
    manifest, path = kit.manifest, kit.folder / WEIGHTS
    kit_checks.check_weights(path)
    sizes = (manifest.network, manifest.geometry, len(manifest.classes))
    models = build_generator(*sizes), build_critic(*sizes)
    try:
        with safe_open(path, framework="numpy") as file:
            there = set(file.keys())
            for model in models:
                for name, variable in zip(_names(model), model.variables, strict=True):
                    if name not in there:
                        raise KitError(f"{path}: {name} is missing")
                    shape = tuple(file.get_slice(name).get_shape())
                    if shape != tuple(variable.shape):
                        raise KitError(
                            f"{path}: {name} has shape {shape}, kit.toml asks for "
                            f"{tuple(variable.shape)}"
                        )
                    array = file.get_tensor(name).astype(np.float32)
                    if not np.isfinite(array).all():
                        raise KitError(f"{path}: {name} holds values that are not finite")
                    variable.assign(array)
    except (OSError, SafetensorError) as error:
        raise KitError(f"{path}: cannot be read ({error})") from error
    return models
