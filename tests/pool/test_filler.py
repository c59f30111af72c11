"""The filler: keeps stock, serves requests, survives its child, changes kits."""

from __future__ import annotations

import os
import queue
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gan808.config import RendererSettings
from gan808.errors import Gan808Error, KitError, RenderError
from gan808.pool import filler as filler_module
from gan808.pool import render_process
from gan808.pool.filler import Filler
from gan808.pool.pool import Pool, Want
from gan808.pool.render_process import ChildMain, RenderProcess
from gan808.sound.latent import Point, parse_point
from gan808.sound.sound import Rendered, Sound
from tests.pool import fake_child
from tests.pool.test_render_process import FakeKit, gone
from tests.timing import SOON_S

WITHIN_S = 60.0  # a generous bound for two busy cores, not an expectation
SETTINGS = RendererSettings(batch=4, seed=808)


def eventually(condition: Callable[[], bool], within_s: float = WITHIN_S) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.01)
    return condition()


class Rig:
    """A filler on fake children, and what it said."""

    def __init__(self, classes: tuple[str, ...], *, child: ChildMain = fake_child.main) -> None:
        self.child = child
        self.pool = Pool(classes, limit=6, low_water=3)
        self.notices: list[str] = []
        self.filler = Filler(
            FakeKit(classes=classes), self.pool, 48000, SETTINGS, self.notices.append,
            start_process=self._process,
        )

    def _process(self, kit: FakeKit) -> RenderProcess:
        child = fake_child.broken_kit if kit.name == "broken" else self.child
        return RenderProcess(kit, 48000, SETTINGS, child=child)

    def full(self) -> bool:
        return all(n == 6 for n in self.pool.stock().values())


@pytest.fixture
def rig() -> Iterator[Callable[..., Rig]]:
    rigs: list[Rig] = []

    def make(*classes: str, **more: ChildMain) -> Rig:
        rigs.append(Rig(classes, **more))
        rigs[-1].filler.start()
        return rigs[-1]

    yield make
    for each in rigs:
        each.filler.stop()


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filler_module, "FIRST_RESTART_S", 0.05)


def test_it_fills_and_refills(rig: Callable[..., Rig]) -> None:
    it = rig("kick", "snare")
    assert eventually(it.full)
    for _ in range(5):
        it.pool.take("snare")
    assert eventually(it.full)
    status = it.filler.status()
    assert status.ready
    assert status.filed == 17
    assert status.rejected["class_full"] == status.rendered - status.filed
    assert not it.notices


def test_two_runs_of_a_seed_draw_the_same_sounds(rig: Callable[..., Rig]) -> None:
    stocks = []
    for _ in range(2):
        it = rig("kick", "snare")
        assert eventually(it.full)
        stocks.append({sound.id for sound in it.pool.sounds()})
    assert stocks[0] == stocks[1]


def test_what_the_critic_refuses_is_counted_not_filed_and_holds_up_nobody(
    rig: Callable[..., Rig],
) -> None:
    it = rig("bad", "muddle", "kick", "snare")
    assert eventually(lambda: it.pool.stock()["snare"] == 6 and it.pool.stock()["kick"] == 6)
    assert it.pool.stock()["bad"] == 0
    assert it.pool.stock()["muddle"] == 0
    assert it.filler.status().rejected["unsure"] >= 4
    muddled = [sound for sound in it.pool.sounds() if sound.class_asked == "muddle"]
    assert muddled
    assert all(sound.class_heard == "kick" for sound in muddled)


def test_a_request_gets_that_very_sound(rig: Callable[..., Rig]) -> None:
    it = rig("kick")
    answers: queue.SimpleQueue[Sound | Gan808Error] = queue.SimpleQueue()
    it.filler.request("kick", 4711, answers.put)
    it.filler.request("refused", 1, answers.put)
    sound, refusal = answers.get(timeout=WITHIN_S), answers.get(timeout=WITHIN_S)
    assert isinstance(sound, Sound)
    assert sound.id == "fake/kick/4711"
    assert isinstance(refusal, RenderError)
    assert not it.notices


