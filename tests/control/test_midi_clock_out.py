"""Clock out on ports of fakes, and on a real JACK server where its ticks are measured."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rtmidi

from gan808.control.midi_clock_out import MidiClockOut
from gan808.control.midi_outputs import (
    JackOutput,
    MidiOutputs,
    OutputPort,
    OutputSystem,
    list_midi_outputs,
)
from gan808.engine.jack_midi import JackMidiInput
from gan808.errors import DeviceError
from gan808.machine.events import Notice
from tests.control.rig import until
from tests.jack_server import PERIOD_FRAMES, JackMeter, jack_server
from tests.machine.rig import Rig
from tests.running import Running
from tests.timing import SOON_S

__all__ = ["jack_server"]

CLOCK, START, STOP = 0xF8, 0xFA, 0xFC


class FakeOutput:
    """Writes down what it is told to send, and at which frame."""

    def __init__(self, name: str, *, takes_ahead: bool = False) -> None:
        self.name = name
        self.takes_ahead = takes_ahead
        self.sent: list[tuple[float, bytes]] = []
        self.closed = False

    def send(self, data: bytes, frame: float) -> bool:
        assert not self.closed
        self.sent.append((frame, data))
        return True

    def close(self) -> None:
        self.closed = True


class FakeScanner:
    def __init__(self, system: FakeSystem) -> None:
        self._system = system

    def get_ports(self) -> list[str]:
        return list(self._system.plugged)

    def delete(self) -> None:
        pass


class FakeSystem(OutputSystem):
    """A MIDI system whose cables the test plugs."""

    def __init__(self, *plugged: str) -> None:
        super().__init__(0, "ALSA")
        self.plugged = list(plugged)
        self.opened: dict[str, FakeOutput] = {}

    def scanner(self) -> Any:
        return FakeScanner(self)

    def open(self, name: str) -> OutputPort:
        if name not in self.plugged:
            raise DeviceError("it has gone")
        self.opened[name] = port = FakeOutput(name)
        return port

    def open_virtual(self) -> OutputPort:
        self.opened["virtual"] = port = FakeOutput("GAN-808 clock")
        return port


class FakeJack(FakeOutput):
    """A JACK port of ours, and the inputs of other programs."""

    def __init__(self, *inputs: str) -> None:
        super().__init__("gan808-clock:GAN-808 clock", takes_ahead=True)
        self.others = list(inputs)
        self.connected: set[str] = set()
        self.ready = True

    def inputs(self) -> list[str]:
        return [self.name, *self.others]

    def connect(self, target: str) -> bool:
        if self.ready:
            self.connected.add(target)
        return self.ready

    def disconnect(self, target: str) -> bool:
        self.connected.discard(target)
        return True


def outputs(choice: str, *systems: FakeSystem, jack: FakeJack | None = None) -> MidiOutputs:
    return MidiOutputs(
        choice, jack=jack is not None, find_systems=lambda: list(systems),
        open_jack=lambda: jack)  # type: ignore[arg-type, return-value]


def opened(choice: str, *systems: FakeSystem, jack: FakeJack | None = None) -> MidiOutputs:
    found = outputs(choice, *systems, jack=jack)
    found.open(lambda name: False)
    return found


class TestPorts:
    def test_part_of_a_name_in_any_case(self) -> None:
        system = FakeSystem("TR-8S 20:0", "Keys 24:0", "gan808:GAN-808 128:0")
        ports = opened("tr-8", system)
        assert ports.names == ["TR-8S 20:0"]
        ports.close()
        assert system.opened["TR-8S 20:0"].closed

    def test_one_that_is_not_there_is_waited_for_and_one_that_goes_returns(self) -> None:
        system = FakeSystem()
        ports = opened("keys", system)
        assert ports.ports == ()
        system.plugged = ["Keys 24:0"]
        ports.rescan()
        (port,) = ports.ports
        system.plugged = []
        ports.rescan()
        assert ports.ports == ()
        assert not system.opened["Keys 24:0"].closed, "the thread that sends closes it"
        ports.close_gone()
        assert port.closed  # type: ignore[attr-defined]
        system.plugged = ["Keys 24:0"]
        ports.rescan()
        assert ports.names == ["Keys 24:0"]
        ports.close()

    def test_virtual(self) -> None:
        system = FakeSystem("Keys 24:0")
        ports = opened("virtual", system)
        assert [port.name for port in ports.ports] == ["GAN-808 clock"]
        ports.close()
        jack = FakeJack("synth:in")
        ports = opened("virtual", system, jack=jack)
        assert ports.ports == (jack,)
        assert jack.connected == set()
        ports.close()
        assert jack.closed

    def test_on_jack_it_is_connected_once_to_what_has_the_name(self) -> None:
        jack = FakeJack("synth:in", "other:in")
        ports = opened("synth", FakeSystem(), jack=jack)
        assert jack.connected == {"synth:in"}
        jack.connected.clear()  # by hand
        ports.rescan()
        assert jack.connected == set(), "a cable that a person pulls out stays out"
        jack.others.remove("synth:in")
        ports.rescan()
        jack.others.append("synth:in")
        jack.ready = False  # it has its port, but does not run yet
        ports.rescan()
        assert ports.names == []
        jack.ready = True
        ports.rescan()
        assert jack.connected == {"synth:in"}, "a program that is started anew gets it again"
        ports.close()

    def test_without_any_midi_it_is_one_line(self) -> None:
        with pytest.raises(DeviceError, match="no MIDI system here") as refused:
            opened("keys")
        assert "\n" not in str(refused.value)

    def test_off(self) -> None:
        system = FakeSystem("Keys 24:0")
        assert opened("off", system).ports == ()


class Sender:
    """A machine of fakes with a clock out whose time the test moves."""

    def __init__(self, choice: str, *systems: FakeSystem, jack: FakeJack | None = None) -> None:
        self.rig = Rig(sequencer={"playing": False})
        self.source: str | None = None
        self.outputs = outputs(choice, *systems, jack=jack)
        self.clock = MidiClockOut(self.rig.machine, self.outputs, lambda: self.source)
        self.outputs.open(self.clock._shuns)
        self.now_s = self.rig.engine.clock.time_at(0)

    def run(self, seconds: float) -> None:
        end_s = self.now_s + seconds
        while self.now_s < end_s:
            self.now_s += 0.004
            self.rig.run(192)
            self.clock.look(self.now_s)
            self.clock.send_due(self.now_s)


class TestSending:
    def test_ticks_start_and_stop_are_due_when_their_frames_are_heard(self) -> None:
        system, jack = FakeSystem("Keys 24:0"), FakeJack()
        sender = Sender("keys", system, jack=jack)
        sender.rig.send("/seq/play", frame=sender.rig.engine.frame + 1440)
        sender.run(2.0)
        sender.rig.send("/seq/stop")
        sender.run(0.5)
        sent = jack.sent
        first = [data for _, data in sent].index(bytes([START]))
        engine = sender.rig.engine
        hit = next(c.frame for c in engine.commands if c.name == "trigger")
        heard = hit + engine.latency_frames
        assert sent[first + 1][0] == pytest.approx(heard), "its first tick is its step"
        ticks = [frame for frame, data in sent[first:] if data == bytes([CLOCK])]
        assert ticks == pytest.approx([heard + n * 1000 for n in range(len(ticks))])
        words = [data[0] for _, data in sent if data[0] != CLOCK]
        assert words == [START, STOP]
        # What sends at once got the same, none of it before its time.
        now = engine.clock.frame_at(sender.now_s)
        assert system.opened["Keys 24:0"].sent == [each for each in sent if each[0] <= now]

    def test_the_followed_device_does_not_get_its_own_clock_back(self) -> None:
        system = FakeSystem("Keys 24:0", "Keys two 25:0")
        jack = FakeJack("Keys:in", "deskKeys:in")
        sender = Sender("keys", system, jack=jack)
        sender.run(0.5)
        before = len(system.opened["Keys 24:0"].sent)
        assert before > 10
        sender.source = "Keys 24:0"
        sender.run(0.5)
        assert len(system.opened["Keys 24:0"].sent) == before
        assert len(system.opened["Keys two 25:0"].sent) > before
        said = [event.text for event in sender.rig.of_type(Notice)]
        assert [text for text in said if "not sent back to Keys 24:0" in text]
        sender.source = "Keys:out"
        sender.outputs.rescan()
        assert jack.connected == {"deskKeys:in"}
        sender.source = None
        sender.outputs.rescan()
        assert jack.connected == {"Keys:in", "deskKeys:in"}

    def test_it_does_where_the_user_names_the_whole_port(self) -> None:
        system = FakeSystem("Keys 24:0")
        sender = Sender("Keys 24:0", system)
        sender.source = "Keys 24:0"
        sender.run(0.5)
        assert len(system.opened["Keys 24:0"].sent) > 10

    def test_off_opens_and_starts_nothing(self) -> None:
        rig = Rig()
        clock = MidiClockOut(rig.machine, outputs("off", FakeSystem("Keys")), lambda: None)
        clock.start()
        assert clock.notice == ""
        clock.stop()


@pytest.fixture
def ear(jack_server: str) -> Iterator[JackMidiInput]:
    ear = JackMidiInput("ear", "in")
    yield ear
    ear.close()


@pytest.mark.skipif(sys.platform == "win32", reason="no JACK MIDI in this binding")
def test_on_a_real_jack_server_messages_lie_on_their_frames(jack_server: str) -> None:
    """Handed over ahead, however busy the machine is, not one is a frame off."""
    port = JackOutput()
    with JackMeter(jack_server) as meter:
        assert "meter:midi_in" in port.inputs()
        until(lambda: port.connect("meter:midi_in"))
        assert port.connect("meter:midi_in"), "it is already"
        assert not port.connect("nobody:in")
        until(lambda: port.frame > 0)
        frames = [port.frame + 24000 + round(1000.4 * n) for n in range(48)]
        for frame in frames:
            assert port.send(bytes([CLOCK]), frame + 0.3)
        heard: list[int] = []
        while len(heard) < len(frames):
            meter.capture(2.0)
            assert {tuple(data) for _, data in meter.midi} <= {(CLOCK,)}
            if len(meter.midi) == len(frames):
                heard = [frame - meter.midi[0][0] for frame, _ in meter.midi]
                break
            assert not meter.midi, "the capture began in their midst"
        assert heard == [frame - frames[0] for frame in frames]
    port.close()


@pytest.mark.skipif(sys.platform == "win32", reason="no JACK MIDI in this binding")
def test_the_instrument_s_ticks_are_where_its_sound_is(
    jack_server: str, tiny_kit: Path, tmp_path: Path
) -> None:
    """`gan808 run` on JACK: 1000 frames a tick at 120 BPM, to the frame, and the beat on them."""
    (tmp_path / "my.toml").write_text('[midi]\nclock_out = "meter"\n')
    options = ["--kit", str(tiny_kit), "--output", "JACK", "--midi", "off", "--osc", "off",
               "--tempo", "120", "--evolve", "0", "--config", str(tmp_path / "my.toml")]
    with JackMeter(jack_server) as meter, Running(tmp_path, *options) as running:
        assert "clock to meter:midi_in" in running.introduction()["midi"]
        meter.connect_audio("gan808:out")
        meter.capture(0.5)
        sound = np.abs(meter.capture(3.0)).max(axis=1)
        ticks = np.array([frame for frame, data in meter.midi if data == [CLOCK]])
    assert len(ticks) > 100
    # JACK mixes the sound of a cycle before or after it asks for MIDI: until both have been seen
    # that may be told apart by a period, once.
    gaps = np.diff(ticks)
    assert set(gaps) <= {1000, 1000 - PERIOD_FRAMES, 1000 + PERIOD_FRAMES}
    assert np.count_nonzero(gaps != 1000) <= 1
    loud = np.flatnonzero(sound > 0.02)
    onsets = loud[np.flatnonzero(np.diff(loud, prepend=-10**6) > 2000)]
    assert len(onsets) > 1
    # Onsets lie on ticks of sixteenths, a constant output latency before them.
    after = [int(ticks[np.searchsorted(ticks, onset)] - onset) for onset in onsets[:-1]]
    assert max(after) < 1000
    assert np.median(after) < 300


@pytest.mark.skipif(sys.platform == "win32", reason="no JACK MIDI in this binding")
def test_a_program_that_returns_is_connected_again(
    jack_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gan808.control.midi_outputs.RESCAN_S", 0.05)
    ports = MidiOutputs("synth", jack=True, find_systems=list)
    ports.open(lambda name: False)
    try:
        for _ in range(2):
            until(lambda: ports.names == [])
            synth = JackMidiInput("synth", "in")

            def heard(synth: JackMidiInput = synth) -> bool:
                ports.ports[0].send(bytes([CLOCK]), 0.0)
                time.sleep(0.02)
                return bool(synth.read())

            until(lambda: ports.names == ["synth:in"])
            until(heard)
            synth.close()
    finally:
        ports.close()


@pytest.mark.skipif(sys.platform == "win32", reason="no JACK MIDI in this binding")
def test_a_real_port_of_rtmidi(jack_server: str, ear: JackMidiInput) -> None:
    """RtMidi's own JACK interface stands for ALSA's, which no container has."""
    assert ("JACK", "ear:in") in list_midi_outputs()
    system = OutputSystem(rtmidi.API_UNIX_JACK, "RtMidi")
    ports = MidiOutputs("ear", find_systems=lambda: [system])
    ports.open(lambda name: False)
    try:
        assert ports.names == ["ear:in"]
        heard: list[list[int]] = []

        def through() -> bool:
            for data in (bytes([CLOCK]), bytes([0xF2, 5, 1])):
                assert ports.ports[0].send(data, 0.0)
            time.sleep(0.02)
            heard.extend(data for data, _ in ear.read())
            return [0xF2, 5, 1] in heard and [CLOCK] in heard

        until(through)
        virtual = system.open_virtual()
        virtual.close()
        with pytest.raises(DeviceError, match="'gone'"):
            system.open("gone")
    finally:
        ports.close()


@pytest.mark.skipif(sys.platform == "win32", reason="no JACK MIDI in this binding")
def test_the_thread_sends_and_stops(jack_server: str, ear: JackMidiInput) -> None:
    """The whole way: a machine that plays, the thread, JACK, and another program's ear."""
    from tests.control.rig import Rig as LiveRig

    with LiveRig() as rig:
        engine, began_s = rig.engine, time.monotonic()
        engine.clock.frame_now = (  # type: ignore[method-assign]
            lambda: engine.clock.frame_at(time.monotonic()))
        clock = MidiClockOut(rig.machine, MidiOutputs("ear", jack=True), lambda: None)
        clock.start()
        try:
            assert clock.notice == "clock to ear:in"
            heard: list[int] = []

            def ticks(count: int) -> bool:
                heard.extend(data[0] for data, _ in ear.read())
                time.sleep(0.005)
                return heard.count(CLOCK) >= count

            until(lambda: ticks(5))
            rig.machine.submit("/seq/play")
            until(lambda: ticks(5) and START in heard)
            rig.machine.submit("/seq/stop")
            until(lambda: ticks(5) and STOP in heard)
        finally:
            stopping_s = time.monotonic()
            clock.stop()
            clock.stop()
        assert time.monotonic() - stopping_s < SOON_S
        assert began_s < stopping_s
