"""How far a long command is: a bar on a terminal of any width, a line a minute for logs and pipes.

Runs on the thread that does the work.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column

PLAIN_LINE_S = 60.0


class Bar(Protocol):
    """One piece of long work: fraction, 0..1, is None while its length is unknown."""

    def update(self, fraction: float | None, text: str = "") -> None: ...


@contextmanager
def shown(console: Console, title: str) -> Iterator[Bar]:
    """A bar that the console shows as it can."""
    if not console.is_terminal:
        plain = _PlainBar(console, title)
        try:
            yield plain
        finally:
            plain.flush()
        return
    with Progress(*_columns(), console=console, expand=True) as progress:
        yield _TerminalBar(progress, progress.add_task(title, total=None, text=""))


def remaining_s(first: float, fraction: float, elapsed_s: float) -> float | None:
    """How long work will yet take that came from the fraction `first`, which an earlier command had
    done, to `fraction` in this time; None while nothing is done."""
    done = fraction - first
    return elapsed_s * (1.0 - fraction) / done if done > 0 else None


class _TerminalBar:
    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress, self._task = progress, task

    def update(self, fraction: float | None, text: str = "") -> None:
        self._progress.update(
            self._task, total=None if fraction is None else 1.0, completed=fraction, text=text
        )


class _PlainBar:
    """A line every PLAIN_LINE_S for logs and pipes; the first update and the last always show."""

    def __init__(self, console: Console, title: str) -> None:
        self._console, self._title = console, title
        self._begun_s, self._first = time.monotonic(), 0.0
        self._last_s, self._pending = 0.0, ""

    def update(self, fraction: float | None, text: str = "") -> None:
        now_s = time.monotonic()
        if not self._last_s and fraction is not None:
            self._first = fraction  # what an earlier run has done says nothing of this one's speed
        share = "" if fraction is None else f"{self._share(fraction, now_s - self._begun_s)} "
        self._pending = f"{self._title}: {share}{text}".rstrip()
        if now_s - self._last_s >= PLAIN_LINE_S or not self._last_s:
            self.flush()

    def flush(self) -> None:
        if self._pending:
            self._console.print(self._pending, highlight=False, markup=False, soft_wrap=True)
            self._pending, self._last_s = "", time.monotonic()

    def _share(self, fraction: float, elapsed_s: float) -> str:
        """Percentage, elapsed and remaining time as the terminal's bar has them."""
        left_s = remaining_s(self._first, fraction, elapsed_s)
        left = "-:--:--" if left_s is None else _clock(left_s)
        return f"{fraction:4.0%} {_clock(elapsed_s)} {left}"


def _clock(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))


def _columns() -> tuple[TextColumn | BarColumn | TaskProgressColumn | TimeElapsedColumn
                        | TimeRemainingColumn, ...]:
    """What a narrow terminal has no room for goes from the end of the text."""
    def whole() -> Column:
        return Column(no_wrap=True)

    return (
        TextColumn("{task.description}", table_column=whole()),
        BarColumn(bar_width=10, table_column=whole()),
        TaskProgressColumn(table_column=whole()),
        TimeElapsedColumn(table_column=whole()),
        TimeRemainingColumn(table_column=whole()),
        TextColumn("{task.fields[text]}",
                   table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1)),
    )
