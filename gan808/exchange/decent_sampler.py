"""A Decent Sampler preset (https://decentsampler-developers-guide.readthedocs.io). It has no place
for a name, a licence or ids: they are in kit.json."""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

from gan808.exchange.exported_kit import ExportedKit, write_about, write_samples

RINGING_S = 60.0  # a drum sounds to its end, however soon the key is let go


def write(kit: ExportedKit, folder: Path) -> None:
    """Write kit.dspreset, kit.json and samples into an empty folder. Raises OSError."""
    write_samples(kit, folder)
    write_about(kit, folder)
    root = Element("DecentSampler", minVersion="1.0.0")
    groups = SubElement(root, "groups")
    for slot in kit.slots:
        for layer in slot.layers:
            group = SubElement(groups, "group", {
                "name": slot.name, "volume": f"{slot.level:.6f}", "pan": f"{100 * slot.pan:.1f}",
                "groupTuning": f"{slot.tune_semitones:.2f}", "trigger": "attack",
                "ampVelTrack": "1", "release": f"{RINGING_S}", "releaseCurve": "0",
                "seqMode": "round_robin", "seqLength": str(len(layer.sounds)),
                "tags": f"slot-{slot.code}" + (f",choke-{slot.choke}" if slot.choke else ""),
            } | ({"silencedByTags": f"choke-{slot.choke}", "silencingMode": "fast"}
                 if slot.choke else {}))
            for other, its_layer, turn, _, path in kit.samples():
                if other is slot and its_layer is layer:
                    SubElement(group, "sample", {
                        "path": path, "rootNote": str(slot.note), "loNote": str(slot.note),
                        "hiNote": str(slot.note), "loVel": str(layer.lowest),
                        "hiVel": str(layer.highest), "pitchKeyTrack": "0", "loopEnabled": "false",
                        "seqPosition": str(turn + 1)})
    indent(root)
    ElementTree(root).write(folder / "kit.dspreset", "utf-8", xml_declaration=True)
