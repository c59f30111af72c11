"""Folders of WAV files by slot with strudel.json, as SuperDirt and Strudel read them
(https://strudel.cc/learn/samples/)."""

from __future__ import annotations

import json
from pathlib import Path

from gan808.exchange.exported_kit import ExportedKit, write_samples


def write(kit: ExportedKit, folder: Path) -> None:
    """Write the kit into an empty folder. Raises OSError."""
    write_samples(kit, folder)
    lists: dict[str, list[str]] = {}
    for slot, _, _, _, path in kit.samples():
        lists.setdefault(slot.code.lower(), []).append(path)
    (folder / "strudel.json").write_text(
        json.dumps({"_base": "./", **lists}, indent=1) + "\n", encoding="utf-8")
    about = {
        "name": kit.name, "licence": kit.licence,
        "slots": [{"code": s.code, "name": s.name, "note": s.note, "level": s.level, "pan": s.pan,
                   "tune_semitones": s.tune_semitones, "choke": s.choke} for s in kit.slots],
        "ids": {path: sound.id for _, _, _, sound, path in kit.samples()},
    }
    (folder / "kit.json").write_text(
        json.dumps(about, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
