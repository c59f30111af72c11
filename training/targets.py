"""What a kit that ships should reach, and whether it does."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from .intervals import Figure


@dataclass(frozen=True)
class Target:
    """One figure with the bounds that are wanted of it. met: by the value; sure: the whole
    interval lies on the value's side of the bounds."""

    name: str
    wanted: str
    figure: Figure
    met: bool
    sure: bool

    @property
    def verdict(self) -> str:
        return ("pass" if self.met else "miss") + ("" if self.sure else ", not sure")


# Name of the ratio, what it is called, least, most.
WANTED: tuple[tuple[str, str, float, float], ...] = (
    ("class_accuracy", "recognised as its class, to held-out recordings", 0.95, math.inf),
    ("weakest_class", "the weakest class, to its own held-out recordings", 0.8, math.inf),
    ("inception_score", "Inception score, to held-out recordings", 0.95, math.inf),
    ("frechet", "Frechet distance to held-out recordings, to the codec's", 0.0, 2.0),
    ("diversity", "variety inside a class, to training recordings", 0.9, math.inf),
    ("coverage", "coverage of held-out recordings", 0.75, math.inf),
    ("nearest", "distance to the nearest training sound, to held-out recordings'", 0.9, 1.3),
)


def _bounds(least: float, most: float) -> str:
    if math.isinf(most):
        return f"at least {least:g}"
    return f"at most {most:g}" if least == 0.0 else f"{least:g} to {most:g}"


def judged(figures: Mapping[str, Figure]) -> tuple[Target, ...]:
    """Every target, by figures that bear the names of WANTED."""
    targets = []
    for key, name, least, most in WANTED:
        figure = figures[key]
        met = least <= figure.value <= most
        within = least <= figure.low and figure.high <= most
        without = figure.high < least or figure.low > most
        targets.append(Target(name, _bounds(least, most), figure, met, within if met else without))
    return tuple(targets)
