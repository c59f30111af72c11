"""Which sound each assignment to a slot carries, by a number: its mark. A recording asks for it.

The number of a cell does not name a sound, since cells of the arena are soon written anew. Sounds
are entered on the machine thread; the recording's thread looks them up. No lock: each step is one
operation of a dict or a deque.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Container

from gan808.sound.sound import Sound


class SoundMarks:
    """The sound of every cell; from `hold` to `release` also sounds whose cell was written anew."""

    def __init__(self) -> None:
        self._marks = itertools.count(1)
        self._of_cell: dict[int, int] = {}
        self._sounds: dict[int, Sound] = {}
        self._over: deque[int] = deque()
        self._holding = False

    def enter(self, cell: int, sound: Sound) -> int:
        """The mark under which the sound just written to a cell is assigned."""
        mark, before = next(self._marks), self._of_cell.get(cell)
        self._sounds[mark] = sound
        self._of_cell[cell] = mark
        if before is not None and self._holding:
            self._over.append(before)
        elif before is not None:
            self._sounds.pop(before, None)
        return mark

    def sound(self, mark: int) -> Sound | None:
        """The sound of a mark, None when it is forgotten."""
        return self._sounds.get(mark)

    def hold(self) -> None:
        """Forget no sound before `forget` says that it was noted."""
        self._holding = True

    def forget(self, noted: Container[int]) -> None:
        """Forget those of the held sounds whose marks were noted."""
        for _ in range(len(self._over)):
            mark = self._over.popleft()
            if mark in noted:
                self._sounds.pop(mark, None)
            else:
                self._over.append(mark)

    def release(self) -> None:
        """Hold no longer."""
        self._holding = False
        while self._over:
            self._sounds.pop(self._over.popleft(), None)
