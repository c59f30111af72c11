"""SuperDirt-style pairs as a hit: what a player of TidalCycles or Sardine expects /play to do.

Pure; called on the control surface's thread, on the way to its own port.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gan808.errors import ConfigError
from gan808.instrument.addresses import slot_index
from gan808.instrument.parameter import Value

# Names under which Tidal's own samples are known, for the slots of a TR-808. A drum machine's may
# stand before them: RolandTR909_sd.
SAMPLE_NAMES: Mapping[str, str] = {
    name: code for code, names in {
        "BD": "kick 808bd bassdm clubkick hardkick kicklinn popkick reverbkick",
        "SD": "sn snare 808sd", "LT": "lt 808lt", "MT": "mt 808mt", "HT": "ht 808ht",
        "LC": "808lc", "MC": "808mc", "RS": "rim rm", "CL": "perc clak click",
        "CP": "clap realclaps", "MA": "sh shaker", "CB": "cb 808cb",
        "CY": "cr crash rd ride 808cy", "OH": "ho 808oh", "CH": "hh hh27 hat hc linnhats 808hc",
    }.items() for name in names.split()
}
BY_NUMBER = frozenset({"gan808", "gan", "808", "drum"})
MAX_GAIN = 2.0


@dataclass(frozen=True, slots=True)
class Hit:
    """One note: slot 0..15, amplitude gain 0..2, pan -1..1, tune in semitones, cut before it."""

    slot: int
    gain: float
    pan: float
    tune_semitones: float
    cut: bool


def hit_of_pairs(pairs: Sequence[Value], codes: Sequence[str]) -> Hit:
    """The hit that name/value pairs describe; names that mean nothing here are passed over.

    s: slot code, number, Tidal sample name, or gan808 with n counting slots from 0. gain: as in
    SuperDirt its fourth power is the amplitude, 1 is full. pan: 0 left, 0.5 centre, 1 right. speed:
    playback speed, octaves by doubling; its sign is ignored. note: semitones on top. cut: other
    than 0 silences the slot first. Raises ConfigError.
    """
    named = dict(zip(map(str, pairs[::2]), pairs[1::2], strict=True))
    speed = abs(_number(named, "speed", 1.0))
    tune = (12.0 * math.log2(speed) if speed > 0 else 0.0) + _number(named, "note", 0.0)
    return Hit(
        slot=_slot(named, codes),
        gain=min(min(max(_number(named, "gain", 1.0), 0.0), MAX_GAIN) ** 4, MAX_GAIN),
        pan=min(max(2.0 * _number(named, "pan", 0.5) - 1.0, -1.0), 1.0),
        tune_semitones=min(max(tune, -24.0), 24.0),
        cut=_number(named, "cut", 0.0) != 0,
    )


def _slot(named: Mapping[str, Value], codes: Sequence[str]) -> int:
    if "s" not in named:
        raise ConfigError("/play: s is missing; name a slot, such as s bd")
    name = str(named["s"]).partition(":")[0]
    if name.lower() in BY_NUMBER:
        return int(_number(named, "n", 0.0)) % len(codes)
    for part in (name, name.rpartition("_")[2]):
        code = SAMPLE_NAMES.get(part.lower(), part)
        if code.upper() in codes:
            return slot_index(code, codes)
    return slot_index(name, codes)


def _number(named: Mapping[str, Value], name: str, default: float) -> float:
    value = named.get(name, default)
    if isinstance(value, str) or not math.isfinite(value):
        raise ConfigError(f"/play: {name} {value!r} is not a number")
    return float(value)
