"""The entry of `gan808`: `run` straight to its work, everything else to the command line proper.

A player waits for `run`, so its options are read here without the libraries that make help, colours
and explanations, and where the last run has left an image of its start the first note comes before
all other imports (early/). Whatever is not plainly right goes to cli.py, which knows what to say.
Also what both have in common: errors as one line and an exit status. Main thread.
"""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext, suppress

from gan808.early.begin import begin
from gan808.errors import ConfigError, Gan808Error

TYPE_CHECKING = False  # typing, pathlib and logging take longer to load than a note may wait
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from typing import Any, NoReturn

    from gan808.early.begin import Early

DONE, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130

# The options of `run`: the name of each, and what its value is; bool takes none.
RUN_OPTIONS: dict[str, Callable[[str], Any]] = {
    "kit": str, "pattern": str, "tempo": float, "evolve": float, "output": str, "midi": str,
    "osc": str, "seconds": float, "fast": bool, "seed": int, "record": str, "config": str,
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
    given = options
    leave(status_of(lambda: run_early(given)))


def run_early(options: dict[str, Any]) -> int:
    """`run`, which plays before it has loaded anything where it can. Raises Gan808Error."""
    early = begin(options)
    try:
        from gan808.speaking import speak_up

        speak_up()
        # Settings and kits need no plugins, and looking for them reads every installed package.
        os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
        return run(**options, early=early)
    finally:
        if early is not None:
            early.close()


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
    seed: int | None = None, record: str | None = None, config: str | Path | None = None,
    quiet: bool = False, fresh: bool = False, early: Early | None = None,
) -> int:
    """`gan808 run`: play until it is over; the exit status. early: what plays already. Raises
    Gan808Error."""
    from pathlib import Path

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
    command = {"kit": kit, "output": output, "midi": midi, "seed": seed, "fresh": fresh,
               "config": config, "fast": fast, "record": record}
    settings = load_settings(None if config is None else Path(config), overrides)
    with Opening(settings, seconds, early) if not fast else nullcontext() as opening:
        from gan808.daemon import RunOptions, play

        options = RunOptions(
            settings, seconds=seconds, fast=fast, quiet=quiet, record=record, opening=opening,
            given=given_settings(settings, overrides), fresh=fresh, early=early, command=command)
        return play(options)


def osc_address(text: str | None) -> dict[str, Any]:
    """HOST:PORT, HOST, :PORT or off as settings; an IPv6 HOST with a port stands in brackets.
    Raises ConfigError."""
    if text is None:
        return {}
    if text == "off":
        return {"enabled": False}
    bracketed, bracket, rest = text.removeprefix("[").partition("]")
    if text.startswith("[") and bracket and rest[:1] in ("", ":"):
        host, port = bracketed, rest[1:]
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    else:
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


def leave(status: int) -> NoReturn:
    """End at once: all parts have stopped, and taking the interpreter down takes up to a second."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)
