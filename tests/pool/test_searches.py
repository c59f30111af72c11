"""Searches for the nearest sound: in slices, between which everything else goes on."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from gan808.config import PoolSettings, RendererSettings
from gan808.errors import Gan808Error, RenderError
from gan808.pool import render_child
from gan808.pool.filler import Filler
from gan808.pool.offline import OfflinePool
from gan808.pool.pool import Pool
from gan808.pool.render_process import RenderProcess
from gan808.pool.searches import MOST_WAITING, Searches
from gan808.sound.kit.kit import load_kit
from gan808.sound.sound import Nearest, Sound
from tests.pool import fake_child
from tests.pool.test_render_process import FakeKit

WITHIN_S = 60.0
SETTINGS = RendererSettings(batch=4, seed=808)


@pytest.fixture
def filler() -> Iterator[Filler]:
    kit = FakeKit(classes=("kick", "snare"))
    it = Filler(kit, Pool(kit.classes, limit=6, low_water=3), 48000, SETTINGS, print,
                start_process=lambda k: RenderProcess(k, 48000, SETTINGS, child=fake_child.main))
    it.start()
    yield it
    it.stop()


@pytest.fixture
def answers() -> queue.SimpleQueue[Any]:
    return queue.SimpleQueue()


def test_a_search_finds_and_a_refusal_leaves_the_next_alone(
    filler: Filler, answers: queue.SimpleQueue[Any]
) -> None:
    filler.search(Path("silent.wav"), (), answers.put)
    filler.search(Path("hit.wav"), ("snare",), answers.put)
    filler.search(Path("hit.wav"), (), answers.put)
    refusal, found, anywhere = (answers.get(timeout=WITHIN_S) for _ in range(3))
    assert isinstance(refusal, RenderError)
    assert "is silent" in str(refusal)
    assert isinstance(found, Nearest)
    assert (found.sound.id, found.distance_db) == ("fake/snare/17", 1.5)
    assert anywhere.sound.id == "fake/kick/17"
    assert filler.status().restarts == 0


def test_what_is_asked_for_meanwhile_does_not_wait_for_it(
    monkeypatch: pytest.MonkeyPatch, answers: queue.SimpleQueue[Any]
) -> None:
    """Order of the answers, with slices that end after every step."""
    asked: list[str] = []

    class Process:
        def alive(self) -> bool:
            return True

        def ready(self) -> bool:
            return True

        def start(self) -> None: ...

        def stop(self) -> None: ...

        def begin_search(self, *_: Any) -> float:
            asked.append("begin")
            driven.request("kick", 1, answers.put)
            return 0.0

        def go_on_searching(self) -> float | Nearest:
            asked.append("on")
            return Nearest(make_any(), 1.0) if asked.count("on") == 3 else 0.5

        def render(self, names: list[str], _: Any) -> list[Any]:
            asked.append("render")
            raise RenderError("none here")

    driven = Filler(FakeKit(), Pool((), limit=1, low_water=1), 48000, SETTINGS, print,
                    start_process=lambda _: Process())  # type: ignore[arg-type,return-value]
    driven.search(Path("hit.wav"), (), answers.put)
    for _ in range(6):
        driven._step()
    assert asked[:5] == ["begin", "render", "on", "on", "on"]
    assert [type(answers.get_nowait()) for _ in range(2)] == [RenderError, Nearest]


def make_any() -> Sound:
    from tests.pool.sounds import make_sound

    return make_sound("kick", 17)


def test_a_process_that_dies_of_it_is_replaced_and_the_search_is_told(
    filler: Filler, answers: queue.SimpleQueue[Any]
) -> None:
    filler.search(Path("crash.wav"), (), answers.put)
    filler.search(Path("hit.wav"), (), answers.put)
    assert "ended with 3" in str(answers.get(timeout=WITHIN_S))
    assert isinstance(answers.get(timeout=WITHIN_S), Nearest)


def test_a_stop_answers_all_of_them(filler: Filler, answers: queue.SimpleQueue[Any]) -> None:
    filler.search(Path("long.wav"), (), answers.put)
    filler.search(Path("hit.wav"), (), answers.put)
    filler.stop()
    assert all(isinstance(answers.get(timeout=WITHIN_S), Gan808Error) for _ in range(2))


def test_a_flood_has_an_end(answers: queue.SimpleQueue[Any]) -> None:
    searches = Searches()
    for _ in range(MOST_WAITING + 1):
        searches.ask(Path("hit.wav"), (), answers.put)
    assert "are waiting" in str(answers.get_nowait())
    searches.fail_all(RenderError("over"))
    assert answers.qsize() == MOST_WAITING


@pytest.mark.parametrize("file", ["hit.wav", "silent.wav", "crash.wav"])
def test_offline_it_is_there_when_asked(file: str) -> None:
    process = RenderProcess(FakeKit(), 48000, SETTINGS, child=fake_child.main)
    pool = OfflinePool(process, PoolSettings(), SETTINGS)
    pool.start()
    found: list[Any] = []
    pool.search(Path(file), (), found.append)
    pool.stop()
    assert isinstance(found[0], Nearest if file == "hit.wav" else Gan808Error)


def step_by_step(*arguments: Any) -> None:
    """The child with slices of one step each, however quick the machine is."""
    render_child.SLICE_S = 0.0
    render_child.main(*arguments)


def test_a_real_kit_finds_its_own_sound_in_slices(
    tiny_kit: Path, tmp_path: Path, spawn_real: Callable[[Path], RenderProcess]
) -> None:
    process = spawn_real(tiny_kit)
    assert process.ready(WITHIN_S)
    sound = process.render(["tom"], [13])[0].sound
    soundfile.write(tmp_path / "hit.wav", 0.2 * sound.audio, sound.sample_rate_hz, "PCM_24")
    result = process.begin_search(tmp_path / "hit.wav", ["tom"])
    slices = 1
    while not isinstance(result, Nearest):
        assert 0.0 <= result <= 1.0
        result, slices = process.go_on_searching(), slices + 1
    assert slices > 1
    assert (result.sound.kit, result.sound.class_asked) == ("tiny", "tom")
    again = process.render(["tom"], [result.sound.point])[0].sound
    np.testing.assert_array_equal(again.audio, result.sound.audio)
    with pytest.raises(RenderError, match="is no file"):
        process.begin_search(tmp_path / "gone.wav")
    with pytest.raises(RenderError, match="no search"):
        process.go_on_searching()


@pytest.fixture
def spawn_real() -> Iterator[Callable[[Path], RenderProcess]]:
    started: list[RenderProcess] = []

    def start(folder: Path) -> RenderProcess:
        started.append(RenderProcess(load_kit(folder), 48000, SETTINGS, child=step_by_step))
        started[-1].start()
        return started[-1]

    yield start
    for process in started:
        process.stop()
