"""What sounds at each step: the pattern, edits of it, and what a bar makes of it. No time, no I/O.

Belongs to the sequencer, which calls it with its lock held. Steps are sixteenths since the start,
bars have 16 of them whatever the lengths of rows. Everything random is drawn from the seed, the
number of the start and the step or bar it is for, never from a running sequence: so what an edit
adds changes nothing else, and the same seed plays the same.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from gan808.errors import ConfigError
from gan808.sequencer.clock import STEPS_PER_BAR
from gan808.sequencer.patterns import Pattern
from gan808.sequencer.steps import Row, Step
from gan808.sequencer.variation import filled, hats_apart, mutated, thickened, thinned

When = Literal["now", "bar"]
# How far a bar that varies by itself goes: heard, but still the same beat.
_VARIED = (0.25, 0.6)


class Score:
    """A pattern on its way through the bars.

    vary 0..1: the share of bars that vary by themselves. fills: every so many bars end in a fill,
    0 none; a pattern with steps for fills plays those instead of one that is made up. density
    -1..1: 0 as written, below thinner, above thicker. codes: the kit's slots.
    """

    def __init__(
        self, pattern: Pattern, codes: Sequence[str], *, seed: int = 0, vary: float = 0.0,
        fills: int = 0,
    ) -> None:
        self.vary = vary
        self.fills = fills
        self.density = 0.0
        self._seed = seed
        self._codes = tuple(codes)
        self._pattern = self._original = pattern
        self._next: tuple[Pattern, Pattern] | None = None
        self._rows = pattern.laid_out(codes)
        self._bar: list[Row] | None = None
        self._start = 0
        self._bar_step = 0
        self._starts = 0
        self._mutations = 0
        self._fill_next = self._filling = False

    @property
    def pattern(self) -> Pattern:
        """The pattern that plays, or the one that takes over at the next bar, edits included."""
        chosen = self._next
        return chosen[0] if chosen else self._pattern

    @property
    def original(self) -> Pattern:
        """The same as it was chosen."""
        chosen = self._next
        return chosen[1] if chosen else self._original

    @property
    def start(self) -> int:
        """The step on which the pattern that plays began."""
        return self._start

    @property
    def playing(self) -> Pattern:
        """The pattern that plays, edits included."""
        return self._pattern

    @property
    def codes(self) -> tuple[str, ...]:
        """The kit's slots."""
        return self._codes

    @property
    def changes_next(self) -> bool:
        """Whether another pattern takes over at the next bar."""
        return self._next is not None

    def earliest(self, step: int) -> float:
        """How far before its place anything of a step may sound, in steps."""
        early = self._pattern.earliest
        if self._next is not None and step % STEPS_PER_BAR == 0:
            return max(early, self._next[0].earliest)
        return early

    def row(self, slot: int) -> Row:
        """A slot's row of `pattern`, as long as it is."""
        return self.pattern.fitted(self._codes).row(self._codes[slot])

    def step(self, slot: int, step: int) -> Step:
        """A step of that row, counted from 1. Raises ConfigError beyond its end."""
        row = self.row(slot)
        return row[_index(row, step)]

    def used_slots(self) -> list[int]:
        """Slots with at least one step."""
        return [slot for slot, row in enumerate(self._rows) if any(step.sounds for step in row)]

    # Changes

    def choose(self, pattern: Pattern, original: Pattern | None = None) -> None:
        """Another pattern from the next bar on; original: what it is an edit of."""
        self._next = (pattern, original or pattern)

    def turn(self, at_step: int) -> None:
        """The chosen pattern, or the one that plays, begins anew at the step at_step."""
        self._start = at_step
        if self._next is not None:
            (self._pattern, self._original), self._next = self._next, None
            self._rows = self._pattern.laid_out(self._codes)

    def set_codes(self, codes: Sequence[str]) -> None:
        """Another kit: lay the pattern out for its slots."""
        self._codes = tuple(codes)
        self._rows = self._pattern.laid_out(self._codes)
        self._plan()

    def edit(self, change: Callable[[Pattern], Pattern]) -> None:
        """Put what `change` makes of `pattern` in its place; its rows are named for the kit."""
        edited = change(self.pattern.fitted(self._codes))
        if self._next is not None:
            self._next = (edited, self._next[1])
        else:
            self._pattern = edited
            self._rows = edited.laid_out(self._codes)
            self._plan()

    def set_step(self, slot: int, step: int, **values: float | str) -> Step:
        """Change fields of a step, counted from 1. Raises ConfigError beyond the row's end."""
        index, code = _index(self.row(slot), step), self._codes[slot]
        self.edit(lambda pattern: pattern.with_step(code, index, **values))
        return self.row(slot)[index]

    def set_row(self, slot: int, row: Row) -> None:
        """Another row for a slot, of any length."""
        self.edit(lambda pattern: pattern.with_rows({self._codes[slot]: row}))

    def mutate(self, amount: float) -> None:
        """Vary the pattern itself, to stay; the next time differently."""
        dice = self._dice("mutate", self._mutations)
        self._mutations += 1

        def change(pattern: Pattern) -> Pattern:
            names = list(pattern.rows)
            rows = hats_apart(mutated(list(pattern.rows.values()), amount, dice), names)
            return pattern.with_rows(dict(zip(names, rows, strict=True)))

        self.edit(change)

    def revert(self) -> None:
        """Back to the pattern as it was chosen."""
        original = self.original
        self.edit(lambda _: original)

    def keep_as(self, pattern: Pattern) -> None:
        """`pattern` was saved and is from now on what `revert` goes back to."""
        if self._next is not None:
            self._next = (pattern, pattern)
        else:
            self._pattern = self._original = pattern
            self._rows = pattern.laid_out(self._codes)

    def fill(self, when: When) -> None:
        """Play a fill for the rest of this bar, or in the next one."""
        if when == "now":
            self._filling = True
            self._plan()
        else:
            self._fill_next = True

    def set_density(self, density: float) -> None:
        """Thinner or thicker, from the next step on."""
        self.density = density
        self._plan()

    # Playing

    def begin(self, step: int) -> None:
        """Playing starts, at that step."""
        self._starts += 1
        self._fill_next = self._filling = False
        self.begin_bar(step // STEPS_PER_BAR * STEPS_PER_BAR)

    def begin_bar(self, step: int) -> None:
        """A bar begins at this step: whether it varies or ends in a fill is decided now."""
        self._bar_step = step
        bar = (step - self._start) // STEPS_PER_BAR
        due = self.fills > 0 and (bar + 1) % self.fills == 0
        self._filling, self._fill_next = self._fill_next or due, False
        self._plan()

    def sounding(self, step: int) -> Iterator[tuple[int, Step]]:
        """The hits of a step, by slot; chances have been drawn."""
        for slot in range(len(self._rows)):
            found = self._step(slot, step)
            repeat = (step - self._start) // len(self._rows[slot])
            if found.sounds and found.met(repeat, self._filling) and (
                    found.chance >= 1 or self._dice("chance", slot, step).random() < found.chance):
                yield slot, found

    def _step(self, slot: int, step: int) -> Step:
        if self._bar is not None:
            return self._bar[slot][step % STEPS_PER_BAR]
        row = self._rows[slot]
        return row[(step - self._start) % len(row)]

    def _plan(self) -> None:
        """This bar's own rows, where they are not the pattern's. The same however often asked."""
        bar = self._bar_step // STEPS_PER_BAR
        vary = self._dice("vary", bar)
        varies = vary.random() < self.vary
        self._bar = None
        if not (varies or self._filling or self.density):
            return
        rows = [self._unrolled(row) for row in self._rows]
        if self.density < 0:
            rows = thinned(rows, -self.density)
        elif self.density > 0:
            rows = thickened(rows, self.density, random.Random(self._seed))
        if varies:
            rows = mutated(rows, vary.uniform(*_VARIED), vary)
        rows = hats_apart(rows, self._codes)
        if self._filling and not self._pattern.has_fill:
            rows = filled(rows, self._codes, self._dice("fill", bar))
        self._bar = rows

    def _unrolled(self, row: Row) -> Row:
        first = self._bar_step - self._start
        return tuple(row[place % len(row)] for place in range(first, first + STEPS_PER_BAR))

    def _dice(self, what: str, *where: int) -> random.Random:
        return random.Random(f"{self._seed} {self._starts} {what} {where}")


def _index(row: Row, step: int) -> int:
    if not 1 <= step <= len(row):
        raise ConfigError(f"step {step}: the row has steps 1 to {len(row)}")
    return step - 1
