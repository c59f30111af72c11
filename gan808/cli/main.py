"""The command line: options in, exit status out. Thin; the work is imported when a command runs,
so that `gan808 --help` is quick.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from gan808 import __version__
from gan808.app.logging_setup import complain, speak_up
from gan808.cli import run as run_command
from gan808.cli.exit import DONE, FAILED, INTERRUPTED, WRONG_USAGE, leave, status_of
from gan808.cli.kits import kits_app
from gan808.cli.patterns import patterns_app
from gan808.cli.run import osc_address
from gan808.cli.training import add_training_commands
from gan808.errors import ConfigError

DEBUG = "--debug"

app = typer.Typer(
    name="gan808",
    epilog="--debug, anywhere, shows a traceback instead of one line when something fails.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
app.add_typer(kits_app, name="kits", help="List, describe, check, pack, add and remove kits.")
app.add_typer(patterns_app, name="patterns")

Kit = Annotated[str | None, typer.Option("--kit", help="Name of a kit, or its folder.")]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="A TOML file of settings.")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")]


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"gan808 {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool,
        typer.Option("--version", "-V", is_eager=True, callback=_tell_version,
                     help="Print the version."),
    ] = False,
) -> None:
    """A drum machine whose sounds are dreamt by a GAN and never run out."""


@app.command(epilog="Example: gan808 run --kit gan808 --tempo 120 --evolve 2")
def run(
    kit: Kit = None,
    pattern: Annotated[
        str | None, typer.Option(metavar="NAME|FILE|off", help="What the sequencer plays.")
    ] = None,
    song: Annotated[
        str | None, typer.Option(metavar="NAME|FILE", help="Patterns and scenes in their order.")
    ] = None,
    tempo: Annotated[float | None, typer.Option(metavar="BPM", help="Beats a minute.")] = None,
    evolve: Annotated[float | None, typer.Option(metavar="N", help="New sounds a bar.")] = None,
    output: Annotated[
        str | None,
        typer.Option(metavar="auto|DEVICE|file:PATH|null", help="Where the sound goes."),
    ] = None,
    midi: Annotated[
        str | None, typer.Option(metavar="auto|PORT|virtual|off", help="Where notes come from.")
    ] = None,
    osc: Annotated[
        str | None, typer.Option(metavar="HOST:PORT|off", help="Where OSC is listened for.")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(metavar="S", help="End after so many seconds of sound.")
    ] = None,
    fast: Annotated[
        bool, typer.Option("--fast", help="With a file: as fast as it can, and repeatable.")
    ] = False,
    seed: Annotated[
        int | None, typer.Option(metavar="N", help="Draw the same sounds every time.")
    ] = None,
    record: Annotated[
        str | None,
        typer.Option(metavar="NAME|PATH", help="Record it: NAME.wav, and NAME.mid to replay."),
    ] = None,
    config: ConfigFile = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only say what is wrong.")] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Begin anew, not where the last run was left.")
    ] = False,
) -> None:
    """Play: from the pattern, MIDI and OSC. Ctrl-C stops it."""
    raise typer.Exit(run_command.run(
        kit=kit, pattern=pattern, song=song, tempo=tempo, evolve=evolve, output=output, midi=midi,
        osc=osc, seconds=seconds, fast=fast, seed=seed, record=record, config=config, quiet=quiet,
        fresh=fresh))


@app.command(epilog="Example: gan808 replay take.mid --out again.wav")
def replay(
    recording: Annotated[Path, typer.Argument(metavar="FILE", help="The .mid of a recording.")],
    out: Annotated[
        Path | None, typer.Option(help="The WAV to write; default: beside the recording.")
    ] = None,
    output: Annotated[
        str | None, typer.Option(metavar="auto|DEVICE", help="Play it instead of writing it.")
    ] = None,
    kit: Kit = None,
    config: ConfigFile = None,
) -> None:
    """Play a recording again from its hits, its settings and the seeds of its sounds."""
    from gan808.app.offline.replay import ReplayOrder, replay_file
    from gan808.config import load_settings

    settings = load_settings(config)
    for line in replay_file(settings, ReplayOrder(recording, out, output, kit)):
        say([line])


@app.command(epilog="Example: gan808 devices")
def devices(config: ConfigFile = None) -> None:
    """Show what audio, MIDI and OSC there is to use, and what `run` would pick."""
    from gan808.cli.reports import describe_devices
    from gan808.config import load_settings

    say(describe_devices(load_settings(config)))


@app.command(epilog="Example: gan808 doctor")
def doctor(config: ConfigFile = None) -> None:
    """Look at what this machine has for playing, and say what to do. Status 1 when it cannot."""
    from gan808.app.doctor import BAD, examine
    from gan808.config import load_settings

    bad = False
    for finding in examine(load_settings(config)):
        say([finding.line])
        bad = bad or finding.state == BAD
    if bad:
        raise typer.Exit(FAILED)


@app.command(epilog="Example: gan808 status --osc 127.0.0.1:8808")
def status(
    osc: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Where the daemon listens.")
    ] = None,
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Ask a running GAN-808 how it is doing."""
    from gan808.cli.reports import status_table
    from gan808.config import load_settings
    from gan808.control.osc.status_client import ask_status

    address = load_settings(config, {"osc": osc_address(osc)}).osc
    answer = ask_status(address.host, address.port)
    say([json.dumps(answer)] if as_json else status_table(answer))


