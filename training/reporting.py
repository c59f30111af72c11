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
