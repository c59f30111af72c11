"""The pages in docs/ are what the tables say."""

from __future__ import annotations

from pathlib import Path

import pytest

from gan808.control.reference import pages
from gan808.instrument.controllers import controllers
from gan808.instrument.parameters import TABLE

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = pages(DOCS)


@pytest.mark.parametrize("path", list(PAGES), ids=lambda path: path.name)
def test_the_page_is_up_to_date(path: Path) -> None:
    assert path.is_file(), "missing; run python -m gan808.control.reference"
    assert path.read_text(encoding="utf-8") == PAGES[path], (
        "stale; run python -m gan808.control.reference")


def test_every_row_is_on_the_page() -> None:
    text = PAGES[DOCS / "osc.md"]
    assert all(f"| `{row.address}` |" in text for row in TABLE)


def test_every_controller_is_on_the_page() -> None:
    text = PAGES[DOCS / "midi.md"]
    assert controllers()
    for row, _ in controllers().values():
        assert f"| `{row.address}`: " in text
