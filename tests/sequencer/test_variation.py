"""Euclid, density, mutation and fills: known values, and styles that stay what they are."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gan808.sequencer.steps import ACCENT, REST, Row, Step, row_of
from gan808.sequencer.variation import (
    bjorklund,
    euclidean,
    filled,
    hats_apart,
    mutated,
    thickened,
    thinned,
)
from gan808.sound.kit.slots import TR808
from gan808.storage.pattern_files import find_pattern, pattern_names

CODES = tuple(slot.code for slot in TR808)
KICK, SNARE, OPEN, CLOSED = (CODES.index(code) for code in ("BD", "SD", "OH", "CH"))


def bar(name: str) -> list[Row]:
    """The first bar of a shipped pattern, slot by slot."""
    return [tuple(row[place % len(row)] for place in range(16))
            for row in find_pattern(name).laid_out(CODES)]


def hits(row: Row) -> set[int]:
    return {place for place, step in enumerate(row) if step.sounds}


class TestEuclid:
    # Toussaint 2005, where each is a traditional rhythm.
    @pytest.mark.parametrize("rhythm", [
        "x.x..", "x.xx", "x.x.x", "x..x..x.", "x.x.x.x", "x..x..x..x..",
        "x.xx.xx.", "x.x.x.x.x", "x.x.x.x.x..", "x..x.x..x.x.", "x..x..x..x..x...", "x.xxxx",
        "x.x", "x.xxx",
        "x.xx.x.xx.x.", "x..x.x.x..x.x.x.", "x.xxxxxx", "x.xx.x.x.xx.x.x.",
    ])
    def test_known_rhythms(self, rhythm: str) -> None:
        expected = tuple(sign == "x" for sign in rhythm)
        assert bjorklund(sum(expected), len(expected)) == expected

    @given(st.integers(1, 64).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))),
           st.integers(-64, 64))
    def test_as_many_and_as_even_as_can_be(self, size, rotation) -> None:
        steps, count = size
        row = bjorklund(count, steps, rotation)
        assert (len(row), sum(row)) == (steps, count)
        places = [place for place, hit in enumerate(row) if hit]
        gaps = {(b - a) % steps or steps for a, b in
                zip(places, places[1:] + places[:1], strict=True)}
        assert not gaps or max(gaps) - min(gaps) <= 1

    def test_rotation_makes_it_later_and_the_first_is_accented(self) -> None:
        assert bjorklund(3, 8, 1) == (False, True, False, False, True, False, False, True)
        assert [step.velocity for step in euclidean(3, 8, 1)].index(ACCENT) == 1
        assert euclidean(3, 8, 9) == euclidean(3, 8, 1)
        assert euclidean(0, 4) == (REST,) * 4


class TestDensity:
    @pytest.mark.parametrize("name", pattern_names())
    def test_thinning_takes_the_weakest_first_and_leaves_accents(self, name: str) -> None:
        rows = bar(name)
        before = rows
        for amount in (0.0, 0.25, 0.5, 0.75, 1.0):
            thin = thinned(rows, amount)
            for old, previous, new in zip(rows, before, thin, strict=True):
                assert hits(new) <= hits(previous), "turning it down only takes away"
                gone = [old[place].velocity for place in hits(old) - hits(new)]
                weak = [old[p].velocity for p in hits(new) if old[p].velocity < 0.95]
                assert not gone or not weak or max(gone) <= min(weak)
            before = thin
        assert before == [row_of(s if s.velocity >= 0.95 else REST for s in row) for row in rows]
        assert thinned(rows, 0.0) == rows

    @pytest.mark.parametrize("name", pattern_names())
    def test_thickening_adds_soft_hits_and_moves_none(self, name: str) -> None:
        rows = bar(name)
        before = rows
        for amount in (0.0, 0.25, 0.5, 0.75, 1.0):
            thick = thickened(rows, amount, random.Random(808))
            for old, previous, new in zip(rows, before, thick, strict=True):
                assert hits(previous) <= hits(new), "turning it up only adds"
                assert all(new[place] == old[place] for place in hits(old))
                assert all(new[place].velocity < 0.5 for place in hits(new) - hits(old))
                assert len(hits(new)) <= 1.75 * len(hits(old)) + 0.5
            before = thick
        assert sum(len(hits(row)) for row in before) > 1.2 * sum(len(hits(row)) for row in rows)


class TestMutation:
    @given(st.sampled_from(pattern_names()), st.floats(0, 1), st.integers(0, 10**6))
    def test_a_style_stays_what_it_is(self, name, amount, seed) -> None:
        rows = bar(name)
        new = mutated(rows, amount, random.Random(seed))
        for old, changed in zip(rows, new, strict=True):
            assert len(changed) == len(old)
            accents = {place for place in hits(old) if old[place].velocity >= 0.95}
            assert all(changed[place] == old[place] for place in accents)
            assert hits(old) or not hits(changed), "what is silent stays so"
            assert len(hits(changed)) <= len(hits(old)) + 1
        assert new == mutated(rows, amount, random.Random(seed)), "a seed is a variation"

    def test_nothing_is_nothing_and_more_is_more(self) -> None:
        rows = bar("808")

        def changed(amount: float) -> int:
            return sum(a != b for seed in range(50) for old, new in zip(
                rows, mutated(rows, amount, random.Random(seed)), strict=True)
                for a, b in zip(old, new, strict=True))

        assert changed(0.0) == 0
        assert 0 < changed(0.2) < changed(0.6) < changed(1.0)


class TestFills:
    @given(st.sampled_from(pattern_names()), st.integers(0, 10**6))
    def test_the_end_of_the_bar_leads_into_the_next(self, name, seed) -> None:
        rows = bar(name)
        new = filled(rows, CODES, random.Random(seed))
        assert [row[:8] for row in new] == [row[:8] for row in rows], "the first half is the beat"
        assert new != rows
        assert any(row[place].sounds for row in new for place in range(12, 16))

    def test_there_are_several_kinds(self) -> None:
        rows = bar("808")
        assert len({tuple(filled(rows, CODES, random.Random(seed))) for seed in range(40)}) > 10

    @given(st.integers(1, 16), st.integers(0, 10**6))
    def test_a_kit_of_another_sort_has_fills_too(self, slots, seed) -> None:
        codes = [f"X{number}" for number in range(slots)]
        rows: list[Row] = [(Step(0.7), REST) * 8] * slots
        assert len(filled(rows, codes, random.Random(seed))) == slots


def test_the_open_hat_silences_the_closed_one() -> None:
    rows: list[Row] = [(REST,) * 4] * 16
    rows[OPEN], rows[CLOSED] = row_of([0, 0.5, 0, 0]), row_of([0.7, 0.7, 0.7, 0])
    apart = hats_apart(rows, CODES)
    assert apart[CLOSED] == row_of([0.7, 0, 0.7, 0])
    assert apart[OPEN] == rows[OPEN]
