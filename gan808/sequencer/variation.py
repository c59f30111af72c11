"""How rows change: Euclid, thinner and thicker, mutated, a fill. Pure functions; no thread.

All of them keep to the style they are given: accents stay, rows that are silent stay so (a fill may
wake the drums that fills are played on), what is added is soft, and its place depends on what is
there already. `dice` is the caller's, so the same seed brings the same variation.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from gan808.sequencer.clock import STEPS_PER_BAR, STEPS_PER_BEAT
from gan808.sequencer.steps import ACCENT, GHOST, NORMAL, REST, SOFT, Row, Step

Rows = Sequence[Row]
# Above this a hit is an accent, also one that was imported or played in by hand.
_ACCENTED = 0.95
_LAST_BEAT = STEPS_PER_BAR - STEPS_PER_BEAT


def bjorklund(hits: int, steps: int, rotation: int = 0) -> tuple[bool, ...]:
    """So many hits as evenly as they go into so many steps, `rotation` steps later.

    Bjorklund's algorithm as in Toussaint, The Euclidean Algorithm Generates Traditional Musical
    Rhythms (2005); hits from 0 to steps.
    """
    groups, rest = [[True]] * hits, [[False]] * (steps - hits)
    # The rests are dealt out once in any case, then whatever is left over while it is several.
    dealt = False
    while groups and rest and (len(rest) > 1 or not dealt):
        pairs, dealt = min(len(groups), len(rest)), True
        joined = [groups[i] + rest[i] for i in range(pairs)]
        groups, rest = joined, groups[pairs:] or rest[pairs:]
    row = [hit for group in (*groups, *rest) for hit in group]
    turn = -rotation % steps
    return tuple(row[turn:] + row[:turn])


def euclidean(hits: int, steps: int, rotation: int = 0) -> Row:
    """A row of bjorklund's hits; the one where the rhythm begins is accented."""
    first = rotation % steps
    return tuple(
        (Step(ACCENT) if place == first else Step(NORMAL)) if hit else REST
        for place, hit in enumerate(bjorklund(hits, steps, rotation))
    )


# Density


def thinned(rows: Rows, amount: float) -> list[Row]:
    """Rows without their weakest hits; at 1 only accents are left."""
    return [_thinned(row, amount) for row in rows]


def _thinned(row: Row, amount: float) -> Row:
    weak = [place for place, step in enumerate(row) if 0 < step.velocity < _ACCENTED]
    weak.sort(key=lambda place: (row[place].velocity, -_weakness(place), place))
    gone = set(weak[:round(amount * len(weak))])
    return tuple(REST if place in gone else step for place, step in enumerate(row))


def thickened(rows: Rows, amount: float, dice: random.Random) -> list[Row]:
    """Rows with soft hits added beside those there are; at 1 up to three for every four."""
    return [_thickened(row, amount, dice) for row in rows]


def _thickened(row: Row, amount: float, dice: random.Random) -> Row:
    places = [place for place, step in enumerate(row) if step.sounds]
    empty = [place for place, step in enumerate(row) if not step.sounds]
    # Drawn for every place, whatever the amount: turning it up adds hits and moves none.
    order = {place: dice.random() + (not _beside(row, place)) for place in range(len(row))}
    empty.sort(key=lambda place: order[place])
    added = set(empty[:round(0.75 * amount * len(places))])
    loud = GHOST if len(places) < len(row) / 3 else SOFT * 0.8
    return tuple(Step(loud) if place in added else step for place, step in enumerate(row))


def _weakness(place: int) -> int:
    """0 on a beat, 1 between two, 2 on the sixteenths beside them."""
    return 2 if place % 2 else int(place % STEPS_PER_BEAT > 0)


def _beside(row: Row, place: int) -> bool:
    return row[place - 1].sounds or row[(place + 1) % len(row)].sounds


# Mutation


def mutated(rows: Rows, amount: float, dice: random.Random) -> list[Row]:
    """Rows with a share of their weaker hits moved, shaded, dropped or doubled, ghosts added."""
    return [_mutated(row, amount, dice) for row in rows]


def _mutated(row: Row, amount: float, dice: random.Random) -> Row:
    steps = list(row)
    hits = [place for place, step in enumerate(row) if step.sounds]
    busy = len(hits) >= len(row) / 3
    changes: list[_Change] = [_move, _shade, _drop, _double if busy else _shade]
    for place in hits:
        if row[place].velocity < _ACCENTED and dice.random() < 0.7 * amount:
            dice.choice(changes)(steps, place, dice)
    beside = [place for place in range(len(steps))
              if not steps[place].sounds and _beside(tuple(steps), place)]
    if beside and dice.random() < amount:
        steps[dice.choice(beside)] = Step(GHOST)
    return tuple(steps)


_Change = Callable[[list[Step], int, random.Random], None]


def _move(steps: list[Step], place: int, dice: random.Random) -> None:
    to = (place + dice.choice((-1, 1))) % len(steps)
    if not steps[to].sounds:
        steps[place], steps[to] = REST, steps[place]


def _shade(steps: list[Step], place: int, dice: random.Random) -> None:
    velocity = dice.choice((GHOST, SOFT, NORMAL))
    steps[place] = replace(steps[place], velocity=velocity)


