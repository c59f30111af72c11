"""Sounds made of nothing but their identity, for tests of the stock and of what carries it."""

from __future__ import annotations

import numpy as np

from gan808.sound.sound import Descriptors, Sound


def make_sound(
    class_name: str = "kick",
    seed: int = 0,
    *,
    pitch_hz: float = 100.0,
    brightness_hz: float = 1000.0,
    class_heard: str | None = None,
    n_frames: int = 64,
    kit: str = "fake",
    sample_rate_hz: int = 48000,
    trail: str = "",
) -> Sound:
    """A sound whose audio is a function of class, seed and trail alone."""
    rng = np.random.default_rng([seed, *class_name.encode(), *trail.encode()])
    shape = (n_frames, 2) if "+w@" in trail else (n_frames,)
    return Sound(
        kit=kit,
        class_asked=class_name,
        seed=seed,
        class_heard=class_heard or class_name,
        confidence=0.9,
        realness=0.5,
        audio=rng.uniform(-0.5, 0.5, shape).astype(np.float32),
        sample_rate_hz=sample_rate_hz,
        descriptors=Descriptors(0.1, brightness_hz, pitch_hz, -12.0),
        trail=trail,
    )
