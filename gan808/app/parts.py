"""Parts that a live run and one into a file have in common. The main thread."""

from __future__ import annotations

import secrets
import threading

from gan808.app.display import Display
from gan808.config import HIGHEST_SEED, Settings
from gan808.engine.engine import Engine

COMPILING_S = 1.0  # loading the compiled mixer takes a few milliseconds


def make_engine(rate_hz: int, settings: Settings, display: Display) -> Engine:
    """The engine; says so when numba has to compile the mixer, which it does once a machine."""
    patience = threading.Timer(COMPILING_S, display.say, ["preparing the mixer, this first time"])
    patience.daemon = True
    patience.start()
    try:
        return Engine(rate_hz, cells=settings.engine.cells, voices=settings.engine.voices)
    finally:
        patience.cancel()


def with_seed(settings: Settings) -> Settings:
    """The settings with a seed drawn where none was chosen, so that it can be told and repeated."""
    if settings.renderer.seed >= 0:
        return settings
    return settings.replace({"renderer": {"seed": secrets.randbelow(HIGHEST_SEED + 1)}})
