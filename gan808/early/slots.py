"""How the slots begin: as the last run left them, or as the kit has them.

Reads state.json and its sounds as storage/session_files.py writes them; where anything is not plainly right
the ordinary start, which knows what to say, comes first. Main thread.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os

from gan808.early.image import Image, Unfit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

STATE, SOUNDS, LOCK = "state.json", "sounds", "lock"
STATE_FORMAT = 1
MAX_STATE_BYTES, MAX_SOUND_BYTES = 4 << 20, 16 << 20
BYTES_PER_SAMPLE = 4
NAME_DIGITS = 32
# Where numbers from a file may lie; as the table of parameters has it, which a test compares.
RANGES = {"level": (0.0, 1.0), "tune": (-24.0, 24.0), "decay": (0.0, 1.0), "pan": (-1.0, 1.0),
          "mute": (0, 1), "choke": (0, 8), "gate": (0, 1)}


class FirstSlot:
    """One slot as it begins: values by name, and its sound as raw float32, stereo interleaved;
    channels 0: it has none."""

    def __init__(self, values: dict[str, float], channels: int = 0,
                 audio: bytes | memoryview = b"") -> None:
        self.values = values
        self.channels = channels
        self.audio = audio

    @property
    def frames(self) -> int:
        """The length of its sound."""
        return len(self.audio) // (BYTES_PER_SAMPLE * self.channels) if self.channels else 0


def first_slots(image: Image) -> tuple[float, list[FirstSlot]]:
    """The master volume 0..1 and the slots, in order. Raises Unfit; ValueError, KeyError, TypeError
    or OSError for a state that is damaged."""
    facts = image.facts
    volume, kept = _left(facts["state"])
    rate_hz = facts["engine"]["rate_hz"]
    slots = []
    for slot in facts["slots"]:
        entry = kept.get(slot["code"], {})
        first = FirstSlot(slot["values"] | _checked(entry.get("values", {})))
        if entry.get("sound"):
            _find(facts["state"]["place"], entry["sound"], rate_hz, first)
        elif slot["sound"] is not None:
            first.channels = slot["sound"]["channels"]
            first.audio = image.bytes_at(slot["sound"]["at"])
        slots.append(first)
    return facts["volume"] if volume is None else volume, slots


def _left(about: dict[str, Any]) -> tuple[float | None, dict[str, Any]]:
    """What the last run has left: the volume, and the entry of each slot by its code."""
    if not about["kept"]:
        return None, {}
    _be_alone(f"{about['place']}/{LOCK}")
    path = f"{about['place']}/{STATE}"
    try:
        with open(path, "rb") as file:
            content = file.read(MAX_STATE_BYTES + 1)
    except FileNotFoundError as error:
        if about["kit_from_state"] and not about["kit_of_settings"]:
            raise Unfit("another kit to begin anew with") from error
        return None, {}
    state = json.loads(content)
    if len(content) > MAX_STATE_BYTES or state["format"] != STATE_FORMAT:
        raise Unfit("a state of another version")
    if about["kit_from_state"] and state["kit"] != about["kit"]:
        raise Unfit("another kit was worn last")
    volume = state["values"].get("/volume") if about["volume_from_state"] else None
    entries = {entry["code"]: entry for entry in state["kits"].get(about["kit"], [])}
    return None if volume is None else min(max(float(volume), 0.0), 1.0), entries


def _be_alone(path: str) -> None:
    """Where another process keeps the state this one begins as configured: that is rare. Raises
    Unfit."""
    try:
        with open(path, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)  # let go of by closing
    except FileNotFoundError:
        return
    except BlockingIOError as error:
        raise Unfit("another GAN-808 keeps the state") from error


def _checked(values: dict[str, Any]) -> dict[str, float]:
    """The values that the first note hangs on, in their ranges."""
    return {name: min(max(float(values[name]), low), high)
            for name, (low, high) in RANGES.items() if name in values}


def _find(place: str, name: str, rate_hz: int, slot: FirstSlot) -> None:
    """Give a slot the sound of that file, which is named by its content."""
    path = f"{place}/{SOUNDS}/{name}"
    ours = os.path.basename(name) == name and len(name) == NAME_DIGITS
    if not ours or os.path.getsize(path) > MAX_SOUND_BYTES:
        raise Unfit(f"{name}: no sound of ours")
    with open(path, "rb") as file:
        content = file.read()
    if not hashlib.sha256(content).hexdigest().startswith(name):
        raise Unfit(f"{name}: is damaged")
    head, _, audio = content.partition(b"\n")
    about = json.loads(head)
    if about["sample_rate_hz"] != rate_hz:
        raise Unfit("a sound of another rate")
    slot.channels, slot.audio = about["channels"], audio
    if about["channels"] not in (1, 2) or about["frames"] != slot.frames or (
            len(audio) != BYTES_PER_SAMPLE * slot.channels * slot.frames):
        raise Unfit(f"{name}: is damaged")
