"""Which seeds are drawn: the same for the same run seed, whatever the order of the classes."""

from __future__ import annotations

from gan808.config import HIGHEST_SEED
from gan808.pool.seeds import Seeds


def test_a_class_gets_its_sequence_whatever_is_drawn_in_between() -> None:
    alone, mixed = Seeds(7), Seeds(7)
    expected = alone.next("kit", "kick", 6)
    mixed.next("kit", "snare", 3)
    drawn = mixed.next("kit", "kick", 2)
    mixed.next("other", "kick", 5)
    drawn += mixed.next("kit", "kick", 4)
    assert drawn == expected


def test_runs_classes_and_kits_differ_and_fit_an_osc_integer() -> None:
    named = ((1, "a", "kick"), (2, "a", "kick"), (1, "b", "kick"), (1, "a", "tom"))
    draws = [tuple(Seeds(run).next(kit, name, 100)) for run, kit, name in named]
    assert len(set(draws)) == 4
    assert all(0 <= seed <= HIGHEST_SEED for draw in draws for seed in draw)
    assert len(set(draws[0])) == 100
