"""A start sweeps what a kill has left, in every folder that a run writes into."""

from __future__ import annotations

from pathlib import Path

import pytest

from gan808 import paths as places
from gan808.config import Settings
from gan808.storage.session import Session
from tests.instrument.rig import Rig


def test_what_a_kill_has_left_is_swept_at_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though this run keeps no state of its own."""
    monkeypatch.setattr(places, "user_kits_folder", lambda: tmp_path / "kits")
    monkeypatch.setattr(places, "scenes_folder", lambda: tmp_path / "scenes")
    litter = [tmp_path / "scenes" / ".a.scene.99999999-0011aabb.partial",
              tmp_path / "kits" / ".mine.99999999-0011aabb.partial" / "kit.toml"]
    for path in litter:
        path.parent.mkdir(parents=True)
        path.touch()
    warned: list[str] = []
    keeping = Session(Settings().replace({"state": {"keep": False}}), warn=warned.append)
    keeping.go_on(Rig().machine)
    assert not list((tmp_path / "scenes").iterdir())
    assert not list((tmp_path / "kits").iterdir())
