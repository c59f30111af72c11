"""The present sounds as a kit of their own: the running kit's networks, other factory sounds.

Machine thread only, never on the way of a note. Copies numbers and text; nothing is executed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from safetensors import SafetensorError
from safetensors.numpy import load_file

from gan808.errors import ConfigError, KitError
from gan808.instrument.names import is_plain_name
from gan808.sound.kit.kit import WEIGHTS, Kit, save_kit, to_rate
from gan808.sound.kit.manifest import NAME_PATTERN, FactoryEntry
from gan808.sound.sound import Sound, digest


def save_sounds_as_kit(kit: Kit, sounds: Sequence[Sound], kits: Path, name: str) -> Path:
    """Write a kit at KITS/NAME that begins with these sounds and renders on as `kit` does.

    Slots of one class find their sounds again by pitch. Returns its folder. Raises ConfigError
    for a name that is not accepted or taken, KitError for what cannot be read or written.
    """
    if not re.fullmatch(NAME_PATTERN, name) or not is_plain_name(name):
        raise ConfigError(f"kit {name!r}: give letters, digits, - and _ only")
    folder = kits / name
    if folder.exists() or folder.is_symlink():  # a link to nowhere would be written through
        raise ConfigError(f"kit {name!r}: there is one already; choose another name")
    files = {_file(sound): sound for sound in sounds}
    manifest = kit.manifest.model_copy(update={
        "name": name,
        "made": date.today().isoformat(),
        "factory": tuple(_entry(file, sound) for file, sound in files.items()),
    })
    try:
        weights = load_file(kit.folder / WEIGHTS)
    except (OSError, SafetensorError) as error:
        raise KitError(f"{kit.folder / WEIGHTS}: cannot be read ({error})") from error
    try:
        kits.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise KitError(f"{kits}: cannot be made ({error.strerror})") from error
    rate_hz = kit.geometry.sample_rate_hz
    audio = {file: to_rate(sound.audio, sound.sample_rate_hz, rate_hz)
             for file, sound in files.items()}
    moments, realness = kit.statistics()
    save_kit(folder, manifest, moments, realness, weights, audio)
    return folder


def _file(sound: Sound) -> str:
    first = sound.main_class
    way = sound.class_asked.removeprefix(first) + sound.trail
    mark = f"-{digest(way)}" if way else ""
    return f"{first}-{sound.seed}{mark}.flac"


def _entry(file: str, sound: Sound) -> FactoryEntry:
    return FactoryEntry.model_validate({
        "file": file, "class": sound.class_asked, "seed": sound.seed,
        "class_heard": sound.class_heard, "confidence": sound.confidence,
        "realness": sound.realness, "trail": sound.trail or None,
    })
