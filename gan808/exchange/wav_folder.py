"""Folders of WAV files by slot with strudel.json, as SuperDirt and Strudel read them
(https://strudel.cc/learn/samples/)."""

from __future__ import annotations

import json
from pathlib import Path

from gan808.exchange.exported_kit import ExportedKit, write_about, write_samples


def write(kit: ExportedKit, folder: Path) -> None:
    """Write the kit into an empty folder. Raises OSError."""
    write_samples(kit, folder)
    lists: dict[str, list[str]] = {}
    for slot, _, _, _, path in kit.samples():
        lists.setdefault(slot.code.lower(), []).append(path)
    (folder / "strudel.json").write_text(
        json.dumps({"_base": "./", **lists}, indent=1) + "\n", encoding="utf-8")
    write_about(kit, folder)
