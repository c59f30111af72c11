"""The whole way to a JACK server's port: a trigger from Python, captured and counted in samples."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from gan808.engine.engine import Engine
from gan808.engine.jack.client import JackClient
from gan808.engine.jack.libjack import AUDIO_TYPE, IS_OUTPUT, port_names
from gan808.engine.outputs.jack import PORTS
from gan808.engine.outputs.portaudio import PORTAUDIO
from gan808.engine.outputs.registry import Output, list_outputs, open_output
from gan808.errors import DeviceError
from tests.jack_server import RATE_HZ, JackMeter, jack_server
from tests.timing import SOON_S, eventually

pytestmark = pytest.mark.real_time

__all__ = ["jack_server"]


def impulse_engine(output: Output) -> Engine:
    """An engine whose slot 0 holds one sample of half height."""
    engine = Engine(output.sample_rate_hz)
    cell = engine.write_sound(np.array([0.5, 0.0], np.float32))
    assert cell is not None
    assert engine.port("test").assign(0, cell)
    return engine


def open_jack() -> Output:
    return open_output("auto", sample_rate_hz=None, block_frames=None)


def test_triggers_from_python_leave_the_port_at_their_very_sample(jack_server: str) -> None:
    output = open_jack()
    assert "JACK" in output.name
    assert output.notice is None
    engine = impulse_engine(output)
    port = engine.port("test")
    output.start(engine)
    try:
        with JackMeter(jack_server) as meter:
            meter.connect_audio("gan808")
            first = engine.clock.frame_now() + RATE_HZ // 2
            offsets = np.array([0, 1, 100, 4097, 12_345])
            for offset in offsets:
                assert port.trigger(0, 1.0, first + int(offset))
            audio = meter.capture(1.2)
            assert meter.skipped_frames == 0
        onsets = np.flatnonzero(np.abs(audio[:, 0]) > 0.1)
        assert np.array_equal(onsets - onsets[0], offsets)
        assert audio[onsets, 0] == pytest.approx(0.5 * np.sqrt(0.5), abs=1e-6)
        assert np.array_equal(audio[:, 0], audio[:, 1])
        assert engine.stats().late_commands == 0
    finally:
        output.stop()


def test_a_block_that_changes_while_it_plays_costs_no_note(jack_server: str) -> None:
    """64 to 2048 frames and back, as jack_bufsize does it: what is due is played, once and at its
    frame by the clock, and the latency told follows."""
    output = open_jack()
    engine = impulse_engine(output)
    port = engine.port("test")
    output.start(engine)
    before = output.block_frames
    try:
        with JackMeter(jack_server) as meter:
            meter.connect_audio("gan808")
            for frames in (64, 2048, before):
                subprocess.run(["jack_bufsize", str(frames)], check=True, capture_output=True)
                deadline_s = time.monotonic() + SOON_S
                while output.block_frames != frames and time.monotonic() < deadline_s:
                    time.sleep(0.01)
                assert output.block_frames == frames
                assert engine.latency_frames == round(output.latency_s * RATE_HZ) >= frames
                first = engine.frames + RATE_HZ // 4
                offsets = np.arange(10) * 1000
                for offset in offsets:
                    assert port.trigger(0, 1.0, first + int(offset))
                audio = meter.capture(0.8)
                assert meter.skipped_frames == 0
                onsets = np.flatnonzero(np.abs(audio[:, 0]) > 0.1)
                assert np.array_equal(onsets - onsets[0], offsets)
    finally:
        output.stop()


def test_jack_is_listed_and_chosen_by_name(jack_server: str) -> None:
    (info,) = [each for each in list_outputs() if each.is_default]
    assert "JACK" in info.host_api
    assert info.default_sample_rate_hz == RATE_HZ
    output = open_output("jack", sample_rate_hz=None, block_frames=512)
    output.start(impulse_engine(output))
    output.stop()
    assert (output.sample_rate_hz, output.block_frames) == (RATE_HZ, 128)
    with pytest.raises(DeviceError, match="JACK runs at 48000 Hz, not 44100"):
        open_output("jack", sample_rate_hz=44_100, block_frames=None)
    with pytest.raises(DeviceError, match="no sound device matches 'Scarlett'"):
        open_output("Scarlett", sample_rate_hz=None, block_frames=None)


def test_the_callback_needs_no_interpreter(jack_server: str) -> None:
    """While Python holds its lock in a C call for half a second, blocks go on being mixed."""
    output = open_jack()
    engine = impulse_engine(output)
    output.start(engine)
    try:
        ctypes.PyDLL(None).usleep(100_000)
        before = engine.stats()
        ctypes.PyDLL(None).usleep(500_000)
        after = engine.stats()
        mixed_s = (after.frames - before.frames) / RATE_HZ
        assert mixed_s == pytest.approx(0.5, abs=0.1)
        assert after.blocks - before.blocks == (after.frames - before.frames) // 128
    finally:
        output.stop()


def test_the_clock_follows_the_device(jack_server: str) -> None:
    output = open_jack()
    engine = impulse_engine(output)
    output.start(engine)
    try:
        time.sleep(1.0)
        errors = []
        for _ in range(50):
            # Between two readings of the counter the clock must say what lies between them.
            before, now, after = engine.frames, engine.clock.frame_now(), engine.frames
            errors.append(0 if before - 128 <= now <= after + 128 else min(
                abs(now - before), abs(now - after)))
            time.sleep(0.005)
        assert np.median(errors) <= 128
        assert engine.latency_frames == round(output.latency_s * RATE_HZ) >= 128
    finally:
        output.stop()


def test_it_ends_by_itself_after_its_seconds(jack_server: str) -> None:
    output = open_output("auto", sample_rate_hz=None, block_frames=None, seconds=0.3)
    engine = impulse_engine(output)
    output.start(engine)
    assert output.wait(30)
    output.stop()
    assert output.failure is None
    assert engine.frames / RATE_HZ >= 0.3


def test_a_slots_ports_carry_that_slot_alone_under_both_their_names(jack_server: str) -> None:
    """Sixteen pairs whatever the kit; its codes are names besides, and follow it."""
    output = open_output("auto", sample_rate_hz=None, block_frames=None, by_slot=True)
    engine = impulse_engine(output)
    port, codes, watcher = engine.port("test"), [("BD", "SD")], JackClient("watcher")
    cell = engine.write_sound(np.array([0.25, 0.0], np.float32))
    assert cell is not None
    assert port.assign(1, cell)
    output.start(engine, lambda: codes[0])
    try:
        with JackMeter(jack_server) as meter:
            own = [name for name in port_names(watcher.handle, AUDIO_TYPE, IS_OUTPUT)
                   if name.startswith("gan808:slot_")]
            assert len(own) == len(set(own)) == 32
            assert watcher.connect("gan808:SD_left", "meter:in_1")
            assert watcher.connect("gan808:out_right", "meter:in_2")
            assert watcher.disconnect("gan808:slot_02_left", "meter:in_1")
            assert watcher.connect("gan808:slot_02_left", "meter:in_1")
            first = engine.clock.frame_now() + RATE_HZ // 4
            for slot, at in ((0, 0), (1, 500), (0, 2000), (1, 3000)):
                assert port.trigger(slot, 1.0, first + at)
            audio = meter.capture(0.6)
            assert meter.skipped_frames == 0
            mix = np.flatnonzero(audio[:, 1])
            assert (mix - mix[0]).tolist() == [0, 500, 2000, 3000]
            assert (np.flatnonzero(audio[:, 0]) - mix[0]).tolist() == [500, 3000]
            codes[0] = ("KK",)  # another kit, of one slot
            eventually(lambda: watcher.connect("gan808:KK_right", "meter:in_2"))
            eventually(lambda: not watcher.connect("gan808:SD_left", "meter:in_2"))
    finally:
        watcher.close()
        output.stop()


def test_a_second_instance_says_by_which_name_it_is_found(jack_server: str) -> None:
    first = open_output("auto", sample_rate_hz=None, block_frames=None)
    second = open_output("auto", sample_rate_hz=None, block_frames=None)
    try:
        assert first.notice is None
        assert second.notice == ("another gan808 plays on this JACK server: this one and its ports "
                                 "are gan808-01 there")
    finally:
        first.stop()
        second.stop()


SERVER_DIES = """
import os, sys
from gan808.engine.engine import Engine
from gan808.engine.outputs.registry import open_output
from tests.jack_server import start_server, stop_server
name = sys.argv[1]
engine = Engine(48000, cells=1)
for death in range(2):
    server = start_server(name)
    output = open_output("auto", sample_rate_hz=None, block_frames=None)
    output.start(engine)
    assert not output.wait(0.3)
    stop_server(server, name)
    assert output.wait(20)
    output.stop()
