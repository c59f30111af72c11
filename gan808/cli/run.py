"""`gan808 run` with its options at hand: read the settings, open the output, play. Main thread."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan808.errors import ConfigError, Gan808Error

if TYPE_CHECKING:
    from gan808.app.managed_session import ManagedSession


def run(
    *, kit: str | None = None, pattern: str | None = None, song: str | None = None,
    tempo: float | None = None, evolve: float | None = None, output: str | None = None,
    midi: str | None = None,
    osc: str | None = None, seconds: float | None = None, fast: bool = False,
    seed: int | None = None, record: str | None = None, config: str | Path | None = None,
    quiet: bool = False, fresh: bool = False,
) -> int:
    """`gan808 run`: play until it is over; the exit status. Raises Gan808Error."""
    # Settings and kits need no plugins, and looking for them reads every installed package.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from gan808.app.output_opener import Opening
    from gan808.config import Settings, given_settings, load_settings

    if seconds is not None and not seconds > 0:
        raise ConfigError(f"--seconds {seconds:g} is not accepted; give more than 0")
    overrides: dict[str, dict[str, Any]] = {
        "kit": {"name": kit},
        "sequencer": {"pattern": pattern, "song": song, "tempo_bpm": tempo},
        "evolve": {"swaps_per_bar": evolve},
        "audio": {"output": output},
        "midi": {"port": midi},
        "osc": osc_address(osc),
        "renderer": {"seed": seed},
    }
    settings = load_settings(None if config is None else Path(config), overrides)
    with (_managed(fast) as managed,
          Opening(settings, seconds, managed) if not fast else nullcontext() as opening):
        from gan808.app.daemon import RunOptions, play

        # A session's state comes before config.toml, or it would not be the session's.
        given = given_settings(settings if managed is None else Settings(), overrides)
        options = RunOptions(
            settings, seconds=seconds, fast=fast, quiet=quiet, record=record, opening=opening,
            given=given, fresh=fresh, managed=managed)
        return play(options)


@contextmanager
def _managed(fast: bool) -> Iterator[ManagedSession | None]:
    """The session manager's session that this run belongs to, if there is one; what ends the run
    before it plays is told there too."""
    if fast or not os.environ.get("NSM_URL"):
        yield None
        return
    from gan808.app.managed_session import managed_session

    managed = managed_session()
    try:
        yield managed
    except Gan808Error as error:
        if managed is not None:
            managed.refuse(str(error))
        raise


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
