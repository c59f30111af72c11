"""A training run's state on disk: everything needed to go on as if nothing had happened.

A checkpoint is a folder of safetensors and one JSON file, written beside its name and renamed, so
a kill at any moment leaves the one before. Weights are numbers by name; nothing is executed.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from gan808 import atomic
from gan808.errors import TrainingError
from gan808.sound.spectral.spectrogram import Moments
from gan808.toml_json import from_json

from .recipes import Recipe
from .settings import differences, recipe_from
from .steps import Steps

FORMAT_VERSION = 2
KEEP = 2
MOMENTS = "moments.safetensors"
STATE = "state.json"
BEST = "best"  # by the held-out score: the networks that a kit needs, nothing to go on with
PLAYED = ("generator", "averaged", "critic")


def _variables(steps: Steps) -> dict[str, dict[str, Any]]:
    """Every variable of the run by file and number: Keras adds counters to names."""
    groups = {
        "generator": steps.generator.variables, "critic": steps.critic.variables,
        "averaged": steps.averaged.variables,
        "generator_optimizer": steps.generator_optimizer.variables,
        "critic_optimizer": steps.critic_optimizer.variables,
    }
    return {
        group: {f"{i:03d}": variable for i, variable in enumerate(variables)}
        for group, variables in groups.items()
    }


def size_of(steps: Steps) -> int:
    """Bytes of a checkpoint, as float32."""
    return 4 * sum(int(np.prod(variable.shape)) for group in _variables(steps).values()
                   for variable in group.values())


def folder_of(run: Path, step: int) -> Path:
    """Where the checkpoint of a step lies."""
    return run / "checkpoints" / f"step-{step:08d}"


def is_finite(steps: Steps) -> bool:
    """Whether a run could go on from these weights."""
    return all(
        bool(np.isfinite(variable.numpy()).all())
        for model in (steps.generator, steps.critic) for variable in model.variables
    )


def save(run: Path, steps: Steps, state: dict[str, Any], keep: int | None = None) -> Path:
    """Write RUN/checkpoints/step-N; keeps the last two, and that of step `keep`. state must hold
    "step".

    Raises TrainingError when the disk is full or not writable; what was there stays.
    """
    folder = folder_of(run, state["step"])
    atomic.sweep([folder.parent])  # what a kill has left of an earlier one
    _write(folder, steps, state, _variables(steps))
    for old in checkpoints(run)[:-KEEP]:
        if keep is None or old != folder_of(run, keep):
            shutil.rmtree(old, ignore_errors=True)
    return folder


def save_best(run: Path, steps: Steps, state: dict[str, Any]) -> Path:
    """Write RUN/checkpoints/best in the place of the one before. Raises TrainingError."""
    groups = _variables(steps)
    folder = run / "checkpoints" / BEST
    _write(folder, steps, state, {name: groups[name] for name in PLAYED})
    return folder


def _write(
    folder: Path, steps: Steps, state: dict[str, Any], groups: dict[str, dict[str, Any]]
) -> None:
    content = {"format_version": FORMAT_VERSION, "recipe": steps.recipe.to_dict(), **state}
    try:
        with atomic.replacing_folder(folder, durable=True) as partial:
            for group, variables in groups.items():
                arrays = {
                    name: np.ascontiguousarray(variable.numpy())
                    for name, variable in variables.items()
                }
                save_file(arrays, partial / f"{group}.safetensors")
            moments = {"mean": steps.moments.mean, "deviation": steps.moments.deviation}
            save_file(moments, partial / MOMENTS)
            (partial / STATE).write_text(json.dumps(content))
    except (OSError, SafetensorError) as error:
        raise TrainingError(
            f"{folder}: cannot write the checkpoint ({error}); the one before is kept"
        ) from error


def rewind(run: Path, folder: Path, changes: dict[str, Any]) -> None:
    """Make `folder` the run's last checkpoint and change what its state says. Raises
    TrainingError when it cannot be written."""
    content = json.dumps(read_state(folder) | changes)
    try:
        atomic.write_text(folder / STATE, content, durable=True)
    except OSError as error:
        raise TrainingError(f"{folder}: cannot write ({error.strerror})") from error
    for later in checkpoints(run):
        if later > folder:
            shutil.rmtree(later, ignore_errors=True)


def checkpoints(run: Path) -> list[Path]:
    """Complete checkpoints, oldest first."""
    return sorted(p for p in (run / "checkpoints").glob("step-????????") if p.is_dir())


def best(run: Path) -> Path | None:
    """The checkpoint with the best held-out score, if any was scored."""
    folder = run / "checkpoints" / BEST
    if not folder.is_dir():  # perhaps killed between two renames
        atomic.sweep([folder.parent])
    return folder if folder.is_dir() else None


def read_state(folder: Path) -> dict[str, Any]:
    """The JSON part of a checkpoint. Raises TrainingError naming what is wrong."""
    try:
        state: dict[str, Any] = from_json((folder / STATE).read_text())
        version = state["format_version"]
    except (OSError, ValueError, KeyError) as error:
        raise TrainingError(f"{folder}: not a checkpoint ({error})") from error
    if version != FORMAT_VERSION:
        raise TrainingError(
            f"{folder}: checkpoint format {version}, this program reads {FORMAT_VERSION}"
        )
    return state


def read_moments(folder: Path) -> Moments:
    """By which the run's images are normalised. Raises TrainingError."""
    try:
        arrays = load_file(folder / MOMENTS)
        return Moments(arrays["mean"], arrays["deviation"])
    except (OSError, SafetensorError, KeyError) as error:
        raise TrainingError(f"{folder / MOMENTS}: damaged checkpoint ({error})") from error


def check_recipe(folder: Path, state: dict[str, Any], recipe: Recipe) -> None:
    """Refuse, by name, a checkpoint of another recipe."""
    there = recipe_from(state["recipe"], str(folder))
    other = differences(there, recipe)
    if there.name != recipe.name:
        raise TrainingError(
            f"{folder}: belongs to another recipe, {there.name} instead of {recipe.name}; give "
            "--run another folder or --recipe the same"
        )
    if other:
        raise TrainingError(
            f"{folder}: belongs to recipe {there.name} with {', '.join(other)}; give --run another "
            "folder, or --set the same"
        )


def load(folder: Path, steps: Steps) -> dict[str, Any]:
    """Restore a run from a checkpoint; returns its state. Raises TrainingError."""
    state = read_state(folder)
    check_recipe(folder, state, steps.recipe)
    for group, variables in _variables(steps).items():
        path = folder / f"{group}.safetensors"
        try:
            arrays = load_file(path)
            for name, variable in variables.items():
                variable.assign(arrays[name].reshape(variable.shape))
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            raise TrainingError(f"{path}: damaged checkpoint ({error})") from error
    return state
