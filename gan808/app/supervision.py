"""What ends a run from outside its wiring: signals, and threads that die of a mistake.

Main thread only; both put back what they changed.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

STOP_SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]
log = logging.getLogger("gan808")


@contextmanager
def ending_on_ctrl_c() -> Iterator[None]:
    """Ctrl-C ends the process at once, without a traceback. For the time before anything runs that
    has to be stopped: LLVM may be compiling, and answers a KeyboardInterrupt with tracebacks."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def stopping_on_signals(stop: threading.Event) -> Iterator[None]:
    """Ctrl-C, a closed terminal or `kill` set the event instead of ending the process."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {each: signal.signal(each, lambda *_: stop.set()) for each in STOP_SIGNALS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@contextmanager
def noticing_broken_threads(stop: threading.Event) -> Iterator[list[str]]:
    """A thread that dies of a mistake in this program must not leave half an instrument playing:
    log it and stop. Yields the names of such threads."""
    broken: list[str] = []

    def notice(args: threading.ExceptHookArgs) -> None:
        name = args.thread.name if args.thread is not None else "a thread"
        broken.append(name)
        log.error(
            "%s failed with %s: %s; please report it with what --debug shows",
            name,
            args.exc_type.__name__,
            args.exc_value,
            exc_info=args.exc_value,
        )
        stop.set()

    before, threading.excepthook = threading.excepthook, notice
    try:
        yield broken
    finally:
        threading.excepthook = before
