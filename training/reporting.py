"""To whom training's commands tell what they do."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from gan808.progress import Bar


class Reporter(Protocol):
    """Where commands say what they do: a terminal with bars, or plain lines."""

    def say(self, line: str) -> None: ...

    def bar(self, title: str) -> AbstractContextManager[Bar]: ...