@app.command(epilog="Example: gan808 panel")
def panel(config: ConfigFile = None) -> None:
    """Open the panel of a running GAN-808 in the browser."""
    import webbrowser

    from gan808 import paths
    from gan808.config import load_settings
    from gan808.control.web.address import find

    osc = load_settings(config).osc
    address = find(paths.panel_file(), f"http://localhost:{osc.query_port or osc.port}/panel/")
    say([address])
    webbrowser.open(address)


@app.command("osc", epilog="Example: gan808 osc --json")
def osc_table(as_json: AsJson = False) -> None:
    """Print every OSC address: what it takes, what it answers, what it is for."""
    from gan808.columns import columns
    from gan808.control.osc.listing import description, listing

    say([json.dumps(description())] if as_json else columns(listing()))


@app.command(epilog="Example: gan808 learn /slot/BD/level")
def learn(
    target: Annotated[
        str | None, typer.Argument(metavar="ADDRESS", help="What it moves: /slot/BD/level, "
                                   "'/trig BD', /seq/play ... after /gan808.")
    ] = None,
    show: Annotated[bool, typer.Option("--list", help="What was learned.")] = False,
    forget: Annotated[
        str | None, typer.Option(metavar="WHAT", help="A control, an address, or all.")
    ] = None,
    seconds: Annotated[float, typer.Option(help="How long to wait for the control.")] = 60.0,
    osc: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Where the daemon listens.")
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Bind the MIDI control that is moved next, in a running GAN-808."""
    from gan808.config import load_settings
    from gan808.control.osc.learn_client import learning

    address = load_settings(config, {"osc": osc_address(osc)}).osc
    for line in learning(address.host, address.port, target, show, forget, seconds):
        say([line])


@app.command(epilog="Example: gan808 render --class kick --count 8 --out sounds")
def render(
    class_name: Annotated[
        str | None, typer.Option("--class", help="A class of the kit, or all.")
    ] = None,
    kit: Kit = None,
    seed: Annotated[int, typer.Option(min=0, help="The first seed.")] = 0,
    sound_id: Annotated[
        str | None, typer.Option("--id", help="Instead of class and seed: a sound's id.")
    ] = None,
    near: Annotated[
        float | None, typer.Option(metavar="RADIUS", help="Sounds near that one, 0-1 far.")
    ] = None,
    morph: Annotated[
        int | None, typer.Option(metavar="SEED", min=0, help="Sounds from that one to this seed.")
    ] = None,
    mix: Annotated[
        str | None, typer.Option(metavar="CLASS", help="Sounds from that class to this one.")
    ] = None,
    width: Annotated[
        float | None,
        typer.Option(metavar="WIDTH", help="Stereo, left and right so far apart: 0-1 far."),
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="How many, one seed after the other.")] = 1,
    out: Annotated[Path, typer.Option(help="Folder for the WAV files.")] = Path(),
    rate: Annotated[
        int | None, typer.Option(min=8000, max=192_000, help="Frames a second; default: the kit's.")
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Render sounds into WAV files, without playing. A seed gives the same sound each time."""
    from gan808.app.offline.render import RenderOrder, points_from, render_files
    from gan808.config import load_settings
    from gan808.sound.latent import Point, parse_id

    start = Point(seed)
    if sound_id is not None:
        kit_of_id, class_name, start = parse_id(sound_id)
        kit = kit or kit_of_id
    if width is not None:
        start = start.widened(width)
    if class_name is None:
        raise ConfigError("--class or --id is missing; gan808 kits info NAME lists the classes")
    settings = load_settings(config, {"kit": {"name": kit}})
    if mix is not None and (near is not None or morph is not None):
        raise ConfigError("--mix, --near and --morph: give one of them")
    points = points_from(start, 1 if mix else count, near=near, morph=morph)
    order = RenderOrder(class_name, points, out, rate, mix, count)
    for line in render_files(settings, order):
        say([line])


@app.command(epilog="Example: gan808 match snare.wav --class snare --out found")
def match(
    recording: Annotated[Path, typer.Argument(metavar="FILE", help="A recording of one hit.")],
    kit: Kit = None,
    class_name: Annotated[
        str, typer.Option("--class", help="Look in one class of the kit, or in all.")
    ] = "all",
    seeds: Annotated[int, typer.Option(min=1, max=100_000, help="Seeds tried a class.")] = 128,
    steps: Annotated[int, typer.Option(min=1, max=10_000, help="Most steps of refinement.")] = 300,
    out: Annotated[Path, typer.Option(help="Folder for the WAV files.")] = Path(),
    config: ConfigFile = None,
) -> None:
    """Find the sound of a kit that is nearest to a recording, and the id that recalls it."""
    from gan808.app.offline.match import MatchOrder, match_file
    from gan808.config import load_settings

    settings = load_settings(config, {"kit": {"name": kit}})
    for line in match_file(settings, MatchOrder(recording, class_name, seeds, steps, out)):
        say([line])


@app.command()
def version() -> None:
    """Print the version."""
    _tell_version(True)


add_training_commands(app)


def say(lines: list[str]) -> None:
    """Print lines on stdout."""
    for line in lines:
        typer.echo(line)


# The base of all wrong usage. Typer brings Click inside itself or beside, by version.
_UsageError: type[Exception] = typer.BadParameter.__bases__[0]


def call(arguments: list[str]) -> int:
    """Run one command line and return its exit status; everything expected becomes one line."""
    return status_of(lambda: _call(arguments))


def _call(arguments: list[str]) -> int:
    command = typer.main.get_command(app)
    try:
        result = command(arguments, prog_name="gan808", standalone_mode=False)
    except _UsageError as error:
        said = str(getattr(error, "format_message", error.__str__)())
        if said:  # without a command at all Typer has printed the help instead
            complain(said)
        return WRONG_USAGE
    except typer.Abort:
        return INTERRUPTED
    return result if isinstance(result, int) else DONE


def main() -> None:
    """The command line of this process, whatever it asks for."""
    # A session manager starts programs by their names alone.
    arguments = sys.argv[1:] or (["run"] if os.environ.get("NSM_URL") else [])
    speak_up(logging.DEBUG if DEBUG in arguments else logging.WARNING)
    if DEBUG in arguments:
        arguments.remove(DEBUG)
        typer.main.get_command(app)(arguments, prog_name="gan808", standalone_mode=True)
    status = call(arguments)
    if arguments[:1] == ["run"]:
        leave(status)
    sys.exit(status)