print(type(output.failure).__name__, output.failure)
"""


def test_servers_that_die_are_reported_in_one_line_and_harm_nothing(jack_server: str) -> None:
    """The same engine plays on a second server, in the same process, after the first has ended."""
    name = f"{jack_server}-dying"
    done = subprocess.run(
        [sys.executable, "-c", SERVER_DIES, name], capture_output=True, text=True, timeout=60,
        cwd=Path(__file__).parents[2], env=dict(os.environ, JACK_DEFAULT_SERVER=name))
    assert done.stdout.startswith("DeviceError the sound device JACK"), done.stdout + done.stderr
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""
    assert done.returncode == 0


def test_a_note_on_a_midi_port_comes_out_as_audio_within_blocks(jack_server: str) -> None:
    rtmidi = pytest.importorskip("rtmidi")
    if rtmidi.API_UNIX_JACK not in rtmidi.get_compiled_api():
        pytest.skip("python-rtmidi was built without JACK")
    output = open_jack()
    engine = impulse_engine(output)
    port = engine.port("test")
    midi = rtmidi.MidiIn(rtmidi.API_UNIX_JACK, "gan808-test")
    midi.open_virtual_port("notes")
    output.start(engine)
    heard: list[list[int]] = []
    done = threading.Event()

    def poll() -> None:
        while not done.wait(0.0005):
            event = midi.get_message()
            if event is not None:
                heard.append(list(event[0]))
                port.trigger(0, event[0][2] / 127)

    poller = threading.Thread(target=poll)
    poller.start()
    sent = [4800, 9637, 14_405]
    try:
        with JackMeter(jack_server) as meter:
            meter.connect_audio("gan808:out")
            meter.connect_midi("notes")
            for frame in sent:
                meter.note_on(36, 127, at_frame=frame)
            audio = meter.capture(0.5)
    finally:
        done.set()
        poller.join()
        output.stop()
        midi.close_port()
        midi.delete()
    assert heard == [[0x99, 36, 127]] * 3
    onsets = np.flatnonzero(np.abs(audio[:, 0]) > 0.1)
    assert len(onsets) == 3
    delays = onsets - np.array(sent)
    # The next block at the earliest; the median shows what is usual on a busy machine.
    assert delays.min() >= 0
    assert np.median(delays) < 0.02 * RATE_HZ


def test_jack_needs_no_portaudio_and_portaudio_is_given_back(jack_server: str) -> None:
    before = PORTAUDIO.users
    output = open_jack()
    assert PORTAUDIO.users == before
    output.stop()
    with pytest.raises(DeviceError):
        open_output("Scarlett", sample_rate_hz=None, block_frames=None)
    assert PORTAUDIO.users == before


def test_an_output_that_stopped_has_left_jack(jack_server: str) -> None:
    output = open_jack()
    output.start(impulse_engine(output))
    watcher = JackClient("watcher")
    own = [f"gan808:{port.decode()}" for port in PORTS]
    try:
        there = port_names(watcher.handle, AUDIO_TYPE, IS_OUTPUT)
        output.stop()
        after = port_names(watcher.handle, AUDIO_TYPE, IS_OUTPUT)
    finally:
        watcher.close()
    assert set(own) <= set(there)
    assert not set(own) & set(after)


def test_the_meter_names_what_it_does_not_find(jack_server: str) -> None:
    with JackMeter(jack_server) as meter, pytest.raises(AssertionError, match="no JACK port like"):
        meter.connect_midi("no such port", within_s=0.5)
