"""The sequencer on a real JACK server: steps captured at the port have no jitter, to the sample."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from numpy.typing import NDArray

from gan808.engine.engine import Engine
from gan808.engine.outputs.registry import open_output
from gan808.sequencer.patterns import Pattern
from gan808.sequencer.sequencer import Sequencer
from gan808.sequencer.thread import SequencerThread
from tests.jack_server import RATE_HZ, JackMeter, jack_server

pytestmark = pytest.mark.real_time

__all__ = ["jack_server"]

EVERY_STEP = Pattern("every", rows={"BD": (1.0,) * 16})
AHEAD_FRAMES = RATE_HZ // 5
CAPTURE_S = 2.0




@contextmanager
def clicking_engine() -> Iterator[Engine]:
    """An engine on JACK whose slot 0 holds one sample of half height."""
    output = open_output("auto", sample_rate_hz=None, block_frames=None)
    engine = Engine(output.sample_rate_hz)
    cell = engine.write_sound(np.array([0.5, 0.0], np.float32))
    assert cell is not None
    assert engine.port("machine").assign(0, cell)
    output.start(engine)
    try:
        yield engine
    finally:
        output.stop()


def onsets_in(meter: JackMeter, seconds: float) -> NDArray[np.intp]:
    """The frames of the clicks heard in the next seconds."""
    audio = meter.capture(seconds)
    assert meter.skipped_frames == 0
    return np.flatnonzero(np.abs(audio[:, 0]) > 0.1)


@pytest.mark.parametrize(("tempo_bpm", "swing"), [(125.0, 0.0), (173.3, 0.37)])
def test_steps_leave_the_port_on_their_very_samples(
    jack_server: str, tempo_bpm: float, swing: float
) -> None:
    with clicking_engine() as engine, JackMeter(jack_server) as meter:
        meter.connect_audio("gan808")
        sequencer = Sequencer(EVERY_STEP, ("BD",), engine.port("sequencer"), RATE_HZ,
                              tempo_bpm=tempo_bpm, swing=swing)
        thread = SequencerThread(sequencer.advance, engine.clock.frame_now, lambda: AHEAD_FRAMES)
        sequencer.play(engine.clock.frame_now() + AHEAD_FRAMES + RATE_HZ // 2)
        thread.start()
        try:
            onsets = onsets_in(meter, CAPTURE_S)
        finally:
            thread.stop()
    step_frames = RATE_HZ * 60 / tempo_bpm / 4
    steps = np.arange(len(onsets))
    expected = np.rint((steps + 0.5 * swing * (steps % 2)) * step_frames)
    assert len(onsets) >= 8
    # Counted from the first, every step is where the tempo and the swing say, to the sample.
    assert np.array_equal(onsets - onsets[0], expected)
    assert engine.stats().late_commands == 0


def test_tempo_and_swing_changes_are_heard_to_the_sample(jack_server: str) -> None:
    """Two changes of tempo, one of swing, anywhere between two steps: the beat goes on exactly."""
    plan = [(125.0, 0.0), (173.3, 0.0), (91.7, 0.41)]
    stretch = 31_234
    with clicking_engine() as engine, JackMeter(jack_server) as meter:
        meter.connect_audio("gan808")
        sequencer = Sequencer(EVERY_STEP, ("BD",), engine.port("sequencer"), RATE_HZ, swing=0.0)
        first = engine.clock.frame_now() + RATE_HZ // 2
        sequencer.set_tempo(plan[0][0])
        sequencer.play(first)
        for number, (tempo_bpm, swing) in enumerate(plan):
            sequencer.set_tempo(tempo_bpm)
            sequencer.set_swing(swing)
            sequencer.advance(first + (number + 1) * stretch)
        onsets = onsets_in(meter, 0.5 + len(plan) * stretch / RATE_HZ + 0.3)
    expected: list[float] = []
    position = 0.0  # in sixteenths, where a stretch begins
    for number, (tempo_bpm, swing) in enumerate(plan):
        step_frames = RATE_HZ * 60 / tempo_bpm / 4
        steps = np.arange(64) + 0.5 * swing * (np.arange(64) % 2)
        frames = number * stretch + (steps - position) * step_frames
        begun = np.rint(frames) >= number * stretch
        expected += [frame for frame in np.rint(frames[begun]) if frame < (number + 1) * stretch]
        position += stretch / step_frames
    assert np.array_equal(onsets - onsets[0], expected)
    assert engine.stats().late_commands == 0
