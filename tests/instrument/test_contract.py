"""Engine, pool and filler keep the same promises to the machine whether real or fake."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from gan808.config import RendererSettings
from gan808.engine.engine import NO_CELL, Engine, SlotParameter
from gan808.engine.protocols import EngineLike
from gan808.errors import Gan808Error
from gan808.instrument.protocols import FillerLike, PoolLike
from gan808.pool.filler import Filler
from gan808.pool.pool import Pool
from gan808.pool.render_process import RenderProcess
from gan808.sound.latent import Point
from gan808.sound.sound import Sound
from tests.fake_filler import FakeFiller
from tests.fakes import FakeEngine, FakeKit, FakePool, fake_sound
from tests.pool import fake_child
from tests.pool.test_render_process import FakeKit as ProcessKit

CELLS = 8
CLASSES = ("kick", "tom")


@pytest.fixture(params=["real", "fake"])
def engine(request: pytest.FixtureRequest) -> EngineLike:
    if request.param == "real":
        return Engine(48000, cells=CELLS, max_sound_s=0.01)
    return FakeEngine(48000, cells=CELLS)


@pytest.fixture(params=["real", "fake"])
def pool(request: pytest.FixtureRequest) -> PoolLike:
    return Pool(CLASSES, limit=6, low_water=2) if request.param == "real" else FakePool(
        CLASSES, limit=6)


def mix(engine: Any, frames: int = 256) -> np.ndarray:
    out = np.zeros((frames, 2), np.float32)
    engine.process(out)
    return out


def tone(level: float = 0.5) -> np.ndarray:
    return np.full(64, level, np.float32)


class TestEngine:
    def test_a_port_is_one_by_its_name(self, engine: EngineLike) -> None:
        assert engine.port("machine") is engine.port("machine")
        assert engine.port("machine") is not engine.port("sequencer")

    def test_written_cells_are_distinct_until_none_is_free(self, engine: EngineLike) -> None:
        cells = [engine.write_sound(tone()) for _ in range(CELLS)]
        assert sorted(c for c in cells if c is not None) == list(range(CELLS))
        assert engine.write_sound(tone()) is None

    def test_a_discarded_cell_is_free_again(self, engine: EngineLike) -> None:
        cells = [engine.write_sound(tone()) for _ in range(CELLS)]
        assert cells[3] is not None
        engine.discard(cells[3])
        assert engine.write_sound(tone()) == cells[3]

    def test_a_replaced_cell_is_free_when_nothing_plays_it(self, engine: EngineLike) -> None:
        port = engine.port("machine")
        cells = [engine.write_sound(tone()) for _ in range(CELLS)]
        for cell in cells:
            assert cell is not None
            assert port.assign(0, cell)
        assert engine.write_sound(tone()) is None, "queued assigns hold their cells"
        mix(engine)
        free = {engine.write_sound(tone()) for _ in range(CELLS - 1)}
        assert free == set(cells[:-1]), "the slot holds only the last"
        assert engine.write_sound(tone()) is None

    def test_a_port_takes_back_what_it_has_not_played_yet(self, engine: EngineLike) -> None:
        one, other = engine.port("sequencer"), engine.port("midi")
        cell = engine.write_sound(tone())
        assert cell is not None
        assert engine.port("machine").assign(0, cell)
        mix(engine)
        for port, frame in ((one, 500), (one, 2000), (other, 2500)):
            assert port.trigger(0, 1.0, frame)
        mix(engine)
        assert one.forget()
        assert engine.stats().voices == 1, "what sounds is left to sound"
        mix(engine, 1900)
        assert engine.stats().voices == 0, "the note at 2000 was taken back"
        mix(engine, 100)
        assert engine.stats().voices == 1, "another port's notes stay"
        assert engine.stats().dropped_commands == 0

    def test_a_sounding_voice_holds_its_cell(self, engine: EngineLike) -> None:
        port = engine.port("machine")
        cell = engine.write_sound(tone())
        assert cell is not None
        port.assign(0, cell)
        port.trigger(0, 1.0)
        mix(engine, 16)
        port.assign(0, NO_CELL)
        mix(engine, 16)
        others = {engine.write_sound(tone()) for _ in range(CELLS - 1)}
        assert cell not in others
        assert engine.write_sound(tone()) is None
        mix(engine, 512)
        assert engine.write_sound(tone()) == cell

    def test_a_full_ring_says_no_and_is_counted(self, engine: EngineLike) -> None:
        port = engine.port("machine")
        answers = [port.set_slot(0, SlotParameter.LEVEL, 0.5) for _ in range(20000)]
        assert answers[0] is True
        assert answers[-1] is False
        assert engine.stats().dropped_commands == answers.count(False)

    def test_impossible_cells_and_sounds_are_refused(self, engine: EngineLike) -> None:
        with pytest.raises(IndexError):
            engine.port("machine").assign(0, CELLS)
        with pytest.raises(IndexError):
            engine.port("machine").assign(16, NO_CELL)
        with pytest.raises(ValueError, match="sound"):
            engine.write_sound(np.array([np.nan], np.float32))

    def test_the_clock_begins_at_zero_and_stats_count(self, engine: EngineLike) -> None:
        assert engine.clock.frame_now() == 0
        mix(engine)
        assert engine.stats().voices == 0
        assert engine.stats().xruns == 0


class TestPool:
    def test_first_in_first_out_by_class(self, pool: PoolLike) -> None:
        for seed in range(3):
            assert pool.put(fake_sound("kick", seed))
        assert pool.stock() == {"kick": 3, "tom": 0}
        taken = [pool.take("kick") for _ in range(4)]
        assert [s.seed if s else None for s in taken] == [0, 1, 2, None]

    def test_unknown_classes_and_a_full_stock_are_refused(self, pool: PoolLike) -> None:
        assert not pool.put(fake_sound("gong"))
        assert [pool.put(fake_sound("kick", seed)) for seed in range(7)] == [True] * 6 + [False]
        assert pool.take("gong") is None

    def test_thirds_are_by_pitch(self, pool: PoolLike) -> None:
        for seed, pitch in enumerate([300, 100, 200, 250, 150, 350]):
            pool.put(fake_sound("tom", seed, pitch_hz=float(pitch)))
        pitches = []
        for third in (0, 1, 2):
            sound = pool.take("tom", third)
            assert sound is not None
            pitches.append(sound.descriptors.pitch_hz)
            pool.put(sound)
        assert pitches[0] <= 150 < pitches[1] <= 250 < pitches[2]

    @pytest.mark.parametrize(("above", "expected"), [(True, 300.0), (False, 100.0)])
    def test_take_by_is_strictly_beyond_and_nearest(
        self, pool: PoolLike, above: bool, expected: float
    ) -> None:
        for seed, pitch in enumerate([50.0, 100.0, 200.0, 300.0, 400.0]):
            pool.put(fake_sound("kick", seed, pitch_hz=pitch))
        sound = pool.take_by("kick", "pitch_hz", 200.0, above=above)
        assert sound is not None
        assert sound.descriptors.pitch_hz == expected
        assert pool.take_by("kick", "pitch_hz", 1000.0, above=True) is None


class Collect:
    """Waits for what a filler delivers."""

    def __init__(self, push: Callable[[], None]) -> None:
        self._push = push
        self.results: queue.Queue[Any] = queue.Queue()

    def next(self) -> Any:
        self._push()
        return self.results.get(timeout=60)


@pytest.fixture(params=["real", "fake"])
def filling(request: pytest.FixtureRequest) -> Iterator[tuple[FillerLike, Collect, type]]:
    if request.param == "fake":
        fake = FakeFiller()
        yield fake, Collect(fake.deliver_all), FakeKit
        return
    settings = RendererSettings(batch=4, seed=808)

    def process(kit: Any) -> RenderProcess:
        child = fake_child.broken_kit if kit.name == "broken" else fake_child.main
        return RenderProcess(kit, 48000, settings, child=child)

    filler = Filler(ProcessKit(classes=CLASSES), Pool(CLASSES, limit=2, low_water=1), 48000,
                    settings, lambda notice: None, start_process=process)
    filler.start()
    yield filler, Collect(lambda: None), ProcessKit
    filler.stop()


class TestFiller:
    def test_a_seed_is_rendered(self, filling: tuple[FillerLike, Collect, type]) -> None:
        filler, collect, _ = filling
        filler.request("kick", 42, collect.results.put)
        sound = collect.next()
        assert isinstance(sound, Sound)
        assert (sound.class_asked, sound.seed) == ("kick", 42)

    def test_points_are_rendered_in_their_order(
        self, filling: tuple[FillerLike, Collect, type]
    ) -> None:
        filler, collect, _ = filling
        points = [Point(42).near(1, 0.5), Point(42).towards(7, 0.5), Point(7)]
        filler.request_points("kick", points, collect.results.put)
        rendered = collect.next()
        assert [each.sound.point for each in rendered] == points
        assert [each.rejection for each in rendered] == [None] * 3
        filler.request("kick", points[0], collect.results.put)
        assert collect.next().point == points[0]

    def test_a_kit_is_delivered_or_its_error(
        self, filling: tuple[FillerLike, Collect, type]
    ) -> None:
        filler, collect, kit_type = filling
        broken = kit_type(name="broken")
        filler.load_kit(broken, collect.results.put)
        assert isinstance(collect.next(), Gan808Error)
        other = kit_type(name="other")
        filler.load_kit(other, collect.results.put)
        assert collect.next() is other
