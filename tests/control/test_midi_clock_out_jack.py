"""Clock out on a real JACK server, where its ticks are measured in frames."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import rtmidi

from gan808.control.midi.clock_out import ClockSource
from gan808.control.midi.outputs import (
    JackOutPort,
    MidiOutputs,
    OutputSystem,
    list_midi_outputs,
)
from gan808.control.midi.sender import MidiSender
from gan808.engine.engine import Engine
from gan808.engine.layout import MASTER_MOST
from gan808.engine.outputs.jack import JackOutput
from gan808.engine.outputs.registry import open_output
from gan808.errors import DeviceError
from gan808.instrument.slots import first_sounds
from gan808.sound.kit.kit import load_kit
from tests.control.rig import Rig, until
from tests.jack_server import RATE_HZ, JackMeter, jack_server
from tests.running import Running
from tests.timing import SOON_S

__all__ = ["jack_server"]

CLOCK, START, STOP = 0xF8, 0xFA, 0xFC
CLOCK_NAME = "GAN-808 clock"

pytestmark = [
    pytest.mark.real_time,
    pytest.mark.skipif(sys.platform == "win32", reason="no JACK MIDI in this binding"),
]


class Ear:
    """Another program's MIDI input."""

    def __init__(self, name: str) -> None:
        self._rt = rtmidi.MidiIn(rtmidi.API_UNIX_JACK, name=name)
        self._rt.ignore_types(timing=False)
        self._rt.open_virtual_port("in")

    def read(self) -> list[list[int]]:
        """What has come since the last call."""
        return [event[0] for event in iter(self._rt.get_message, None)]

    def close(self) -> None:
        self._rt.close_port()
        self._rt.delete()


@pytest.fixture
def ear(jack_server: str) -> Iterator[Ear]:
    ear = Ear("ear")
    yield ear
    ear.close()


@pytest.fixture
def player(jack_server: str) -> Iterator[tuple[JackOutput, Engine]]:
    """An engine that plays on JACK."""
    output = open_output("jack", sample_rate_hz=None, block_frames=None)
    assert isinstance(output, JackOutput)
    engine = Engine(output.sample_rate_hz)
    output.start(engine)
    yield output, engine
    output.stop()


def test_on_a_real_jack_server_messages_lie_on_their_frames(
    jack_server: str, player: tuple[JackOutput, Engine]
) -> None:
    """Handed over ahead, however busy the machine is, not one is a frame off."""
    output, engine = player
    port = JackOutPort(lambda: output, CLOCK_NAME)
    assert port.name == "gan808:GAN-808 clock"
    with JackMeter(jack_server) as meter:
        assert "meter:midi_in" in port.inputs()
        until(lambda: port.connect("meter:midi_in"))
        assert port.connect("meter:midi_in"), "it is already"
        assert not port.connect("nobody:in")
        frames = [engine.frames + 24000 + round(1000.4 * n) for n in range(48)]
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


