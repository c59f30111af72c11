"""`--panel` from the training's side: starts the page's process and tells it what is reported.

On the training thread. Nothing here waits for the page: what its pipe has no room for is left out.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from gan808 import paths
from gan808.control.web.address import tell
from gan808.control.web.process import bound, end_child
from gan808.errors import Gan808Error
from gan808.progress import Bar

from ..reporting import Reporter
from .account import DONE, STOPPED

HOST, PORT = "127.0.0.1", 8809
LEAST_S = 0.5  # between two messages of a bar
# Of a text in a message: at 12 bytes a character, the most that JSON makes of one, it fits into
# what a pipe takes whole or not at all (PIPE_BUF, 4096 bytes).
MOST_CHARACTERS = 300
END_S = 5.0  # for the page's process to tell all browsers how it ended

Send = Callable[[dict[str, Any]], None]


class _ToldBar:
    """Passes on to another bar and, every LEAST_S, to the page."""

    def __init__(self, inner: Bar, stage: str, send: Send) -> None:
        self._inner, self._stage, self._send = inner, stage, send
        self._last_s = 0.0
        self._pending: dict[str, Any] | None = None

    def update(self, fraction: float | None, text: str = "") -> None:
        self._inner.update(fraction, text)
        self._pending = {"stage": self._stage, "fraction": fraction, "text": text}
        if time.monotonic() - self._last_s >= LEAST_S:
            self.flush()

    def flush(self) -> None:
        if self._pending is not None:
            self._send(self._pending)
            self._pending, self._last_s = None, time.monotonic()


class PageReporter:
    """Reports to another reporter and to the page's process, from enter to exit; what ends the
    block is told as the command's end."""

    def __init__(self, inner: Reporter, run: Path, title: str) -> None:
        self._inner, self._run, self._title = inner, run, title
        self._child: subprocess.Popen[bytes] | None = None
        self._take_back: Callable[[], None] = lambda: None

    def say(self, line: str) -> None:
        self._inner.say(line)
        self._send({"said": line})

    @contextmanager
    def bar(self, title: str) -> Iterator[Bar]:
        with self._inner.bar(title) as inner:
            told = _ToldBar(inner, title, self._send)
            try:
                yield told
            finally:
                told.flush()

    def __enter__(self) -> PageReporter:
        """Start the page. Where that cannot be, say so and train without."""
        if os.name != "posix":
            self._inner.say("--panel: there is no page on this system yet")
            return self
        try:
            try:
                listening = bound(HOST, PORT)
            except OSError:  # another training has it
                listening = bound(HOST, 0)
        except OSError as error:
            self._inner.say(f"--panel: no page, no port can be had ({error.strerror})")
            return self
        with listening:
            descriptor, port = listening.fileno(), listening.getsockname()[1]
            self._child = subprocess.Popen(
                [sys.executable, "-m", f"{__package__}", str(descriptor), str(self._run.absolute()),
                 self._title],
                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                pass_fds=[descriptor], env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
        assert self._child.stdin is not None
        os.set_blocking(self._child.stdin.fileno(), False)
        url = f"http://localhost:{port}/"
        self._take_back = tell(paths.training_page_file(), url)
        self.say(f"the page of this training: {url}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._child is None:
            return
        self._take_back()
        if error is None:
            end, why = DONE, ""
        elif isinstance(error, (Gan808Error, KeyboardInterrupt)):
            end, why = STOPPED, str(error)
        else:
            end, why = STOPPED, f"{type(error).__name__}: {error}"
        assert self._child.stdin is not None
        with suppress(OSError, ValueError):  # room for the last word
            select.select([], [self._child.stdin], [], 1.0)
        self._send({"end": end, "why": why})
        with suppress(KeyboardInterrupt):
            end_child(self._child, END_S)

    def _send(self, message: dict[str, Any]) -> None:
        if self._child is None or self._child.stdin is None:
            return
        short = {key: value[:MOST_CHARACTERS] if isinstance(value, str) else value
                 for key, value in message.items()}
        try:
            with suppress(BlockingIOError):  # no room
                os.write(self._child.stdin.fileno(), json.dumps(short).encode() + b"\n")
        except BrokenPipeError:
            self._child = None
            self._inner.say("the page's process has ended; training goes on without a page")


def with_page(
    reporter: Reporter, run: Path, title: str, *, wanted: bool
) -> AbstractContextManager[Reporter]:
    """The reporter, and if wanted one that serves the page of RUN beside."""
    return PageReporter(reporter, run, title) if wanted else nullcontext(reporter)
