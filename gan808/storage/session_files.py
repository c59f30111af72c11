"""The state on disk: state.json, a file for each sound it names, and the lock of who keeps it.

    state.json        how the machine is set, which kit plays, and the slots of the last few kits
    sounds/           their audio: a line of JSON and raw float32 (wire.py), named by content
    lock              held by the one process that keeps the state

A sound is written once, when a slot first has it, so that a swap costs one small file. Everything
is written beside its place and renamed, sounds before what names them: a crash leaves the state of
before or of now. Reading runs no code. Whoever holds the lock writes, on one thread at a time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from gan808 import atomic
from gan808.errors import ConfigError, Gan808Error, RenderError
from gan808.instrument.state import (
    KeptSlot,
    State,
    document,
    slot_documents,
    slots_of,
    state_of,
)
from gan808.paths import ordinary
from gan808.pool import wire
from gan808.sound.kit.kit import at_rate
from gan808.sound.sound import Sound
from gan808.toml_json import from_json

KITS = 4  # whose slots are kept: those played last. With their history some 50 MB at most
MAX_STATE_BYTES, MAX_SOUND_BYTES = 4 << 20, 16 << 20
STATE, SOUNDS, LOCK = "state.json", "sounds", "lock"


def sound_bytes(sound: Sound) -> bytes:
    """A sound as the content of a file."""
    headers, audio = wire.pack([sound])
    return json.dumps(headers[0]).encode() + b"\n" + audio


def sound_of(content: bytes) -> Sound:
    """The inverse of sound_bytes. Raises Gan808Error for what cannot be played."""
    head, _, audio = content.partition(b"\n")
    try:
        return wire.checked(wire.unpack([from_json(head)], audio)[0])
    except ValueError as error:
        raise RenderError(f"a sound is damaged: {error}") from error


class Lock:
    """Held by one process of a user at a time; the system gives it back when that one ends,
    however it ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = FileLock(path, thread_local=False)

    def take(self) -> bool:
        """False when another process holds it. Raises OSError where there can be none."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire(blocking=False)
        except Timeout:
            return False
        return True

    def give_back(self) -> None:
        """Safe to call twice, or without `take`."""
        self._lock.release()


class StateFiles:
    """The state in one folder. `read` once, then `write` as often as it changes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._kits: dict[str, Any] = {}  # by kit, those played last at the end; JSON values
        self._names: dict[Sound, str] = {}  # the file of each sound that is in use

    def read(self) -> State | None:
        """How the machine was set, without its slots; None when nothing was kept. Raises
        ConfigError when it is damaged, OSError when it cannot be read."""
        path = self.folder / STATE
        try:
            if ordinary(path).st_size > MAX_STATE_BYTES:
                raise ConfigError("is larger than a state can be")
            content = from_json(path.read_bytes())
            state = state_of(content)
            kits = dict(content["kits"])
            for entries in kits.values():
                slots_of(entries, lambda name: None)
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError(f"{path}: is damaged: {error}") from error
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from error
        self._kits = kits
        return state

    def set_aside(self, now: datetime) -> Path | None:
        """Rename a damaged state.json and return its new name; None where that cannot be done."""
        path = self.folder / STATE
        aside = path.with_name(f"{STATE}.damaged-{now:%Y-%m-%d-%H%M%S}")
        try:
            return path.rename(aside)
        except OSError:
            return None

    def slots(self, kit: str, sample_rate_hz: int) -> tuple[KeptSlot, ...]:
        """The slots of that kit when it was last played, without their history. A sound whose file
        has gone or is damaged is left out, its id is not."""
        return slots_of(self._kits.get(kit, []), self._reader(sample_rate_hz), history=False)

    def history(self, kit: str, sample_rate_hz: int) -> dict[str, tuple[Sound, ...]]:
        """The sounds before those, by the slot's code."""
        slots = slots_of(self._kits.get(kit, []), self._reader(sample_rate_hz))
        return {slot.code: slot.history for slot in slots}

    def write(self, state: State) -> None:
        """Make this the state. Raises OSError; what was there before then stays, and nothing of
        what was begun."""
        (self.folder / SOUNDS).mkdir(parents=True, exist_ok=True)
        try:
            self._write(state)
        finally:
            self._tidy()

    def _write(self, state: State) -> None:
        known = set(self._names)
        slots = [
            KeptSlot(slot.code, slot.sound_id, slot.sound, slot.values,
                     # Where every hit brings a new sound, most are gone before they are missed.
                     tuple(s for s in slot.history if s in known or not state.fresh))
            for slot in state.slots
        ]
        names: dict[Sound, str] = {}
        entries = slot_documents(slots, lambda sound: self._kept(sound, names))
        kits = {kit: old for kit, old in self._kits.items() if kit != state.kit}
        kits = dict([*kits.items(), (state.kit, entries)][-KITS:])
        content = json.dumps(document(state) | {"kits": kits}, indent=1).encode()
        atomic.write_bytes(self.folder / STATE, content, durable=True)
        self._kits, self._names = kits, names

    def _kept(self, sound: Sound, names: dict[Sound, str]) -> str:
        """The name of the sound's file, which is there when this returns."""
        name = self._names.get(sound)
        if name is None or not (self.folder / SOUNDS / name).exists():
            content = sound_bytes(sound)
            name = hashlib.sha256(content).hexdigest()[:32]
            path = self.folder / SOUNDS / name
            if not path.exists():
                atomic.write_bytes(path, content)
            self._names[sound] = name
        names[sound] = name
        return name

    def _reader(self, sample_rate_hz: int) -> Any:
        def read(name: str) -> Sound | None:
            path = self.folder / SOUNDS / name
            try:
                if Path(name).name != name or ordinary(path).st_size > MAX_SOUND_BYTES:
                    return None
                sound = sound_of(path.read_bytes())
            except (OSError, Gan808Error):
                return None
            resampled = at_rate(sound, sample_rate_hz)
            if resampled is sound:
                self._names[sound] = name
            return resampled

        return read

    def _tidy(self) -> None:
        """Delete the sound files that no state names. On a full disk those of every attempt would
        add up."""
        used = {name for entries in self._kits.values() for name in _names_in(entries)}
        with suppress(OSError):
            for path in (self.folder / SOUNDS).iterdir():
                if path.name not in used:
                    path.unlink(missing_ok=True)


def _names_in(entries: list[Mapping[str, Any]]) -> set[str]:
    return {name for entry in entries for name in (entry["sound"], *entry["history"])}
