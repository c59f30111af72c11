"""What a folder of sounds says of itself: which pack a file is of, and whose that pack is.

A sidecar `index.tsv`, in the folder or beside it, has a line for each file: `file` (from where the
index lies) and, as far as it knows, `class` and `pack`. A `PROVENANCE.md` beside it has a table of
the packs: `pack`, `source...`, `licence` and `credit` or `author`.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from gan808.errors import CorpusError

from .class_map import ClassMap
from .recording import Credit

INDEX = "index.tsv"
PROVENANCE = "PROVENANCE.md"
SEPARATOR = "__"  # pack__name.wav


@dataclass(frozen=True)
class Entry:
    """A line of the index; what it does not say is empty."""

    class_name: str
    pack: str


def read_index(root: Path) -> dict[Path, Entry]:
    """Entries of the index of ROOT or of the folder it lies in, by path from ROOT; none, none.

    Raises CorpusError when there is one that cannot be read.
    """
    path = _beside(root, INDEX)
    if path is None:
        return {}
    entries = {}
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = csv.DictReader(file, delimiter="\t")
            if "file" not in (rows.fieldnames or ()):
                raise CorpusError(f"{path}: has no column `file`; write one line a sound, parted "
                                  "by tabs: file, class, pack")
            for row in rows:
                place = (path.parent / (row["file"] or "")).absolute()
                if place.is_relative_to(root.absolute()):
                    entries[place.relative_to(root.absolute())] = Entry(
                        row.get("class") or "", row.get("pack") or "")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"{path}: cannot be read ({error})") from error
    return entries


def _beside(root: Path, name: str) -> Path | None:
    return next((p for p in (root / name, root.absolute().parent / name) if p.is_file()), None)


def prefix_of(stem: str) -> str:
    """The pack that a file's own name begins with, or nothing.

    >>> prefix_of("cr78__bongo-h"), prefix_of("bongo__h__2"), prefix_of("bongo")
    ('cr78', 'bongo', '')
    """
    pack, separator, rest = stem.partition(SEPARATOR)
    return pack if separator and rest else ""


def read_credits(root: Path) -> dict[str, Credit]:
    """Source, licence and author of each pack that a table of PROVENANCE.md names."""
    path = _beside(root, PROVENANCE)
    if path is None:
        return {}
    credits: dict[str, Credit] = {}
    columns: dict[str, int] = {}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        cells = [_plain(cell) for cell in line.strip().strip("|").split("|")]
        if not line.lstrip().startswith("|") or set(line) <= set("|-: "):
            columns = columns if line.lstrip().startswith("|") else {}
        elif not columns:
            columns = {cell.lower().split()[0]: i for i, cell in enumerate(cells) if cell}
        elif "pack" in columns and len(cells) == max(columns.values()) + 1:
            credits[re.sub(r" \(\d+\)$", "", cells[columns["pack"]])] = _credit(cells, columns)
    return credits


def _plain(cell: str) -> str:
    return cell.strip().replace("**", "").replace("`", "")


def _credit(cells: Sequence[str], columns: dict[str, int]) -> Credit:
    def of(*names: str) -> str:
        return next((cells[columns[name]] for name in names if name in columns), "")

    return Credit(of("source") or of("pack"), of("licence", "license") or "not stated",
                  of("author", "credit"))


@dataclass(frozen=True)
class Selection:
    """What is taken of folders. packs, without: patterns as a shell has them, `cr78`, `h2_*`, or
    with the sound's name after a slash, `fluidr3gm/808_*`; no packs means all. class_map: None for
    the folder's own classes.toml. split: files of several hits are cut into these."""

    packs: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    class_map: ClassMap | None = None
    split: bool = False

    def takes(self, pack: str, name: str) -> bool:
        """name: of the file, without suffix and pack."""
        def among(patterns: tuple[str, ...]) -> bool:
            return any(fnmatchcase(whole, pattern) for pattern in patterns
                       for whole in (pack, f"{pack}/{name}"))

        return (not self.packs or among(self.packs)) and not among(self.without)
