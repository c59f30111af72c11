"""In which numbers networks are built: bfloat16 where the machine multiplies them fast.

bfloat16 keeps float32's range, so losses need no scaling; weights, optimisers and the networks'
outputs stay float32 (Keras's mixed_bfloat16). On two cores with AVX512-BF16 a step takes two
thirds of the time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras

CPU_INFO = Path("/proc/cpuinfo")
CPU_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})


def has_bfloat16() -> bool:
    """Whether this machine's processor multiplies bfloat16 in hardware, or a GPU is there."""
    if _has_gpu():
        return True
    try:
        words = CPU_INFO.read_text().split()
    except OSError:  # not Linux
        return False
    return not CPU_FLAGS.isdisjoint(words)


def _has_gpu() -> bool:
    if keras.backend.backend() == "jax":
        import jax

        return any(device.platform != "cpu" for device in jax.devices())
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))


@contextmanager
def built_in(precision: str) -> Iterator[None]:
    """Layers made inside compute in "float32", or in "bfloat16" where the machine has it."""
    before = keras.config.dtype_policy()
    wanted = precision == "bfloat16" and has_bfloat16()
    keras.config.set_dtype_policy("mixed_bfloat16" if wanted else "float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def in_float32(model: keras.Model) -> keras.Model:
    """The model itself if it computes in float32, else a new one that does and has no weights yet.
    The gradient of a gradient needs more digits than bfloat16 has."""
    if all(layer.compute_dtype == "float32" for layer in model.layers):
        return model

    def precise(layer: keras.Layer) -> Any:
        return type(layer).from_config({**layer.get_config(), "dtype": "float32"})

    return keras.models.clone_model(model, clone_function=precise)
