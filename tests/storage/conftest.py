"""A state folder of the test's own, and what was said to the user."""

from __future__ import annotations

from pathlib import Path

import pytest

from gan808 import paths


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user whose state is in a folder of the test's own."""
    state = tmp_path / "state"
    monkeypatch.setattr(paths, "state_folder", lambda: state)
    return state


@pytest.fixture
def warned() -> list[str]:
    return []
