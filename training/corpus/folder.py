"""A folder of class folders (drums/clap/*.wav, drums/conga/*.wav), or of files named by class."""

from __future__ import annotations

import functools
import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from pathlib import Path

import numpy as np

from gan808.errors import CorpusError
from gan808.sound.audio_files import not_read

from . import class_map as class_map_file
from .audio_files import (
    LONGEST_SPLIT_S,
    read_hit,
    read_mono,
    read_part,
    readable,
    walk,
)
from .class_map import ClassMap
from .classes import class_of, folder_class, is_mixture, names_several
from .duplicates import SAME
from .hits import SEVERAL, onsets
from .packs import (
    INDEX,
    PROVENANCE,
    SEPARATOR,
    Selection,
    prefix_of,
    read_credits,
    read_index,
)
from .recording import Credit, Recording, Skipped


@dataclass(frozen=True)
class _File:
    """A sound file: its path from the root, and what its name and the index say of it."""

    place: Path
    name: str
    pack: str
    told: str = ""

    @property
    def folders(self) -> tuple[str, ...]:
        """From the root, inwards."""
        return self.place.parts[:-1]

    @cached_property
    def known(self) -> str | None:
        """The class that the index, a folder, the innermost first, or the file's name speaks of."""
        names = [self.told] if self.told else [*reversed(self.folders), self.name]
        return next((known for known in map(class_of, names) if known), None)


