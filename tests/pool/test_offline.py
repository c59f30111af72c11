"""The pool of `--fast`: what is drawn depends on the seed and on the draws, on nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from gan808.config import PoolSettings, RendererSettings
from gan808.errors import Gan808Error, RenderError
from gan808.pool.offline import OfflinePool
from gan808.pool.render_process import ChildMain, RenderProcess
from gan808.sound.latent import parse_point
from gan808.sound.sound import Rendered, Sound
from tests.pool import fake_child
from tests.pool.test_render_process import FakeKit

Make = Callable[..., OfflinePool]
CLASSES = ("kick", "snare", "bad", "crash")


@pytest.fixture
def make() -> Iterator[Make]:
    pools: list[OfflinePool] = []

    def build(seed: int, child: ChildMain = fake_child.main) -> OfflinePool:
        settings = RendererSettings(batch=3, seed=seed)
        process = RenderProcess(FakeKit(classes=CLASSES), 48000, settings, child=child)
        pools.append(OfflinePool(process, PoolSettings(limit=8, low_water=4), settings))
        pools[-1].start()
        return pools[-1]

    yield build
    for pool in pools:
        pool.stop()


def draw(pool: OfflinePool, names: list[str]) -> list[str]:
    return [sound.id if (sound := pool.take(name)) else "none" for name in names]


def test_the_same_draws_of_the_same_seed_are_the_same_sounds(make: Make) -> None:
    names = ["kick", "snare", "kick", "kick", "bad", "snare", "kick", "kick", "kick"]
    first, again, other = (draw(make(seed), names) for seed in (5, 5, 6))
    assert first == again
    assert first[4] == "none"
    assert len(set(first)) == len(first)
    assert not (set(first) - {"none"}) & set(other)


def test_a_third_is_of_a_stock_that_is_there(make: Make) -> None:
    pool = make(1)
    assert pool.take("kick", 2) is not None
    assert pool.stock()["kick"] >= 3


def test_a_crash_is_kept_and_the_pool_is_empty_from_then_on(make: Make) -> None:
    pool = make(1)
    assert pool.take("crash") is None
    assert isinstance(pool.failure, RenderError)
    assert pool.take("kick") is None


def test_a_broken_kit_is_kept(make: Make) -> None:
    pool = make(1, fake_child.broken_kit)
    assert pool.take("kick") is None
    assert "cut short" in str(pool.failure)


def test_requests_are_answered_before_they_return(make: Make) -> None:
    pool = make(1)
    answers: list[Sound | Gan808Error] = []
    pool.request("kick", 9, answers.append)
    pool.request("refused", 9, answers.append)
    assert isinstance(answers[0], Sound)
    assert answers[0].id == "fake/kick/9"
    assert isinstance(answers[1], RenderError)


def test_points_are_answered_before_they_return(make: Make) -> None:
    pool = make(1)
    answers: list[list[Rendered] | Gan808Error] = []
    pool.request_points("bad", [parse_point("9+1@0.2"), parse_point("9")], answers.append)
    pool.request_points("refused", [parse_point("9")], answers.append)
    assert isinstance(answers[0], list)
    assert [(each.sound.id, each.rejection) for each in answers[0]] == [
        ("fake/bad/9+1@0.2", "unsure"), ("fake/bad/9", "unsure")]
    assert isinstance(answers[1], RenderError)


def test_a_draw_in_stereo_is_rendered_in_stereo(make: Make) -> None:
    drawn = [pool.take("kick", width=0.5) for pool in (make(7), make(7))]
    assert [sound and sound.width for sound in drawn] == [0.5, 0.5]
    assert drawn[0] is not None
    assert drawn[1] is not None
    assert drawn[0].id == drawn[1].id