def test_points_come_in_their_order_with_the_critics_opinion(rig: Callable[..., Rig]) -> None:
    it = rig("kick")
    answers: queue.SimpleQueue[list[Rendered] | Gan808Error] = queue.SimpleQueue()
    points = [parse_point(name) for name in ("7", "7+1@0.2", "7~9@0.5")]
    it.filler.request_points("bad", points, answers.put)
    rendered = answers.get(timeout=WITHIN_S)
    assert isinstance(rendered, list)
    assert [each.sound.id for each in rendered] == [f"fake/bad/{point}" for point in points]
    assert {each.rejection for each in rendered} == {"unsure"}
    assert eventually(it.full)
    assert {sound.trail for sound in it.pool.sounds()} == {""}


def test_a_killed_child_is_replaced_and_said(rig: Callable[..., Rig]) -> None:
    it = rig("kick")
    assert eventually(it.full)
    pid = it.filler.status().pid
    assert pid
    os.kill(pid, signal.SIGKILL)
    for _ in range(6):
        it.pool.take("kick")
    assert eventually(it.full)
    assert it.filler.status().pid not in (None, pid)
    assert it.filler.status().restarts == 1
    assert len(it.notices) == 1
    assert "killed by signal 9" in it.notices[0]


def test_a_child_that_always_crashes_is_tried_ever_more_seldom(rig: Callable[..., Rig]) -> None:
    it = rig("crash")
    assert eventually(lambda: len(it.notices) >= 3)
    it.filler.stop()
    pauses = [notice.rsplit(" in ", 1)[1] for notice in it.notices[:3]]
    assert "out of memory, said the fake" in it.notices[0]
    assert len(pauses) == 3
    assert it.filler._restart.begin() >= 0.05 * 2**3


def test_a_request_lost_in_a_crash_is_answered(rig: Callable[..., Rig]) -> None:
    it = rig("kick")
    answers: queue.SimpleQueue[Sound | Gan808Error] = queue.SimpleQueue()
    it.filler.request("crash", 1, answers.put)
    lost = answers.get(timeout=WITHIN_S)
    assert isinstance(lost, RenderError)
    assert eventually(it.full)


def test_a_broken_kit_is_said_once_and_requests_are_refused(rig: Callable[..., Rig]) -> None:
    it = rig("kick", child=fake_child.broken_kit)
    assert eventually(lambda: bool(it.notices))
    answers: queue.SimpleQueue[Sound | Gan808Error] = queue.SimpleQueue()
    it.filler.request("kick", 1, answers.put)
    assert isinstance(answers.get(timeout=WITHIN_S), KitError)
    assert len(it.notices) == 1
    assert it.filler.status().restarts == 0


def test_another_kit_is_loaded_beside_and_then_taken(rig: Callable[..., Rig]) -> None:
    it = rig("kick")
    assert eventually(it.full)
    old = it.filler.status().pid
    assert old
    answers: queue.SimpleQueue[FakeKit | Gan808Error] = queue.SimpleQueue()
    other = FakeKit(name="other", classes=("gong",))
    it.filler.load_kit(other, answers.put)
    assert answers.get(timeout=WITHIN_S) is other
    assert it.filler.status().kit == "fake", "nobody has said yet that it is to play"
    assert it.full()
    it.filler.adopt_kit(other)
    assert eventually(lambda: it.pool.stock() == {"gong": 6})
    assert gone(old, SOON_S)
    assert it.filler.status().kit == "other"


def test_a_kit_that_cannot_be_loaded_changes_nothing(rig: Callable[..., Rig]) -> None:
    it = rig("kick")
    assert eventually(it.full)
    before = it.filler.status()
    answers: queue.SimpleQueue[FakeKit | Gan808Error] = queue.SimpleQueue()
    it.filler.load_kit(FakeKit(name="broken"), answers.put)
    assert isinstance(answers.get(timeout=WITHIN_S), KitError)
    assert it.filler.status() == before
    assert it.full()


def test_a_kit_that_is_ready_and_not_wanted_changes_nothing(rig: Callable[..., Rig]) -> None:
    it = rig("kick")
    assert eventually(it.full)
    before = it.filler.status()
    answers: queue.SimpleQueue[FakeKit | Gan808Error] = queue.SimpleQueue()
    other, third = FakeKit(name="other", classes=("gong",)), FakeKit(name="third")
    it.filler.load_kit(other, answers.put)
    assert answers.get(timeout=WITHIN_S) is other
    it.filler.give_up_kit(other)
    assert it.filler.status() == before
    it.filler.load_kit(third, answers.put)
    assert answers.get(timeout=WITHIN_S) is third


