"""Makes the image of a start, once a run is up: what the next one plays before it has loaded this.

The only module here that needs the rest of the program. Main thread, after the first note.
"""

from __future__ import annotations

import logging
import os
import sys
import zlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gan808 import paths
from gan808.config import Settings
from gan808.control.midi import jack_port
from gan808.control.midi.input import velocity_of
from gan808.early import image
from gan808.early.slots import RANGES
from gan808.engine import layout
from gan808.engine.engine import Engine
from gan808.engine.jack import client, midi_input
from gan808.engine.jack.layout import OUTPUT
from gan808.engine.jack.midi_layout import EVENT, INPUT, RING_EVENTS
from gan808.engine.jit import object_cache
from gan808.engine.kernel_api import KERNEL_SOURCES
from gan808.errors import Gan808Error
from gan808.instrument.slots import Slot, first_sounds
from gan808.pool.factory import factory_sounds
from gan808.sound.kit.kit import FACTORY, MANIFEST, Kit

if TYPE_CHECKING:
    from gan808.instrument.machine import Machine

IMAGES = 4  # of the options used last
MIDI_PORTS = ("auto", "virtual")
CODE = {"kernel": KERNEL_SOURCES, "jack_callbacks": client.SOURCES,
        "jack_midi_kernel": midi_input.SOURCES}
log = logging.getLogger("gan808")


class Blob:
    """Raw bytes end to end; `add` tells where each begins and ends."""

    def __init__(self) -> None:
        self.content = bytearray()

    def add(self, part: bytes) -> list[int]:
        begin = len(self.content)
        self.content += part
        return [begin, len(self.content)]


def keep_image(options: Mapping[str, Any], settings: Settings, given: frozenset[str],
               kit: Kit, machine: Machine) -> None:
    """Keep what a start with these options of `run` needs for its first note on JACK, or nothing
    where there can be no early one. settings: of the options and files alone; given: what of them
    the user has said; kit: what it began with. A full disk is logged, not raised."""
    linker, rate_hz = object_cache.linker(), machine.engine.sample_rate_hz
    steady = settings.engine.note_mode != "fast"
    if linker is None or steady or settings.midi.port not in MIDI_PORTS:
        return
    key = image.key_of(options)
    blob = Blob()
    try:
        facts = {
            "format": image.FORMAT, "key": key, "needs": _needs(options, kit, linker.path),
            "library": linker.path, "code": _code(blob),
            "processor": [linker.triple, linker.processor, linker.features],
            "volume": settings.audio.master_volume, "state": _state(settings, given, options, kit),
            "engine": _engine(settings, rate_hz, blob),
            "slots": _slots(kit, rate_hz, blob),
            "output": {"spec": settings.audio.output} | _record(OUTPUT),
            "input": _input(settings, machine),
        }
        path = image.path_of(key)
        image.write(path, image.packed(facts, bytes(blob.content)))
        _tidy(Path(path).parent)
    except OSError as error:
        log.info("the image of the start was not kept: %s", error.strerror)
    except (Gan808Error, image.Unfit) as error:
        log.info("the image of the start was not kept: %s", error)


def _needs(options: Mapping[str, Any], kit: Kit, library: str) -> dict[str, Any]:
    """What it is made from."""
    config = options.get("config")
    texts = [paths.user_config_file(), paths.controls_file(), *([config] if config else [])]
    numba = object_cache.numba_version_file()
    files = [library, *([numba] if numba else []), kit.folder / MANIFEST]
    files += [kit.folder / FACTORY / entry.file for entry in kit.manifest.factory]
    # A kit of that name in a folder that comes before would be worn instead.
    files += [folder / kit.name for folder in paths.kit_folders() if folder != kit.folder.parent]
    relative = not kit.folder.is_absolute() or (config and not Path(config).is_absolute())
    return {
        "python": sys.version, "program": image.program_mark(),
        "environment": image.environment(),
        "folder": os.getcwd() if relative else None,
        "texts": {str(path): image.text_of(str(path)) for path in texts},
        "files": {str(path): image.mark_of(str(path)) for path in files},
    }


def _code(blob: Blob) -> dict[str, Any]:
    found = {module: object_cache.object_code(module, sources) for module, sources in CODE.items()}
    return {module: {"symbols": code.symbols, "at": blob.add(code.code)}
            for module, code in found.items()}


def _state(settings: Settings, given: frozenset[str], options: Mapping[str, Any],
           kit: Kit) -> dict[str, Any]:
    """What of the last run's state comes first; storage/session.py decides the same."""
    worn = kit.name if kit.folder.parent in paths.kit_folders() else str(kit.folder.resolve())
    return {
        "kept": settings.state.keep and settings.renderer.seed < 0 and not options.get("fresh"),
        "place": str(paths.state_folder()), "kit": worn,
        "kit_from_state": "kit.name" not in given,
        "kit_of_settings": settings.kit.name in (kit.name, worn),
        "volume_from_state": "audio.master_volume" not in given,
    }


def _engine(settings: Settings, rate_hz: int, blob: Blob) -> dict[str, Any]:
    cells, voices = settings.engine.cells, settings.engine.voices
    fresh = Engine(rate_hz, cells=cells, voices=voices)
    record = _record(layout.MEMORY)
    at = record["at"]
    return record | {
        "rate_hz": rate_hz, "cells": cells, "voices": voices, "guard": layout.CELL_GUARD,
        "cell_frames": fresh.max_sound_frames + 2 * layout.CELL_GUARD,
        "ring_commands": layout.RING_COMMANDS,
        "memory": blob.add(zlib.compress(fresh._memory.tobytes())),
        "at": at | {"ring": at["rings"]},  # the first port's
    }


def _slots(kit: Kit, rate_hz: int, blob: Blob) -> list[dict[str, Any]]:
    """The slots as a kit that was never worn has them."""
    sounds = first_sounds(kit.slots, factory_sounds(kit, rate_hz).sounds)
    found = []
    for index, (layout_, sound) in enumerate(zip(kit.slots, sounds, strict=True)):
        values = Slot(index, layout_).values
        found.append({
            "code": layout_.code, "values": {name: values[name] for name in RANGES},
            "sound": None if sound is None else {
                "at": blob.add(sound.audio.astype(np.float32).tobytes()),
                "channels": len(sound.channels)},
        })
    return found


def _input(settings: Settings, machine: Machine) -> dict[str, Any]:
    whole, event = _record(INPUT), _record(EVENT)
    return {
        "size": whole["size"], "at": whole["at"] | event["at"], "ring_events": RING_EVENTS,
        "event_size": event["size"],
        "client": jack_port.CLIENT_NAME, "port": jack_port.VIRTUAL_NAME,
        "channel": settings.midi.channel,
        "notes": {str(note): slot for note in range(128)
                  if (slot := machine.slot_for_note(note)) is not None},
        "velocities": [velocity_of(value, settings.midi.velocity_curve) for value in range(128)],
        "learned": sorted(list(control) for control in machine.learning.bindings),
    }


def _record(record: np.dtype[Any]) -> dict[str, Any]:
    """The size of a structured dtype, and where its fields are."""
    fields: Mapping[str, Any] = record.fields or {}
    return {"size": record.itemsize, "at": {name: place[1] for name, place in fields.items()}}


def _tidy(folder: Path) -> None:
    """Take away images of options that have not been used for long."""
    images = sorted(folder.glob("*.image"), key=lambda path: path.stat().st_mtime)
    for old in images[:-IMAGES]:
        with suppress(OSError):
            old.unlink()
