"""Which notes of a SoundFont's drum kits play the same samples.

Read from the file's own tables (SoundFont 2.04, section 7) with sf2utils; nothing is rendered.
"""

from __future__ import annotations

import logging
import struct
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gan808.errors import CorpusError

DRUM_BANK = 128
NOTES = range(128)


class _PackGroups:
    """Disjoint sets of sample names."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def root(self, name: str) -> str:
        """The name that stands for all that were joined with it: the first in the alphabet."""
        parent = self._parent.setdefault(name, name)
        if parent != name:
            parent = self._parent[name] = self.root(parent)
        return parent

    def join(self, names: set[str]) -> None:
        roots = sorted(self.root(name) for name in names)
        for root in roots:
            self._parent[root] = roots[0]


def packs_of(path: Path) -> defaultdict[tuple[int, int], str]:
    """(program, note) of the drum bank to the name of its pack; notes whose samples the file does
    not tell have a pack a note.

    Raises CorpusError when sf2utils is missing.
    """
    try:
        from sf2utils.sf2parse import Sf2File
    except ImportError as error:
        raise CorpusError(
            f"{path}: reading a SoundFont needs sf2utils: `pip install 'gan808[soundfont]'`"
        ) from error
    used: dict[tuple[int, int], set[str]] = {}
    try:
        with path.open("rb") as file, _quiet_root_logger():
            for preset in Sf2File(file).presets:
                if getattr(preset, "bank", None) == DRUM_BANK:
                    used.update(_samples_of(preset))
    except (ValueError, KeyError, EOFError, struct.error):
        used = {}  # FluidSynth reads more than the standard allows
    groups = _PackGroups()
    for names in used.values():
        groups.join(names)
    packs: defaultdict[tuple[int, int], str] = _PackANote()
    packs.update({key: groups.root(min(names)) for key, names in used.items() if names})
    return packs


@contextmanager
def _quiet_root_logger() -> Iterator[None]:
    """sf2utils warns, through the root logger, of loops that no drum has use for."""
    root = logging.getLogger()
    handlers, disabled = root.handlers[:], root.disabled
    root.disabled = True
    try:
        yield
    finally:
        root.disabled = disabled
        root.handlers[:] = handlers  # logging.warning() adds one where there was none


class _PackANote(defaultdict[tuple[int, int], str]):
    def __missing__(self, key: tuple[int, int]) -> str:
        return f"note {key[1]}"


def _covers(bag: Any, note: int) -> bool:
    return bag.key_range is None or bag.key_range[0] <= note <= bag.key_range[1]


def _samples_of(preset: Any) -> Iterator[tuple[tuple[int, int], set[str]]]:
    """What each note of a preset plays at any velocity."""
    for note in NOTES:
        names = {
            inner.sample.name
            for bag in preset.bags if bag.instrument is not None and _covers(bag, note)
            for inner in bag.instrument.bags if inner.sample is not None and _covers(inner, note)
        }
        yield (preset.preset, note), names
