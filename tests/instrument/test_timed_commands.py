"""A command with a frame takes place at that frame: not when it is sent on, which is earlier."""

from __future__ import annotations

import numpy as np
import pytest

from gan808.config import Settings
from gan808.engine.engine import Engine
from gan808.engine.layout import MASTER_MOST
from gan808.instrument.machine import AHEAD_S, Machine
from gan808.instrument.parameters import BY_ADDRESS
from tests.fake_filler import FakeFiller
from tests.fake_library import SceneLibrary
from tests.fakes import FakeKit, FakePool
from tests.instrument.rig import BAR, BLOCK, Rig

STEP = BAR // 16


def test_volume_changes_at_its_frame() -> None:
    rig = Rig(sequencer={"playing": False})
    rig.run(BLOCK)
    rig.send("/volume", 0.25, frame=20000)
    rig.run(20000 - 2 * BLOCK)
    assert rig.engine.master == 0.8 * MASTER_MOST
    assert [c.frame for c in rig.engine.commands if c.name == "master"][-1] == 20000
    rig.run(3 * BLOCK)
    assert rig.engine.master == 0.25 * MASTER_MOST


@pytest.mark.parametrize("frame", [BAR - 1, BAR, BAR + 1, BAR + 4 * STEP + 77])
def test_the_pattern_stops_at_its_frame(frame: int) -> None:
    """Hits before it are heard, those at it and after it are not; and it can be played again."""
    heard, stopped = Rig(), Rig()
    stopped.send("/seq/stop", frame=frame)
    for rig in (heard, stopped):
        rig.run(2 * BAR)
    hits = [(hit.frame, hit.slot) for hit in heard.engine.hits]
    assert [(h.frame, h.slot) for h in stopped.engine.hits] == [h for h in hits if h[0] < frame]
    assert not stopped.machine.status().playing
    stopped.ask("/seq/play")
    stopped.run(BAR)
    assert stopped.engine.hits[-1].frame > 2 * BAR


def test_a_stop_takes_back_only_what_comes_after_it() -> None:
    """The sequencer has scheduled beyond it already when it is told late."""
    rig = Rig()
    machine = rig.machine
    machine.sequencer.advance(2 * STEP * 4 + 1)  # two beats, BD on each, and on the third
    machine.sync.stop(STEP * 4 + 1)
    rig.engine.run(BAR)
    assert [hit.frame for hit in rig.engine.hits] == [0, STEP * 4]


def test_what_has_no_frame_of_its_own_is_done_when_it_is_due() -> None:
    """A recording, a kit, a gate begin at their time, not so long before it."""
    rig = Rig(sequencer={"playing": False})
    due = 20000
    answers = [rig.send(address, *values, frame=due) for address, *values in (
        ("/scene/save", "a"), ("/slot/BD/gate", 1), ("/kit/list",), ("/sound/keep", "BD"))]
    rig.run(due - 2 * BLOCK)
    assert not any(answers)
    rig.run(4 * BLOCK)
    assert all(answers)


def test_which_rows_have_a_frame() -> None:
    scheduled = {address for address, row in BY_ADDRESS.items() if row.scheduled}
    assert {"/volume", "/seq/stop", "/seq/play", "/slot/SLOT/level", "/slot/SLOT/new",
            "/evolve"} <= scheduled
    assert not {"/record/start", "/kit/load", "/slot/SLOT/gate", "/scene/recall"} & scheduled


def test_on_the_real_engine_volume_and_stop_are_exact() -> None:
    """To the sample, of the audio, with the lead of a run."""
    engine = Engine(48000, cells=64, max_sound_s=0.3)
    kit = FakeKit()
    settings = Settings().replace({"sequencer": {"playing": False}, "evolve": {
        "swaps_per_bar": 0.0}, "audio": {"master_volume": 1.0}})
    machine = Machine(kit, engine, FakePool(kit.classes), FakeFiller(FakePool(())), settings,
                      SceneLibrary({"fake": kit}))
    machine.start(live=False)
    port, due = engine.port("midi"), 12345
    for sound in machine.swaps.slots[:1]:
        cell = engine.write_sound(np.full(14000, 0.5, np.float32))
        assert cell is not None
        assert machine.port.assign(sound.index, cell)
    machine.trigger(port, 0, 1.0, 1)
    machine.submit("/volume", 0.0, frame=due)
    out = np.zeros((14000, 2), np.float32)
    for begin in range(0, len(out), 100):
        machine.before_block(begin + 100)
        engine.process(out[begin:begin + 100])
    level = out[due - 1, 0]
    assert level > 0.1
    assert np.all(out[1000:due, 0] == level), f"{AHEAD_S} s early"
    assert out[due + 1, 0] < level


@pytest.mark.parametrize("frame", [BAR - STEP // 3, BAR, BAR + 5 * STEP + 77])
def test_played_again_while_it_plays_it_begins_anew_at_its_frame(frame: int) -> None:
    """What comes before that frame is heard as ever, and the first step is on it."""
    heard, restarted = Rig(), Rig()
    restarted.send("/seq/play", frame=frame)
    for rig in (heard, restarted):
        rig.run(3 * BAR)
    hits = [(hit.frame, hit.slot) for hit in heard.engine.hits]
    expected = [h for h in hits if h[0] < frame] + [
        (at + frame, slot) for at, slot in hits if at + frame < 3 * BAR]
    assert [(hit.frame, hit.slot) for hit in restarted.engine.hits] == expected


def test_a_start_and_the_stop_after_it_are_done_in_their_order() -> None:
    """Both of one bundle, so that both are told before the first is due."""
    rig = Rig()
    start, stop = BAR + STEP // 2, BAR + STEP // 2 + 4 * STEP + 1
    rig.send("/seq/play", frame=start)
    rig.send("/seq/stop", frame=stop)
    rig.run(3 * BAR)
    assert [hit.frame for hit in rig.engine.hits if hit.frame > BAR] == [start, start + 4 * STEP]
    assert not rig.machine.status().playing


def test_a_start_that_comes_late_takes_back_what_lies_behind_it() -> None:
    """The sequencer has scheduled two beats beyond it already."""
    rig = Rig()
    rig.machine.sync.advance(2 * STEP * 4 + 1)
    rig.machine.sync.play(STEP * 4 + 1)
    rig.machine.sync.advance(3 * STEP * 4)
    rig.engine.run(BAR)
    assert [hit.frame for hit in rig.engine.hits] == [0, STEP * 4, STEP * 4 + 1, STEP * 8 + 1]
