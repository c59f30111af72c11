"""Recipes changed by `--set key=value`, and recipes read back from checkpoints."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any

from pydantic import TypeAdapter, ValidationError

from gan808.errors import Gan808Error, TrainingError
from gan808.sound.network.spec import NetworkSpec, without_gone
from gan808.toml_json import from_json

from .recipes import RECIPES, Recipe

FIXED = ("name", "geometry", "spec")  # a geometry belongs to a dataset, a name to a recipe
GONE = (("cutout", 0.0),)  # what recipes of before say of what they had not switched on


def _keys() -> list[str]:
    own = [field.name for field in fields(Recipe) if field.name not in FIXED]
    return own + [f"spec.{field.name}" for field in fields(NetworkSpec)]


def _value(text: str) -> Any:
    """A number, true, false or a list as JSON has them; else the text itself."""
    try:
        return from_json(text)
    except ValueError:
        return text


def _checked(content: dict[str, Any], where: str) -> Recipe:
    try:
        return TypeAdapter(Recipe).validate_python(content)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise TrainingError(f"{where}: {key}: {first['msg']}") from error
    except Gan808Error as error:  # from the network's or the geometry's own checks
        raise TrainingError(f"{where}: {error}") from error


def with_settings(recipe: Recipe, settings: Sequence[str]) -> Recipe:
    """The recipe with `key=value` settings, such as batch=16, augment=false or spec.width=24.

    Raises TrainingError naming the setting and what is accepted.
    """
    content = asdict(recipe)
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals or key not in _keys():
            raise TrainingError(f"--set {setting}: takes KEY=VALUE, KEY one of "
                                f"{', '.join(_keys())}")
        part = content["spec"] if key.startswith("spec.") else content
        part[key.removeprefix("spec.")] = _value(text)
    return _checked(content, f"--set {' '.join(settings)}") if settings else recipe


def recipe_from(stored: dict[str, Any], where: str) -> Recipe:
    """The recipe in a checkpoint; what a program of before did not know has its default. Raises
    TrainingError naming what this program does not know."""
    try:
        spec = without_gone(stored.get("spec", {}))
    except Gan808Error as error:
        raise TrainingError(f"{where}: {error}") from error
    stored = {key: value for key, value in stored.items() if (key, value) not in GONE}
    known = {field.name for field in fields(Recipe)}
    of_spec = {field.name for field in fields(NetworkSpec)}
    strange = [key for key in stored if key not in known]
    strange += [f"spec.{key}" for key in spec if key not in of_spec]
    if strange:
        raise TrainingError(f"{where}: its recipe has {', '.join(strange)}, which this program "
                            "does not know; another version made it")
    return _checked({**stored, "spec": spec}, where)


def differences(wanted: Recipe, there: Recipe) -> list[str]:
    """`key=value` of everything in which `wanted` differs from `there`."""
    ours, theirs = _flat(wanted), _flat(there)
    return [f"{key}={json.dumps(value)}" for key, value in ours.items() if theirs[key] != value]


def _flat(recipe: Recipe) -> dict[str, Any]:
    content = from_json(json.dumps(asdict(recipe)))
    flat = {key: value for key, value in content.items() if not isinstance(value, dict)}
    for group in ("spec", "geometry"):
        flat |= {f"{group}.{key}": value for key, value in content[group].items()}
    return flat


def title(recipe: Recipe) -> str:
    """Its name, and what was set: `house (batch=16, spec.width=24)`."""
    plain = RECIPES.get(recipe.name)
    changed = differences(recipe, plain) if plain else []
    return f"{recipe.name} ({', '.join(changed)})" if changed else recipe.name
