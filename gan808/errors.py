"""The errors GAN-808 raises on purpose, one readable line each: what, where, what to do. And what
becomes of the others. Any thread.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from types import TracebackType

LONGEST = 200  # letters of another library's message
log = logging.getLogger("gan808")
# Where unexpected errors have come from; as many as there are lines of code that can raise one.
_told: set[tuple[type[BaseException], str, int]] = set()


class Gan808Error(Exception):
    """Root of every expected failure; its message is one line for the user."""


class ConfigError(Gan808Error):
    """A setting, a pattern file or a command-line value that is not accepted."""


class KitError(Gan808Error):
    """A kit that is missing, damaged or of another format."""


class DeviceError(Gan808Error):
    """An audio, MIDI or network device that is missing, ambiguous or went away."""


class RenderError(Gan808Error):
    """The render process failed or answered with something unusable."""


class AudioFileError(Gan808Error):
    """A sound file that cannot be read; a few words, without the file's name."""


class CorpusError(Gan808Error):
    """A source of training sounds with nothing usable in it."""


class TrainingError(Gan808Error):
    """A training run that cannot start, resume or go on."""


class Guard:
    """`with Guard("MIDI"):` ends whatever is raised inside, so that the thread lives on.

    An expected error goes to `fail`, or into the log where there is no `fail`. Any other is a
    mistake of this program: it goes to `fail` as one line, and into the log the first time it comes
    from its place, with its traceback for --debug. A guard keeps nothing and can be used again.
    """

    def __init__(self, what: str, fail: Callable[[Gan808Error], object] | None = None) -> None:
        self._what = what
        self._fail = fail

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> bool:
        if not isinstance(error, Exception):  # nothing, or what is to end the thread
            return False
        expected = as_error(self._what, error)
        if self._fail is not None:
            self._fail(expected)
        elif expected is error:
            log.warning("%s: %s", self._what, error)
        return True


def as_error(what: str, error: Exception) -> Gan808Error:
    """An expected error as it is, any other as one line. what: where it happened, for the log."""
    if isinstance(error, Gan808Error):
        return error
    told = f"{type(error).__name__}: {' '.join(str(error).split())[:LONGEST]}"
    place = _place_of(error)
    if place not in _told:
        _told.add(place)
        log.error("%s failed with %s; the sound goes on; please report it with what --debug shows",
                  what, told, exc_info=error)
    return Gan808Error(f"a mistake in this program: {told}")


def _place_of(error: Exception) -> tuple[type[BaseException], str, int]:
    trace = error.__traceback__
    if trace is None:
        return type(error), "", 0
    while trace.tb_next is not None:
        trace = trace.tb_next
    return type(error), trace.tb_frame.f_code.co_filename, trace.tb_lineno
