"""The one thread that touches a disk for the machine, "gan808-disk"; started when it is first
needed.

Work is done in the order it was asked for, so what was written is what is read next. This module
opens no file itself: it calls the library, recordings and learned controls. Offline, where nothing
may come later, there is no thread and the caller waits.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from gan808.errors import Gan808Error, Guard
from gan808.instrument.calls import Call

Result = TypeVar("Result")
FINISH_S = 1.0  # so long the end waits for what is being written


class DiskWorker:
    """Work for the machine thread, whose `post` brings the results back to it."""

    def __init__(self, post: Callable[..., None]) -> None:
        self._post = post
        self._live = False
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """From now on work goes to the thread. Machine thread, or before there is one."""
        self._live = True

    def finish(self) -> None:
        """Wait a moment for what is being written; the machine has stopped."""
        self._live = False
        if self._thread is not None:
            self._work.put(None)
            self._thread.join(FINISH_S)
            self._thread = None

    def do_for(
        self, call: Call, work: Callable[[], Result], done: Callable[[Result], object]
    ) -> None:
        """For a call: `work` here, then done(result) on the machine thread; what either raises is
        the call's answer."""
        self.do(call.command, work, partial(call.go_on, done), call.answer)

    def do_here_for(
        self, call: Call, work: Callable[[], Result], done: Callable[[Result], object]
    ) -> None:
        """The same while the caller waits: before anything plays."""
        self._do(call.command, work, partial(call.go_on, done), call.answer)

    def list_for(self, names: Callable[[], Sequence[str]], call: Call) -> None:
        """Answer a call with names that are read from a folder."""
        self.do_for(call, names, lambda found: call.answer(tuple(found)))

    def do(
        self, what: str, work: Callable[[], Result],
        done: Callable[[Result], object] = lambda _: None,
        failed: Callable[[Gan808Error], object] | None = None,
    ) -> None:
        """`work` here, then done(result) or failed(error) on the machine thread; without `failed`
        an error is logged. what: for the log. Machine thread only."""
        job = partial(self._do, what, work, done, failed)
        if not self._live:
            job()
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="gan808-disk", daemon=True)
            self._thread.start()
        self._work.put(job)

    def _run(self) -> None:
        while (job := self._work.get()) is not None:
            job()

    def _do(
        self, what: str, work: Callable[[], Result], done: Callable[[Result], object],
        failed: Callable[[Gan808Error], object] | None,
    ) -> None:
        with Guard(what, None if failed is None else partial(self._post, failed)):
            self._post(done, work())
