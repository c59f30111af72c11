"""Settings: config.toml -> frozen, validated models. Pure values, read by every part; no thread.

Precedence, highest first: command line, the file named by --config, config.toml in the user's
configuration folder, the defaults below. The defaults and their comments here are the only source:
the config.toml that a user copies is `default_config_text()`, and a test compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic.fields import FieldInfo

from gan808 import paths
from gan808.errors import ConfigError
from gan808.toml_json import from_toml

NoteMode = Literal["fast", "steady"]
NoteMap = Literal["gm", "roland-td", "alesis"]
VelocityCurve = Literal["linear", "soft", "hard", "fixed"]
Quantise = Literal["now", "beat", "bar"]
SyncMode = Literal["internal", "midi", "link", "jack", "jack-lead", "auto"]
EvolveMode = Literal["one", "all", "fresh"]
Announce = Literal["auto", "on", "off"]
Outputs = Literal["mix", "slots"]

HIGHEST_SEED = 2**31 - 1  # a seed travels as an OSC int32


class _Section(BaseModel):
    """One [section] of config.toml. strict: a quoted number is a mistake, not a number."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class AudioSettings(_Section):
    output: str = Field(
        default="auto", description="auto, part of a device's name, file:PATH or null"
    )
    outputs: Outputs = Field(
        default="mix",
        description="mix, or slots: each alone besides, on JACK, in files and recordings",
    )
    sample_rate_hz: int = Field(
        default=0, ge=0, le=192_000, description="frames a second; 0: what the device prefers"
    )
    block_frames: int = Field(
        default=128,
        ge=0,
        le=8192,
        description="frames a block: smaller is quicker; 0: the device chooses",
    )
    master_volume: float = Field(default=0.8, ge=0.0, le=1.0, description="0 silent, 1 full")

    @property
    def by_slot(self) -> bool:
        """Whether each slot is wanted alone besides the mix."""
        return self.outputs == "slots"


class EngineSettings(_Section):
    voices: int = Field(default=64, ge=1, le=64, description="notes that can sound at once")
    cells: int = Field(default=256, ge=32, le=1024, description="sounds held ready in memory")
    note_mode: NoteMode = Field(
        default="fast",
        description="notes not from JACK: fast (least delay) or steady (one delay, no jitter)",
    )
    steady_delay_ms: float = Field(default=8.0, ge=0.0, le=100.0, description="the delay of steady")


class MidiSettings(_Section):
    port: str = Field(default="auto", description="auto, part of a port's name, virtual or off")
    channel: int = Field(default=10, ge=0, le=16, description="channel listened to, 1-16; 0: all")
    velocity_curve: VelocityCurve = Field(
        default="linear", description="linear, soft, hard or fixed"
    )
    map: NoteMap = Field(
        default="gm", description="notes of a drum module: gm, roland-td or alesis"
    )
    clock_out: str = Field(
        default="off", description="MIDI clock sent to: part of a port's name, virtual or off"
    )
    notes_out: str = Field(
        default="off", description="the pattern's hits as notes, sent to: the same choices"
    )


class OscSettings(_Section):
    enabled: bool = Field(default=True, description="whether to listen for OSC at all")
    host: str = Field(
        default="127.0.0.1", description="address to listen on; 0.0.0.0: every network"
    )
    port: int = Field(default=8808, ge=0, le=65535, description="UDP port; 0: any free one")
    query: bool = Field(
        default=True, description="whether its addresses are described over HTTP (OSCQuery)"
    )
    query_port: int = Field(
        default=0,
        ge=0,
        le=65535,
        description="TCP port of that; 0: the same number, or a free one",
    )
    announce: Announce = Field(
        default="auto",
        description="on the network (zeroconf): on, off, or auto: where others can reach it",
    )


