"""Unsorted sounds laid into class folders by what a kit's critic hears them as.

Its auxiliary head names the classes of the kit and no others: what is none of them is heard as the
nearest, often surely, so the index says of each file what was heard and how sure it is. Originals
are read, linked to or copied, never moved.
"""

from __future__ import annotations

import csv
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gan808.errors import CorpusError
from gan808.progress import Bar
from gan808.sound.audio_files import not_read
from gan808.sound.renderer import Renderer

from .corpus.audio_files import read_hit, readable, walk
from .corpus.class_map import FILE, IGNORE
from .corpus.packs import INDEX, SEPARATOR
from .corpus.recording import Skipped
from .corpus.spool import clean
from .parallel import in_order

AT_ONCE = 64
UNSURE = "unsure"
COLUMNS = ("file", "class", "pack", "heard", "confidence", "source")


@dataclass(frozen=True)
class SortOptions:
    """folder is read, out written; least: confidence below which a sound is laid apart; copy: files
    instead of links."""

    folder: Path
    out: Path
    least: float = 0.99
    copy: bool = False


@dataclass(frozen=True)
class _SortedFile:
    path: Path
    class_name: str
    confidence: float


def sort_sounds(
    renderer: Renderer, options: SortOptions, skipped: Skipped, bar: Bar
) -> Counter[str]:
    """Fill OUT with class folders, `unsure/`, index.tsv and a classes.toml by which a training
    leaves the unsure ones out; how many lie in each. Raises CorpusError when there is nothing to
    sort, or OUT has something in it."""
    _refuse(options)
    files = list(_files(options, skipped))
    if not files:
        raise CorpusError(f"{options.folder}: no sound files in it")
    counts: Counter[str] = Counter()
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / FILE).write_text(f'{UNSURE} = "{IGNORE}"\n')
        with (options.out / INDEX).open("w", newline="", encoding="utf-8") as index:
            rows = csv.writer(index, delimiter="\t", lineterminator="\n")
            rows.writerow(COLUMNS)
            for done, heard in enumerate(_listen(renderer, files, options, skipped), start=1):
                sure = heard.confidence >= options.least
                class_name = heard.class_name if sure else UNSURE
                pack = _pack(heard.path, options.folder)
                place = _lay(heard.path, options.out / class_name, pack, options.copy)
                rows.writerow((readable(place.relative_to(options.out)), class_name, pack,
                               heard.class_name, f"{heard.confidence:.3f}", readable(heard.path)))
                counts[class_name] += 1
                bar.update(done / len(files), f"{done} of {len(files)} sounds")
    except OSError as error:
        why = error.strerror or error
        raise CorpusError(f"{options.out}: cannot write there ({why})") from error
    return counts


def _files(options: SortOptions, skipped: Skipped) -> Iterator[Path]:
    for path in walk(options.folder, lambda path, why: skipped.add(readable(path), why)):
        if why := not_read(path):
            skipped.add(readable(path), why)
        else:
            yield path.absolute()


def _refuse(options: SortOptions) -> None:
    if not options.folder.is_dir():
        raise CorpusError(f"{options.folder}: no such folder")
    out = options.out
    if out.resolve().is_relative_to(options.folder.resolve()):
        raise CorpusError(f"{out}: lies in what is to be sorted; give --out another folder")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise CorpusError(f"{out}: has something in it; give --out a new folder")


def _listen(
    renderer: Renderer, files: Sequence[Path], options: SortOptions, skipped: Skipped
) -> Iterator[_SortedFile]:
    geometry = renderer.kit.geometry

    def one(path: Path) -> tuple[Path, np.ndarray | str]:
        try:
            return path, clean(*read_hit(path), geometry)
        except CorpusError as error:
            return path, str(error)

    waiting: list[tuple[Path, np.ndarray]] = []
    for path, audio in in_order(one, files):
        if isinstance(audio, str):
            skipped.add(readable(path), audio)
        else:
            waiting.append((path, audio))
        if len(waiting) == AT_ONCE:
            yield from _heard(renderer, waiting)
            waiting = []
    yield from _heard(renderer, waiting)


def _heard(renderer: Renderer, sounds: Sequence[tuple[Path, np.ndarray]]) -> Iterator[_SortedFile]:
    if not sounds:
        return
    probability = renderer.listen([audio for _, audio in sounds], [0] * len(sounds)).probability
    for (path, _), row in zip(sounds, probability, strict=True):
        best = int(row.argmax())
        yield _SortedFile(path, renderer.kit.classes[best], float(row[best]))


def _pack(path: Path, folder: Path) -> str:
    """The folder a file lay in, as one word: training draws and holds out by it."""
    inside = path.parent.relative_to(folder.absolute())
    return readable("-".join(inside.parts) or folder.absolute().name).replace(SEPARATOR, "_")


def _lay(path: Path, folder: Path, pack: str, copy: bool) -> Path:
    """Link or copy a file into a folder, under a name that is free; where it is now."""
    folder.mkdir(exist_ok=True)
    name = f"{pack}{SEPARATOR}{readable(path.stem)}"[:200]
    place, number = folder / f"{name}{path.suffix}", 2
    while os.path.lexists(place):
        place, number = folder / f"{name} {number}{path.suffix}", number + 1
    if not copy:
        try:
            place.symlink_to(path)
            return place
        except OSError:  # a disk or a system without links
            pass
    shutil.copyfile(path, place)
    return place
