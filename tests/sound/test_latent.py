"""Points of latent space: names that come back, steps that go where they say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given as draw
from hypothesis import strategies as st

from gan808.errors import ConfigError, Gan808Error, RenderError
from gan808.sound.kit.manifest import CLASS_PATTERN, NAME_PATTERN
from gan808.sound.latent import (
    MOST_STEPS,
    Given,
    Near,
    OtherPart,
    Point,
    Towards,
    between,
    given,
    latent_of,
    parse_id,
    parse_point,
    parts_of,
)
from gan808.sound.network.spec import HOUSE_SPEC, PAPER_SPEC, latent_from_seed
from tests.pool.sounds import make_sound

SEEDS = st.integers(0, 2**63 - 1)
SHARES = st.floats(0, 1).map(lambda share: round(share, 4))
STEPS = st.one_of(
    st.builds(Towards, SEEDS, SHARES), st.builds(Near, SEEDS, SHARES),
    st.builds(Given, st.binary(min_size=2, max_size=130)),
    st.builds(OtherPart, st.sampled_from(["t", "a"]), SEEDS),
)
POINTS = st.builds(Point, SEEDS, st.lists(STEPS, max_size=6).map(tuple), SHARES)
BOTH = pytest.mark.parametrize("spec", [HOUSE_SPEC, PAPER_SPEC], ids=["normal", "uniform"])


def angle(a: np.ndarray, b: np.ndarray) -> float:
    """Between two latents, in right angles."""
    cosine = float(a @ b) / float(np.linalg.norm(a) * np.linalg.norm(b))
    return math.acos(min(1.0, cosine)) / (math.pi / 2)


@draw(POINTS)
def test_a_name_gives_back_its_point(place: Point) -> None:
    assert parse_point(str(place)) == place


@draw(POINTS, st.from_regex(NAME_PATTERN, fullmatch=True),
      st.from_regex(CLASS_PATTERN, fullmatch=True))
def test_an_id_gives_back_its_sound_and_a_file_can_be_named_after_it(
    place: Point, kit: str, class_name: str
) -> None:
    kit, class_name = kit.rstrip("\n"), class_name.rstrip("\n")
    sound = make_sound(class_name, place.seed, kit=kit, trail=place.trail)
    assert parse_id(sound.id) == (kit, class_name, place)
    assert sound.point == place
    stem = sound.file_stem("_")
    assert len(stem) < 160
    assert "/" not in stem
    if not place.trail:
        assert sound.id == f"{kit}/{class_name}/{place.seed}"
        assert stem == f"{kit}_{class_name}_{place.seed}"


@draw(st.text(alphabet="0123456789~@+=.-_atwZ/*", max_size=60))
def test_any_text_is_a_point_or_refused_in_one_line(text: str) -> None:
    try:
        assert parse_point(str(parse_point(text))) == parse_point(text)
    except Gan808Error as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize("text", [
    "", "x", "-1", "1.5", "17~", "17~5", "17~5@", "17~5@2", "17+5@-1", "17+5@0.12345", "17*5",
    "17=", "17=A", "17=!!", "17 ", "17\n", str(2**63), "17~9223372036854775808@0.5",
    "1" + "+1@0.1" * (MOST_STEPS + 1), "9" * 30, "17+t", "17+tx", "17+t5@0.5", "17+t-1", "17+x5",
    "17+a9223372036854775808",
])
def test_what_names_no_point_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_point(text)


@BOTH
def test_a_plain_seed_is_its_latent_bit_for_bit(spec) -> None:
    for seed in (0, 17, 2**31 - 1):
        assert str(Point(seed)) == str(seed)
        np.testing.assert_array_equal(latent_of(Point(seed), spec), latent_from_seed(seed, spec))


def test_names_are_what_the_documents_say() -> None:
    assert str(Point(17).near(3, 0.2).towards(99, 0.5)) == "17+3@0.2~99@0.5"
    assert str(Point(17).near(3, float(np.float32(0.3)))) == "17+3@0.3"
    assert parse_point("17~99@0.250").steps == (Towards(99, 0.25),)
    assert str(Point(17).with_part("t", 99)) == "17+t99"
    assert str(Point(17).with_part("t", 98).with_part("t", 99).with_part("a", 5)) == "17+t99+a5"
    assert str(Point(17).with_part("a", 9).widened(0.3)) == "17+a9+w@0.3"


@BOTH
def test_a_tail_and_an_attack_are_their_seeds_and_go_on_together(spec) -> None:
    plain, other = latent_from_seed(17, spec), latent_from_seed(99, spec)
    whole = parts_of(Point(17).near(3, 0.2), spec)
    assert whole[0] is whole[1], "one image is enough"
    for name, parts in (("17+t99", (plain, other)), ("17+a99", (other, plain)),
                        ("5+a17+t99", (plain, other))):
        for found, wanted in zip(parts_of(parse_point(name), spec), parts, strict=True):
            np.testing.assert_array_equal(found, wanted)
    moved = parts_of(parse_point("17+t99~4@0.5+3@0.2"), spec)
    for found, seed in zip(moved, (17, 99), strict=True):
        np.testing.assert_array_equal(found, latent_of(parse_point(f"{seed}~4@0.5+3@0.2"), spec))


@BOTH
def test_the_ends_of_a_morph_are_the_sounds_themselves(spec) -> None:
    here = Point(17).near(3, 0.2)
    assert here.towards(99, 0.0) == here
    assert here.towards(99, 1.0) == Point(99)
    start, end = latent_of(here, spec), latent_from_seed(99, spec)
    np.testing.assert_allclose(between(start, end, 0.0, spec), start, atol=1e-6)
    np.testing.assert_allclose(between(start, end, 1.0, spec), end, atol=1e-6)


def test_a_morph_goes_along_the_sphere_at_an_even_pace() -> None:
    start, end = latent_from_seed(17, HOUSE_SPEC), latent_from_seed(99, HOUSE_SPEC)
    whole = angle(start, end)
    for amount in (0.25, 0.5, 0.9):
        middle = latent_of(Point(17).towards(99, amount), HOUSE_SPEC)
        assert angle(start, middle) == pytest.approx(amount * whole, abs=1e-5)
        lengths = sorted(float(np.linalg.norm(z)) for z in (start, end))
        # A straight line would dip to 0.71 of them in the middle.
        assert 0.97 * lengths[0] < np.linalg.norm(middle) < 1.03 * lengths[1]


def test_a_morph_of_uniform_latents_is_a_straight_line() -> None:
    start, end = latent_from_seed(17, PAPER_SPEC), latent_from_seed(99, PAPER_SPEC)
    middle = latent_of(Point(17).towards(99, 0.25), PAPER_SPEC)
    np.testing.assert_allclose(middle, 0.75 * start + 0.25 * end, atol=1e-6)


def test_a_morph_goes_on_along_the_same_way() -> None:
    half = Point(17).towards(99, 0.5)
    assert half.towards(99, 0.6) == Point(17).towards(99, 0.6)
    assert half.towards(98, 0.6).steps == (Towards(99, 0.5), Towards(98, 0.6))
    assert half.towards(99, 0.0) == Point(17)


def test_a_neighbour_is_as_far_away_as_its_radius_says() -> None:
    here = latent_from_seed(17, HOUSE_SPEC)
    for radius in (0.05, 0.3, 1.0):
        there = latent_of(Point(17).near(3, radius), HOUSE_SPEC)
        assert angle(here, there) == pytest.approx(radius, abs=1e-4)
        assert np.linalg.norm(there) == pytest.approx(np.linalg.norm(here), rel=1e-5)


@BOTH
def test_neighbours_are_nearer_than_any_seed_and_differ(spec) -> None:
    here = latent_from_seed(17, spec)
    near = [latent_of(Point(17).near(number, 0.3), spec) for number in range(50)]
    seeds = [latent_from_seed(seed, spec) for seed in range(100, 150)]
    nearest_seed = min(float(np.linalg.norm(z - here)) for z in seeds)
    assert max(float(np.linalg.norm(z - here)) for z in near) < 0.75 * nearest_seed
    assert len({z.tobytes() for z in near}) == 50
    assert Point(17).near(3, 0.0) == Point(17)
    assert np.abs(np.stack(near)).max() < (1.0001 if spec is PAPER_SPEC else 6)


def test_neighbour_five_does_not_lie_towards_seed_five() -> None:
    here, five = latent_from_seed(17, HOUSE_SPEC), latent_from_seed(5, HOUSE_SPEC)
    there = latent_of(Point(17).near(5, 1.0), HOUSE_SPEC)
    assert abs(angle(there, five) - 1.0) < 0.2
    assert angle(here, there) == pytest.approx(1.0, abs=1e-4)


@BOTH
def test_a_given_latent_is_kept_in_its_name(spec) -> None:
    latent = 0.9 * latent_from_seed(5, spec)
    place = given(latent, 17, spec)
    again = latent_of(parse_point(str(place)), spec)
    assert np.abs(again - np.clip(latent, -3.97, 3.97)).max() <= 0.5 / 32 + 1e-6
    assert place.seed == 17
    near = latent_of(parse_point(f"{place}+3@0.1"), spec)
    assert 0 < np.linalg.norm(near - again) < 0.3 * np.linalg.norm(again)


def test_a_latent_of_another_kit_is_refused() -> None:
    place = given(latent_from_seed(1, PAPER_SPEC), 1, PAPER_SPEC)
    with pytest.raises(RenderError, match=r"100 numbers.*128"):
        latent_of(place, HOUSE_SPEC)


def test_a_walk_that_is_too_long_says_so() -> None:
    place = Point(1)
    for number in range(MOST_STEPS):
        place = place.near(number, 0.1)
    with pytest.raises(ConfigError, match="32 steps"):
        place.near(99, 0.1)
    with pytest.raises(ConfigError, match="from 0 to 1"):
        Point(1).near(3, 1.5)
    with pytest.raises(ConfigError, match="from 0 to 1"):
        Point(1).towards(3, float("nan"))
