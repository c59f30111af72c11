"""MIDI through a real JACK server: our port, polled, from a note on the wire to the engine."""

from __future__ import annotations

import ctypes
import sys
import threading
import time
from collections.abc import Iterator

import pytest
import rtmidi

from gan808.control.midi.input import MidiInput
from gan808.control.midi.ports import Arrival, MidiPorts
from gan808.control.midi.systems import list_midi_inputs
from gan808.engine.engine import Engine
from gan808.engine.outputs.jack import JackOutput
from gan808.engine.outputs.registry import open_output
from gan808.errors import DeviceError
from tests.control.rig import Rig, until
from tests.jack_server import CONTROL_CHANGE, JackMeter, jack_server
from tests.timing import SOON_S

__all__ = ["jack_server"]

pytestmark = [
    pytest.mark.real_time,
    pytest.mark.skipif(sys.platform == "win32", reason="no JACK MIDI in this binding"),
]


@pytest.fixture
def meter(jack_server: str) -> Iterator[JackMeter]:
    with JackMeter(jack_server) as meter:
        yield meter


@pytest.fixture
def output(jack_server: str) -> Iterator[JackOutput]:
    """Plays an engine that knows no notes, and so leaves them all to Python."""
    output = open_output("jack", sample_rate_hz=None, block_frames=None)
    assert isinstance(output, JackOutput)
    output.start(Engine(output.sample_rate_hz))
    yield output
    output.stop()


@pytest.fixture
def rig(output: JackOutput) -> Iterator[Rig]:
    rig = Rig()
    midi = MidiInput(rig.machine, rig.settings, jack=lambda: output)
    midi.start()
    yield rig
    midi.stop()
    rig.machine.stop()


def connected(rig: Rig, meter: JackMeter) -> None:
    """Connect, and wait until a note comes through: JACK makes connections some cycles later."""
    assert meter.connect_midi("GAN-808") == ["gan808:GAN-808"]

    def heard() -> bool:
        meter.note_on(75, 1)
        time.sleep(0.02)
        return bool(rig.played("midi"))

    until(heard)
    time.sleep(0.1)
    rig.engine.commands.clear()


def first_heard(ports: MidiPorts, meter: JackMeter, note: int) -> Arrival:
    """The first arrival of a note that is sent until it comes through."""
    for _ in range(50):
        meter.note_on(note, 100)
        if found := ports.read(0.1):
            return found[0]
    raise AssertionError("no note came through")


def read_all(ports: MidiPorts, count: int) -> list[Arrival]:
    """The next arrivals, so many of them."""
    found: list[Arrival] = []

    def whole() -> bool:
        found.extend(ports.read(0.1))
        return len(found) >= count

    until(whole)
    assert len(found) == count
    return found


def test_a_note_plays_its_slot(rig: Rig, meter: JackMeter) -> None:
    connected(rig, meter)
    meter.note_on(38, 127)
    (hit,) = until(lambda: rig.played("midi"))
    assert (hit.slot, hit.value) == (1, 1.0)


def test_a_burst_arrives_whole_and_in_order(rig: Rig, meter: JackMeter) -> None:
    connected(rig, meter)
    for number in range(200):
        meter.note_on(36, 1 + number % 127, at_frame=480 + 16 * number)
    meter.capture(0.2)
    until(lambda: len(rig.played("midi")) == 200)
    assert [round(hit.value * 127) for hit in rig.played("midi")] == [
        1 + number % 127 for number in range(200)]


def test_several_messages_in_one_event_and_what_stands_behind_system_exclusive(
    rig: Rig, meter: JackMeter
) -> None:
    """By JACK's rules each has an event of its own; some programs break them, at no note's cost."""
    connected(rig, meter)
    meter.message([0x99, 38, 1, 0xF8, 38, 2, 0x99, 38, 3])
    meter.message([0xF0, *range(100), 0xF7, 0x99, 38, 4])
    meter.message([0xF0, 1, 2, 3, 4, 5])
    meter.message([6, 7, 8, 0xF7])
    meter.message([0x99, 38, 5])
    until(lambda: len(rig.played("midi")) >= 5)
    assert [round(hit.value * 127) for hit in rig.played("midi")] == [1, 2, 3, 4, 5]


def test_a_clock_is_followed(rig: Rig, meter: JackMeter) -> None:
    connected(rig, meter)
    meter.message([0xFA])
    for _ in range(5):
        meter.message([0xF8])
        time.sleep(0.02)
    reading = until(lambda: rig.machine.sync.midi.reading
                    if rig.machine.sync.midi.reading.ticks >= 5 else None)
    assert reading.running
    meter.message([0xFC])
    until(lambda: not rig.machine.sync.midi.reading.running)


def test_a_knob_turns(rig: Rig, meter: JackMeter) -> None:
    connected(rig, meter)
    meter.message([CONTROL_CHANGE | 9, 7, 0])
    until(lambda: any(command.name == "master" for command in rig.engine.commands))
    heard = [command.value for command in rig.engine.commands if command.name == "master"]
    assert heard[-1] == 0.0


