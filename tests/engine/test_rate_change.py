"""An engine that goes over to another rate while nothing plays it."""

from __future__ import annotations

import numpy as np
import pytest

from gan808.engine.engine import SlotParameter
from tests.engine.rig import drum, load, new_engine, render, sine

NEW_HZ = 96_000


def test_settings_stay_hits_on_their_way_go_and_frames_count_on() -> None:
    engine, port = new_engine()
    load(engine, 0, drum(1))
    render(engine, 1000)
    port.trigger(0, 1.0)
    render(engine, 100)
    port.trigger(0, 1.0, 5000)
    port.set_slot(0, SlotParameter.LEVEL, 0.5, 4000)
    port.set_master(0.25)
    engine.change_rate(NEW_HZ)
    assert engine.frames == 1102
    assert engine.free_cells() == 32
    silent = render(engine, 10_000)
    assert np.abs(silent).max() == 0.0
    load(engine, 0, np.ones(NEW_HZ, np.float32))  # as long as a cell of the new rate
    port.trigger(0, 1.0)
    heard = render(engine, 2 * NEW_HZ)
    assert heard[NEW_HZ // 2, 0] == pytest.approx(0.5 * 0.25 * np.sqrt(0.5), rel=1e-3)
    assert np.abs(heard[NEW_HZ - 10]).min() > 0.05
    assert np.abs(heard[NEW_HZ + 10 :]).max() == 0.0


def test_the_arena_is_as_long_in_seconds_and_loses_no_cell() -> None:
    engine, _ = new_engine(cells=4)
    load(engine, 0, np.stack([sine(500), sine(500)], axis=1))
    load(engine, 1, drum(1))
    seconds = engine.max_sound_frames / engine.sample_rate_hz
    for rate_hz in (NEW_HZ, 44_100, 48_000):
        engine.change_rate(rate_hz)
        assert engine.max_sound_frames / engine.sample_rate_hz == pytest.approx(seconds, rel=1e-3)
        for slot in range(4):
            load(engine, slot, drum(slot))
        assert engine.write_sound(drum(1)) is None
        render(engine, 10)


def test_fades_and_decay_last_as_long() -> None:
    """A note with half the decay falls as far in as many seconds."""
    ends = []
    for rate_hz in (48_000, NEW_HZ):
        engine, port = new_engine()
        if rate_hz != engine.sample_rate_hz:
            engine.change_rate(rate_hz)
        load(engine, 0, np.ones(rate_hz, np.float32))
        port.set_slot(0, SlotParameter.DECAY, 0.5)
        port.trigger(0, 1.0)
        ends.append(float(render(engine, rate_hz)[rate_hz // 10, 0]))
    assert ends[0] == pytest.approx(ends[1], rel=0.02)


def test_never_while_it_plays() -> None:
    engine, _ = new_engine()
    engine.plays = True
    with pytest.raises(ValueError, match="only while nothing plays"):
        engine.change_rate(NEW_HZ)
