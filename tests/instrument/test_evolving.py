"""A kit that changes while the beat goes on: counts, frames, locks, fresh hits, live threads."""

from __future__ import annotations

import queue
import threading
from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gan808.engine.engine import Engine
from gan808.errors import Gan808Error
from gan808.instrument.events import PoolEmpty, SoundChanged
from gan808.instrument.machine import Machine
from gan808.sequencer.patterns import SILENCE, Pattern
from gan808.sequencer.sequencer import Sequencer
from tests.fake_filler import FakeFiller
from tests.fakes import FakeEngine, FakeKit, FakeLibrary, FakePool, fake_sound
from tests.instrument.rig import BAR, Rig

FOUR = Pattern("test", 120.0, rows=dict.fromkeys(("BD", "SD", "CP", "CB"), (1.0, *(0.0,) * 15)))


def swaps(rig: Rig) -> list[SoundChanged]:
    """Changes since the factory sounds."""
    return rig.of_type(SoundChanged)[16:]


class TestEvolution:
    @settings(max_examples=15, deadline=None)
    @given(st.sampled_from([0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0]),
           st.sampled_from(["now", "beat", "bar"]), st.integers(1, 8))
    def test_exactly_n_a_bar_on_average(self, per_bar, quantise, bars) -> None:
        rig = Rig(stock=24, evolve={"swaps_per_bar": per_bar, "quantise": quantise})
        rig.run(BAR * (bars + 1))
        assert len(swaps(rig)) == int(per_bar * bars)
        grid = {"now": 1, "beat": BAR // 4, "bar": BAR}[quantise]
        assert all(event.frame % grid == 0 for event in swaps(rig))

    def test_slots_that_sound_take_turns(self) -> None:
        rig = Rig(stock=24, pattern=FOUR, evolve={"swaps_per_bar": 1.0})
        rig.run(BAR * 9)
        assert Counter(event.code for event in swaps(rig)) == {"BD": 2, "SD": 2, "CP": 2, "CB": 2}

    def test_a_locked_slot_is_left_alone(self) -> None:
        rig = Rig(stock=24, pattern=FOUR, evolve={"swaps_per_bar": 4.0})
        rig.ask("/slot/BD/lock", 1)
        rig.run(BAR * 5)
        assert {event.code for event in swaps(rig)} == {"SD", "CP", "CB"}
        assert rig.ask("/slot/BD/new") == ("fake/kick/1000",), "the player still may"

    def test_all_locked_is_peace(self) -> None:
        rig = Rig(stock=24, evolve={"swaps_per_bar": 4.0})
        rig.send("/slot/*/lock", 1)
        rig.run(BAR * 3)
        assert swaps(rig) == []
        assert rig.of_type(PoolEmpty) == []

    def test_mode_all_changes_every_slot_at_once(self) -> None:
        rig = Rig(stock=24, evolve={"swaps_per_bar": 1.0, "mode": "all"})
        rig.run(BAR * 2)
        assert sorted(event.slot for event in swaps(rig)) == list(range(16))
        assert {event.frame for event in swaps(rig)} == {BAR}

    def test_evolution_goes_on_over_a_silent_pattern(self) -> None:
        rig = Rig(stock=24, pattern=SILENCE, evolve={"swaps_per_bar": 2.0})
        rig.run(BAR * 3)
        assert len(swaps(rig)) == 4
        assert rig.engine.hits == []

    def test_what_has_nothing_in_stock_passes_its_turn_on(self) -> None:
        rig = Rig(pattern=FOUR, evolve={"swaps_per_bar": 1.0})
        for seed in range(3):
            rig.pool.put(fake_sound("clap", 1000 + seed))
        rig.run(BAR * 4)
        assert [event.code for event in swaps(rig)] == ["CP"] * 3
        assert rig.of_type(PoolEmpty) == []
        rig.run(BAR * 4)
        assert len(swaps(rig)) == 3
        assert len(rig.of_type(PoolEmpty)) == 1

    def test_the_beat_has_its_new_sound_on_the_one_and_not_before(self) -> None:
        rig = Rig(stock=24, pattern=FOUR, evolve={"swaps_per_bar": 4.0, "quantise": "bar"})
        rig.run(BAR * 2)
        kicks = [hit for hit in rig.engine.hits if hit.slot == 0]
        assert [hit.frame for hit in kicks] == [0, BAR]
        assert kicks[1].audio[0] == fake_sound("kick", 1000).audio[0] != kicks[0].audio[0]

    def test_fresh_gives_every_hit_of_the_pattern_a_sound_of_its_own(self) -> None:
        rig = Rig(stock=24, evolve={"swaps_per_bar": 1.0, "mode": "fresh"})
        rig.run(BAR * 2)
        kicks = [hit.audio[0] for hit in rig.engine.hits if hit.slot == 0]
        assert len(kicks) == 8
        assert kicks == [fake_sound("kick", 1000 + n).audio[0] for n in range(8)]

    def test_fresh_follows_hits_by_hand_too(self) -> None:
        rig = Rig(stock=24, sequencer={"playing": False},
                  evolve={"swaps_per_bar": 1.0, "mode": "fresh"})
        rig.run(128)
        for _ in range(3):
            rig.machine.trigger(rig.port, 0, 1.0)
            rig.run(1280)
        assert len({hit.audio[0].item() for hit in rig.engine.hits}) == 3

    def test_the_same_seed_plays_the_same(self) -> None:
        runs = []
        for seed in (1, 1, 2):
            rig = Rig(stock=24, evolve={"swaps_per_bar": 2.5, "quantise": "now"},
                      renderer={"seed": seed})
            rig.run(BAR * 6)
            runs.append((rig.engine.commands, rig.events))
        assert runs[0] == runs[1]
        assert runs[0][1] != runs[2][1]

    @settings(max_examples=20, deadline=None)
    @given(st.lists(st.integers(1, 9000), min_size=30, max_size=60))
    def test_block_sizes_change_neither_hits_nor_swaps(self, blocks) -> None:
        rigs = [Rig(stock=24, evolve={"swaps_per_bar": 2.0}) for _ in range(2)]
        for block in blocks:
            rigs[0].machine.before_block(rigs[0].engine.frame + block)
            rigs[0].engine.run(block)
        rigs[1].run(rigs[0].engine.frame)
        heard = [[(h.frame, h.slot, h.velocity, h.audio[0]) for h in rig.engine.hits]
                 for rig in rigs]
        assert heard[0] == heard[1]
        assert rigs[0].events == rigs[1].events

    def test_play_and_stop(self) -> None:
        rig = Rig(sequencer={"playing": False})
        rig.run(BAR)
        assert rig.engine.hits == []
        rig.ask("/seq/play")
        rig.run(BAR)
        assert rig.engine.hits[0].frame == BAR
        heard = len(rig.engine.hits)
        rig.ask("/seq/stop")
        rig.run(BAR * 2)
        assert len(rig.engine.hits) <= heard + 1

    def test_play_at_a_time(self) -> None:
        rig = Rig(sequencer={"playing": False})
        rig.send("/seq/play", frame=12345)
        rig.run(20000)
        assert [hit.frame for hit in rig.engine.hits] == [12345]


def test_on_the_real_engine_a_swap_changes_what_is_heard() -> None:
    engine = Engine(48000, cells=24, max_sound_s=0.1)
    kit = FakeKit()
    pool = FakePool(kit.classes)
    for seed in range(12):
        pool.put(fake_sound("kick", 50 + seed, n_frames=2000))
    machine = Machine(kit, engine, pool, FakeFiller(), Rig(
        evolve={"swaps_per_bar": 1.0}).machine.settings,
        FakeLibrary(patterns={"test": Pattern("test", 120.0, rows={"BD": (1.0,) + (0.0,) * 15})}))
    machine.start(live=False)
    peaks = []
    out = np.zeros((256, 2), np.float32)
    for block in range(0, BAR * 4, 256):
        machine.before_block(block + 256)
        engine.process(out)
        if block % BAR == 0:
            peaks.append(round(float(np.abs(out).max()), 4))
    assert len(peaks) == 4
    assert len(set(peaks)) == 4, "every bar another kick"
    assert engine.stats().late_commands == 0
    assert engine.stats().dropped_commands == 0


@settings(max_examples=5, deadline=None)
@given(st.floats(60, 200), st.floats(0, 1), st.integers(1, 1000))
def test_on_the_real_engine_every_click_is_on_its_frame(bpm, swing, block) -> None:
    engine, rate_hz = Engine(44100, cells=8, max_sound_s=0.01), 44100
    rows = {"BD": (1.0,) * 16}
    port = engine.port("machine")
    cell = engine.write_sound(np.ones(1, np.float32))
    assert cell is not None
    port.assign(0, cell)
    sequencer = Sequencer(Pattern("clicks", rows=rows), ("BD",), engine.port("sequencer"), rate_hz,
                          tempo_bpm=bpm, swing=swing)
    sequencer.play(0)
    heard: list[np.ndarray] = []
    for until in range(block, 2 * rate_hz, block):
        sequencer.advance(until)
        out = np.zeros((block, 2), np.float32)
        engine.process(out)
        heard.append(out[:, 0])
    frames = np.flatnonzero(np.concatenate(heard) > 0.05)
    step = 60 * rate_hz / bpm / 4
    ideal = [(n + (swing / 2 if n % 2 else 0)) * step for n in range(len(frames))]
    assert len(frames) >= 2 * rate_hz / step - 3
    # Some delay of the engine's own, such as a limiter's, would be the same for every click.
    assert np.abs(frames - frames[0] - ideal).max() <= 1


class TestLive:
    """Real threads; the fake engine's clock moves by hand, answers are waited for."""

    def test_commands_answer_and_the_sequencer_runs_ahead(self) -> None:
        engine, kit = FakeEngine(), FakeKit()
        pool = FakePool(kit.classes)
        pool.put(fake_sound("kick", 77))
        wanted = Rig(evolve={"swaps_per_bar": 1.0}).machine.settings
        library = FakeLibrary(patterns={"test": FOUR})
        machine = Machine(kit, engine, pool, FakeFiller(), wanted, library)
        answers: queue.Queue = queue.Queue()
        before = threading.active_count()
        scheduled = threading.Event()
        sequencer_port = engine.port("sequencer")
        trigger = sequencer_port.trigger

        def seen(*arguments, **more) -> bool:
            scheduled.set()
            return trigger(*arguments, **more)

        sequencer_port.trigger = seen
        machine.start()
        try:
            assert threading.active_count() == before + 2
            machine.submit("/slot/SLOT/new", 0, reply=answers.put)
            assert answers.get(timeout=10) == ("fake/kick/77",)
            machine.submit("/slot/SLOT/new", 0, reply=answers.put)
            assert isinstance(answers.get(timeout=10), Gan808Error)
            assert scheduled.wait(10)
            first = next(c for c in engine.commands if c.port == "sequencer")
            assert first.frame == round(0.03 * 48000)
        finally:
            machine.stop()
        assert threading.active_count() == before
        machine.stop()

    def test_a_timed_command_runs_when_its_time_comes(self) -> None:
        engine, kit = FakeEngine(), FakeKit()
        wanted = Rig(sequencer={"playing": False}).machine.settings
        machine = Machine(kit, engine, FakePool(kit.classes), FakeFiller(), wanted,
                          FakeLibrary(patterns={"test": FOUR}))
        answers: queue.Queue = queue.Queue()
        machine.start()
        try:
            machine.submit("/slot/SLOT/level", 0, 0.5, frame=48000, reply=answers.put)
            machine.submit("/slot/SLOT/level", 0, reply=answers.put)
            assert answers.get(timeout=10) == (0.8,), "not yet"
            engine.frame = 47000
            assert answers.get(timeout=10) == (0.5,)
            assert engine.commands[-1].frame == 48000
        finally:
            machine.stop()
