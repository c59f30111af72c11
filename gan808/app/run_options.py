"""What `gan808 run` can be told, each option once: the command line is made from it, the settings
take what is theirs, the daemon reads the rest. Pure values, quick to import; no thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, get_type_hints

from gan808.errors import ConfigError

Overrides = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Option:
    """How an option is given.

    help: its line in --help; metavar: what stands there for its value; flags: its names, where it
    is not --NAME alone; settings: {section: {key: value}} for a value of it, where settings hold
    it.
    """

    help: str
    metavar: str | None = None
    flags: tuple[str, ...] = ()
    settings: Callable[[Any], Overrides] | None = None


def sets(setting: str) -> Callable[[Any], Overrides]:
    """The override of one setting, section.key, by a value."""
    section, key = setting.split(".")
    return lambda value: {section: {key: value}}


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


def sets_osc(text: str | None) -> Overrides:
    """The override of the section by an address. Raises ConfigError."""
    return {"osc": osc_address(text)}


@dataclass(frozen=True)
class RunOptions:
    """The options of one run. None: not given, so that the settings decide; seconds: until it is
    stopped."""

    kit: Annotated[str | None, Option(
        "Name of a kit, or its folder.", settings=sets("kit.name"))] = None
    pattern: Annotated[str | None, Option(
        "What the sequencer plays.", "NAME|FILE|off", settings=sets("sequencer.pattern"))] = None
    song: Annotated[str | None, Option(
        "Patterns and scenes in their order.", "NAME|FILE", settings=sets("sequencer.song"))] = None
    tempo: Annotated[float | None, Option(
        "Beats a minute.", "BPM", settings=sets("sequencer.tempo_bpm"))] = None
    evolve: Annotated[float | None, Option(
        "New sounds a bar.", "N", settings=sets("evolve.swaps_per_bar"))] = None
    output: Annotated[str | None, Option(
        "Where the sound goes.", "auto|DEVICE|file:PATH|null",
        settings=sets("audio.output"))] = None
    outputs: Annotated[str | None, Option(
        "Besides the mix, each slot alone.", "mix|slots", settings=sets("audio.outputs"))] = None
    midi: Annotated[str | None, Option(
        "Where notes come from.", "auto|PORT|virtual|off", settings=sets("midi.port"))] = None
    osc: Annotated[str | None, Option(
        "Where OSC is listened for.", "HOST:PORT|off",
        settings=sets_osc)] = None
    seconds: Annotated[float | None, Option("End after so many seconds of sound.", "S")] = None
    fast: Annotated[bool, Option("With a file: as fast as it can, and repeatable.")] = False
    seed: Annotated[int | None, Option(
        "Draw the same sounds every time.", "N", settings=sets("renderer.seed"))] = None
    record: Annotated[str | None, Option(
        "Record it: NAME.wav, and NAME.mid to replay.", "NAME|PATH")] = None
    config: Annotated[Path | None, Option("A TOML file of settings.", "FILE")] = None
    quiet: Annotated[bool, Option("Only say what is wrong.", flags=("--quiet", "-q"))] = False
    fresh: Annotated[bool, Option("Begin anew, not where the last run was left.")] = False

    @property
    def overrides(self) -> dict[str, dict[str, Any]]:
        """What they say of the settings, {section: {key: value}}; a value of None says nothing.
        Raises ConfigError."""
        found: dict[str, dict[str, Any]] = {}
        for name, (_, option) in declared(RunOptions).items():
            if option.settings is not None:
                for section, values in option.settings(getattr(self, name)).items():
                    found.setdefault(section, {}).update(values)
        return found


def declared(options: type[RunOptions]) -> dict[str, tuple[Any, Option]]:
    """The type of each option's value and how it is given, by name, in order."""
    hints = get_type_hints(options, include_extras=True)
    return {field.name: (hints[field.name].__origin__, hints[field.name].__metadata__[0])
            for field in fields(options)}
