"""How every command ends: exit statuses, and errors as one line each. Main thread."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from gan808.app.logging_setup import complain
from gan808.errors import ConfigError, Gan808Error

DONE, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130


def status_of(work: Callable[[], int]) -> int:
    """The exit status of some work; everything expected that ends it becomes one line."""
    try:
        return work()
    except ConfigError as error:
        complain(str(error))
        return WRONG_USAGE
    except Gan808Error as error:
        complain(str(error))
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has gone: nothing is wrong
        return DONE


def leave(status: int) -> NoReturn:
    """End at once: all parts have stopped, and taking the interpreter down takes up to a second."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)
