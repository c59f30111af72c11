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

from gan808.errors import TrainingError
from gan808.sound.spectrogram import Moments
from training.recipes import Recipe
from training.steps import Steps

FORMAT_VERSION = 2
KEEP = 2
MOMENTS = "moments.safetensors"


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


def save(run: Path, steps: Steps, state: dict[str, Any]) -> Path:
    """Write RUN/checkpoints/step-N; keeps the last two. state must hold "step".

    Raises TrainingError when the disk is full or not writable; what was there stays.
    """
    folder = run / "checkpoints" / f"step-{state['step']:08d}"
    partial = folder.with_suffix(".partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        for group, variables in _variables(steps).items():
            arrays = {
                name: np.ascontiguousarray(variable.numpy())
                for name, variable in variables.items()
            }
            save_file(arrays, partial / f"{group}.safetensors")
        moments = {"mean": steps.moments.mean, "deviation": steps.moments.deviation}
        save_file(moments, partial / MOMENTS)
        content = {"format_version": FORMAT_VERSION, "recipe": steps.recipe.to_dict(), **state}
        (partial / "state.json").write_text(json.dumps(content, indent=1))
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
        for old in checkpoints(run)[:-KEEP]:
            shutil.rmtree(old, ignore_errors=True)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise TrainingError(
            f"{folder}: cannot write the checkpoint ({error}); the one before is kept"
        ) from error
    return folder


def checkpoints(run: Path) -> list[Path]:
    """Complete checkpoints, oldest first."""
    return sorted(p for p in (run / "checkpoints").glob("step-????????") if p.is_dir())


def read_state(folder: Path) -> dict[str, Any]:
    """The JSON part of a checkpoint. Raises TrainingError naming what is wrong."""
    try:
        state: dict[str, Any] = json.loads((folder / "state.json").read_text())
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
    wanted = json.loads(json.dumps(recipe.to_dict()))
    other = [key for key, value in wanted.items() if state["recipe"].get(key) != value]
    if other:
        raise TrainingError(
            f"{folder}: belongs to another recipe (differs in {', '.join(other)}); "
            "give --run another folder or the same recipe"
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
