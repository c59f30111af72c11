"""Scenes on disk: one file each, the state as a line of JSON and then the audio of its sounds.

A scene's name is a plain file name: whoever reaches the OSC port must not choose the folder.
Reading one runs no code. On whichever thread the caller is; one at a time.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from gan808 import atomic
from gan808.errors import ConfigError, Gan808Error
from gan808.instrument.state import State, document, slot_documents, slots_of, state_of
from gan808.paths import ordinary
from gan808.pool import wire
from gan808.sound.kit.kit import at_rate
from gan808.sound.sound import Sound
from gan808.toml_json import from_json

SUFFIX = ".scene"
MOST_SCENES = 1000
MAX_BYTES = 64 << 20
# What every file system takes as a name, spaces inside it included.
_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_ .+-]{0,62}[A-Za-z0-9_+-])?")


def save_scene(folder: Path, name: str, scene: State) -> Path:
    """Write a scene, over one of that name; history is no part of it.

    Raises Gan808Error.
    """
    path = _path(folder, name)
    numbers: dict[Sound, str] = {}
    slots = slot_documents([replace(slot, history=()) for slot in scene.slots],
                           lambda sound: numbers.setdefault(sound, str(len(numbers))))
    headers, audio = wire.pack(list(numbers))
    head = document(scene) | {"slots": slots, "sounds": headers}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists() and len(scene_names(folder)) >= MOST_SCENES:
            raise ConfigError(f"there are {MOST_SCENES} scenes; delete one first")
        atomic.write_bytes(path, json.dumps(head).encode() + b"\n" + audio, durable=True)
    except OSError as error:
        raise Gan808Error(f"{path}: cannot be written: {error.strerror}") from error
    return path


def load_scene(folder: Path, name: str, sample_rate_hz: int) -> State:
    """A scene with its sounds at that rate. Raises Gan808Error."""
    path = _path(folder, name)
    try:
        if ordinary(path).st_size > MAX_BYTES:
            raise ConfigError("is larger than a scene can be")
        head, _, audio = path.read_bytes().partition(b"\n")
        return _scene_of(from_json(head), audio, sample_rate_hz)
    except FileNotFoundError:
        raise _missing(folder, name) from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path}: is damaged: {error}") from error
    except Gan808Error as error:
        raise ConfigError(f"{path}: {error}") from error


def scene_names(folder: Path) -> list[str]:
    """The scenes there are, sorted."""
    names = (path.name.removesuffix(SUFFIX) for path in folder.glob(f"*{SUFFIX}")
             if path.is_file())
    return sorted(name for name in names if _NAME.fullmatch(name))


def delete_scene(folder: Path, name: str) -> None:
    """Raises Gan808Error for a scene that is not there or cannot be deleted."""
    path = _path(folder, name)
    try:
        path.unlink()
    except FileNotFoundError:
        raise _missing(folder, name) from None
    except OSError as error:
        raise Gan808Error(f"{path}: cannot be deleted: {error.strerror}") from error


def _scene_of(head: Any, audio: bytes, sample_rate_hz: int) -> State:
    sounds = [at_rate(wire.checked(sound), sample_rate_hz)
              for sound in wire.unpack(head["sounds"], audio)]
    by_name = {str(number): sound for number, sound in enumerate(sounds)}
    return state_of(head, slots_of(head["slots"], by_name.get))


def _path(folder: Path, name: str) -> Path:
    if not _NAME.fullmatch(name):
        raise ConfigError(f"scene {name!r}: give letters, digits, spaces and _ . + - only, up to "
                          "64 of them")
    return folder / f"{name}{SUFFIX}"


def _missing(folder: Path, name: str) -> ConfigError:
    names = ", ".join(scene_names(folder)) or "none"
    return ConfigError(f"scene {name!r}: no such scene; there is: {names}")