def test_the_instrument_s_ticks_and_notes_are_where_its_sound_is(
    jack_server: str, tiny_kit: Path, tmp_path: Path
) -> None:
    """`gan808 run` on JACK, one port: 1000 frames a tick at 120 BPM, to the frame, the beat on
    them, and every note on the frame on which its hit begins."""
    (tmp_path / "my.toml").write_text('[midi]\nclock_out = "meter"\nnotes_out = "meter"\n')
    (tmp_path / "four.toml").write_text('name = "four"\n[steps]\nBD = "X... X... X... X..."\n')
    options = ["--kit", str(tiny_kit), "--output", "JACK", "--midi", "off", "--osc", "off",
               "--tempo", "120", "--evolve", "0", "--config", str(tmp_path / "my.toml"),
               "--pattern", str(tmp_path / "four.toml")]
    with JackMeter(jack_server) as meter, Running(tmp_path, *options) as running:
        assert "clock and notes to meter:midi_in" in running.introduction()["midi"]
        meter.connect_audio("gan808:out")
        meter.capture(0.5)
        sound = np.abs(meter.capture(3.0)).max(axis=1)
        ticks = np.array([frame for frame, data in meter.midi if data == [CLOCK]])
        notes = [frame for frame, data in meter.midi if data == [0x99, 36, 127]]
        running.interrupt()  # a client that is killed holds the server up for the next test
    assert len(ticks) > 100
    assert set(np.diff(ticks)) == {1000}
    loud = np.flatnonzero(sound > 0.02)
    onsets = loud[np.flatnonzero(np.diff(loud) > 2000) + 1]  # the first may be cut
    assert len(onsets) > 3
    # Onsets lie a constant output latency before ticks: the same sound, so the same attack.
    after = [int(ticks[np.searchsorted(ticks, onset)] - onset) for onset in onsets[:-1]]
    assert np.ptp(after) == 0
    assert np.ptp(np.diff(onsets)) == 0
    kit = load_kit(tiny_kit)
    kick = first_sounds(kit.slots, kit.factory_sounds(RATE_HZ))[0]
    assert kick is not None
    # As loud as the meter hears it: level, pan and master volume of a new machine.
    heard = 0.8 * np.sqrt(0.5) * MASTER_MOST * 0.8 * np.abs(kick.audio)
    attack = int(np.argmax(heard > 0.02))
    assert {int(onset) - attack for onset in onsets} <= set(notes)


def test_a_program_that_returns_is_connected_again(
    player: tuple[JackOutput, Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("outputs", "systems"):
        monkeypatch.setattr(f"gan808.control.midi.{module}.RESCAN_S", 0.05)
    ports = MidiOutputs("synth", CLOCK_NAME, find_systems=list,
                        open_jack=lambda name: JackOutPort(lambda: player[0], name))
    ports.open(lambda name: False)
    try:
        for _ in range(2):
            until(lambda: ports.names == [])
            synth = Ear("synth")

            def heard(synth: Ear = synth) -> bool:
                ports.ports[0].send(bytes([CLOCK]), 0.0)
                time.sleep(0.02)
                return bool(synth.read())

            until(lambda: ports.names == ["synth:in"])
            until(heard)
            synth.close()
    finally:
        ports.close()


def test_a_real_port_of_rtmidi(jack_server: str, ear: Ear) -> None:
    """RtMidi's own JACK interface stands for ALSA's, which no container has."""
    assert ("JACK", "ear:in") in list_midi_outputs()
    system = OutputSystem(rtmidi.API_UNIX_JACK, "RtMidi")
    ports = MidiOutputs("ear", CLOCK_NAME, find_systems=lambda: [system])
    ports.open(lambda name: False)
    try:
        assert ports.names == ["ear:in"]
        heard: list[list[int]] = []

        def through() -> bool:
            for data in (bytes([CLOCK]), bytes([0xF2, 5, 1])):
                assert ports.ports[0].send(data, 0.0)
            time.sleep(0.02)
            heard.extend(ear.read())
            return [0xF2, 5, 1] in heard and [CLOCK] in heard

        until(through)
        virtual = system.open_virtual(CLOCK_NAME)
        virtual.close()
        with pytest.raises(DeviceError, match="'gone'"):
            system.open("gone", CLOCK_NAME)
    finally:
        ports.close()


def test_the_thread_sends_and_stops(player: tuple[JackOutput, Engine], ear: Ear) -> None:
    """The whole way: a machine that plays, the thread, JACK, and another program's ear."""
    with Rig() as rig:
        engine, began_s = rig.engine, time.monotonic()
        engine.clock.frame_now = (  # type: ignore[method-assign]
            lambda: engine.clock.frame_at(time.monotonic()))
        outputs = MidiOutputs("ear", CLOCK_NAME,
                              open_jack=lambda name: JackOutPort(lambda: player[0], name))
        clock = MidiSender(rig.machine, outputs,
                           [ClockSource(rig.machine, "ear", lambda: None)])
        clock.start()
        try:
            assert clock.notice == "clock to ear:in"
            heard: list[int] = []

            def ticks(count: int) -> bool:
                heard.extend(data[0] for data in ear.read())
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
