"""The sequencer's own thread on a real JACK server: steps captured at the port have no jitter."""

from __future__ import annotations

import numpy as np
import pytest

from gan808.engine.engine import Engine
from gan808.engine.outputs import open_output
from gan808.machine.patterns import Pattern
from gan808.machine.sequencer import Sequencer, SequencerThread
from tests.jack_server import RATE_HZ, JackMeter, jack_server

__all__ = ["jack_server"]

EVERY_STEP = Pattern("every", rows={"BD": (1.0,) * 16})
AHEAD_FRAMES = RATE_HZ // 5
CAPTURE_S = 2.0


@pytest.mark.parametrize(("tempo_bpm", "swing"), [(125.0, 0.0), (173.3, 0.37)])
def test_steps_leave_the_port_on_their_very_samples(
    jack_server: str, tempo_bpm: float, swing: float
) -> None:
    output = open_output("auto", sample_rate_hz=None, block_frames=None)
    engine = Engine(output.sample_rate_hz)
    cell = engine.write_sound(np.array([0.5, 0.0], np.float32))
    assert cell is not None
    assert engine.port("machine").assign(0, cell)
    sequencer = Sequencer(EVERY_STEP, ("BD",), engine.port("sequencer"), RATE_HZ,
                          tempo_bpm=tempo_bpm, swing=swing)
    thread = SequencerThread(sequencer.advance, engine.clock.frame_now, AHEAD_FRAMES)
    output.start(engine)
    try:
        with JackMeter(jack_server) as meter:
            meter.connect_audio("gan808")
            sequencer.play(engine.clock.frame_now() + AHEAD_FRAMES + RATE_HZ // 2)
            thread.start()
            audio = meter.capture(CAPTURE_S)
            assert meter.skipped_frames == 0
    finally:
        thread.stop()
        output.stop()
    onsets = np.flatnonzero(np.abs(audio[:, 0]) > 0.1)
    step_frames = RATE_HZ * 60 / tempo_bpm / 4
    steps = np.arange(len(onsets))
    expected = np.rint((steps + 0.5 * swing * (steps % 2)) * step_frames)
    assert len(onsets) >= 8
    # Counted from the first, every step is where the tempo and the swing say, to the sample.
    assert np.array_equal(onsets - onsets[0], expected)
    assert engine.stats().late_commands == 0
