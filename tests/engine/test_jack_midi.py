"""MIDI through a real JACK server, from one program's note to another's ear, counted in samples."""

from __future__ import annotations

import ctypes
import subprocess
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from gan808.engine.engine import Engine, SlotParameter
from gan808.engine.jack.midi_input import JackMidiEvent, JackMidiInput
from gan808.engine.outputs.jack import JackOutput
from gan808.engine.outputs.registry import open_output
from tests.engine.rig import CENTRE, plateau
from tests.engine.test_keymap import drum_map
from tests.jack_pair import KICK, ON, Heard, JackPair, Messages, spread
from tests.jack_server import PERIOD_FRAMES, RATE_HZ, jack_server
from tests.timing import SOON_S

__all__ = ["jack_server"]

pytestmark = pytest.mark.real_time

SNARE, CYMBAL = 38, 49
OFF, PRESSURE, CONTROL = 0x89, 0xA9, 0xB9
BLOCKS = (64, 2048, PERIOD_FRAMES)

class Player:
    """An engine on JACK with clicks on three slots and a MIDI input; who sends and who listens."""

    def __init__(self, server: str) -> None:
        output = open_output("jack", sample_rate_hz=None, block_frames=None)
        assert isinstance(output, JackOutput)
        self.output = output
        self.engine = Engine(output.sample_rate_hz)
        self.port = self.engine.port("test")
        for slot in range(3):
            self.load(slot, np.array([0.5, 0.0], np.float32))
        assert self.port.set_keymap(drum_map(1, 2))
        output.start(self.engine)
        self.midi: JackMidiInput = output.open_midi_input("GAN-808")
        self.pair = JackPair(server)
        self.sender, self.listener = self.pair.sender, self.pair.listener
        self.pair.connect(lambda: bool(self.read()))
        self.read()

    def load(self, slot: int, audio: NDArray[np.float32]) -> None:
        cell = self.engine.write_sound(audio)
        assert cell is not None
        assert self.port.assign(slot, cell)

    def play_whole(self, messages: Messages, seconds: float,
                   meanwhile: Callable[[], None] = lambda: None) -> Heard:
        return self.pair.play_whole(messages, seconds, meanwhile, again=self.midi.read)

    def read(self) -> list[JackMidiEvent]:
        return self.midi.read()

    def close(self) -> None:
        self.pair.close()
        self.output.stop()


@pytest.fixture
def player(jack_server: str) -> Iterator[Player]:
    player = Player(jack_server)
    yield player
    player.close()


def test_a_note_is_heard_at_its_very_frame(player: Player) -> None:
    notes = spread(100)
    heard = player.play_whole(notes, 1.6)
    assert len(heard.sent) == len(notes)
    assert heard.onsets == heard.sent
    events = player.read()
    assert [event.data for event in events] == [[ON, KICK, 127]] * len(notes)
    assert all(event.played for event in events)


def test_a_blocked_interpreter_costs_no_note(player: Player) -> None:
    """Python's lock is held in a C call while notes come: each is played at its frame, and all are
    there to be read afterwards."""
    free_again_s = 0.0

    def block() -> None:
        nonlocal free_again_s
        ctypes.PyDLL(None).usleep(1_500_000)
        free_again_s = time.monotonic()

    notes = spread(80)
    heard = player.play_whole(notes, 1.2, block)
    assert heard.onsets == heard.sent
    events = player.read()
    assert len(events) == len(notes)
    assert all(event.time_s < free_again_s for event in events)


def test_gate_choke_and_all_notes_off_act_at_their_frames(player: Player) -> None:
    player.load(1, plateau(RATE_HZ, ramp=1))
    player.load(2, plateau(RATE_HZ, ramp=1))
    ends = [([OFF, SNARE, 0], SNARE), ([PRESSURE, CYMBAL, 127], CYMBAL),
            ([CONTROL, 123, 0], SNARE), ([CONTROL, 120, 0], CYMBAL)]
    messages = []
    for index, (end, note) in enumerate(ends):
        frame = 9600 + 9600 * index
        messages += [(frame + 7, [ON, note, 127]), (frame + 4801, end)]
    heard = player.play_whole(messages, 1.2)
    level = 0.5 * CENTRE
    for begun, ended in zip(heard.sent[::2], heard.sent[1::2], strict=True):
        assert abs(heard.audio[begun - 1]) < 1e-6
        assert heard.audio[begun + 1] == pytest.approx(level, abs=1e-4)
        assert heard.audio[ended] == pytest.approx(level, abs=1e-4)
        assert heard.audio[ended + 1] < level - 1e-4
        assert abs(heard.audio[ended + 1000]) < 1e-6


