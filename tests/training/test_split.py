"""What is held out: whole packs first, recordings first, one half to choose and one to report."""

from collections import Counter

import pytest

from training.corpus.recording import Spooled
from training.corpus.split import MOST, choose_held_out


def sounds(class_name, pack, n):
    return [Spooled(0, 1, class_name, f"{pack}/{class_name}/{i:03d}", pack) for i in range(n)]


def voices(class_name, n):
    return [Spooled(0, 1, class_name, f"synth/{class_name} {i} of seed 808",
                    f"synth/{class_name}/{i // 10}") for i in range(n)]


def held_of(split, class_name):
    return [s for s in split if s.held_out and s.class_name == class_name]


def test_whole_packs_are_held_out_in_all_their_classes():
    split = choose_held_out([s for pack in "abcdefgh" for name in ("kick", "snare")
                             for s in sounds(name, pack, 8)])
    sides = {(s.pack, s.held_out) for s in split}
    assert len(sides) == 8  # no pack on both sides
    assert Counter(s.held_out for s in split)[True] >= 16


def test_no_class_gives_more_than_it_can():
    """However the hashes fall; and a pack that is most of a class is trained on."""
    for number in range(40):
        split = choose_held_out(sounds("clap", f"large {number}", 80)
                                + [s for i in range(10) for s in sounds("clap", f"{number} {i}", 1)]
                                + sounds("kick", f"large {number}", 5))
        held = held_of(split, "clap")
        assert not any(s.pack.startswith("large") for s in held)
        assert 6 <= len(held) <= MOST * 90
        assert len(held_of(split, "kick")) == 1


def test_a_class_of_one_pack_gives_neighbours():
    """Takes of one stroke have neighbouring names: they go together."""
    held = held_of(choose_held_out(sounds("stomp", "only", 96)), "stomp")
    runs = Counter(int(s.origin[-3:]) // 8 for s in held)
    assert sum(runs.values()) >= 24
    assert set(runs.values()) == {8}


def test_synthesised_voices_fill_up_to_a_share():
    split = choose_held_out([*sounds("kick", "a", 30), *sounds("kick", "b", 8),
                             *sounds("claves", "a", 4), *voices("kick", 100),
                             *voices("claves", 100)])
    held = [s for s in split if s.held_out]
    n_voices = sum(s.pack.startswith("synth") for s in held)
    assert n_voices <= 0.4 * len(held)
    assert len(held_of(split, "claves")) > 3  # where recordings are fewest


def test_where_nothing_is_recorded_voices_judge():
    held = Counter(s.class_name for s in choose_held_out(voices("kick", 100) + voices("clap", 100))
                   if s.held_out)
    assert held == {"kick": 10, "clap": 10}


@pytest.mark.parametrize("packs", ["a", "abcdef"])
def test_both_halves_have_every_class(packs):
    split = choose_held_out([s for pack in packs for name in ("kick", "snare", "tom")
                             for s in sounds(name, pack, 60 // len(packs))])
    for name in ("kick", "snare", "tom"):
        held = held_of(split, name)
        n_reported = sum(s.reported for s in held)
        assert len(held) // 3 <= n_reported <= len(held) - len(held) // 3
    assert not any(s.reported and not s.held_out for s in split)


def test_it_is_always_the_same():
    mine = [s for pack in "abcd" for s in sounds("kick", pack, 9)]
    assert ({s.origin for s in choose_held_out(mine) if s.held_out}
            == {s.origin for s in choose_held_out(mine[::-1]) if s.held_out})
