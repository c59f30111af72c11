"""kit.toml as checked tables: what a kit says of itself. Pure values; any thread."""

from __future__ import annotations

import re
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from gan808.errors import ConfigError
from gan808.sound.class_mix import parse_class
from gan808.sound.latent import parse_point
from gan808.sound.loudness import KICK_LKFS, RELATIVE_LU
from gan808.sound.network.spec import NetworkSpec, without_gone
from gan808.sound.spectral.geometry import Geometry

FORMAT_VERSION = 1
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"
CLASS_PATTERN = r"^[a-z0-9][a-z0-9_]{0,31}$"

# How moments.npz was made; images are mean +- 3 deviations in either case.
Normalisation = Literal["log_per_band_3_sigma", "log_per_band_range"]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class Provenance(_Table):
    """Where the training sounds came from and under what licence."""

    source: str
    licence: str
    author: str = ""
    sounds: int = Field(default=0, ge=0)


class Thresholds(_Table):
    """What a render must reach to be filed. confidence: probability of the class the critic
    hears, 0..1; realness: by class asked, 0..1, a class that is not named accepts all; quantile:
    by class, which one the realness is, such as "training 0.05" (kits of before do not say)."""

    confidence: float = Field(default=0.5, ge=0.0, le=1.0)
    realness: dict[str, float] = Field(default_factory=dict)
    quantile: dict[str, str] = Field(default_factory=dict)

    @field_validator("realness")
    @classmethod
    def _shares(cls, realness: dict[str, float]) -> dict[str, float]:
        if not all(0.0 <= value <= 1.0 for value in realness.values()):
            raise ValueError("realness is 0 to 1")
        return realness


class Loudness(_Table):
    """How loud the classes are. kick_lkfs: the kick's momentary loudness (BS.1770); balance: whose
    defaults; relative: LU above the kick by class, for the classes that differ from them."""

    kick_lkfs: float = Field(default=KICK_LKFS, ge=-50.0, le=-10.0)
    balance: Literal["machine", "acoustic"] = "machine"
    relative: dict[str, Annotated[float, Field(ge=-40.0, le=20.0)]] = Field(default_factory=dict)

    def target_lkfs(self, class_name: str) -> float:
        """A class without a default of its own gets the median of them."""
        defaults = RELATIVE_LU[self.balance]
        usual = defaults.get(class_name, float(np.median(list(defaults.values()))))
        return self.kick_lkfs + self.relative.get(class_name, usual)


class SlotEntry(_Table):
    """A slot in kit.toml."""

    code: str = Field(pattern=r"^[A-Z0-9]{1,4}$")
    name: str = Field(max_length=40)
    class_name: str = Field(alias="class", pattern=CLASS_PATTERN)
    notes: tuple[int, ...] = Field(min_length=1, max_length=8)
    choke: int = Field(default=0, ge=0, le=8)
    filter: Literal["low", "mid", "high"] | None = None

    @field_validator("notes")
    @classmethod
    def _midi_notes(cls, notes: tuple[int, ...]) -> tuple[int, ...]:
        if not all(0 <= note <= 127 for note in notes):
            raise ValueError("MIDI notes are 0 to 127")
        return notes


class FactoryEntry(_Table):
    """A factory sound: its identity and what the critic said of it. trail: the way from the seed
    (latent.py), for a sound that is not a plain seed's."""

    file: str = Field(pattern=r"^[a-z0-9_]{1,40}-[0-9]{1,20}(-[0-9a-f]{12})?\.flac$")
    class_name: str = Field(alias="class", max_length=400)  # or a mix (class_mix.py)
    seed: int = Field(ge=0)
    class_heard: str = Field(pattern=CLASS_PATTERN)
    confidence: float = Field(ge=0.0, le=1.0)
    realness: float = Field(ge=0.0, le=1.0)
    trail: str | None = None

    @field_validator("class_name")
    @classmethod
    def _is_class(cls, name: str) -> str:
        try:
            return str(parse_class(name))
        except ConfigError as error:
            raise ValueError(str(error)) from error

    @field_validator("trail")
    @classmethod
    def _leads_somewhere(cls, trail: str | None) -> str | None:
        try:
            parse_point(f"0{trail or ''}")
        except ConfigError as error:
            raise ValueError(str(error)) from error
        return trail


class KitManifest(_Table):
    """kit.toml, checked."""

    format_version: int
    name: str = Field(pattern=NAME_PATTERN)
    description: str = Field(default="", max_length=500)
    made: str = ""  # ISO date
    render: int = Field(default=1, ge=1)  # the renderer that made the factory sounds
    recipe: str = ""
    training_steps: int = Field(default=0, ge=0)
    training_hours: float = Field(default=0.0, ge=0.0)
    normalisation: Normalisation = "log_per_band_3_sigma"
    classes: tuple[str, ...] = Field(min_length=1, max_length=16)
    geometry: Geometry
    network: NetworkSpec
    thresholds: Thresholds = Thresholds()
    loudness: Loudness = Loudness()
    slots: tuple[SlotEntry, ...] = Field(min_length=1, max_length=16)
    provenance: tuple[Provenance, ...] = ()
    factory: tuple[FactoryEntry, ...] = ()

    @field_validator("format_version")
    @classmethod
    def _known_format(cls, version: int) -> int:
        if version != FORMAT_VERSION:
            raise ValueError(f"format {version}, this program reads {FORMAT_VERSION}")
        return version

    @field_validator("network", mode="before")
    @classmethod
    def _layers_there_are(cls, network: object) -> object:
        return without_gone(network) if isinstance(network, dict) else network

    @model_validator(mode="after")
    def _consistent(self) -> KitManifest:
        if not all(re.fullmatch(CLASS_PATTERN, name) for name in self.classes):
            raise ValueError("class names are lower case letters, digits and _")
        for what, names in (
            ("class", self.classes),
            ("slot code", [slot.code for slot in self.slots]),
            ("note", [note for slot in self.slots for note in slot.notes]),
        ):
            if len(set(names)) != len(names):
                raise ValueError(f"a {what} appears twice")
        used = {slot.class_name for slot in self.slots}
        used |= set(self.thresholds.realness) | set(self.thresholds.quantile)
        used |= set(self.loudness.relative)
        used |= {name for entry in self.factory
                 for name in (*parse_class(entry.class_name).shares, entry.class_heard)}
        if unknown := sorted(used - set(self.classes)):
            raise ValueError(f"{', '.join(unknown)}: not among the classes")
        return self
