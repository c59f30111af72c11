"""Engines and sounds for the engine's tests: seeded, offline, no device."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from gan808.engine.engine import Engine, Port

RATE_HZ = 48_000
CENTRE = np.sqrt(0.5)
BLOCKS = (1, 64, 65, 128, 1023)


def new_engine(**options: int) -> tuple[Engine, Port]:
    """A small engine and its test port."""
    engine = Engine(RATE_HZ, **{"cells": 32, **options})
    return engine, engine.port("test")


def load(engine: Engine, slot: int, audio: NDArray[np.float32] | Sequence[float]) -> int:
    """Writes a sound and assigns it to a slot; returns its cell."""
    cell = engine.write_sound(np.asarray(audio, np.float32))
    assert cell is not None
    assert engine.port("test").assign(slot, cell)
    return cell


def render(engine: Engine, frames: int, block: int | None = None) -> NDArray[np.float32]:
    """The next frames, float32 (frames, 2), mixed in blocks of the given size."""
    out = np.full((frames, 2), np.nan, np.float32)
    step = block or frames
    for first in range(0, frames, step):
        engine.process(out[first:first + step])
    return out


def sine(frames: int, frequency_hz: float = 220.0, height: float = 0.5) -> NDArray[np.float32]:
    """A sine that begins at zero."""
    phase = 2 * np.pi * frequency_hz * np.arange(frames) / RATE_HZ
    return np.asarray(height * np.sin(phase), np.float32)


def plateau(frames: int, height: float = 0.5, ramp: int = 480) -> NDArray[np.float32]:
    """A sound that rises in 10 ms, stays, and falls in 10 ms: any click stands out on it."""
    sound = np.full(frames, height, np.float32)
    sound[:ramp] *= np.linspace(0, 1, ramp, dtype=np.float32)
    sound[-ramp:] *= np.linspace(1, 0, ramp, dtype=np.float32)
    return sound


def drum(seed: int, frames: int = 9600) -> NDArray[np.float32]:
    """Decaying noise."""
    noise = np.random.default_rng(seed).standard_normal(frames) * 0.2
    return np.asarray(noise * np.exp(-np.arange(frames) / 2000), np.float32)


def largest_step(audio: NDArray[np.float32]) -> float:
    """The largest jump between neighbouring samples of either channel."""
    return float(np.abs(np.diff(audio, axis=0)).max())


Scene = Callable[[Engine, Port], None]
