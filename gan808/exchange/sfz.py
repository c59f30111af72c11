"""SFZ 2 (https://sfzformat.com): kit.sfz and its samples."""

from __future__ import annotations

import math
from pathlib import Path

from gan808.exchange.exported_kit import ExportedKit, ExportedSlot, Layer, write_samples

# General MIDI's open hi-hat, crashes, rides, china and splash: what a player grabs to end it.
CYMBALS = frozenset({46, 49, 51, 52, 53, 55, 57, 59})
GRABBED = 100  # the group of a note's silence is this much above the note


def write(kit: ExportedKit, folder: Path) -> None:
    """Write the kit into an empty folder. Raises OSError."""
    write_samples(kit, folder)
    lines = [f"// {_comment(kit.name)}", f"// licence: {_comment(kit.licence)}"]
    for slot, layer, turn, sound, path in kit.samples():
        lines += ["", f"// {slot.name}: {sound.id}", "<region>", f"sample={path}"]
        lines += [f"{opcode}={value}" for opcode, value in _opcodes(slot, layer, turn).items()]
    for group in sorted({_ended_by(slot) for slot in kit.slots} - {0}):
        lines += ["", "// E-drum modules send polyphonic aftertouch when a cymbal is grabbed.",
                  "<region>", "sample=*silence", "lokey=-1", "hikey=-1", "on_locc130=64",
                  "on_hicc130=127", "loop_mode=one_shot", f"group={group}"]
    (folder / "kit.sfz").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _opcodes(slot: ExportedSlot, layer: Layer, turn: int) -> dict[str, object]:
    semitones = round(slot.tune_semitones)
    opcodes: dict[str, object] = {
        "key": slot.note, "loop_mode": "one_shot", "pitch_keytrack": 0, "amp_veltrack": 100,
        "lovel": layer.lowest, "hivel": layer.highest,
        "seq_length": len(layer.sounds), "seq_position": turn + 1,
        "volume": f"{20 * math.log10(max(slot.level, 1e-5)):.2f}", "pan": f"{100 * slot.pan:.1f}",
        "transpose": semitones, "tune": round(100 * (slot.tune_semitones - semitones)),
    }
    if _ended_by(slot):
        opcodes |= {"group": slot.choke, "off_by": _ended_by(slot), "off_mode": "fast"}
    return opcodes


def _ended_by(slot: ExportedSlot) -> int:
    """The group that ends the slot's sound: its choke group, a cymbal's silence, or 0."""
    return slot.choke or (GRABBED + slot.note if slot.note in CYMBALS else 0)


def _comment(text: str) -> str:
    return " ".join(text.split())
