"""Which recordings are kept from training, to judge it by, and which of these choose.

By pack and before any copy is made, so that nothing a kit is judged by is a sibling of what it
learned from. One half of what is held out chooses the checkpoint, the other is only reported: what
chose is too good at itself to report. Packs are taken in the order of a hash of their names.

A pack is held out whole, in all its classes, where that takes no class more than it can give; else
in the classes that can. A class of too few packs gives neighbours by name, which are takes of one
stroke. Real recordings are held out first; synthesised voices fill up what has few, to a share
of all: they tell how a kit does beside themselves.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

from .recording import Spooled
from .synth import is_synthesised

HELD_OUT = 0.1  # of a class's recordings, at least
MOST = 0.3
LEAST_A_CLASS = 6  # recordings, where MOST allows it
LEAST_IN_ALL = 60  # the same; half of them choose
SYNTHESISED = 0.4  # of all that is held out, at most, where there are recordings
RUN = 8  # neighbours by name that are held out together, at most


def _rank(name: str) -> bytes:
    return hashlib.sha256(name.encode(errors="surrogateescape")).digest()


def choose_held_out(sounds: Sequence[Spooled]) -> list[Spooled]:
    """The same sounds, told which are held out and which of these are only reported."""
    real = [s for s in sounds if not is_synthesised(s.origin)]
    voices = [s for s in sounds if is_synthesised(s.origin)]
    groups = _Groups(real)
    held = groups.held_out()
    unit = {s.origin: groups.unit(s) for s in real}
    held |= _voices(voices, Counter(s.class_name for s in real
                                    if (s.class_name, unit[s.origin]) in held))
    unit |= {s.origin: s.origin for s in voices}
    split = [replace(s, held_out=(s.class_name, unit[s.origin]) in held) for s in sounds]
    reported = _reported([(s.class_name, unit[s.origin], s.origin) for s in split if s.held_out])
    return [replace(s, reported=s.origin in reported) for s in split]


Held = set[tuple[str, str]]  # of a class, of a pack or part of one


class _Groups:
    """Recordings by what is held out together."""

    def __init__(self, sounds: Sequence[Spooled]) -> None:
        self._sizes: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for sound in sounds:
            self._sizes[sound.class_name][sound.pack] += 1
        self._total = {name: sizes.total() for name, sizes in self._sizes.items()}
        self._part: dict[str, str] = {}
        self._cut(sounds)

    def unit(self, sound: Spooled) -> str:
        """The name of the group that a sound is held out with."""
        return self._part.get(sound.origin, sound.pack)

    def _cut(self, sounds: Sequence[Spooled]) -> None:
        """Runs of neighbours instead of packs too large to hold out, in the classes whose other
        packs are too few to judge by."""
        for class_name, sizes in self._sizes.items():
            most = self._most(class_name)
            enough = min(self._wanted(class_name), LEAST_A_CLASS)
            if sum(n for n in sizes.values() if n <= most) >= enough:
                continue
            large = sorted((s for s in sounds if s.class_name == class_name
                            and sizes[s.pack] > most), key=lambda s: (s.pack, s.origin))
            run = max(1, min(RUN, self._total[class_name] // 12))
            for i, sound in enumerate(large):
                self._part[sound.origin] = f"{sound.pack} {class_name} {i // run}"
        self._runs = set(self._part.values())
        self._sizes.clear()
        for sound in sounds:
            self._sizes[sound.class_name][self.unit(sound)] += 1

    def _most(self, class_name: str) -> int:
        return math.floor(MOST * self._total[class_name])

    def _wanted(self, class_name: str) -> int:
        n = self._total[class_name]
        least = max(LEAST_A_CLASS, -(-LEAST_IN_ALL // len(self._total)))
        return min(max(math.ceil(HELD_OUT * n), least), self._most(class_name))

    def held_out(self) -> Held:
        wanted = {name: self._wanted(name) for name in self._total}
        n_held: Counter[str] = Counter()
        held: Held = set()

        def take(pack: str, classes: list[str]) -> None:
            for name in classes:
                held.add((name, pack))
                n_held[name] += self._sizes[name][pack]

        packs = sorted({pack for sizes in self._sizes.values() for pack in sizes},
                       key=lambda pack: (pack in self._runs, _rank(pack), pack))
        for pack in packs:  # whole, where it is wanted in some class and too much in none
            classes = [name for name, sizes in self._sizes.items() if pack in sizes]
            if all(self._fits(name, pack, n_held) for name in classes) and any(
                    n_held[name] < wanted[name] for name in classes):
                take(pack, classes)
        for pack in packs:  # in the classes that still want it
            take(pack, [name for name, sizes in self._sizes.items()
                        if pack in sizes and (name, pack) not in held
                        and n_held[name] < wanted[name] and self._fits(name, pack, n_held)])
        return held

    def _fits(self, class_name: str, pack: str, n_held: Counter[str]) -> bool:
        return n_held[class_name] + self._sizes[class_name][pack] <= self._most(class_name)


def _voices(voices: Sequence[Spooled], real: Counter[str]) -> Held:
    """Synthesised voices: a share of each class where nothing is recorded, else so many that the
    classes of fewest held-out recordings have more."""
    of_class: defaultdict[str, list[str]] = defaultdict(list)
    for sound in sorted(voices, key=lambda s: (_rank(s.origin), s.origin)):
        of_class[sound.class_name].append(sound.origin)
    spare = {name: origins[: max(1, math.ceil(HELD_OUT * len(origins)))]
             for name, origins in of_class.items() if len(origins) > 1}
    if not real:
        return {(name, origin) for name, origins in spare.items() for origin in origins}
    held: Held = set()
    there = real.copy()
    for _ in range(int(real.total() * SYNTHESISED / (1.0 - SYNTHESISED))):
        left = [name for name, origins in spare.items() if origins]
        if not left:
            break
        fewest = min(left, key=lambda name: (there[name], name))
        held.add((fewest, spare[fewest].pop(0)))
        there[fewest] += 1
    return held


def _reported(held: Sequence[tuple[str, str, str]]) -> set[str]:
    """Origins of about half of what is held out, (class, unit, origin) each, of every class: whole
    packs, the largest first, where both sides get a third."""
    of_class: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for class_name, unit, _ in held:
        of_class[class_name][unit] += 1
    reported: set[str] = set()
    for class_name, sizes in of_class.items():
        told: Counter[bool] = Counter()
        side: dict[str, bool] = {}
        for unit in sorted(sizes, key=lambda unit: (-sizes[unit], _rank(unit))):
            side[unit] = told[True] <= told[False]
            told[side[unit]] += sizes[unit]
        mine = sorted((side[unit], origin) for name, unit, origin in held if name == class_name)
        if min(told[True], told[False]) < len(mine) // 3:
            mine = [(i >= len(mine) // 2, origin) for i, (_, origin) in enumerate(mine)]
        reported |= {origin for is_told, origin in mine if is_told}
    return reported
