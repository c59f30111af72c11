"""What the parts log, as one line each on stderr; with --debug, tracebacks too. Main thread, at the
start.
"""

from __future__ import annotations

import logging
import sys
from contextlib import suppress


class _OneLine(logging.Handler):
    """Notices of the parts, one line each on stderr."""

    def emit(self, record: logging.LogRecord) -> None:
        complain(record.getMessage())
        if record.exc_info and logging.getLogger("gan808").isEnabledFor(logging.DEBUG):
            with suppress(OSError, ValueError):  # the terminal has gone
                sys.stderr.write(logging.Formatter().formatException(record.exc_info) + "\n")


def speak_up(level: int = logging.WARNING) -> None:
    """Show what the parts log from this level on."""
    log = logging.getLogger("gan808")
    log.addHandler(_OneLine())
    log.setLevel(level)


def complain(message: str) -> None:
    """Print one line on stderr."""
    with suppress(OSError, ValueError):
        sys.stderr.write(f"gan808: {' '.join(message.split())}\n")
        sys.stderr.flush()
