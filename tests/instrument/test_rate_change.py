"""The output comes back at another rate: the same sounds, the same place in the pattern."""

from __future__ import annotations

import numpy as np
import pytest

from gan808.config import Settings
from gan808.engine.engine import Engine
from gan808.instrument.machine import Machine
from gan808.sequencer.sequencer import Sequencer
from tests.fake_filler import FakeFiller
from tests.fakes import FakeKit, FakeLibrary, FakePool, fake_sound
from tests.instrument.rig import PATTERN


def test_the_slots_have_their_sounds_at_the_new_rate() -> None:
    rates = (48_000, 44_100)
    engine = Engine(rates[0], cells=64)
    kit = FakeKit()
    machine = Machine(kit, engine, FakePool(kit.classes), FakeFiller(FakePool(kit.classes)),
                      Settings().replace({"sequencer": {"playing": False}}), FakeLibrary())
    machine.start()
    try:
        before = [slot.sound for slot in machine.swaps.slots]
        machine.ask(lambda: machine.change_rate(rates[1])).result(10)
        after = [slot.sound for slot in machine.swaps.slots]
    finally:
        machine.stop()
    for old, new in zip(before, after, strict=True):
        assert old is not None
        assert new is not None
        assert (new.id, new.sample_rate_hz) == (old.id, rates[1])
        assert len(new.audio) == round(len(old.audio) * rates[1] / rates[0])
    heard = np.zeros((2000, 2), np.float32)
    machine.trigger(engine.port("test"), 0, 1.0)
    engine.process(heard)
    assert np.abs(heard).max() > 1e-4  # the fakes are quiet


def test_a_sound_of_another_rate_is_resampled_on_its_way_into_a_slot() -> None:
    from tests.instrument.rig import Rig

    rig = Rig()
    rig.machine.swaps.put(0, fake_sound("kick", 9, rate_hz=44_100))
    sound = rig.machine.swaps.slots[0].sound
    assert sound is not None
    assert sound.sample_rate_hz == rig.engine.sample_rate_hz


class Heard:
    """A port that writes down hits, in seconds of the sequencer's own rate."""

    def __init__(self) -> None:
        self.hits: list[tuple[int, int]] = []

    def trigger(self, slot: int, velocity: float, frame: int = 0, **_: object) -> bool:
        self.hits.append((slot, frame))
        return True

    def forget(self, frame: int = 0) -> bool:
        self.hits.clear()
        return True


@pytest.mark.parametrize("at_step", [0.0, 5.5, 16.0, 37.25])
def test_the_pattern_goes_on_where_it_was(at_step: float) -> None:
    """Though the sequencer had run ahead of the sound while the device was away."""
    codes = [slot.code for slot in FakeKit().slots]
    there, here = Heard(), Heard()
    straight = Sequencer(PATTERN, codes, there, 48_000, tempo_bpm=120)  # type: ignore[arg-type]
    changed = Sequencer(PATTERN, codes, here, 48_000, tempo_bpm=120)  # type: ignore[arg-type]
    step_frames, new_step = 6000, 12_000
    frame = round(at_step * step_frames)
    straight.play(0)
    changed.play(0)
    changed.advance(frame + 20 * step_frames)
    changed.change_rate(96_000, frame)
    changed.advance(frame + 16 * new_step)
    straight.advance(frame + 16 * step_frames)
    expected = [(slot, frame + 2 * (at - frame)) for slot, at in there.hits if at >= frame]
    assert here.hits == expected
    assert expected
