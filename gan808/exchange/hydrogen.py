"""A Hydrogen 1.2 drumkit: tar.gz of NAME/drumkit.xml and its samples."""

from __future__ import annotations

import math
import tarfile
import tempfile
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from gan808.exchange.exported_kit import ExportedKit, ExportedSlot, ascii_name, write_samples

NAMESPACE = "http://www.hydrogen-music.org/drumkit"
DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'
FIRST_NOTE = 36  # instrument 0 is played by this note


def write(kit: ExportedKit, file: Path) -> None:
    """Write the kit as one archive. Raises OSError."""
    folder = ascii_name(kit.name)
    with tempfile.TemporaryDirectory() as temporary:
        inside = Path(temporary) / folder
        inside.mkdir()
        write_samples(kit, inside)
        for path in list(inside.glob("*/*.wav")):  # Hydrogen has no folders in a kit
            path.rename(inside / f"{path.parent.name}-{path.name}")
            if not any(path.parent.iterdir()):
                path.parent.rmdir()
        (inside / "drumkit.xml").write_bytes(DECLARATION + tostring(_drumkit(kit), "utf-8"))
        with tarfile.open(file, "w:gz", format=tarfile.PAX_FORMAT) as archive:
            archive.add(inside, folder)


def _drumkit(kit: ExportedKit) -> Element:
    root = Element("drumkit_info", xmlns=NAMESPACE)
    _texts(root, {"name": kit.name, "author": "GAN-808",
                  "info": "; ".join(sound.id for *_, sound, _ in kit.samples()),
                  "license": kit.licence, "image": "", "imageLicense": ""})
    component = SubElement(SubElement(root, "componentList"), "drumkitComponent")
    _texts(component, {"id": 0, "name": "Main", "volume": 1.0})
    instruments = SubElement(root, "instrumentList")
    for number, slot in _numbered(kit.slots):
        _instrument(SubElement(instruments, "instrument"), number, slot, kit)
    indent(root)
    return root


def _numbered(slots: tuple[ExportedSlot, ...]) -> list[tuple[int, ExportedSlot]]:
    """Each slot with its instrument's id, note - 36 where that is free and not below 0."""
    wanted = {slot.note - FIRST_NOTE: slot for slot in reversed(slots) if slot.note >= FIRST_NOTE}
    rest = [slot for slot in slots if slot not in wanted.values()]
    free = (n for n in range(1000) if n not in wanted)
    return sorted([*wanted.items(), *((next(free), slot) for slot in rest)],
                  key=lambda pair: pair[0])


def _instrument(parent: Element, number: int, slot: ExportedSlot, kit: ExportedKit) -> None:
    gain, pan = _loudness_and_place(slot.pan)
    _texts(parent, {
        "id": number, "name": slot.name, "volume": f"{slot.level * gain:.6f}", "isMuted": "false",
        "isSoloed": "false", "pan": f"{pan:.6f}", "pitchOffset": slot.tune_semitones,
        "randomPitchFactor": 0, "gain": 1, "applyVelocity": "true", "filterActive": "false",
        "filterCutoff": 1, "filterResonance": 0, "Attack": 0, "Decay": 0, "Sustain": 1,
        "Release": 1000, "muteGroup": slot.choke - 1, "midiOutChannel": -1,
        "midiOutNote": slot.note, "isStopNote": "false", "sampleSelectionAlgo": "ROUND_ROBIN",
        "isHihat": -1, "lower_cc": 0, "higher_cc": 127, "FX1Level": 0, "FX2Level": 0,
        "FX3Level": 0, "FX4Level": 0,
    })
    component = SubElement(parent, "instrumentComponent")
    _texts(component, {"component_id": 0, "gain": 1})
    for other, layer, _, _, path in kit.samples():
        if other is slot:
            _texts(SubElement(component, "layer"), {
                "filename": path.replace("/", "-"), "min": (layer.lowest - 1) / 127,
                "max": layer.highest / 127, "gain": 1, "pitch": 0})


def _loudness_and_place(pan: float) -> tuple[float, float]:
    """What Hydrogen must be told for the loudness and the place of our pan: by its own pan law, of
    a song that has chosen none, the nearer side stays as loud as it was and the other falls by the
    pan (Sampler.cpp, ratioStraightPolygonalPanLaw)."""
    angle = (abs(pan) + 1) * math.pi / 4
    return math.sin(angle) * math.sqrt(2), math.copysign(1 - 1 / math.tan(angle), pan)


def _texts(parent: Element, texts: dict[str, object]) -> None:
    for name, text in texts.items():
        SubElement(parent, name).text = str(text)
