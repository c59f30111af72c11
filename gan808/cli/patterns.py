"""`gan808 patterns`: list them, print one, make one of a MIDI file. Thin; what it needs is imported
when it runs. Main thread.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup


class _OrName(TyperGroup):
    """`patterns house` is short for `patterns show house`."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = ["show", *args]
        return super().resolve_command(ctx, args)


patterns_app = typer.Typer(cls=_OrName, invoke_without_command=True)


@patterns_app.callback()
def patterns(context: typer.Context) -> None:
    """Print a pattern (`gan808 patterns NAME`), or without a name list those there are."""
    if context.invoked_subcommand is None:
        patterns_list()


@patterns_app.command("list", epilog="Example: gan808 patterns list")
def patterns_list() -> None:
    """List the patterns there are: name, tempo, description."""
    from gan808.cli.pattern_reports import pattern_lines

    _say(pattern_lines())


@patterns_app.command("show", epilog="Example: gan808 patterns show house")
def patterns_show(
    name: Annotated[str, typer.Argument(metavar="NAME|FILE", help="A pattern, or a file.")],
) -> None:
    """Print a pattern as its file has it."""
    from gan808.cli.pattern_reports import pattern_text

    typer.echo(pattern_text(name), nl=False)


@patterns_app.command("import", epilog="Example: gan808 patterns import beat.mid --name beat")
def patterns_import(
    file: Annotated[Path, typer.Argument(metavar="FILE.mid", help="A Standard MIDI File.")],
    name: Annotated[
        str | None, typer.Option("--name", help="Of the pattern; default: the file's.")
    ] = None,
) -> None:
    """Make a pattern of your own of a MIDI file's drums."""
    from gan808.cli.pattern_reports import import_midi_file

    _say(import_midi_file(file, name))


@patterns_app.command("export", epilog="Example: gan808 patterns export house --out house.mid")
def patterns_export(
    name: Annotated[str, typer.Argument(metavar="NAME|FILE", help="A pattern, or a file.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE.mid", help="What to write.")],
    kit: Annotated[str, typer.Option("--kit", help="Whose notes its slots have.")] = "gan808",
    bars: Annotated[
        int, typer.Option("--bars", min=0, max=64, help="0: until all its rows begin again.")
    ] = 0,
) -> None:
    """Write a pattern as a Standard MIDI File, on channel 10."""
    from gan808.cli.pattern_reports import export_midi_file

    _say(export_midi_file(name, out, kit, bars))


def _say(lines: list[str]) -> None:
    for line in lines:
        typer.echo(line)
