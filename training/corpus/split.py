"""Which recordings are kept from training, to judge it by.

By source pack and before any copy is made, so that nothing a kit is judged by is a sibling of what
it learned from. Packs are chosen by a hash of their names: adding sounds moves nothing across.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from training.corpus.spool import Spooled

HELD_OUT = 0.1
ENOUGH_PACKS = 4  # a class of so many gives one up even where the hash chose none


def _rank(pack: str) -> int:
    return hashlib.sha256(pack.encode()).digest()[0]


def is_held_out(pack: str) -> bool:
    """Whether a pack's hash keeps it from training: a tenth of all packs."""
    return _rank(pack) < 256 * HELD_OUT


def choose_held_out(sounds: list[Spooled]) -> list[Spooled]:
    """The same sounds, told which are held out. Every class keeps a pack to train on, and one of
    ENOUGH_PACKS or more is judged by at least one."""
    packs: dict[str, set[str]] = defaultdict(set)
    for sound in sounds:
        packs[sound.class_name].add(sound.pack)
    chosen: dict[str, set[str]] = {}
    for class_name, names in packs.items():
        held = {pack for pack in names if is_held_out(pack)}
        if held == names:
            held = set()
        if not held and len(names) >= ENOUGH_PACKS:
            held = {min(names, key=lambda pack: (_rank(pack), pack))}
        chosen[class_name] = held
    return [replace(s, held_out=s.pack in chosen[s.class_name]) for s in sounds]
