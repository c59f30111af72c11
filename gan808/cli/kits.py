"""`gan808 kits`: list, describe, check, and carry them from one machine to another. Thin; what it
needs is imported when it runs. Main thread.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gan808.app.logging_setup import complain
from gan808.cli.exit import FAILED

kits_app = typer.Typer(no_args_is_help=True)


@kits_app.command("list", epilog="Example: gan808 kits list")
def kits_list() -> None:
    """List the kits there are."""
    from gan808.cli.reports import kit_lines

    _say(kit_lines())


@kits_app.command("info", epilog="Example: gan808 kits info gan808")
def kits_info(name: Annotated[str, typer.Argument(help="Name of a kit, or its folder.")]) -> None:
    """Describe a kit: classes, slots, where its sounds came from, licences."""
    from gan808.cli.reports import kit_description

    _say(kit_description(name))


@kits_app.command("verify", epilog="Example: gan808 kits verify kits/gan808")
def kits_verify(path: Annotated[str, typer.Argument(help="A kit's folder, or its name.")]) -> None:
    """Check a kit from end to end. Status 1 when anything is wrong."""
    from gan808.cli.reports import kit_problems

    problems = kit_problems(path)
    for problem in problems:
        complain(problem)
    if problems:
        raise typer.Exit(FAILED)
    _say([f"{path}: whole"])


@kits_app.command("pack", epilog="Example: gan808 kits pack mine")
def kits_pack(
    name: Annotated[str, typer.Argument(help="Name of a kit, or its folder.")],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Default: NAME.gan808.zip, here.")
    ] = None,
) -> None:
    """Put a kit into one file, for another machine."""
    from gan808 import paths
    from gan808.sound.kit.kit import find_kit
    from gan808.storage.kit_packing import SUFFIX, pack_kit

    kit = find_kit(name, paths.kit_folders())
    file = out or Path(f"{kit.name}{SUFFIX}")
    _say([f"{file}: sha256 {pack_kit(kit.folder, file)}"])


@kits_app.command("add", epilog="Example: gan808 kits add mine.gan808.zip")
def kits_add(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A packed kit.")],
    name: Annotated[
        str | None, typer.Option("--name", help="Of the kit here; default: its own.")
    ] = None,
) -> None:
    """Verify a packed kit and add it to yours."""
    from gan808 import paths
    from gan808.storage.kit_packing import add_kit

    folder, shipped = paths.kit_folders()
    taken = {path.name for path in shipped.glob("*")}
    added, digest = add_kit(file, folder, taken, name)
    _say([f"{file}: sha256 {digest}", f"added: {folder / added}; gan808 run --kit {added}"])


@kits_app.command("remove", epilog="Example: gan808 kits remove mine")
def kits_remove(
    name: Annotated[str, typer.Argument(help="Name of a kit of yours.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete a kit of yours, with its report. What ships stays."""
    from gan808 import paths
    from gan808.storage.kit_packing import remove_kit, require_removable

    folder, shipped = paths.kit_folders()
    require_removable(name, folder, shipped)
    if not yes:
        typer.confirm(f"Delete {folder / name}?", abort=True)
    _say([f"removed: {remove_kit(name, folder, shipped)}"])


def _say(lines: list[str]) -> None:
    for line in lines:
        typer.echo(line)
