"""To whom training's commands tell what they do."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol


class Bar(Protocol):
    """One piece of long work: fraction is None while its length is unknown."""

    def update(self, fraction: float | None, text: str) -> None: ...


class Reporter(Protocol):
    """Where commands say what they do: a terminal with bars, or plain lines."""

    def say(self, line: str) -> None: ...

    def bar(self, title: str) -> AbstractContextManager[Bar]: ...


def remaining_s(first: float, fraction: float, elapsed_s: float) -> float | None:
    """How long work will yet take that came from the fraction `first`, which an earlier command had
    done, to `fraction` in this time; None while nothing is done."""
    done = fraction - first
    return elapsed_s * (1.0 - fraction) / done if done > 0 else None
