"""The entry of `gan808`: `run` straight to its work, everything else to the command line proper.

A player waits for `run`, so its options are read here without the libraries that make help, colours
and explanations: a twentieth of a second. Whatever is not plainly right goes to cli.py, which knows
what to say. Also what both have in common: errors as one line and an exit status. Main thread.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any, NoReturn

from gan808.errors import ConfigError, Gan808Error

DONE, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130

# The options of `run`: the name of each, and what its value is; bool takes none.
RUN_OPTIONS: dict[str, Callable[[str], Any]] = {
    "kit": str, "pattern": str, "tempo": float, "evolve": float, "output": str, "midi": str,
    "osc": str, "seconds": float, "fast": bool, "seed": int, "record": str, "config": Path,
    "quiet": bool, "fresh": bool,
}
SHORT_OPTIONS = {"-q": "--quiet"}


def main() -> None:
    """Run the command line of this process and end it."""
    command, *arguments = sys.argv[1:] or [""]
    options = read_run_options(arguments) if command == "run" else None
    if options is None:
        from gan808.cli import main as full_main

        full_main()
        return
    speak_up(logging.WARNING)
    # Settings and kits need no plugins, and looking for them reads every installed package.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    given = options
    leave(status_of(lambda: run(**given)))


def read_run_options(arguments: Sequence[str]) -> dict[str, Any] | None:
    """Options of `run` by name; None when they are not plainly right, or ask for help."""
    options: dict[str, Any] = {}
    rest = iter(arguments)
    for argument in rest:
        name, equals, value = SHORT_OPTIONS.get(argument, argument).partition("=")
        kind = RUN_OPTIONS.get(name[2:]) if name.startswith("--") else None
        if kind is None or (kind is bool and equals):
            return None
        try:
            options[name[2:]] = kind is bool or kind(value if equals else next(rest))
        except (ValueError, StopIteration):
            return None
    return options


def run(
    *, kit: str | None = None, pattern: str | None = None, tempo: float | None = None,
    evolve: float | None = None, output: str | None = None, midi: str | None = None,
    osc: str | None = None, seconds: float | None = None, fast: bool = False,
    seed: int | None = None, record: str | None = None, config: Path | None = None,
    quiet: bool = False, fresh: bool = False,
) -> int:
    """`gan808 run`: play until it is over; the exit status. Raises Gan808Error."""
    from gan808.config import given_settings, load_settings
    from gan808.opening import Opening

    if seconds is not None and not seconds > 0:
        raise ConfigError(f"--seconds {seconds:g} is not accepted; give more than 0")
    overrides: dict[str, dict[str, Any]] = {
        "kit": {"name": kit},
        "sequencer": {"pattern": pattern, "tempo_bpm": tempo},
        "evolve": {"swaps_per_bar": evolve},
        "audio": {"output": output},
        "midi": {"port": midi},
        "osc": osc_address(osc),
        "renderer": {"seed": seed},
    }
    settings = load_settings(config, overrides)
    with Opening(settings, seconds) if not fast else nullcontext() as opening:
        from gan808.daemon import RunOptions, play

        options = RunOptions(
            settings, seconds=seconds, fast=fast, quiet=quiet, record=record, opening=opening,
            given=given_settings(settings, overrides), fresh=fresh)
        return play(options)


def osc_address(text: str | None) -> dict[str, Any]:
    """HOST:PORT, HOST, :PORT or off as settings. Raises ConfigError."""
    if text is None:
        return {}
    if text == "off":
        return {"enabled": False}
    host, colon, port = text.rpartition(":")
    if not colon:
        host, port = text, ""
    if port and not port.isdecimal():
        raise ConfigError(f"--osc {text}: {port!r} is no port; give HOST:PORT or off")
    return {"enabled": True, "host": host or None, "port": int(port) if port else None}


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


def complain(message: str) -> None:
    """Print one line on stderr."""
    with suppress(OSError, ValueError):
        sys.stderr.write(f"gan808: {' '.join(message.split())}\n")
        sys.stderr.flush()


class _OneLine(logging.Handler):
    """Notices of the parts, one line each on stderr."""

    def emit(self, record: logging.LogRecord) -> None:
        complain(record.getMessage())


def speak_up(level: int) -> None:
    """Show what the parts log from this level on."""
    log = logging.getLogger("gan808")
    log.addHandler(_OneLine())
    log.setLevel(level)


def leave(status: int) -> NoReturn:
    """End at once: all parts have stopped, and taking the interpreter down takes up to a second."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)
