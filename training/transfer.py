"""Beginning a run from a finished kit: a small folder gets the experience of a large one.

Layers that know nothing of classes are taken over whole. Of those that do, the rows of classes
that both have are taken over by name; classes that are new to the kit keep their fresh values, as a
second critic does, which no kit has.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import keras
import numpy as np

from gan808.errors import TrainingError
from gan808.sound.kit.kit import Kit

from .kit_weights import load_networks
from .recipes import Recipe


def _differences(asked: dict[str, Any], there: dict[str, Any]) -> list[str]:
    return [f"{key} {there.get(key)} instead of {value}" for key, value in asked.items()
            if there.get(key) != value]


def check_fits(kit: Kit, recipe: Recipe) -> None:
    """Refuse, by name, a kit of another geometry or network size. Time may be warped otherwise:
    an image of as many columns fits the same networks. Raises TrainingError."""
    asked, there = (
        asdict(geometry) | {"columns": geometry.image_shape[1]}
        for geometry in (recipe.geometry, kit.geometry))
    for name in ("n_frames", "n_columns", "linear_columns"):
        del asked[name], there[name]
    other = _differences(asked, there)
    other += _differences(recipe.spec.to_dict(), kit.manifest.network.to_dict())
    if other:
        raise TrainingError(
            f"{kit.folder}: recipe {recipe.name} cannot begin from this kit, it has "
            f"{', '.join(other)}; give another --recipe, another kit, or no --from"
        )


def _class_axis(model: str, variable: str, recipe: Recipe) -> tuple[int, int] | None:
    """Which axis of a variable counts classes, and where on it they begin; None: none does."""
    spec = recipe.spec
    if model == "generator":
        if spec.class_embedding:
            return (0, 0) if variable.startswith("class/") else None
        return (0, spec.latent_size) if variable == "in/kernel" else None
    if variable.startswith("heard/") or (
        variable.startswith("realness/") and spec.per_class_realness
    ):
        return (-1, 0)
    return None


def _take_classes(
    fresh: np.ndarray, old: np.ndarray, axis: tuple[int, int], pairs: list[tuple[int, int]]
) -> np.ndarray:
    """old's values where fresh has the same meaning: all before the classes, and each pair of
    (class of fresh, class of old)."""
    result, source = (np.moveaxis(array, axis[0], 0) for array in (fresh.copy(), old))
    result[: axis[1]] = source[: axis[1]]
    for new_class, old_class in pairs:
        result[axis[1] + new_class] = source[axis[1] + old_class]
    return np.moveaxis(result, 0, axis[0])


def begin_from(
    kit: Kit, recipe: Recipe, classes: tuple[str, ...], generator: keras.Model, critic: keras.Model
) -> tuple[str, ...]:
    """Fill freshly built networks for `classes` with the kit's, float16 to float32.

    Returns the classes that the kit did not have. Raises TrainingError when geometry or sizes
    differ, KitError when the weights cannot be read.
    """
    check_fits(kit, recipe)
    pairs = [(i, kit.classes.index(name)) for i, name in enumerate(classes) if name in kit.classes]
    for fresh, old in zip((generator, critic), load_networks(kit), strict=True):
        there = {variable.path: variable for variable in fresh.variables}
        for source in old.variables:
            variable = there[source.path]
            axis = _class_axis(fresh.name, source.path, recipe)
            value = source.numpy()
            if axis is not None:
                value = _take_classes(variable.numpy(), value, axis, pairs)
            variable.assign(value)
    return tuple(name for name in classes if name not in kit.classes)
