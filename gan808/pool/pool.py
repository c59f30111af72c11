"""The stock of ready sounds, by class. Owned by nobody in particular: any thread may put or take.

The filler puts, the machine takes; one lock guards the lists, held for microseconds. The audio
callback never comes here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Container, Iterable, Sequence
from typing import Literal, get_args

from gan808.sound.sound import Sound

DescriptorName = Literal["length_s", "brightness_hz", "pitch_hz", "loudness_db"]
DESCRIPTORS: tuple[str, ...] = get_args(DescriptorName)


class Pool:
    """At most `limit` sounds of each class, filed under what the critic heard.

    Once a class has been full it rests until its stock falls below low_water: a renderer that
    tops up after every swap would never sleep.
    """

    def __init__(self, classes: Sequence[str], *, limit: int, low_water: int) -> None:
        self._limit = limit
        self._low_water = min(max(low_water, 1), limit)
        self._lock = threading.Lock()
        self._stock: dict[str, list[Sound]] = {name: [] for name in classes}
        self._resting: set[str] = set()
        self._on_take: Callable[[], None] | None = None

    def on_take(self, callback: Callable[[], None] | None) -> None:
        """Have callback called, on the taker's thread, each time a sound has left."""
        self._on_take = callback

    def put(self, sound: Sound) -> bool:
        """File a sound under class_heard. False when that class is full or not in this kit."""
        with self._lock:
            sounds = self._stock.get(sound.class_heard)
            if sounds is None or len(sounds) >= self._limit:
                return False
            sounds.append(sound)
            if len(sounds) >= self._limit:
                self._resting.add(sound.class_heard)
            return True

    def take(self, class_name: str, third: int | None = None) -> Sound | None:
        """The sound longest in stock, or None when there is none.

        third 0, 1, 2: only of the low, middle or high third, by pitch, of the present stock.
        """
        with self._lock:
            sounds = self._stock.get(class_name, [])
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
    ) -> Sound | None:
        """The sound whose descriptor is nearest to value on the side asked for, or None.

        above: the descriptor must be greater than value, otherwise less.
        """
        with self._lock:
            sounds = self._stock.get(class_name, [])
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

    def shortest(self, skip: Container[str] = ()) -> str | None:
        """The class to render next: least stock, not resting, not in skip. None: all is well."""
        with self._lock:
            wanting = {
                name: len(sounds)
                for name, sounds in self._stock.items()
                if name not in self._resting and name not in skip
            }
        return min(wanting, key=wanting.__getitem__, default=None)

    def reset(self, classes: Sequence[str], sounds: Iterable[Sound] = ()) -> None:
        """Throw everything away and begin with another kit's classes, and its sounds if any."""
        with self._lock:
            self._stock = {name: [] for name in classes}
            self._resting.clear()
        for sound in sounds:
            self.put(sound)

    def _remove(self, class_name: str, chosen: Sound | None) -> None:
        if chosen is None:
            return
        left = [sound for sound in self._stock[class_name] if sound is not chosen]
        self._stock[class_name] = left
        if len(left) < self._low_water:
            self._resting.discard(class_name)

    def _taken(self, chosen: Sound | None) -> Sound | None:
        callback = self._on_take
        if chosen is not None and callback is not None:
            callback()
        return chosen


def _pitch_third(sounds: Sequence[Sound], third: int) -> list[Sound]:
    """The low (0), middle (1) or high (2) third by pitch; never empty while there are sounds."""
    ranked = sorted(sounds, key=lambda sound: sound.descriptors.pitch_hz)
    n = len(ranked)
    if n < 3:
        return ranked[round(third * (n - 1) / 2) :][:1] if n else []
    return ranked[third * n // 3 : (third + 1) * n // 3]