def test_python_never_runs_in_jack_s_thread(output: JackOutput, meter: JackMeter) -> None:
    """While Python is held up, with its lock, messages go on being kept with their times."""
    ports = MidiPorts("virtual", jack=lambda: output)
    ports.open()
    try:
        meter.connect_midi("GAN-808")
        first_heard(ports, meter, 36)
        while ports.read(0.1):
            pass
        for number in range(8):
            meter.note_on(37, 1 + number, at_frame=960 * number)
        capturing = threading.Thread(target=meter.capture, args=(0.3,))
        capturing.start()
        time.sleep(0.05)
        ctypes.PyDLL(None).usleep(500_000)
        arrivals = read_all(ports, 8)
        capturing.join()
        assert [arrival.data for arrival in arrivals] == [[0x99, 37, 1 + n] for n in range(8)]
        # The notes take 0.14 s, more where a busy machine runs JACK late.
        assert arrivals[-1].arrival_s - arrivals[0].arrival_s > 0.1
    finally:
        ports.close()


def test_notes_of_one_cycle_have_times_of_their_own(
    output: JackOutput, meter: JackMeter
) -> None:
    ports = MidiPorts("virtual", jack=lambda: output)
    ports.open()
    try:
        meter.connect_midi("GAN-808")
        first_heard(ports, meter, 36)
        while ports.read(0.1):
            pass
        frames = [0, 1, 16, 40, 127]  # all in the 128 of the first cycle
        for frame in frames:
            meter.note_on(36, 1 + frame % 127, at_frame=frame)
        meter.capture(0.05)
        arrivals = read_all(ports, len(frames))
        assert [arrival.data[2] for arrival in arrivals] == [1 + frame % 127 for frame in frames]
        times_s = [arrival.arrival_s - arrivals[0].arrival_s for arrival in arrivals]
        assert times_s == pytest.approx([times_s[-1] * frame / 127 for frame in frames], abs=1e-6)
        assert times_s[-1] > 0.001
    finally:
        ports.close()


def test_arrival_is_when_the_note_came_not_when_it_was_read(
    output: JackOutput, meter: JackMeter
) -> None:
    """Notes 20 ms apart, all read together afterwards."""
    ports = MidiPorts("virtual", jack=lambda: output)
    ports.open()
    try:
        meter.connect_midi("GAN-808")
        first_heard(ports, meter, 36)  # read at once, it sets the clock
        while ports.read(0.1):
            pass
        for number in range(8):
            meter.note_on(36, 2 + number, at_frame=960 * number)
        meter.capture(0.3)
        arrivals = read_all(ports, 8)
        # The notes take 0.14 s, more where a busy machine runs JACK late; the reading took none.
        assert arrivals[-1].arrival_s - arrivals[0].arrival_s > 0.1
    finally:
        ports.close()


def test_another_program_s_port_by_name(output: JackOutput, meter: JackMeter) -> None:
    """A meter's MIDI output is a port of another program; --midi meter connects to it."""
    assert any(info.system == "JACK" and "meter" in info.name for info in list_midi_inputs())
    ports = MidiPorts("meter", jack=lambda: output)
    ports.open()
    try:
        assert len(ports.names) == 1
        assert first_heard(ports, meter, 42).data == [0x99, 42, 100]
    finally:
        ports.close()


def test_ports_come_go_and_return_by_name(
    jack_server: str, output: JackOutput, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two programs at once; one ends and is started anew, the other is heard all the while."""
    monkeypatch.setattr("gan808.control.midi.systems.RESCAN_S", 0.05)
    with JackMeter(jack_server, "pads-one") as one:
        ports = MidiPorts("pads", jack=lambda: output)
        ports.open()
        try:
            assert first_heard(ports, one, 36).source == "pads-one:midi_out"
            with JackMeter(jack_server, "pads-two") as two:
                until(lambda: len(ports.names) == 2)
                assert {first_heard(ports, two, 38).data[1] for _ in range(3)} == {38}
                assert {first_heard(ports, one, 36).data[1] for _ in range(3)} == {36}
            until(lambda: (ports.read(0.01), len(ports.names) == 1)[1])
            assert first_heard(ports, one, 36).data[1] == 36
            with JackMeter(jack_server, "pads-two") as again:
                until(lambda: len(ports.names) == 2)
                assert first_heard(ports, again, 40).source == "pads-two:midi_out"
        finally:
            ports.close()


def test_a_name_that_is_not_there(output: JackOutput, meter: JackMeter) -> None:
    with pytest.raises(DeviceError, match="'drumkat'.*meter"):
        MidiPorts("drumkat", jack=lambda: output).open()


def test_stop_is_quick_and_takes_the_port_away(output: JackOutput) -> None:
    rig = Rig()
    midi = MidiInput(rig.machine, rig.settings, jack=lambda: output)
    midi.start()
    assert "GAN-808" in midi.notice
    listing = rtmidi.MidiOut(rtmidi.API_UNIX_JACK)
    assert any("GAN-808" in name for name in listing.get_ports())
    began_s = time.monotonic()
    midi.stop()
    midi.stop()
    assert time.monotonic() - began_s < SOON_S
    assert not any("GAN-808" in name for name in listing.get_ports())
    listing.delete()
    rig.machine.stop()
