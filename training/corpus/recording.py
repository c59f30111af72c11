"""What every source of training sounds yields, and what it reports as unusable."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np


@dataclass(frozen=True, eq=False)
class Recording:
    """One labelled sound. audio: float32, shape (n,), mono, at sample_rate_hz.

    origin names where it came from for people; pack groups what must not be split between
    training and held-out sounds.
    """

    audio: np.ndarray
    sample_rate_hz: int
    class_name: str
    origin: str
    pack: str


@dataclass
class Skipped:
    """What a source could not use: (where, why), in the order met."""

    entries: list[tuple[str, str]] = field(default_factory=list)

    def add(self, where: str, why: str) -> None:
        self.entries.append((where, why))

    def reasons(self) -> dict[str, int]:
        """How many for each reason, most first."""
        counts: dict[str, int] = {}
        for _, why in self.entries:
            counts[why] = counts.get(why, 0) + 1
        return dict(sorted(counts.items(), key=lambda item: -item[1]))


class Source(Protocol):
    """A stream of recordings."""

    def recordings(self, skipped: Skipped) -> Iterator[Recording]:
        """Yield what is usable, one at a time; add the rest to skipped."""
        ...
