"""`gan808 run` with its options at hand: read the settings, open the output, play. Main thread."""

from __future__ import annotations

import os
from contextlib import nullcontext

from gan808.app.run_options import RunOptions
from gan808.errors import ConfigError


def run(options: RunOptions) -> int:
    """`gan808 run`: play until it is over; the exit status. Raises Gan808Error."""
    # Settings and kits need no plugins, and looking for them reads every installed package.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from gan808.app.output_opener import Opening
    from gan808.config import given_settings, load_settings

    if options.seconds is not None and not options.seconds > 0:
        raise ConfigError(f"--seconds {options.seconds:g} is not accepted; give more than 0")
    settings = load_settings(options.config, options.overrides)
    with Opening(settings, options.seconds) if not options.fast else nullcontext() as opening:
        from gan808.app.daemon import RunOrder, play

        return play(RunOrder(settings, options, opening,
                             given_settings(settings, options.overrides)))
