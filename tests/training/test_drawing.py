"""How often each sound of a class is drawn, by its pack."""

import numpy as np
import pytest

from training.drawing import MOST_OF_CLASS, MOST_REPEATS, chances


def shares(**sizes):
    names = np.repeat(list(sizes), list(sizes.values()))
    drawn = chances(names)
    assert drawn.sum() == pytest.approx(1.0)
    assert drawn.min() > 0
    return {name: float(drawn[names == name].sum()) for name in sizes}


def test_a_large_pack_is_not_most_of_its_class():
    """frankensnare is half of all snares: 167 of 296."""
    found = shares(frankensnare=167, muldjord=32, fluid=20, tr808=20, osdk=16, sonicpi=11, chuck=6,
                   empire=5, uzu=4, varibreaks=3)
    assert found["frankensnare"] <= MOST_OF_CLASS + 1e-9
    assert found["frankensnare"] > found["muldjord"] > found["chuck"] > found["varibreaks"]


def test_packs_of_one_size_are_drawn_alike():
    assert shares(a=7, b=7, c=7) == pytest.approx({"a": 1 / 3, "b": 1 / 3, "c": 1 / 3})


def test_a_single_sound_is_not_drawn_for_a_whole_pack():
    """Of 40 sounds and one, the one is not half of what is heard."""
    found = shares(many=40, one=1)
    assert found["one"] <= MOST_REPEATS / 31 + 1e-9


def test_synthesised_voices_leave_room_for_a_few_recordings():
    """However many there are."""
    hundred, thousand = (shares(synth=n, tr808=1, mrk2=2) for n in (100, 1000))
    assert thousand["tr808"] == pytest.approx(hundred["tr808"])
    assert 0.2 < thousand["tr808"] + thousand["mrk2"] < 0.5


def test_a_class_of_one_pack_is_drawn_evenly():
    np.testing.assert_allclose(chances(np.asarray(["a"] * 5)), 0.2)
