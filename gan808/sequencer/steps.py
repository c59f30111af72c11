"""One step of a row, and the signs it is written with. Immutable values; no thread."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from types import MappingProxyType

MAX_STEPS = 64
MAX_RATCHET = 8
MAX_NUDGE = 0.5  # of a step, either way
MAX_TUNE_SEMITONES = 24.0
MAX_REPEATS = 16
# An accent is what a style stands on: variation leaves it where it is.
ACCENT, NORMAL, SOFT, GHOST = 1.0, 0.78, 0.55, 0.32
VELOCITIES = MappingProxyType({"X": ACCENT, "x": NORMAL, "o": SOFT, "g": GHOST, ".": 0.0})


@dataclass(frozen=True, slots=True)
class Step:
    """A place in a row; it rests while its velocity is 0.

    velocity 0..1. chance 0..1: how often it sounds. ratchet 1..8: so many hits, evenly until the
    next step. nudge -0.5..0.5 of a step: earlier or later than its place. tune_semitones -24..24
    and pan -1..1: of this step, on top of its slot's. condition: see `met`; "" is always. decay
    0..1: times its slot's.
    """

    velocity: float = 0.0
    chance: float = 1.0
    ratchet: int = 1
    nudge: float = 0.0
    tune_semitones: float = 0.0
    pan: float = 0.0
    condition: str = ""
    decay: float = 1.0

    @property
    def sounds(self) -> bool:
        """Whether it is a hit at all."""
        return self.velocity > 0

    def met(self, repeat: int, filling: bool) -> bool:
        """Whether the step's condition holds. repeat: how often its row has gone round, from 0."""
        wanted = not self.condition.startswith("!")
        match self.condition.removeprefix("!"):
            case "":
                return True
            case "fill":
                return filling is wanted
            case "first":
                return (repeat == 0) is wanted
            case ratio:
                time, of = map(int, ratio.split(":"))
                return repeat % of == time - 1


def is_condition(text: str) -> bool:
    """Whether it is one of fill, !fill, first, !first and A:B, the A-th of every B times."""
    if text in ("", "fill", "!fill", "first", "!first"):
        return True
    found = re.fullmatch(r"([0-9]{1,2}):([0-9]{1,2})", text, re.ASCII)
    return found is not None and 1 <= int(found[1]) <= int(found[2]) <= MAX_REPEATS


Row = tuple[Step, ...]
REST = Step()


def row_of(steps: Iterable[Step | float]) -> Row:
    """A row of steps; a plain number is a step of that velocity."""
    return tuple(
        step if isinstance(step, Step) else Step(float(step)) if step else REST for step in steps
    )


def nearest_sign(velocity: float) -> str:
    """The sign of the steps whose velocity is nearest; a hit never becomes a rest."""
    if velocity <= 0:
        return "."
    return min((sign for sign in VELOCITIES if sign != "."),
               key=lambda sign: abs(VELOCITIES[sign] - velocity))