class SequencerSettings(_Section):
    pattern: str = Field(
        default="808", description="name of a pattern, or the path of a pattern file"
    )
    song: str = Field(
        default="", description="name of a song, or the path of a song file, instead; \"\": none"
    )
    tempo_bpm: float = Field(
        default=0.0, ge=0.0, le=400.0, description="beats a minute, 20-400; 0: the pattern's own"
    )
    swing: float = Field(
        default=-1.0, ge=-1.0, le=1.0, description="0 straight, 1 hardest; -1: the pattern's own"
    )
    playing: bool = Field(default=True, description="whether the pattern plays from the start")
    vary: float = Field(
        default=0.0, ge=0.0, le=1.0, description="share of bars that vary by themselves"
    )
    fills: int = Field(
        default=0, ge=0, le=64, description="every so many bars end in a fill; 0: none"
    )
    sync: SyncMode = Field(
        default="auto",
        description="tempo from: internal, midi, link, jack, jack-lead, or auto: MIDI once started",
    )
    sync_offset_ms: float = Field(
        default=0.0, ge=-200.0, le=200.0, description="steps later than the master; -: earlier"
    )
    link_start_stop: bool = Field(
        default=False, description="whether starts and stops are shared with the Link session"
    )

    @field_validator("tempo_bpm")
    @classmethod
    def _playable(cls, tempo_bpm: float) -> float:
        if 0.0 < tempo_bpm < 20.0:
            raise ValueError("slower than a pattern can be played")
        return tempo_bpm


class EvolveSettings(_Section):
    swaps_per_bar: float = Field(
        default=1.0, ge=0.0, le=64.0, description="new sounds a bar; 0: none"
    )
    quantise: Quantise = Field(
        default="bar", description="when a swap takes place: now, beat or bar"
    )
    mode: EvolveMode = Field(
        default="one",
        description="one slot at a time, all at once, or fresh: every hit a new sound",
    )


class KitSettings(_Section):
    name: str = Field(default="gan808", description="name of a kit, or the path of its folder")
    width: float = Field(
        default=0.0,
        ge=0.0,
        le=1.0,
        description="of its slots: 0 mono; above, left and right so far apart, 1 as two seeds",
    )


class ImportsSettings(_Section):
    folder: str = Field(
        default="", description="of your own sound files, to load and to match; \"\": the usual one"
    )


class StateSettings(_Section):
    keep: bool = Field(
        default=True,
        description="whether a start goes on where the last run was left; --fresh: not this time",
    )


class PoolSettings(_Section):
    limit: int = Field(default=24, ge=1, le=1000, description="sounds of a class kept in stock")
    low_water: int = Field(
        default=8, ge=0, le=1000, description="stock below which a class is refilled"
    )


class RendererSettings(_Section):
    threads: int = Field(
        default=1, ge=1, le=64, description="processor threads the renderer may use"
    )
    niceness: int = Field(default=10, ge=0, le=19, description="how far the renderer stands back")
    batch: int = Field(default=8, ge=1, le=64, description="sounds rendered at a time")
    griffin_lim_rounds: int = Field(
        default=40,
        ge=1,
        le=512,
        description="rounds of phase reconstruction: more is finer and slower",
    )
    seed: int = Field(
        default=-1,
        ge=-1,
        le=HIGHEST_SEED,
        description="start of everything random; -1: new every run",
    )


class Settings(_Section):
    """Everything that can be set. Frozen; `replace` makes a changed copy."""

    kit: KitSettings = KitSettings()
    audio: AudioSettings = AudioSettings()
    midi: MidiSettings = MidiSettings()
    osc: OscSettings = OscSettings()
    sequencer: SequencerSettings = SequencerSettings()
    evolve: EvolveSettings = EvolveSettings()
    imports: ImportsSettings = ImportsSettings()
    state: StateSettings = StateSettings()
    pool: PoolSettings = PoolSettings()
    renderer: RendererSettings = RendererSettings()
    engine: EngineSettings = EngineSettings()

    def replace(self, overrides: Mapping[str, Mapping[str, Any]]) -> Settings:
        """A copy with {section: {key: value}} changed and checked. Raises ConfigError."""
        return _validated(_merged(self.model_dump(), overrides), "settings")


def load_settings(
    path: Path | None = None,
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    user_path: Path | None = None,
) -> Settings:
    """Read the user's config.toml and then `path`, apply `overrides` {section: {key: value}}.

    user_path stands in for the user's own config.toml, which need not exist; `path` must.
    Override values of None count as not given. Raises ConfigError naming file, key and value.
    """
    values: dict[str, Any] = {}
    user_file = paths.user_config_file() if user_path is None else user_path
    if user_file.is_file():
        values = _merged(values, _read(user_file))
    if path is not None:
        values = _merged(values, _read(path))
    return _validated(_merged(values, overrides or {}), "command line")


