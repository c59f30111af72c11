"""The notebook runs from its first cell to its last, with a kit that renders in milliseconds."""

from __future__ import annotations

import json
import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.running import CHECKOUT, environment

NOTEBOOK = CHECKOUT / "examples" / "make-see-hear.ipynb"


def test_nothing_of_a_run_is_kept_in_it() -> None:
    book = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    code = [cell for cell in book["cells"] if cell["cell_type"] == "code"]
    assert [cell["outputs"] for cell in code] == [[]] * len(code)
    assert {cell["execution_count"] for cell in code} == {None}


def test_it_makes_shows_and_plays(
    tiny_kit: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment(tmp_path).items():
        monkeypatch.setitem(os.environ, name, value)
    book = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(book)
    parameters = next(cell for cell in book.cells if "parameters" in cell.metadata.get("tags", ()))
    assert 'KIT = "gan808"' in parameters.source
    parameters.source = parameters.source.replace('"gan808"', repr(str(tiny_kit)), 1)
    NotebookClient(book, timeout=240, kernel_name="python3",
                   resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in book.cells for output in cell.get("outputs", [])]
    shown = [output["data"] for output in outputs if "data" in output]
    assert sum("image/png" in data for data in shown) == 4  # sounds, a way, neighbours, the critic
    players = [data["text/html"] for data in shown if "audio/wav" in data.get("text/html", "")]
    assert len(players) == 12 + 3  # every class, the way, the neighbours, the beat
    told = "".join(output.get("text", "") for output in outputs)
    assert "of 96 may be played" in told
    assert "is now tiny/" in told
    assert not any(output.get("name") == "stderr" for output in outputs)
