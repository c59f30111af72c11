"""Clock out on a real JACK server, where its ticks are measured in frames."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import rtmidi

from gan808.control.midi.clock_out import MidiClockOut
from gan808.control.midi.outputs import (
    JackMidiSender,
    MidiOutputs,
    OutputSystem,
    list_midi_outputs,
)
from gan808.engine.jack.midi_input import JackMidiInput
from gan808.errors import DeviceError
from tests.control.rig import Rig, until
from tests.jack_server import PERIOD_FRAMES, JackMeter, jack_server
from tests.running import Running
from tests.timing import SOON_S

__all__ = ["jack_server"]

CLOCK, START, STOP = 0xF8, 0xFA, 0xFC

pytestmark = [
    pytest.mark.real_time,
    pytest.mark.skipif(sys.platform == "win32", reason="no JACK MIDI in this binding"),
]


@pytest.fixture
def ear(jack_server: str) -> Iterator[JackMidiInput]:
    ear = JackMidiInput("ear", "in")
    yield ear
    ear.close()


def test_on_a_real_jack_server_messages_lie_on_their_frames(jack_server: str) -> None:
    """Handed over ahead, however busy the machine is, not one is a frame off."""
    port = JackMidiSender()
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


def test_the_instrument_s_ticks_are_where_its_sound_is(
    jack_server: str, tiny_kit: Path, tmp_path: Path
) -> None:
    """`gan808 run` on JACK: 1000 frames a tick at 120 BPM, to the frame, and the beat on them."""
    (tmp_path / "my.toml").write_text('[midi]\nclock_out = "meter"\n')
    (tmp_path / "four.toml").write_text('name = "four"\n[steps]\nBD = "X... X... X... X..."\n')
    options = ["--kit", str(tiny_kit), "--output", "JACK", "--midi", "off", "--osc", "off",
               "--tempo", "120", "--evolve", "0", "--config", str(tmp_path / "my.toml"),
               "--pattern", str(tmp_path / "four.toml")]
    with JackMeter(jack_server) as meter, Running(tmp_path, *options) as running:
        assert "clock to meter:midi_in" in running.introduction()["midi"]
        meter.connect_audio("gan808:out")
        meter.capture(0.5)
        sound = np.abs(meter.capture(3.0)).max(axis=1)
        ticks = np.array([frame for frame, data in meter.midi if data == [CLOCK]])
        running.interrupt()  # a client that is killed holds the server up for the next test
    assert len(ticks) > 100
    # JACK mixes the sound of a cycle before or after it asks for MIDI: until both have been seen
    # that may be told apart by a period, once.
    gaps = np.diff(ticks)
    assert set(gaps) <= {1000, 1000 - PERIOD_FRAMES, 1000 + PERIOD_FRAMES}
    assert np.count_nonzero(gaps != 1000) <= 1
    loud = np.flatnonzero(sound > 0.02)
    onsets = loud[np.flatnonzero(np.diff(loud) > 2000) + 1]  # the first may be cut
    assert len(onsets) > 3
    # Onsets lie a constant output latency before ticks: the same sound, so the same attack.
    after = [int(ticks[np.searchsorted(ticks, onset)] - onset) for onset in onsets[:-1]]
    assert np.ptp(after) <= PERIOD_FRAMES
    assert np.ptp(np.diff(onsets)) == 0


def test_a_program_that_returns_is_connected_again(
    jack_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gan808.control.midi.outputs.RESCAN_S", 0.05)
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


def test_the_thread_sends_and_stops(jack_server: str, ear: JackMidiInput) -> None:
    """The whole way: a machine that plays, the thread, JACK, and another program's ear."""
    with Rig() as rig:
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