def _drop(steps: list[Step], place: int, dice: random.Random) -> None:
    weak = steps[place].velocity < NORMAL
    steps[place] = REST if weak else replace(steps[place], velocity=SOFT)


def _double(steps: list[Step], place: int, dice: random.Random) -> None:
    steps[place] = replace(steps[place], ratchet=dice.choice((2, 2, 3)))


# Fills


def filled(rows: Rows, codes: Sequence[str], dice: random.Random) -> list[Row]:
    """A bar of 16 steps whose end leads into the next: a roll, falling toms, a stutter or a break.

    rows: one of 16 steps for each slot; codes: the slots'.
    """
    bar = [list(row) for row in rows]
    kinds = [_roll, _stutter, _break] + ([_falling] if len(_drums(rows, codes)) > 1 else [])
    dice.choice(kinds)(bar, codes, dice)
    return [tuple(row) for row in bar]


def _roll(bar: list[list[Step]], codes: Sequence[str], dice: random.Random) -> None:
    """The snare grows through the last beat or two."""
    start = dice.choice((_LAST_BEAT, _LAST_BEAT, _LAST_BEAT - 4))
    _hush(bar, codes, start)
    length = STEPS_PER_BAR - start
    for place in range(start, STEPS_PER_BAR):
        share = (place - start + 1) / length
        bar[_snare(codes)][place] = Step(round(GHOST + (ACCENT - GHOST) * share, 2))
    if dice.random() < 0.5:
        last = bar[_snare(codes)][STEPS_PER_BAR - 1]
        bar[_snare(codes)][STEPS_PER_BAR - 1] = replace(last, ratchet=2)


def _falling(bar: list[list[Step]], codes: Sequence[str], dice: random.Random) -> None:
    """Toms, or congas where the beat is on them, from high to low."""
    drums = _drums([tuple(row) for row in bar], codes)
    start = dice.choice((8, 10, 12))
    _hush(bar, codes, start)
    places = [p for p in range(start, STEPS_PER_BAR) if p % 2 == 0 or dice.random() < 0.6]
    for number, place in enumerate(places):
        drum = drums[number * len(drums) // len(places)]
        bar[drum][place] = Step(ACCENT if place % STEPS_PER_BEAT == 0 else NORMAL)


def _stutter(bar: list[list[Step]], codes: Sequence[str], dice: random.Random) -> None:
    """The hats run faster and faster."""
    hat = _named(codes, ("CH", "MA"), len(codes) - 1)
    _hush(bar, codes, _LAST_BEAT)
    for place, ratchet in zip(range(_LAST_BEAT, STEPS_PER_BAR), dice.choice(
            ((1, 2, 2, 3), (2, 2, 3, 4), (1, 1, 3, 3))), strict=True):
        bar[hat][place] = Step(ACCENT if place == _LAST_BEAT else NORMAL, ratchet=ratchet)


def _break(bar: list[list[Step]], codes: Sequence[str], dice: random.Random) -> None:
    """Silence, then snare and clap on the last beats lead into the next bar."""
    start = dice.choice((_LAST_BEAT, _LAST_BEAT - 4))
    for row in bar:
        row[start:] = [REST] * (STEPS_PER_BAR - start)
    clap = _named(codes, ("CP",), _snare(codes))
    for place, velocity in dice.choice((((14, NORMAL), (15, ACCENT)), ((13, SOFT), (15, ACCENT)),
                                        ((12, ACCENT), (15, NORMAL)))):
        bar[_snare(codes)][place] = Step(velocity)
    bar[clap][15] = Step(NORMAL)


def _hush(bar: list[list[Step]], codes: Sequence[str], start: int) -> None:
    """Leave the kick where it is and clear the rest from `start` on."""
    kick = _named(codes, ("BD",), 0)
    for slot, row in enumerate(bar):
        if slot != kick:
            row[start:] = [REST] * (STEPS_PER_BAR - start)


def _snare(codes: Sequence[str]) -> int:
    return _named(codes, ("SD", "CP"), min(1, len(codes) - 1))


def _drums(rows: Rows, codes: Sequence[str]) -> list[int]:
    """The drums a fill falls down on: those the beat uses, else the toms there are."""
    families = [[list(codes).index(code) for code in family if code in codes]
                for family in (("HT", "MT", "LT"), ("HC", "MC", "LC"))]
    used = [family for family in families
            if any(step.sounds for slot in family for step in rows[slot])]
    return (used or families)[0]


def _named(codes: Sequence[str], names: Sequence[str], otherwise: int) -> int:
    return next((list(codes).index(name) for name in names if name in codes), otherwise)


def hats_apart(rows: Rows, codes: Sequence[str]) -> list[Row]:
    """Where open and closed hat of a pair would sound at once, only the open one does."""
    apart = list(rows)
    if "OH" in codes and "CH" in codes:
        opened, closed = list(codes).index("OH"), list(codes).index("CH")
        if len(rows[opened]) == len(rows[closed]):
            apart[closed] = tuple(REST if o.sounds else c
                                  for o, c in zip(rows[opened], rows[closed], strict=True))
    return apart
