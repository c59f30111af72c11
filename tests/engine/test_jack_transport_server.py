"""The sequencer along a real server's transport, moved by another program: counted in samples."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from gan808.engine.engine import Engine
from gan808.engine.outputs.jack import JackOutput
from gan808.engine.outputs.registry import open_output
from gan808.sequencer.patterns import Pattern
from gan808.sequencer.sequencer import Sequencer
from gan808.sequencer.sync import Sync
from gan808.sequencer.thread import SequencerThread
from tests.jack_pair import TRIES, JackPair
from tests.jack_server import PERIOD_FRAMES, RATE_HZ, JackMeter, jack_server
from tests.timing import eventually

__all__ = ["jack_server"]

pytestmark = pytest.mark.real_time

EVERY_STEP = Pattern("every", rows={"BD": (1.0,) * 16})
AHEAD_FRAMES = 7200
TEMPO_BPM = 137.3
STEP_FRAMES = RATE_HZ * 60 / TEMPO_BPM / 4


@contextmanager
def followed(mode: str) -> Iterator[Sync]:
    """An engine on JACK with a click on slot 0, and a sequencer of every step along its
    transport."""
    output = open_output("auto", sample_rate_hz=None, block_frames=None)
    assert isinstance(output, JackOutput)
    engine = Engine(output.sample_rate_hz)
    steps = engine.port("sequencer")
    cell = engine.write_sound(np.array([0.5, 0.0], np.float32))
    assert cell is not None
    assert engine.port("machine").assign(0, cell)
    sequencer = Sequencer(EVERY_STEP, ("BD",), steps, RATE_HZ, tempo_bpm=TEMPO_BPM)
    sync = Sync(sequencer, engine, mode,  # type: ignore[arg-type]
                open_jack=lambda lead: output.open_transport(steps.index, lead=lead))
    sync.begin(0, playing=False)
    output.start(engine)
    thread = SequencerThread(sync.advance, engine.clock.frame_now, lambda: AHEAD_FRAMES)
    thread.start()
    try:
        yield sync
    finally:
        thread.stop()
        sync.close()
        output.stop()


def steps_of(transport: list[tuple[int, int | None]]) -> list[int]:
    """The frames of a capture on which steps lie, by what the listener saw of the transport."""
    found = []
    for first, place in transport:
        if place is not None:
            step = int(np.ceil(place / STEP_FRAMES))
            while (frame := round(step * STEP_FRAMES)) < place + PERIOD_FRAMES:
                found.append(first + frame - place)
                step += 1
    return found


def stands(listener: JackMeter) -> bool:
    listener.capture(0.02)
    return listener.transport[-1][1] is None


def test_starts_jumps_and_stops_of_another_program_are_followed_to_the_sample(
    jack_server: str
) -> None:
    with followed("jack") as sync:
        pair = JackPair(jack_server)
        conductor, listener = pair.sender, pair.listener
        listener.connect_audio("gan808")

        def conduct() -> None:
            conductor.move_transport(0, rolls=True)
            time.sleep(0.8)
            conductor.move_transport(frame=100_003)
            time.sleep(0.5)
            conductor.move_transport(rolls=False)
            time.sleep(0.2)

        try:
            for _ in range(TRIES):
                conductor.move_transport(0, rolls=False)
                time.sleep(0.1)
                audio = listener.capture(2.0, conduct)
                if not listener.skipped_frames:
                    break
            else:
                pytest.skip("the server loses periods: the machine is too busy to count samples")
        finally:
            pair.close()
        assert sync.clock == "jack"
    onsets = np.flatnonzero(np.abs(audio[:, 0]) > 0.1).tolist()
    expected = steps_of(listener.transport)
    assert len(expected) >= 4
    assert len([place for _, place in listener.transport if place == 100_003]) == 1, "it jumped"
    assert len(onsets) == len(expected), (onsets, expected)
    assert max(abs(np.array(onsets) - expected)) <= 1


def test_the_leader_starts_the_transport_and_everybody_sees_its_place(jack_server: str) -> None:
    with followed("jack-lead") as sync:
        pair = JackPair(jack_server)
        pair.listener.connect_audio("gan808")
        try:
            pair.sender.move_transport(5000, rolls=False)
            audio = pair.listener.capture(1.0, lambda: sync.play(1))
            seen, skipped = pair.listener.transport, pair.listener.skipped_frames
            assert sync.clock == "jack lead"
            sync.stop(1)
            eventually(lambda: stands(pair.listener))
        finally:
            pair.close()
    rolled = [place for _, place in seen if place is not None]
    assert rolled[0] == 0, "from its first step"
    if not skipped:
        onsets = np.flatnonzero(np.abs(audio[:, 0]) > 0.1)
        assert max(abs(onsets - steps_of(seen))) <= 1
