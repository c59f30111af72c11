"""TensorFlow, or on a machine without it a stand-in that says so as soon as it is used.

Whoever only imports what renders (training on JAX does) gets by without; rendering does not.
"""

from __future__ import annotations

from typing import NoReturn

from gan808.errors import RenderError

__all__ = ["can_render", "tf"]


class _Missing:
    """In TensorFlow's place."""

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):  # Python asking what this is, not somebody using it
            raise AttributeError(name)
        raise RenderError(
            "sounds are rendered by TensorFlow, which is not installed here: `pip install "
            "tensorflow`, or go on where it is (a run's folder can be copied there)"
        )


try:
    import tensorflow as tf
except ModuleNotFoundError:
    tf = _Missing()


def can_render() -> bool:
    """Whether TensorFlow is there."""
    return not isinstance(tf, _Missing)
