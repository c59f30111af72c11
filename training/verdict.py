"""What an evaluation means, in the words of somebody who plays: which classes are good, which sound
like others, and what to do. Pure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from .evaluate import MIN_IN_CLASS, ClassScore, Evaluation

# Of the share at which recordings of the class are recognised: as the target of the weakest class;
# and of that of all recordings, below which most of what is heard is not what was asked for.
GOOD, NOISE = 0.8, 0.5
# A class of which less is accepted is made seldom: the instrument goes on with what it has.
SELDOM = 0.1


@dataclass(frozen=True)
class Verdict:
    """sentence: which classes are good and what is wrong with the others. ready: whether the kit is
    more than noise. recognised: the share of sounds heard as their class, 0..1."""

    sentence: str
    ready: bool
    recognised: float

    @property
    def advice(self) -> str:
        """What makes it better; "" where it is ready."""
        if self.ready:
            return ""
        return ("train for more hours (the same command with a larger --hours), or begin from a "
                "kit that is good: --from gan808")

    @property
    def summary(self) -> str:
        """All of it: a few sentences."""
        told = f"{self.recognised:.0%} of its sounds are recognised as what they should be."
        advice = f" {self.advice[:1].upper()}{self.advice[1:]}." if self.advice else ""
        return f"{self.sentence} {told}{advice}"


def verdict(evaluation: Evaluation) -> Verdict:
    """Judge by what is recognised, beside recordings of the same class."""
    recognised = evaluation.rows["class_accuracy"].generated.value
    share = evaluation.ratios["class_accuracy"].value
    ready = not math.isnan(share) and share >= NOISE
    good: list[str] = []
    wrong: list[str] = []
    for (name, score), heard in zip(evaluation.per_class.items(), evaluation.confusion,
                                    strict=True):
        fault = _fault(name, score, dict(zip(evaluation.per_class, heard, strict=True)))
        (wrong if fault else good).append(f"{_plural(name)} {fault}" if fault else _plural(name))
    parts = [f"{_listed(good)} are good"] if good else []
    sentence = "; ".join([*parts, *wrong])
    return Verdict(f"{sentence[:1].upper()}{sentence[1:]}.", ready,
                   0.0 if math.isnan(recognised) else recognised)


def _fault(name: str, score: ClassScore, heard: dict[str, int]) -> str:
    """What is wrong with a class; "" for a good one. heard: as what its sounds are, by class."""
    if not score.filed:
        return "are missing, not one was accepted"
    real = score.accuracy_real.value if score.held_out >= MIN_IN_CLASS else math.nan
    least = GOOD * (1.0 if math.isnan(real) else real)
    if score.accuracy.value >= least:
        return "are seldom accepted" if score.accepted.value < SELDOM else ""
    others = {other: count for other, count in heard.items() if other != name}
    like = max(others, key=lambda other: others[other])
    often = "often " if score.accuracy.value >= NOISE * least else ""
    return f"{often}sound like {_plural(like)}"


def _plural(name: str) -> str:
    plain = name.replace("_", " ")
    if plain.endswith(("s", "x", "sh", "ch")):
        return plain if plain.endswith("s") else f"{plain}es"
    return f"{plain}s"


def _listed(names: list[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
