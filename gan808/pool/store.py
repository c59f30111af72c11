"""The last pool of a kit, kept in the user's cache so that the next run has fresh sounds at once.

One file: a line of JSON and raw float32 (wire.py). Reading it runs no code; a file that is damaged,
of another rate or of a kit retrained since is passed over. Main thread only, at start and stop.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from pathlib import Path

from gan808 import atomic
from gan808.errors import Gan808Error
from gan808.paths import ordinary
from gan808.pool import wire
from gan808.sound.kit.kit import MANIFEST, WEIGHTS, Kit
from gan808.sound.sound import RENDER, Sound
from gan808.toml_json import from_json

FORMAT = 3
PER_CLASS = 8  # enough for the half minute until the renderer is up; more only slows the stop
MAX_FILE_BYTES = 256 << 20
log = logging.getLogger("gan808")


def fingerprint(kit: Kit, sample_rate_hz: int, griffin_lim_rounds: int) -> str:
    """What a saved sound depends on besides its name; another value, another sound."""
    about = f"{FORMAT} {RENDER} {sample_rate_hz} {griffin_lim_rounds}"
    digest = hashlib.sha256(about.encode())
    for name in (MANIFEST, WEIGHTS):
        digest.update((kit.folder / name).read_bytes())
    return digest.hexdigest()


def save(path: Path, mark: str, sounds: Sequence[Sound]) -> None:
    """Write up to PER_CLASS sounds of each class and width. A full disk is logged, not raised: it
    is a cache."""
    kept: dict[tuple[str, float], list[Sound]] = {}
    for sound in sounds:
        group = kept.setdefault((sound.class_heard, sound.width), [])
        if len(group) < PER_CLASS:
            group.append(sound)
    write(path, mark, [sound for group in kept.values() for sound in group])


def write(path: Path, mark: str, sounds: Sequence[Sound]) -> None:
    """Write sounds, whole or not at all. A full disk is logged, not raised."""
    headers, audio = wire.pack(sounds)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        head = json.dumps({"mark": mark, "sounds": headers}).encode()
        atomic.write_bytes(path, head + b"\n" + audio)
    except OSError as error:
        log.info("%s: sounds were not saved: %s", path, error.strerror)


def load(path: Path, mark: str) -> list[Sound]:
    """The sounds of the last run; empty when there are none that fit the mark."""
    try:
        if ordinary(path).st_size > MAX_FILE_BYTES:
            return []
        head, _, audio = path.read_bytes().partition(b"\n")
        content = from_json(head)
        if content["mark"] != mark:
            return []
        return [wire.checked(sound) for sound in wire.unpack(content["sounds"], audio)]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError, Gan808Error) as error:
        log.info("%s: saved sounds cannot be used: %s", path, error)
        return []
