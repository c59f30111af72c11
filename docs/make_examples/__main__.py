"""Writes those examples that say the same thing for sixteen slots, from the program's own tables.

    python docs/make_examples            # into examples/
    python docs/make_examples FOLDER     # somewhere else, to look at

A test fails when what lies in examples/ is not what this writes. Needs GAN-808 importable, which
it is in .venv.
"""

from __future__ import annotations

import sys
from pathlib import Path

import max_patch
import notes
import pd_patch
import touchosc


def write(folder: Path) -> list[Path]:
    """Write every made example into an existing folder; the files."""
    files = {
        "touchosc.tosc": touchosc.layout(),
        "max.maxpat": max_patch.patch().encode(),
        "puredata.pd": pd_patch.patch().encode(),
        "drum-rack-notes.md": notes.page().encode(),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in files]


if __name__ == "__main__":
    examples = Path(__file__).resolve().parents[2] / "examples"
    for path in write(Path(sys.argv[1]) if len(sys.argv) > 1 else examples):
        print(path)
