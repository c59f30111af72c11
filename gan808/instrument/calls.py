"""A command on its way: what is asked, when it is due, and the answer that somebody waits for.

Made on any thread; carried out and answered on the machine's.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

from gan808.errors import Gan808Error, Guard
from gan808.instrument.parameter import Value

Answer = tuple[Value | bytes, ...]
Reply = Callable[[Answer | Gan808Error], object]
Result = TypeVar("Result")
log = logging.getLogger("gan808")


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """One command: its row's address, its arguments (slot 0..15 first), when it is due, its answer.

    A handler answers with what it returns, or later, when what was asked for is there.
    """

    command: str
    arguments: tuple[Value, ...] = ()
    frame: int = 0
    future: Future[Answer] = field(default_factory=Future, repr=False)

    @property
    def slot(self) -> int:
        """The slot 0..15 of a row that has one."""
        return int(self.arguments[0])

    def then(self, reply: Reply) -> None:
        """Give the answer, or the error, to `reply`: on the thread that answers."""
        self.future.add_done_callback(lambda future: reply(_outcome(future)))

    def answer(self, result: Answer | Gan808Error) -> None:
        """Give the result to whoever asked, once."""
        if isinstance(result, Gan808Error):
            self.future.set_exception(result)
        else:
            self.future.set_result(result)

    def go_on(self, work: Callable[..., object], *arguments: Any) -> None:
        """Do the rest of what was asked; what is raised there is the answer."""
        with Guard(self.command, self.answer):
            work(*arguments)

    def log_refusal(self, result: Answer | Gan808Error) -> None:
        """The reply of a call for which nobody waits."""
        if isinstance(result, Gan808Error):
            log.warning("%s: %s", self.command, result)


Handler = Callable[[Call], Answer | None]


def settle(future: Future[Result], work: Callable[[], Result]) -> None:
    """Give a future what `work` gives or raises."""
    with Guard("the machine", future.set_exception):
        future.set_result(work())


def _outcome(future: Future[Answer]) -> Answer | Gan808Error:
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, Gan808Error):
        return error
    raise error