class FolderSource:
    """Recordings of a folder of class folders, at any depth, or of files named by class.

    A folder whose name says no class is one of its own, with all that lies in it; but where most
    of what lies in it says its class by itself it is a pack, as `TR-808/BD01.wav`. class_map says
    it otherwise; so does an index (packs.py).
    """

    def __init__(self, root: Path, selection: Selection | None = None) -> None:
        """Raises CorpusError when the folder, its index or its classes.toml cannot be read."""
        if not root.is_dir():
            raise CorpusError(f"{root}: no such folder")
        self.root = root
        self._selection = selection or Selection()
        own = root / class_map_file.FILE
        self._class_map = self._selection.class_map or (
            class_map_file.read_class_map(own) if own.is_file() else ClassMap())
        self._index = read_index(root)

    @property
    def mark(self) -> str:
        """Changes with what tells its files' classes and packs, and which are taken."""
        told = repr((self._selection, self._class_map, sorted(self._index.items())))
        return hashlib.sha256(told.encode(errors="surrogateescape")).hexdigest()

    def credits(self) -> dict[str, Credit]:
        """Of the packs that a PROVENANCE.md names."""
        return {self._collection(pack): credit for pack, credit in read_credits(self.root).items()}

    def _file(self, place: Path) -> _File:
        entry = self._index.get(place)
        prefix = prefix_of(place.stem)
        name = place.stem[len(prefix) + len(SEPARATOR):] if prefix else place.stem
        pack = (entry.pack if entry else "") or prefix or self._pack_folder(place.parts[:-1])
        return _File(place, name, pack, entry.class_name if entry else "")

    def _pack_folder(self, folders: Sequence[str]) -> str:
        """The outermost folder beside the class's: of ROOT/pack/class and of ROOT/class/pack."""
        if len(folders) < 2:
            return ""
        last_class = max((i for i, name in enumerate(folders) if class_of(name)), default=0)
        return next(name for i, name in enumerate(folders) if i != last_class)

    def _files(self, skipped: Skipped) -> list[_File]:
        files = []
        for path in walk(self.root, lambda path, why: skipped.add(self._origin(path), why)):
            if self._is_sidecar(path):
                continue
            if why := not_read(path):
                skipped.add(self._origin(path), why)
                continue
            file = self._file(path.relative_to(self.root))
            if self._selection.takes(file.pack, file.name):
                files.append(file)
        return files

    def _is_sidecar(self, path: Path) -> bool:
        return path.parent == self.root and path.name in (INDEX, PROVENANCE, class_map_file.FILE)

    def _files_by_class(self, skipped: Skipped) -> dict[str, list[_File]]:
        found = self._files(skipped)
        packs = _pack_folders(found)
        files: dict[str, list[_File]] = defaultdict(list)
        for file in found:
            class_name = self._class_name(file, packs)
            if class_name is None:
                skipped.add(self._origin(self.root / file.place), "no drum class in its name")
            elif class_name == class_map_file.IGNORE:
                skipped.add(self._origin(self.root / file.place), "ignored by classes.toml")
            else:
                files[class_name].append(file)
        return self._without_contradictions(files, skipped)

    def _without_contradictions(
        self, files: dict[str, list[_File]], skipped: Skipped
    ) -> dict[str, list[_File]]:
        """The files, one of each, but those of which another class has the same."""
        classes: defaultdict[tuple[int, bytes], set[str]] = defaultdict(set)
        content = _contents(self.root, [file.place for each in files.values() for file in each])
        for class_name, each in files.items():
            for file in each:
                if file.place in content:
                    classes[content[file.place]].add(class_name)
        kept: dict[str, list[_File]] = {}
        for class_name, each in files.items():
            kept[class_name] = []
            first: dict[tuple[int, bytes], Path] = {}
            for file in each:
                known = content.get(file.place)
                among = classes[known] if known else set()
                other = first.setdefault(known, file.place) if known else file.place
                if len(among) > 1:
                    skipped.add(self._origin(self.root / file.place),
                                f"the same file in two classes, {' and '.join(sorted(among))}")
                elif other != file.place:
                    skipped.add(self._origin(self.root / file.place),
                                f"{SAME}: {self._origin(self.root / other)}")
                else:
                    kept[class_name].append(file)
        return kept

    def _class_name(self, file: _File, packs: set[tuple[str, ...]]) -> str | None:
        own = [folder for i, folder in enumerate(file.folders)
               if file.folders[: i + 1] not in packs]
        names = [file.told] if file.told else list(reversed(own))
        if given := self._class_map.of(names):
            return given
        if file.told:
            return folder_class(file.told)
        if file.known or not own or any(map(names_several, file.folders)):
            return file.known
        return folder_class(own[0])

    def recordings(self, skipped: Skipped) -> Iterator[Recording]:
        for class_name, files in sorted(self._files_by_class(skipped).items()):
            for file in files:
                path = self.root / file.place
                pack = self._collection(file.pack) if file.pack else ""
                for read, which in self._parts(path, skipped):
                    yield Recording(read, class_name, self._origin(path) + which,
                                    pack or self._origin(path), pack, path)

    def _parts(
        self, path: Path, skipped: Skipped
    ) -> Iterator[tuple[Callable[[], tuple[np.ndarray, int]], str]]:
        """The file as it is, or, if so selected, each of its several hits, numbered."""
        if not self._selection.split:
            yield functools.partial(read_hit, path), ""
            return
        try:
            starts = onsets(*read_mono(path, LONGEST_SPLIT_S))
        except CorpusError as error:
            skipped.add(self._origin(path), str(error))
            return
        if len(starts) < SEVERAL:
            yield functools.partial(read_mono, path), ""
            return
        for number, (start, end) in enumerate(zip_longest(starts, starts[1:]), start=1):
            yield functools.partial(read_part, path, start, end), f" hit {number}"

    def _origin(self, path: Path) -> str:
        return readable(f"{self.root.name}/{path.relative_to(self.root).as_posix()}")

    def _collection(self, pack: str) -> str:
        return readable(f"{self.root.name}/{pack}")


def _contents(root: Path, places: Sequence[Path]) -> dict[Path, tuple[int, bytes]]:
    """What tells the files that have others of their size from those: only these are read."""
    by_size: defaultdict[int, list[Path]] = defaultdict(list)
    for place in places:
        by_size[(root / place).stat().st_size].append(place)
    content = {}
    for size, alike in by_size.items():
        for place in alike if len(alike) > 1 else ():
            with suppress(OSError):  # it is named where it is decoded
                content[place] = (size, hashlib.sha256((root / place).read_bytes()).digest())
    return content


def _pack_folders(files: Sequence[_File]) -> set[tuple[str, ...]]:
    """Folders, as their names from the root, that are no class but hold some: their own name says
    none, and most of the files below say one, or it joins two."""
    known: Counter[tuple[str, ...]] = Counter()
    total: Counter[tuple[str, ...]] = Counter()
    for file in files:
        for i, _ in enumerate(file.folders):
            total[file.folders[: i + 1]] += 1
            known[file.folders[: i + 1]] += file.known is not None
    return {folder for folder, n in total.items() if is_mixture(folder[-1])
            or (class_of(folder[-1]) is None and 2 * known[folder] > n)}
