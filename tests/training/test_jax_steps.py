"""The step on JAX is the step on TensorFlow, and training on JAX needs no TensorFlow."""

import importlib.util
import json
import os
import subprocess
import sys

import numpy as np
import pytest

from gan808.errors import TrainingError
from tests.training import step_once
from training import backend

# Keras and JAX are imported anew, and code is made for the steps of four recipes: minutes, if the
# machine is busy.
pytestmark = pytest.mark.timeout(900)
# A box that has no TensorFlow: the command trains and exports there and chooses JAX by itself. Then
# the steps of step_once.py, in the same process: what takes time is to import Keras and JAX.
PROGRAM = """
import json, sys
sys.modules["tensorflow"] = None
from training.recipes import RECIPES
from tests.training.tiny_recipe import TINY
RECIPES["tiny"] = TINY
from gan808.cli.main import call
for command in json.loads(sys.argv[1]):
    if status := call(command):
        sys.exit(status)
from tests.training import step_once
step_once.main(sys.argv[2])
"""
# The networks are tiny: to make their code fast takes longer than to run it.
QUICKLY_COMPILED = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"


@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="jax is not installed")
@pytest.mark.usefixtures("graphs")
def test_a_box_without_tensorflow_trains_exports_and_takes_the_same_steps(dataset, tmp_path):
    """Two steps from the same weights and the same batches: losses, norms of gradients and each
    single weight agree with TensorFlow's. Both sum in float32, in another order; bfloat16 has three
    digits, and its penalty, in float32, sees images that were made with three."""
    run, out, folder = tmp_path / "run", tmp_path / "weights.npz", str(dataset.folder)
    commands = [
        ["fit", folder, "--run", str(run), "--recipe", "tiny", "--steps", "2"],
        ["export", folder, "--run", str(run), "--kit", "mine",
         "--kits-folder", str(tmp_path / "kits")],
    ]
    clean = {key: value for key, value in os.environ.items() if key != "KERAS_BACKEND"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(commands), str(out)],
        env={**clean, "JAX_PLATFORMS": "cpu", "XLA_FLAGS": QUICKLY_COMPILED}, capture_output=True,
        text=True, timeout=800, check=False)
    assert done.returncode == 0, done.stderr
    assert (run / "checkpoints" / "step-00000002" / "generator.safetensors").is_file()
    assert list((run / "samples").glob("*.wav"))
    assert list((run / "tensorboard").glob("events.out.tfevents.*"))
    assert (tmp_path / "kits" / "mine" / "kit.toml").is_file()

    there = json.loads(done.stdout.splitlines()[-1])
    assert there["backend"] == "jax"
    with np.load(out, allow_pickle=False) as arrays:
        weights = {name: arrays[name] for name in arrays.files}
    for recipe in step_once.RECIPES:
        assert_same_steps(recipe, there["reports"][recipe.name], weights)


def assert_same_steps(recipe, report, weights):
    half = recipe.precision == "bfloat16"
    expected_report, expected = step_once.run(recipe)
    tolerance = {"rel": 0.05, "abs": 0.02} if half else {"rel": 2e-3, "abs": 2e-4}
    assert report == pytest.approx(expected_report, **tolerance), recipe.name
    apart = np.concatenate([np.abs(weights[f"{recipe.name} {i}"] - array).ravel()
                            for i, array in enumerate(expected)])
    # Adam's step is 1e-3 whatever the gradient's size: where that is all rounding its sign may
    # differ. So nearly all weights, and none by more than the steps taken.
    assert np.quantile(apart, 0.9 if half else 0.99) < (5e-4 if half else 1e-5), recipe.name
    assert apart.max() < 1e-2, recipe.name


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
