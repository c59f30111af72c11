"""The options of a command made from where they are declared. No thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from inspect import Parameter, Signature
from typing import Any

import typer

from gan808.app.run_options import RunOptions, declared


def with_run_options(command: Callable[[RunOptions], None]) -> Callable[..., None]:
    """A command for Typer that takes each of RunOptions by its name, of one that takes them all."""
    defaults = {field.name: field.default for field in fields(RunOptions)}

    def called(**values: Any) -> None:
        command(RunOptions(**values))

    parameters = [
        Parameter(name, Parameter.KEYWORD_ONLY, annotation=kind, default=typer.Option(
            defaults[name], *(option.flags or (f"--{name}",)), metavar=option.metavar,
            help=option.help))
        for name, (kind, option) in declared(RunOptions).items()
    ]
    called.__name__, called.__doc__ = command.__name__, command.__doc__
    called.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    return called
