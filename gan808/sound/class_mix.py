"""Classes and what lies between them, by name.

    kick                        a class
    kick+snare@0.3              three tenths of the way from the kick to the snare
    kick+snare@0.3+clap@0.5     half way from there to the clap

A mix stands wherever the name of the class asked for does: in an id, in a request to the renderer.
Pure functions and values; any thread.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property, lru_cache

from gan808.errors import ConfigError
from gan808.sound.latent import checked_share, share_text

MOST_STEPS = 8
CLASS_NAME = r"[a-z0-9][a-z0-9_]{0,31}"
_STEP = re.compile(rf"\+({CLASS_NAME})@([01](?:\.[0-9]{{1,4}})?)")
_MIX = re.compile(rf"({CLASS_NAME})((?:{_STEP.pattern})*)")


@dataclass(frozen=True)
class ClassMix:
    """A class and the steps from it towards others, each with its amount, 0..1. str() is its name.

    Raises ConfigError for more than MOST_STEPS steps.
    """

    first: str
    steps: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        if len(self.steps) > MOST_STEPS:
            raise ConfigError(f"{MOST_STEPS} classes are the most that mix; go on from a sound of "
                              "one class")

    def __str__(self) -> str:
        return self.first + "".join(f"+{name}@{share_text(amount)}" for name, amount in self.steps)

    @cached_property
    def shares(self) -> dict[str, float]:
        """How much of each class is in it; together 1."""
        shares = {self.first: 1.0}
        for name, amount in self.steps:
            shares = {each: share * (1.0 - amount) for each, share in shares.items()}
            shares[name] = shares.get(name, 0.0) + amount
        return shares

    def towards(self, name: str, amount: float) -> ClassMix:
        """So much (0..1) of the way to a class: at 0 this mix, at 1 that class. From a mix that is
        on its way to that class already it is the same way, so that a knob can be turned."""
        share = checked_share("amount", amount)
        on_its_way = bool(self.steps) and self.steps[-1][0] == name
        here = ClassMix(self.first, self.steps[:-1]) if on_its_way else self
        if share == 0.0 or str(here) == name:
            return here
        steps = (*here.steps, (name, share))
        return ClassMix(name) if share == 1.0 else ClassMix(here.first, steps)


@lru_cache(maxsize=256)
def parse_class(name: str) -> ClassMix:
    """The class or mix of that name. Raises ConfigError, one line."""
    found = _MIX.fullmatch(name)
    if found is None:
        raise ConfigError(f"{name[:80]!r} is no class; a class is such as kick, a mix of two such "
                          "as kick+snare@0.3")
    steps = tuple((step[1], checked_share("amount", float(step[2])))
                  for step in _STEP.finditer(found[2]))
    return ClassMix(found[1], steps)


def require_classes(name: str, classes: Collection[str], kit: str) -> ClassMix:
    """The class or mix of that name, of classes that the kit has. Raises ConfigError, one line."""
    mix = parse_class(name)
    for each in mix.shares:
        if each not in classes:
            raise ConfigError(f"kit {kit} has no class {each!r}; it has {', '.join(classes)}")
    return mix
