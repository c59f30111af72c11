"""The step on JAX is the step on TensorFlow."""

import importlib.util
import json
import os
import subprocess
import sys

import pytest

from tests.training import step_once

# An interpreter in which TensorFlow cannot be imported, as on a box that has none.
WITHOUT_TENSORFLOW = """
import runpy, sys
sys.modules["tensorflow"] = None
runpy.run_module("tests.training.step_once", run_name="__main__")
"""


@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="jax is not installed")
def test_jax_takes_the_same_steps_without_tensorflow():
    """Two steps of both recipes, from the same weights and the same batches: losses, norms of
    gradients and weights agree. Both backends sum in float32, in another order."""
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    result = subprocess.run(
        [sys.executable, "-c", WITHOUT_TENSORFLOW], env=environment, capture_output=True,
        text=True, timeout=240, check=False,
    )
    assert result.returncode == 0, result.stderr
    there = json.loads(result.stdout.splitlines()[-1])
    assert there["backend"] == "jax"
    for recipe, expected in step_once.everything().items():
        assert there["reports"][recipe] == pytest.approx(expected, rel=2e-3, abs=2e-4), recipe
