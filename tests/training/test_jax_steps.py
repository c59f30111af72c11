"""The step on JAX is the step on TensorFlow, and training on JAX needs no TensorFlow."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gan808.errors import TrainingError
from tests.training import step_once
from training import backend

# An interpreter in which TensorFlow cannot be imported, as on a box that has none.
WITHOUT_TENSORFLOW = """
import runpy, sys
sys.modules["tensorflow"] = None
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=False)
"""
needs_jax = pytest.mark.skipif(importlib.util.find_spec("jax") is None,
                               reason="jax is not installed")


def without_tensorflow(module, *arguments, **environment):
    clean = {key: value for key, value in os.environ.items() if key != "KERAS_BACKEND"}
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_TENSORFLOW, module, *map(str, arguments)],
        env={**clean, "JAX_PLATFORMS": "cpu", **environment}, capture_output=True, text=True,
        timeout=280, check=False,
    )


@pytest.fixture(scope="module")
def on_jax(tmp_path_factory):
    """What the steps did on JAX: losses by recipe, and weights by recipe and number."""
    out = tmp_path_factory.mktemp("jax") / "weights.npz"
    result = without_tensorflow("tests.training.step_once", out, KERAS_BACKEND="jax")
    assert result.returncode == 0, result.stderr
    there = json.loads(result.stdout.splitlines()[-1])
    assert there["backend"] == "jax"
    with np.load(out, allow_pickle=False) as arrays:
        return there["reports"], {name: arrays[name] for name in arrays.files}


@needs_jax
@pytest.mark.parametrize("recipe", step_once.RECIPES, ids=lambda recipe: recipe.name)
def test_jax_takes_the_same_steps(recipe, on_jax):
    """Two steps from the same weights and the same batches: losses, norms of gradients and each
    single weight agree. Both sum in float32, in another order; bfloat16 has three digits, and its
    penalty, in float32, sees images that were made with three."""
    reports, weights = on_jax
    half = recipe.precision == "bfloat16"
    report, expected = step_once.run(recipe)
    tolerance = {"rel": 0.05, "abs": 0.02} if half else {"rel": 2e-3, "abs": 2e-4}
    assert reports[recipe.name] == pytest.approx(report, **tolerance)
    apart = np.concatenate([np.abs(weights[f"{recipe.name} {i}"] - array).ravel()
                            for i, array in enumerate(expected)])
    # Adam's step is 1e-3 whatever the gradient's size: where that is all rounding its sign may
    # differ. So nearly all weights, and none by more than the steps taken.
    assert np.quantile(apart, 0.9 if half else 0.99) < (5e-4 if half else 1e-5)
    assert apart.max() < 1e-2


@needs_jax
def test_fit_on_a_box_without_tensorflow(dataset, tmp_path):
    """The command chooses JAX by itself, trains and writes a checkpoint, samples and curves; the
    kit is exported there too, by the same program: what takes time is to import Keras and JAX."""
    program = tmp_path / "fit_tiny.py"
    program.write_text(
        "from training.recipes import RECIPES\n"
        "from tests.training.tiny_recipe import TINY\n"
        "RECIPES['tiny'] = TINY\n"
        "import json, sys\n"
        "from gan808.cli.main import call\n"
        "for command in json.loads(sys.argv[1]):\n"
        "    if status := call(command):\n"
        "        sys.exit(status)\n"
    )
    run = tmp_path / "run"
    path = os.pathsep.join([str(tmp_path), str(Path.cwd())])
    folder = str(dataset.folder)
    commands = [
        ["fit", folder, "--run", str(run), "--recipe", "tiny", "--steps", "2"],
        ["export", folder, "--run", str(run), "--kit", "mine",
         "--kits-folder", str(tmp_path / "kits")],
    ]
    done = without_tensorflow("fit_tiny", json.dumps(commands), PYTHONPATH=path)
    assert done.returncode == 0, done.stderr
    assert (run / "checkpoints" / "step-00000002" / "generator.safetensors").is_file()
    assert list((run / "samples").glob("*.wav"))
    assert list((run / "tensorboard").glob("events.out.tfevents.*"))
    assert (tmp_path / "kits" / "mine" / "kit.toml").is_file()


def test_the_backend_is_what_is_there(monkeypatch):
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setattr(backend, "_installed", lambda name: name != "tensorflow")
    assert backend.choose_backend() == os.environ["KERAS_BACKEND"] == "jax"
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    with pytest.raises(TrainingError, match=r"takes tensorflow, which .*gan808\[train\]"):
        backend.choose_backend()
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    with pytest.raises(TrainingError, match="KERAS_BACKEND=torch: training runs on tensorflow or"):
        backend.choose_backend()
    monkeypatch.setattr(backend, "_installed", lambda name: False)
    monkeypatch.delenv("KERAS_BACKEND")
    with pytest.raises(TrainingError, match="takes tensorflow or jax, keras"):
        backend.choose_backend()
