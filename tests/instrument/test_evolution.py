"""How many swaps, where, and whose turn: exact counts, fair turns, the same for a seed."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from gan808.instrument.evolution import Due, Evolution

BEAT = 24000


def run(evolution: Evolution, bars: int) -> list[Due]:
    return [due for beat in range(4 * (bars + 1))
            for due in evolution.beat(beat, beat * BEAT, (beat + 1) * BEAT)]


@settings(max_examples=100, deadline=None)
@given(
    swaps=st.one_of(st.integers(0, 64), st.integers(1, 40).map(lambda n: n / 10),
                    st.floats(0, 8)),
    quantise=st.sampled_from(["now", "beat", "bar"]),
    mode=st.sampled_from(["one", "all"]),
    bars=st.integers(1, 100),
)
def test_after_n_bars_there_were_n_times_as_many(swaps, quantise, mode, bars) -> None:
    made = sum(due.swaps for due in run(Evolution(swaps, quantise, mode, seed=1), bars))
    exact = Fraction(swaps).limit_denominator(10**6) * bars
    assert exact - 1 < made <= exact + Fraction(1, 10**4)
    if swaps == int(swaps):
        assert made == swaps * bars


def test_a_tenth_is_once_in_ten_bars() -> None:
    frames = [due.frame for due in run(Evolution(0.1, "bar", "one"), 30)]
    assert frames == [10 * 4 * BEAT, 20 * 4 * BEAT, 30 * 4 * BEAT]


@given(st.sampled_from(["now", "beat", "bar"]), st.integers(0, 1000))
def test_swaps_fall_where_they_are_quantised(quantise, seed) -> None:
    grid = {"now": 1, "beat": BEAT, "bar": 4 * BEAT}[quantise]
    dues = run(Evolution(3, quantise, "one", seed=seed), 8)
    assert all(due.frame % grid == 0 for due in dues)
    assert [due.frame for due in dues] == sorted(due.frame for due in dues)
    assert all(due.frame >= 4 * BEAT for due in dues), "the first bar is left alone"


def test_fresh_and_nought_swap_nothing_by_the_bar() -> None:
    assert run(Evolution(4, "bar", "fresh"), 8) == []
    assert run(Evolution(0, "bar", "one"), 8) == []
    assert Evolution(4, "bar", "fresh").fresh
    assert not Evolution(0, "bar", "fresh").fresh


def test_the_same_seed_does_the_same() -> None:
    plans = [run(Evolution(2.5, "now", "one", seed=seed), 16) for seed in (1, 1, 2)]
    assert plans[0] == plans[1]
    assert plans[0] != plans[2]


@given(st.lists(st.integers(0, 15), min_size=1, max_size=16, unique=True), st.integers(1, 8))
def test_everybody_has_a_turn_before_anybody_has_two(slots, rounds) -> None:
    evolution = Evolution(1, "bar", "one", seed=808)
    turns: Counter[int] = Counter()
    last = None
    for bar in range(rounds * len(slots)):
        evolution.beat(4 * bar, 0, 1)
        order = evolution.order(slots)
        assert sorted(order) == sorted(slots)
        evolution.took(order[0])
        turns[order[0]] += 1
        assert order[0] != last or len(slots) == 1, "twice running"
        last = order[0]
        assert max(turns.values()) - min(turns[s] for s in slots) <= 1
    assert set(turns.values()) == {rounds}


def test_a_slot_changes_once_a_bar_while_others_have_not() -> None:
    """Even when only one of them finds a sound in stock: the rest is asked, in vain."""
    evolution = Evolution(8, "bar", "one", seed=808)
    evolution.beat(4, 0, 1)
    evolution.took(2)
    assert sorted(evolution.order([0, 1, 2])) == [0, 1]
    evolution.took(0)
    evolution.took(1)
    assert sorted(evolution.order([0, 1, 2])) == [0, 1, 2]
    evolution.beat(8, 0, 1)
    assert sorted(evolution.order([0, 1, 2])) == [0, 1, 2]
