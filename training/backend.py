"""Which library training computes with, settled before Keras is imported.

TensorFlow where it is installed, JAX where only that is; KERAS_BACKEND says otherwise. The player
goes without what training takes (the extra `train`), so that is looked for here too. Called by the
command line, on its thread.
"""

from __future__ import annotations

import importlib.util
import os

from gan808.errors import TrainingError

VARIABLE = "KERAS_BACKEND"
BACKENDS = ("tensorflow", "jax")  # the first that is installed
EXTRAS = {"tensorflow": "train", "jax": "jax"}  # that bring it and the rest
LIBRARIES = ("keras", "matplotlib", "PIL", "sklearn", "tensorboardX", "threadpoolctl")


def _installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ValueError:  # a module that was switched off: sys.modules holds None
        return False


def choose_backend() -> str:
    """Set KERAS_BACKEND where it is not set; returns it. Raises TrainingError when something that
    training takes is not installed, or something else was asked for."""
    asked = os.environ.get(VARIABLE)
    if asked is not None and asked not in BACKENDS:
        raise TrainingError(f"{VARIABLE}={asked}: training runs on {' or '.join(BACKENDS)}")
    there = [name for name in ([asked] if asked else BACKENDS) if _installed(name)]
    missing = [] if there else [asked or " or ".join(BACKENDS)]
    missing += [name for name in LIBRARIES if not _installed(name)]
    if missing:
        extra = EXTRAS[there[0] if there else asked or BACKENDS[0]]
        raise TrainingError(f"training takes {', '.join(missing)}, which the player goes without: "
                            f"pip install 'gan808[{extra}]'")
    os.environ[VARIABLE] = there[0]
    return there[0]