def test_at_another_rate_there_is_another_process(rig: Callable[..., Rig]) -> None:
    it = rig("kick")
    assert eventually(it.full)
    old = it.filler.status().pid
    assert old
    it.filler.change_rate(44_100)
    assert eventually(lambda: it.filler.status().pid not in (None, old))
    assert gone(old, SOON_S)
    assert it.filler.status().restarts == 0
    assert not it.notices


def test_a_process_that_stands_still_is_reported_and_replaced(
    rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped from outside, as by a machine that swaps: after a time it counts as hung."""
    monkeypatch.setattr(render_process, "ANSWER_TIMEOUT_S", 0.3)
    it = rig("kick")
    assert eventually(it.full)
    old = it.filler.status().pid
    assert old
    os.kill(old, signal.SIGSTOP)
    for _ in range(5):
        it.pool.take("kick")
    assert eventually(lambda: it.full() and it.filler.status().pid not in (None, old))
    assert gone(old, SOON_S)
    assert "has not answered" in it.notices[0]


def test_a_process_that_never_becomes_ready_is_reported_and_replaced(
    rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render_process, "LOADING_TIMEOUT_S", 0.5)
    it = rig("kick", child=fake_child.slow_to_load)
    assert eventually(lambda: bool(it.notices))
    assert "has not been ready" in it.notices[0]
    assert it.filler.status().restarts >= 1


def test_it_stops_at_once_whatever_the_child_does(rig: Callable[..., Rig]) -> None:
    answers: queue.SimpleQueue[Sound | Gan808Error] = queue.SimpleQueue()
    loading, hanging = rig("kick", child=fake_child.slow_to_load), rig("hang")
    assert eventually(lambda: hanging.filler.status().ready)
    for it in (loading, hanging):
        assert eventually(lambda it=it: it.filler.status().pid is not None)
        pid = it.filler.status().pid
        it.filler.request("kick", 1, answers.put)
        began = time.monotonic()
        it.filler.stop()
        assert time.monotonic() - began < SOON_S
        assert pid
        assert gone(pid, SOON_S)
        assert isinstance(answers.get(timeout=SOON_S), RenderError)
        assert not it.notices


def test_a_wanted_width_is_stocked_beside_mono_and_recalled(rig: Callable[..., Rig]) -> None:
    """Nothing is stereo until it is wanted; then that class has a stock of both."""
    each = rig("kick", "snare")
    assert eventually(each.full)
    assert {sound.width for sound in each.pool.sounds()} == {0.0}
    each.pool.want({"kick": [0.0, 0.5]})
    assert eventually(lambda: each.pool.count(Want("kick", 0.5)) == 6)
    wide = each.pool.take("kick", width=0.5)
    assert wide is not None
    assert wide.audio.shape[1] == 2
    assert each.pool.stock()["snare"] == 6
    answers: queue.Queue[Sound | Gan808Error] = queue.Queue()
    each.filler.request("kick", wide.point, answers.put)
    again = answers.get(timeout=WITHIN_S)
    assert isinstance(again, Sound)
    assert (again.id, again.audio.tobytes()) == (wide.id, wide.audio.tobytes())


def test_no_mistake_ends_it(rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody expected answers whoever waits, is said, and the next child goes on."""
    it = rig("kick")
    assert eventually(it.full)
    answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
    real = RenderProcess.render

    def render(self: RenderProcess, names: list[str], points: list[Point]) -> list[Rendered]:
        if points[0].seed == 4711:
            raise TypeError("a header without a name")
        return real(self, names, points)

    monkeypatch.setattr(RenderProcess, "render", render)
    it.filler.request("kick", 4711, answers.put)
    assert "TypeError" in str(answers.get(timeout=WITHIN_S))
    it.filler.request("kick", 4712, answers.put)
    assert answers.get(timeout=WITHIN_S).id == "fake/kick/4712"
    assert ["TypeError" in notice for notice in it.notices] == [True]


def test_a_process_that_cannot_be_started_is_tried_again(
    rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too many files are open, say. A kit that was asked for is refused, the present one stays."""
    with monkeypatch.context() as broken:
        broken.setattr(RenderProcess, "start", lambda _: os.open("/nowhere/at/all", os.O_RDONLY))
        it = rig("kick")
        assert eventually(lambda: bool(it.notices))
        assert "FileNotFoundError" in it.notices[0]
        answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
        it.filler.load_kit(FakeKit(name="other"), answers.put)
        assert isinstance(answers.get(timeout=WITHIN_S), Gan808Error)
    assert eventually(it.full)
    assert it.filler.status().kit == "fake"
