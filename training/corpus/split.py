"""Which recordings are kept from training, to judge it by.

By source pack and before any copy is made, so that nothing a kit is judged by is a sibling of what
it learned from. Packs are chosen by a hash of their names: adding sounds moves nothing across but
where it changes whether a pack is too large a part of its class.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from training.corpus.spool import Spooled

HELD_OUT = 0.1
LEAST, MOST = 0.05, 0.3  # of a class's sounds, where its packs allow it
ENOUGH_PACKS = 4  # a class of so many gives one up even where the hash chose none


def _rank(pack: str) -> int:
    return hashlib.sha256(pack.encode()).digest()[0]


def is_held_out(pack: str) -> bool:
    """Whether a pack's hash keeps it from training: a tenth of all packs."""
    return _rank(pack) < 256 * HELD_OUT


def choose_held_out(sounds: list[Spooled]) -> list[Spooled]:
    """The same sounds, told which are held out. Packs differ in size: one that would take more than
    MOST of a class away is trained on after all, and a class of ENOUGH_PACKS or more gives up those
    next in rank until LEAST of it is held out."""
    sizes: dict[str, Counter[str]] = defaultdict(Counter)
    for sound in sounds:
        sizes[sound.class_name][sound.pack] += 1
    chosen = {class_name: _of_class(packs) for class_name, packs in sizes.items()}
    return [replace(s, held_out=s.pack in chosen[s.class_name]) for s in sounds]


def _of_class(sizes: Counter[str]) -> set[str]:
    """The packs of one class that are held out, by the number of its sounds in each."""
    total, n_held = sizes.total(), 0
    held: set[str] = set()
    for pack in sorted(sizes, key=lambda pack: (_rank(pack), pack)):
        few = n_held < LEAST * total and len(sizes) >= ENOUGH_PACKS
        if (is_held_out(pack) or few) and n_held + sizes[pack] <= MOST * total:
            held.add(pack)
            n_held += sizes[pack]
    return held
