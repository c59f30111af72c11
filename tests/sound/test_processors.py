"""What is between the networks and the sound gives the same bits on every processor."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from typing import Any

import numba
import numpy as np
import pytest
from numba import types
from numpy._core._multiarray_umath import __cpu_features__

from gan808.sound.spectral import simd
from gan808.sound.spectral.fourier import compiled, twiddles
from gan808.sound.spectral.geometry import HOUSE
from gan808.sound.spectral.griffin_lim import magnitudes
from gan808.sound.spectral.spectrogram import Moments, hann

# What NumPy may use where the processor has it, and leaves when it is told to.
ABILITIES = [name for name in ("X86_V4", "X86_V3", "ASIMDHP") if __cpu_features__.get(name)]
FAST = {"fast", "contract", "reassoc", "nsz", "arcp", "afn", "nnan", "ninf"}


def target_hash() -> str:
    """A hash of what the rounds of Griffin-Lim begin with, all of it that NumPy and SciPy make."""
    random = np.random.default_rng(808)
    image = random.uniform(-1.0, 0.5, HOUSE.image_shape[:2]).astype(np.float32)
    level = np.linspace(-4.0, 1.0, HOUSE.n_bands, dtype=np.float32)
    made = magnitudes(image, HOUSE, Moments(level, np.ones_like(level)), stream=3)
    digest = hashlib.sha256(made.tobytes())
    for fixed in (hann(HOUSE.n_fft), twiddles(HOUSE.n_fft)):
        digest.update(fixed.tobytes())
    return digest.hexdigest()


@pytest.mark.skipif(not ABILITIES, reason="NumPy uses nothing here that it could leave")
def test_numpy_makes_the_same_without_what_this_processor_can_do_beyond_others() -> None:
    program = "from tests.sound.test_processors import *; print(ABILITIES, target_hash())"
    child = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "NPY_DISABLE_CPU_FEATURES": " ".join(ABILITIES)},
        check=True, capture_output=True, text=True, timeout=120)
    assert child.stdout.split() == ["[]", target_hash()]


def test_compiled_sums_are_neither_fused_nor_reordered_nor_estimated() -> None:
    """x / sqrt(y) with fast-math becomes an estimate, another one for each maker and generation."""

    @numba.njit
    def each(array: Any) -> None:
        a, b = simd.load(array, 0), simd.load(array, simd.LANES)
        simd.store(array, 0, (a * b + a - b) / simd.sqrt(a * a + b * b) * simd.splat(array[0]))

    each.compile((types.float32[::1],))
    (code,) = each.inspect_llvm().values()
    vectors = [line for line in code.splitlines() if f"<{simd.LANES} x float>" in line]
    assert any("fdiv" in line for line in vectors)
    assert any("sqrt" in line for line in vectors)
    assert not [line for line in vectors if FAST & set(line.split())]
    assert not compiled(lambda x: x).targetoptions.get("fastmath")