def test_of_two_hats_within_a_millisecond_the_closed_one_is_heard(player: Player) -> None:
    """Whichever came first; they act in the order of their frames, not in that of their arrival."""
    player.load(0, plateau(4800, 0.25, ramp=1))
    player.load(1, plateau(4800, 0.5, ramp=1))
    for slot in (0, 1):
        assert player.port.set_slot(slot, SlotParameter.CHOKE, 1)
    messages = []
    for index, (first, second) in enumerate([(KICK, SNARE), (SNARE, KICK)]):
        frame = 9600 + 9600 * index
        messages += [(frame, [ON, first, 127]), (frame + 40, [ON, second, 127])]
    heard = player.play_whole(messages, 0.8)
    for begun in heard.sent[::2]:
        assert heard.audio[begun + 1000] == pytest.approx(0.5 * CENTRE, abs=1e-4)


def test_a_block_that_changes_costs_no_note_and_no_frame(player: Player) -> None:
    """jack_bufsize from 128 to 64, 2048 and back while notes come, four a tenth of a second."""
    def change() -> None:
        for frames in BLOCKS:
            time.sleep(0.3)
            subprocess.run(["jack_bufsize", str(frames)], check=True, capture_output=True)

    notes = [(4800 + 1201 * index, [ON, KICK, 127]) for index in range(80)]
    before, _ = player.engine.begun(0)
    heard = player.pair.play(notes, 3.0, change)
    assert len(heard.sent) == len(notes)
    assert len(player.read()) == len(notes)
    assert player.engine.begun(0)[0] == before + len(notes)
    # A period that the server loses while it changes is deaf; a note that is heard is on its frame.
    assert set(heard.onsets) <= set(heard.sent)
    assert len(heard.onsets) >= len(notes) - len(BLOCKS)


def test_what_only_python_can_do_is_left_to_it_and_said_so(player: Player) -> None:
    for message, played in (([0xC9, 3], False), ([ON, KICK, 1, ON, KICK, 2], False),
                            ([ON, KICK, 1], True), ([CONTROL, 7, 3], True)):
        player.sender.message(message)
        deadline_s = time.monotonic() + SOON_S
        while not (events := player.read()) and time.monotonic() < deadline_s:
            time.sleep(0.01)
        assert [event.played for event in events] == [played] * len(events)
        assert [byte for event in events for byte in event.data] == message


def test_inputs_come_and_go_while_it_plays(player: Player) -> None:
    second = player.output.open_midi_input("GAN-808")
    assert second.name == "gan808:GAN-808 2"
    second.connect("sender:midi_out")
    second.close()
    second.close()
    again = player.output.open_midi_input("GAN-808")
    assert again.name == "gan808:GAN-808 2"
    assert again.read() == []
    again.close()
    heard = player.play_whole(spread(5), 0.5)
    assert heard.onsets == heard.sent


def test_messages_out_lie_on_the_frames_of_the_sound(player: Player) -> None:
    """A tick and a click at one frame leave at one frame, from the first on."""
    clock = player.output.open_midi_output("GAN-808 clock")
    deadline_s = time.monotonic() + SOON_S
    while not clock.connect("listener:midi_in") and time.monotonic() < deadline_s:
        time.sleep(0.01)
    first = player.engine.frames + RATE_HZ // 4
    frames = [first + 1003 * index for index in range(20)]
    for frame in frames:
        assert player.port.trigger(0, 1.0, frame)
        assert clock.send(bytes([0xF8]), frame + 0.3)
    audio = player.listener.capture(0.8)[:, 0]
    assert player.listener.skipped_frames == 0
    ticks = [frame for frame, data in player.listener.midi if data == [0xF8]]
    assert np.flatnonzero(np.abs(audio) > 0.1).tolist() == ticks
    assert len(ticks) == len(frames)
    assert clock.late == 0
    clock.close()
