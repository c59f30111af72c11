"""Hats hit together: whichever came first, the later slot of the choke group is heard."""

from __future__ import annotations

import pytest

from gan808.engine.engine import SlotParameter
from tests.engine.rig import BLOCKS, CENTRE, RATE_HZ, load, new_engine, plateau, render

OPEN, CLOSED, OTHER = 14, 15, 0
MS = RATE_HZ // 1000


def heard(*hits: tuple[int, int], block: int | None = None, tune: float = 0.0) -> set[int]:
    """The slots that sound 20 ms later; each slot's sound has a height of its own."""
    engine, port = new_engine()
    heights = {OPEN: 0.1, CLOSED: 0.2, OTHER: 0.4}
    for slot, height in heights.items():
        load(engine, slot, plateau(9600, height, ramp=1))
        assert port.set_slot(slot, SlotParameter.CHOKE, 0 if slot == OTHER else 1)
    for slot, frame in hits:
        assert port.trigger(slot, 1.0, frame, tune_semitones=tune)
    level = render(engine, 40 * MS, block)[35 * MS, 0] / CENTRE
    # 0.1, 0.2 and 0.4: a sum of them is a binary number.
    return {slot for slot, height in heights.items() if round(10 * level) & round(10 * height)}


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("apart", [-MS, -1, 0, 1, MS])
def test_the_closed_hat_wins_within_a_millisecond(apart: int, block: int) -> None:
    assert heard((CLOSED, 480), (OPEN, 480 + apart), block=block) == {CLOSED}
    assert heard((OPEN, 480 + apart), (CLOSED, 480), block=block) == {CLOSED}


def test_later_than_that_whichever_comes_last_is_heard() -> None:
    assert heard((CLOSED, 480), (OPEN, 480 + 2 * MS)) == {OPEN}
    assert heard((OPEN, 480), (CLOSED, 480 + 2 * MS)) == {CLOSED}


@pytest.mark.parametrize("tune", [-24.0, 24.0])
def test_a_millisecond_is_one_at_any_pitch(tune: float) -> None:
    assert heard((CLOSED, 480), (OPEN, 480 + MS), tune=tune) == {CLOSED}
    assert heard((CLOSED, 480), (OPEN, 480 + 2 * MS), tune=tune) == {OPEN}


def test_other_slots_and_the_slot_itself_are_left_alone() -> None:
    assert heard((CLOSED, 480), (OTHER, 480)) == {CLOSED, OTHER}
    assert heard((CLOSED, 480), (OPEN, 480), (OTHER, 480), (OPEN, 490)) == {CLOSED, OTHER}