def given_settings(
    settings: Settings, overrides: Mapping[str, Mapping[str, Any]]
) -> frozenset[str]:
    """What a user has said, as section.key: every override that has a value, and what a file sets
    to something else than the default (a copy of config.toml has all of them)."""
    given = {f"{section}.{key}" for section, values in overrides.items()
             for key, value in values.items() if value is not None}
    for section in settings.model_fields_set:
        chosen = getattr(settings, section)
        given |= {f"{section}.{key}" for key in chosen.model_fields_set
                  if getattr(chosen, key) != type(chosen).model_fields[key].default}
    return frozenset(given)


def default_config_text() -> str:
    """The text of config.toml: every setting, its default and one line of comment."""
    import tomlkit  # when first needed, as a start should not wait for it

    lines = [
        "# GAN-808's settings with their defaults. Copy this file to where `gan808 devices` says,",
        "# or anywhere and give it with --config; keep only the lines you change.",
    ]
    for section, field in Settings.model_fields.items():
        model = _section_model(field)
        lines += ["", f"[{section}]"]
        for key, setting in model.model_fields.items():
            assignment = f"{key} = {tomlkit.item(setting.default).as_string()}"
            lines.append(f"{assignment:<24} # {setting.description}")
    return "\n".join(lines) + "\n"


def _read(path: Path) -> dict[str, Any]:
    """Parse one file and check it alone, so that a mistake is reported under its file's name."""
    try:
        values = from_toml(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; give --config an existing TOML file") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    _validated(values, str(path))
    return values


def _merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """base with each section of changes laid over it; values of None change nothing."""
    merged = {section: _copied(values) for section, values in base.items()}
    for section, values in changes.items():
        if isinstance(values, Mapping) and isinstance(merged.get(section, {}), Mapping):
            given = {key: value for key, value in values.items() if value is not None}
            merged[section] = {**merged.get(section, {}), **given}
        else:
            merged[section] = values
    return merged


def _copied(values: Any) -> Any:
    return dict(values) if isinstance(values, Mapping) else values


def _validated(values: Mapping[str, Any], source: str) -> Settings:
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise ConfigError(f"{source}: {_first_mistake(error)}") from None


def _first_mistake(error: ValidationError) -> str:
    mistake = error.errors(include_url=False, include_context=False)[0]
    keys = [str(key) for key in mistake["loc"]]
    name = ".".join(keys)
    if mistake["type"] == "extra_forbidden":
        return f"{name} is not a setting; {_known_names(keys)}"
    section = Settings.model_fields[keys[0]]
    if len(keys) == 1:
        return f"{name} = {mistake['input']!r} is not accepted; it is a section: [{name}]"
    accepted = _accepted(_section_model(section).model_fields[keys[1]])
    return f"{name} = {mistake['input']!r} is not accepted; give {accepted}"


def _known_names(keys: list[str]) -> str:
    if len(keys) == 1:
        return "sections are " + ", ".join(Settings.model_fields)
    model = _section_model(Settings.model_fields[keys[0]])
    return f"[{keys[0]}] has " + ", ".join(model.model_fields)


def _section_model(field: FieldInfo) -> type[_Section]:
    model = field.annotation
    if not (isinstance(model, type) and issubclass(model, _Section)):
        raise TypeError(f"{model!r} is not a section of the settings")
    return model


def _accepted(field: FieldInfo) -> str:
    """What a setting takes, in words: 'a whole number from 0 to 16'."""
    if get_origin(field.annotation) is Literal:
        return "one of " + ", ".join(str(choice) for choice in get_args(field.annotation))
    words = {
        bool: "true or false",
        int: "a whole number",
        float: "a number",
        str: "text in quotes",
        NoneType: "nothing",
    }
    kind = field.annotation if isinstance(field.annotation, type) else NoneType
    lowest = next((rule.ge for rule in field.metadata if hasattr(rule, "ge")), None)
    highest = next((rule.le for rule in field.metadata if hasattr(rule, "le")), None)
    limits = "" if lowest is None else f" from {lowest} to {highest}"
    return f"{words.get(kind, kind.__name__)}{limits} ({field.description})"
