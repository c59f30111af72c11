"""A kit as a value that every export format writes: slots, their velocity layers, the samples of
each layer. Immutable; any thread."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from gan808.sound.sound import Sound

BITS = {16: "PCM_16", 24: "PCM_24"}


@dataclass(frozen=True, slots=True)
class Layer:
    """Sounds that take turns (round robin) at velocities lowest..highest, 1..127, ends included."""

    lowest: int
    highest: int
    sounds: tuple[Sound, ...]


@dataclass(frozen=True, slots=True)
class ExportedSlot:
    """A pad. note: MIDI; level: linear gain, 1 is as recorded; pan: -1 left .. 1 right; tune:
    semitones; choke: group 1..8, 0 none; layers: softest first."""

    code: str
    name: str
    note: int
    layers: tuple[Layer, ...]
    level: float = 1.0
    pan: float = 0.0
    tune_semitones: float = 0.0
    choke: int = 0

    @property
    def sounds(self) -> tuple[Sound, ...]:
        """The sounds of all layers."""
        return tuple(sound for layer in self.layers for sound in layer.sounds)


@dataclass(frozen=True, slots=True)
class ExportedKit:
    """What is exported. name: any text; licence: one line; bits: of a sample, 16 or 24."""

    name: str
    licence: str
    sample_rate_hz: int
    bits: int
    slots: tuple[ExportedSlot, ...]

    def samples(self) -> list[tuple[ExportedSlot, Layer, int, Sound, str]]:
        """Every sample: its slot, layer, place in the turn from 0, sound, ASCII path CODE/N.wav."""
        found = []
        for slot in self.slots:
            number = 0
            for layer in slot.layers:
                for turn, sound in enumerate(layer.sounds):
                    found.append((slot, layer, turn, sound, f"{slot.code}/{number:03d}.wav"))
                    number += 1
        return found


def write_samples(kit: ExportedKit, folder: Path) -> None:
    """Write the WAV files of kit.samples() below a folder, with the id of each inside. Raises
    OSError."""
    import soundfile

    for slot, _, _, sound, path in kit.samples():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with soundfile.SoundFile(target, "w", kit.sample_rate_hz, len(sound.channels),
                                 BITS[kit.bits], format="WAV") as file:
            file.title, file.comment = sound.id, slot.name
            file.license = kit.licence
            file.write(sound.audio)


def write_about(kit: ExportedKit, folder: Path) -> None:
    """Write what the format has no place for into kit.json: name, licence, levels, ids. Raises
    OSError."""
    about = {
        "name": kit.name, "licence": kit.licence,
        "slots": [{"code": s.code, "name": s.name, "note": s.note, "level": s.level, "pan": s.pan,
                   "tune_semitones": s.tune_semitones, "choke": s.choke} for s in kit.slots],
        "ids": {path: sound.id for _, _, _, sound, path in kit.samples()},
    }
    (folder / "kit.json").write_text(
        json.dumps(about, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def ascii_name(name: str) -> str:
    """A name as a file name of plain letters: Käse & "Bröt"/1 becomes Kase_Brot_1."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    kept = "".join(c if c.isalnum() or c in "-." else " " for c in plain)
    return "_".join(kept.split()).strip(".-") or "kit"
