"""What every source of training sounds yields, and what it reports as unusable."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np


@dataclass(frozen=True, eq=False)
class Recording:
    """One labelled sound.

    read: decodes or makes it, on whichever thread has time: mono audio, float32, shape (n,), and
    its sample rate in Hz; raises CorpusError with a reason of a few words, or OSError. origin
    names where it came from for people; pack groups what must not be split between training and
    held-out sounds. collection: whose sound it is, by which drawing is evened out and credit is
    given; empty for what the origin begins with. path:
    the file that holds it, where there is one of its own.
    """

    read: Callable[[], tuple[np.ndarray, int]]
    class_name: str
    origin: str
    pack: str
    collection: str = ""
    path: Path | None = None


@dataclass(frozen=True, slots=True)
class Spooled:
    """One usable recording in a spool: where its samples are, and what is known of it."""

    start: int
    n_samples: int
    class_name: str
    origin: str
    pack: str
    collection: str = ""
    held_out: bool = False
    reported: bool = False


@dataclass(frozen=True)
class Credit:
    """Where the sounds of a collection came from, for kit.toml."""

    source: str
    licence: str = "not stated"
    author: str = ""


@dataclass
class Skipped:
    """What a source could not use: (where, why), in the order met."""

    entries: list[tuple[str, str]] = field(default_factory=list)

    def add(self, where: str, why: str) -> None:
        self.entries.append((where, why))

    def reasons(self) -> dict[str, int]:
        """How many for each reason, most first; what follows its colon is of one file."""
        counts: dict[str, int] = {}
        for _, why in self.entries:
            reason = why.split(": ")[0]
            counts[reason] = counts.get(reason, 0) + 1
        return dict(sorted(counts.items(), key=lambda item: -item[1]))


class Source(Protocol):
    """A stream of recordings."""

    def recordings(self, skipped: Skipped) -> Iterator[Recording]:
        """Yield what may be usable, one at a time and always in the same order; add to skipped
        what cannot be."""
        ...

    def credits(self) -> Mapping[str, Credit]:
        """Of the collections of which something is known."""
        ...
