"""A whole machine on a real JACK server: what it is told reaches the callback that plays notes."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Iterator
from pathlib import Path

import mido
import pytest

from gan808.control.midi.input import MidiInput
from gan808.engine.outputs.jack import JackOutput
from gan808.instrument.events import ParameterChanged
from gan808.recording.recorder import Recorder
from tests.control.jack_stage import SETTINGS, Stage
from tests.control.rig import until
from tests.jack_pair import KICK, ON, JackPair, Messages, spread
from tests.jack_server import PERIOD_FRAMES, RATE_HZ, jack_server

__all__ = ["jack_server"]

pytestmark = pytest.mark.real_time


class Instrument(Stage):
    """With its MIDI, and two programs beside it that send and listen."""

    def __init__(self, server: str) -> None:
        super().__init__()
        assert isinstance(self.output, JackOutput)
        output = self.output
        self.midi = MidiInput(self.machine, SETTINGS, jack=lambda: output)
        self.pair = JackPair(server)

    def __enter__(self) -> Instrument:
        super().__enter__()
        self.midi.start()
        self.pair.connect(lambda: any(self.midi.ports_seen()[1::2]))
        return self

    def __exit__(self, *_: object) -> None:
        self.pair.close()
        self.midi.stop()
        super().__exit__()

    def do(self, command: str, *arguments: str | float) -> None:
        """Carry out a command, and wait for a block that knows it."""
        answers: list[object] = []
        self.machine.submit(command, *arguments, reply=answers.append)
        until(lambda: answers)
        blocks = self.engine.blocks
        until(lambda: self.engine.blocks > blocks + 1)


@pytest.fixture
def instrument(jack_server: str) -> Iterator[Instrument]:
    with Instrument(jack_server) as instrument:
        yield instrument


def test_notes_of_a_blocked_interpreter_are_on_their_frames_and_on_record(
    instrument: Instrument, tmp_path: Path
) -> None:
    recording, notes = Recorder(instrument.machine), spread(60)
    takes = 0

    def record_anew() -> None:
        nonlocal takes
        recording.close()
        takes += 1
        recording.begin(tmp_path / f"take{takes}")

    record_anew()
    heard = instrument.pair.play_whole(
        notes, 1.0, lambda: ctypes.PyDLL(None).usleep(1_200_000), again=record_anew)
    assert heard.onsets == heard.sent
    assert len(heard.onsets) == len(notes)
    recording.close()
    recorded = mido.MidiFile(str(tmp_path / f"take{takes}.mid"))
    assert sum(each.type == "note_on" and each.velocity > 0 for each in recorded) == len(notes)


def test_a_note_that_was_learned_plays_at_its_frame_and_the_next_control_is_learned(
    instrument: Instrument
) -> None:
    machine, heard = instrument.machine, []
    machine.subscribe(heard.append)
    instrument.do("/learn", "/trig SD")
    instrument.pair.sender.note_on(100, 64, channel=1)
    until(lambda: ParameterChanged("/learned", ("note 1 100", "/trig SD")) in heard)
    blocks = instrument.engine.blocks
    until(lambda: instrument.engine.blocks > blocks + 1)
    messages: Messages = [(frame, [0x90, 100, 127]) for frame, _ in spread(10)]
    played = instrument.pair.play_whole(messages, 0.5)
    assert played.onsets == played.sent


def test_the_latency_told_follows_the_block(instrument: Instrument) -> None:
    def told() -> float:
        return instrument.machine.status().latency_ms

    for frames in (1024, 64, PERIOD_FRAMES):
        subprocess.run(["jack_bufsize", str(frames)], check=True, capture_output=True)
        until(lambda frames=frames: instrument.output.block_frames == frames)
        latency_ms = 1000 * frames / RATE_HZ
        until(lambda latency_ms=latency_ms: told() >= latency_ms - 0.01)
        played = instrument.pair.play([(4800, [ON, KICK, 127])], 0.3)
        assert set(played.onsets) <= set(played.sent)
