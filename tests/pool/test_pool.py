"""The stock: what goes in, what comes out and in which order."""

from __future__ import annotations

import threading

import pytest

from gan808.pool.pool import Pool, Want
from tests.pool.sounds import make_sound


@pytest.fixture
def pool() -> Pool:
    return Pool(["kick", "snare", "tom"], limit=6, low_water=2)


def test_a_sound_is_filed_under_the_class_heard(pool: Pool) -> None:
    assert pool.put(make_sound("kick", 1, class_heard="tom"))
    assert pool.stock() == {"kick": 0, "snare": 0, "tom": 1}


def test_a_full_class_and_an_unknown_one_refuse(pool: Pool) -> None:
    assert all(pool.put(make_sound("kick", seed)) for seed in range(6))
    assert not pool.put(make_sound("kick", 6))
    assert not pool.put(make_sound("gong", 1))
    assert pool.stock()["kick"] == 6


def test_the_oldest_leaves_first_and_an_empty_class_gives_none(pool: Pool) -> None:
    for seed in (5, 3, 4):
        pool.put(make_sound("snare", seed))
    taken = [pool.take("snare") for _ in range(4)]
    assert [sound and sound.seed for sound in taken] == [5, 3, 4, None]
    assert pool.take("gong") is None


@pytest.mark.parametrize(("third", "expected"), [(0, {60, 70}), (1, {80, 90}), (2, {100, 110})])
def test_a_third_by_pitch(pool: Pool, third: int, expected: set[float]) -> None:
    for seed, pitch_hz in enumerate((110, 60, 90, 70, 100, 80)):
        pool.put(make_sound("tom", seed, pitch_hz=pitch_hz))
    # the thirds are of what is there now, so only the first draw has exactly these candidates
    sound = pool.take("tom", third)
    assert sound is not None
    assert sound.descriptors.pitch_hz in expected


def test_thirds_of_very_little_still_give_something(pool: Pool) -> None:
    pool.put(make_sound("tom", 1, pitch_hz=100))
    assert pool.take("tom", 2) is not None
    for pitch_hz in (100, 200):
        pool.put(make_sound("tom", 1, pitch_hz=pitch_hz))
    high = pool.take("tom", 2)
    assert high is not None
    assert high.descriptors.pitch_hz == 200


def test_the_nearest_on_the_side_asked_for(pool: Pool) -> None:
    for seed, brightness_hz in enumerate((500, 1000, 2000, 4000)):
        pool.put(make_sound("kick", seed, brightness_hz=brightness_hz))
    brighter = pool.take_by("kick", "brightness_hz", 1000, above=True)
    darker = pool.take_by("kick", "brightness_hz", 1000, above=False)
    assert brighter is not None
    assert darker is not None
    assert brighter.descriptors.brightness_hz == 2000
    assert darker.descriptors.brightness_hz == 500
    assert pool.take_by("kick", "brightness_hz", 4000, above=True) is None
    assert pool.stock()["kick"] == 2


def test_the_shortest_class_is_next_until_all_are_full(pool: Pool) -> None:
    order = []
    while (want := pool.shortest()) is not None:
        order.append(want.class_name)
        pool.put(make_sound(want.class_name, len(order)))
    assert pool.stock() == {"kick": 6, "snare": 6, "tom": 6}
    assert order[:4] == ["kick", "snare", "tom", "kick"]


def test_a_class_once_full_rests_until_it_is_low(pool: Pool) -> None:
    while (want := pool.shortest()) is not None:
        pool.put(make_sound(want.class_name, 1))
    for _ in range(4):
        pool.take("tom")
    assert pool.shortest() is None
    pool.take("tom")
    assert pool.stock()["tom"] == 1
    assert pool.shortest() == Want("tom")
    assert pool.shortest(skip={Want("tom")}) is None


def test_another_kit_empties_it(pool: Pool) -> None:
    while (want := pool.shortest()) is not None:
        pool.put(make_sound(want.class_name, 1))
    pool.reset(["gong"], [make_sound("gong", 7)])
    assert pool.stock() == {"gong": 1}
    assert pool.shortest() == Want("gong")
    assert pool.take("kick") is None


def test_taking_wakes_whoever_fills(pool: Pool) -> None:
    calls: list[int] = []
    pool.on_take(lambda: calls.append(1))
    pool.take("kick")
    assert not calls
    pool.put(make_sound("kick", 1))
    pool.take("kick")
    assert calls == [1]


def test_threads_never_get_the_same_sound_twice() -> None:
    pool = Pool(["kick"], limit=400, low_water=2)
    for seed in range(400):
        pool.put(make_sound("kick", seed, pitch_hz=seed, n_frames=1))
    taken: list[int] = []

    def take_all(third: int | None) -> None:
        while (sound := pool.take("kick", third)) is not None:
            taken.append(sound.seed)

    threads = [threading.Thread(target=take_all, args=(third,)) for third in (None, 0, 1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == list(range(400))


def test_widths_are_stocked_only_where_they_are_wanted(pool: Pool) -> None:
    """Each width of a class has a stock of its own; the other classes know nothing of it."""
    calls: list[int] = []
    pool.on_take(lambda: calls.append(1))
    pool.want({"kick": [0.0, 0.3], "snare": [0.3]})
    assert calls == [1]
    while (want := pool.shortest()) is not None:
        trail = f"+w@{want.width}" if want.width else ""
        assert pool.put(make_sound(want.class_name, 1, trail=trail))
    assert pool.stock() == {"kick": 12, "snare": 6, "tom": 6}
    assert not pool.put(make_sound("kick", 2, trail="+w@0.3"))
    assert pool.count(Want("kick", 0.3)) == 6
    wide, mono = pool.take("kick", width=0.3), pool.take("kick")
    assert wide is not None
    assert mono is not None
    assert (wide.width, mono.width) == (0.3, 0.0)
    assert pool.take("snare") is None
    for _ in range(4):
        pool.take("kick", width=0.3)
    assert pool.shortest() == Want("kick", 0.3)


def test_the_nearest_width_stands_in_and_leaves_as_the_wanted_comes(pool: Pool) -> None:
    for seed, trail in enumerate(["", "+w@0.2", "+w@0.8", "+w@0.2"]):
        pool.put(make_sound("kick", seed, trail=trail, pitch_hz=100 + seed))
    pool.want({"kick": [0.3]})
    near = pool.take("kick", width=0.3)
    assert near is not None
    assert near.width == 0.2
    higher = pool.take_by("kick", "pitch_hz", 90, above=True, width=0.9)
    assert higher is not None
    assert higher.width == 0.8
    for seed in range(3):
        pool.put(make_sound("kick", 10 + seed, trail="+w@0.3"))
    assert {sound.width for sound in pool.sounds()} == {0.3}
    assert pool.stock()["kick"] == 3
