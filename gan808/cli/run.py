"""`gan808 run` with its options at hand: read the settings, open the output, play. Main thread."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from gan808.app.run_options import RunOptions
from gan808.errors import ConfigError, Gan808Error

if TYPE_CHECKING:
    from gan808.app.managed_session import ManagedSession


def run(options: RunOptions) -> int:
    """`gan808 run`: play until it is over; the exit status. Raises Gan808Error."""
    # Settings and kits need no plugins, and looking for them reads every installed package.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from gan808.app.output_opener import Opening
    from gan808.config import Settings, given_settings, load_settings

    if options.seconds is not None and not options.seconds > 0:
        raise ConfigError(f"--seconds {options.seconds:g} is not accepted; give more than 0")
    settings = load_settings(options.config, options.overrides)
    with (_managed(options.fast) as managed,
          nullcontext() if options.fast else Opening(settings, options.seconds, managed)
          as opening):
        from gan808.app.daemon import RunOrder, play

        # A session's state comes before config.toml, or it would not be the session's.
        given = given_settings(settings if managed is None else Settings(), options.overrides)
        return play(RunOrder(settings, options, opening, given, managed))


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
