"""Tells a training command's progress on a terminal of any width, or in lines for a pipe."""

from __future__ import annotations

from contextlib import AbstractContextManager

from rich.console import Console

from gan808.progress import Bar, shown


class ConsoleReporter:
    """Tells a command's progress: rich bars on a terminal, plain lines elsewhere."""

    def __init__(self, *, quiet: bool = False, console: Console | None = None) -> None:
        self._console = console or Console(quiet=quiet)

    def say(self, line: str) -> None:
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)

    def bar(self, title: str) -> AbstractContextManager[Bar]:
        return shown(self._console, title)
