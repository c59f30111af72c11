"""The stock of ready sounds, by class. Owned by nobody in particular: any thread may put or take.

The filler puts, the machine takes; one lock guards the lists, held for microseconds. The audio
callback never comes here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from gan808.sound.latent import Point
from gan808.sound.sound import Sound

DescriptorName = Literal["length_s", "brightness_hz", "pitch_hz", "loudness_db"]
DESCRIPTORS: tuple[str, ...] = get_args(DescriptorName)
_MONO = frozenset({0.0})


@dataclass(frozen=True, slots=True)
class Want:
    """Sounds that are stocked together: those of a class at a width, 0..1; 0 is mono."""

    class_name: str
    width: float = 0.0

    def places(self, seeds: Sequence[int]) -> Sequence[int | Point]:
        """What to render for these seeds."""
        return [Point(seed, width=self.width) for seed in seeds] if self.width else seeds


class Pool:
    """At most `limit` sounds of each class and wanted width, filed under what the critic heard.

    Once a want has been full nothing is rendered for it until its stock falls below low_water: a
    renderer that topped up after every swap would never rest. A width is stocked only while it is
    wanted; sounds of a width that nobody wants any more are replaced one by one.
    """

    def __init__(self, classes: Sequence[str], *, limit: int, low_water: int) -> None:
        self._limit = limit
        self._low_water = min(max(low_water, 1), limit)
        self._lock = threading.Lock()
        self._stock: dict[str, list[Sound]] = {name: [] for name in classes}
        self._wanted: dict[str, frozenset[float]] = {}
        self._resting: set[Want] = set()
        self._on_take: Callable[[], None] | None = None

    def on_take(self, callback: Callable[[], None] | None) -> None:
        """Have callback called, on the taker's thread, each time a sound has left or another
        width is wanted."""
        self._on_take = callback

    def want(self, widths: Mapping[str, Iterable[float]]) -> None:
        """Say at which widths each class is to be stocked; one that is not named only in mono."""
        with self._lock:
            self._wanted = {name: frozenset(each) for name, each in widths.items()}
        self._call_taker()

    def put(self, sound: Sound) -> bool:
        """File a sound under class_heard. False when there is no room or no such class."""
        want = Want(sound.class_heard, sound.width)
        with self._lock:
            sounds = self._stock.get(want.class_name)
            if sounds is None or self._count(want) >= self._limit:
                return False
            sounds.append(sound)
            if self._count(want) >= self._limit:
                self._resting.add(want)
            widths = self._widths(want.class_name)
            stale = [s for s in sounds if s.width not in widths]
            if stale and want.width in widths:
                sounds[:] = [s for s in sounds if s is not stale[0]]
            return True

    def take(
        self, class_name: str, third: int | None = None, *, width: float = 0.0
    ) -> Sound | None:
        """The sound longest in stock, or None when there is none.

        third 0, 1, 2: only of the low, middle or high third, by pitch, of the present stock.
        width above 0: one in stereo, of that width or, while there is none yet, of the nearest.
        """
        with self._lock:
            sounds = self._of_width(class_name, width)
            wanted = sounds if third is None else _pitch_third(sounds, third)
            chosen = next((s for s in sounds if any(s is w for w in wanted)), None)
            self._remove(class_name, chosen)
        return self._taken(chosen)

    def take_by(
        self,
        class_name: str,
        descriptor: DescriptorName,
        value: float,
        *,
        above: bool,
        third: int | None = None,
        width: float = 0.0,
    ) -> Sound | None:
        """The sound whose descriptor is nearest to value on the side asked for, or None.

        above: the descriptor must be greater than value, otherwise less. width: as for take.
        """
        with self._lock:
            sounds = self._of_width(class_name, width)
            wanted = list(sounds) if third is None else _pitch_third(sounds, third)
            distances = [
                ((measure - value) * (1 if above else -1), sound)
                for sound in wanted
                for measure in (getattr(sound.descriptors, descriptor),)
            ]
            beyond = [pair for pair in distances if pair[0] > 0]
            chosen = min(beyond, key=lambda pair: pair[0])[1] if beyond else None
            self._remove(class_name, chosen)
        return self._taken(chosen)

    def stock(self) -> dict[str, int]:
        """How many sounds of each class are ready, in the kit's order."""
        with self._lock:
            return {name: len(sounds) for name, sounds in self._stock.items()}

    def sounds(self) -> list[Sound]:
        """Everything in stock, oldest first within a class; for saving."""
        with self._lock:
            return [sound for sounds in self._stock.values() for sound in sounds]

    def count(self, want: Want) -> int:
        """How many sounds of a class and width are ready."""
        with self._lock:
            return self._count(want)

    def shortest(self, skip: Container[Want] = ()) -> Want | None:
        """What to render next: least stock, not resting, not in skip. None: all is well."""
        with self._lock:
            wants = [Want(name, width) for name in self._stock
                     for width in sorted(self._widths(name))]
            wanting = {want: self._count(want) for want in wants
                       if want not in self._resting and want not in skip}
        return min(wanting, key=wanting.__getitem__, default=None)

    def reset(self, classes: Sequence[str], sounds: Iterable[Sound] = ()) -> None:
        """Throw everything away and begin with another kit's classes, and its sounds if any."""
        with self._lock:
            self._stock = {name: [] for name in classes}
            self._resting.clear()
        for sound in sounds:
            self.put(sound)

    def _widths(self, class_name: str) -> frozenset[float]:
        return self._wanted.get(class_name) or _MONO

    def _count(self, want: Want) -> int:
        return sum(s.width == want.width for s in self._stock.get(want.class_name, []))

    def _of_width(self, class_name: str, width: float) -> list[Sound]:
        """The sounds of a class at a width, or at the nearest width there is; mono and stereo do
        not stand in for each other."""
        sounds = [s for s in self._stock.get(class_name, []) if (s.width > 0) == (width > 0)]
        nearest = min((abs(s.width - width) for s in sounds), default=0.0)
        return [s for s in sounds if abs(s.width - width) == nearest]

    def _remove(self, class_name: str, chosen: Sound | None) -> None:
        if chosen is None:
            return
        left = [sound for sound in self._stock[class_name] if sound is not chosen]
        self._stock[class_name] = left
        want = Want(class_name, chosen.width)
        if self._count(want) < self._low_water:
            self._resting.discard(want)

    def _taken(self, chosen: Sound | None) -> Sound | None:
        if chosen is not None:
            self._call_taker()
        return chosen

    def _call_taker(self) -> None:
        callback = self._on_take
        if callback is not None:
            callback()


def _pitch_third(sounds: Sequence[Sound], third: int) -> list[Sound]:
    """The low (0), middle (1) or high (2) third by pitch; never empty while there are sounds."""
    ranked = sorted(sounds, key=lambda sound: sound.descriptors.pitch_hz)
    n = len(ranked)
    if n < 3:
        return ranked[round(third * (n - 1) / 2) :][:1] if n else []
    return ranked[third * n // 3 : (third + 1) * n // 3]
