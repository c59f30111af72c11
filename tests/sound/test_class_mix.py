"""Names of mixes of classes: they come back, they go where they say, their shares add up to 1."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gan808.errors import ConfigError, Gan808Error
from gan808.sound.class_mix import MOST_STEPS, ClassMix, parse_class, require_classes

NAMES = st.from_regex(r"[a-z0-9][a-z0-9_]{0,31}", fullmatch=True)
SHARES = st.floats(0, 1).map(lambda share: round(share, 4))
MIXES = st.builds(
    ClassMix, NAMES, st.lists(st.tuples(NAMES, SHARES), max_size=MOST_STEPS).map(tuple))


@given(MIXES)
def test_a_name_gives_back_its_mix_whose_shares_are_a_whole(mix: ClassMix) -> None:
    assert parse_class(str(mix)) == mix
    assert sum(mix.shares.values()) == pytest.approx(1.0)
    assert min(mix.shares.values()) >= 0.0


@given(st.text(alphabet="kicksnare+@0.159_ /", max_size=40))
def test_any_text_is_a_mix_or_refused_in_one_line(text: str) -> None:
    try:
        assert parse_class(str(parse_class(text))) == parse_class(text)
    except Gan808Error as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize("text", ["", "Kick", "kick+", "kick+snare", "kick+snare@", "kick+snare@2",
                                  "kick+snare@-0.5", "kick +snare@0.5", "kick/snare", "kick\n",
                                  "kick+snare@0.12345", "kick" + "+snare@0.1" * (MOST_STEPS + 1)])
def test_what_names_no_class_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_class(text)


def test_shares_are_the_way_from_one_to_the_next() -> None:
    assert parse_class("kick").shares == {"kick": 1.0}
    assert parse_class("kick+snare@0.3").shares == pytest.approx({"kick": 0.7, "snare": 0.3})
    assert parse_class("kick+snare@0.3+clap@0.5").shares == pytest.approx(
        {"kick": 0.35, "snare": 0.15, "clap": 0.5})


def test_a_knob_moves_along_one_way() -> None:
    kick = ClassMix("kick")
    half = kick.towards("snare", float(np.float32(0.3)))
    assert str(half) == "kick+snare@0.3"
    assert str(half.towards("snare", 0.6)) == "kick+snare@0.6"
    assert half.towards("snare", 0.0) == kick
    assert half.towards("snare", 1.0) == ClassMix("snare")
    assert str(half.towards("clap", 0.5)) == "kick+snare@0.3+clap@0.5"
    assert kick.towards("kick", 0.7) == kick
    with pytest.raises(ConfigError, match="amount 1.5"):
        kick.towards("snare", 1.5)


def test_a_kit_has_all_of_it_or_says_what_it_lacks() -> None:
    assert require_classes("kick+snare@0.3", ("snare", "kick"), "k").first == "kick"
    with pytest.raises(ConfigError, match="kit k has no class 'gong'; it has snare, kick"):
        require_classes("kick+gong@0.3", ("snare", "kick"), "k")
