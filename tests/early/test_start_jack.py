"""The early start on a real JACK server: notes sound before NumPy is there, and nothing is lost or
broken when the rest takes over."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.early.rig import (
    CLICK,
    Start,
    change_slot,
    click_kit,
    images,
    note_of,
    run_once,
    tone,
)
from tests.jack_server import RATE_HZ, JackMeter, jack_server, start_server, stop_server
from tests.running import CHECKOUT, environment

__all__ = ["jack_server"]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a start is as it was")

OPTIONS = ("--kit", "tiny", "--midi", "virtual", "--osc", "off", "--pattern", "off",
           "--evolve", "0")
SPACING = RATE_HZ // 50  # a note every 20 ms
VELOCITY = 64
MASTER, LEVEL = 0.8, 0.8
# The loudness of a click: velocity to the power 1.5, in the middle of the pan, the slot's level and
# the master volume as they are at first.
HEARD = CLICK * (VELOCITY / 127) ** 1.5 * np.cos(np.pi / 4) * LEVEL * MASTER
HEAVY = {"numpy", "pydantic", "llvmlite", "logging", "pathlib", "typing", "gan808.app.daemon",
         "gan808.config", "gan808.engine.engine"}


@pytest.fixture
def home(jack_server: str, tiny_kit: Path, tmp_path: Path) -> Path:
    """User folders in which a run has left its image."""
    click_kit(tiny_kit, tmp_path)
    run_once(tmp_path, *OPTIONS)
    return tmp_path


def count(audio: NDArray[np.float32], loudness: float = HEARD) -> float:
    """How many clicks of that loudness are in a recording; two on a frame are two."""
    return float(np.abs(audio[:, 0]).sum()) / loudness


def connected(meter: JackMeter) -> None:
    """Connect, and wait until a note comes through: JACK makes connections some cycles later."""
    meter.connect_audio("gan808:")
    meter.connect_midi("gan808-midi")
    for _ in range(50):
        meter.note_on(note_of("CL"), VELOCITY, at_frame=0)
        if meter.capture(0.04).any():
            return
    raise AssertionError("no note came through")


def schedule(meter: JackMeter, note: int, notes: int, velocity: int = VELOCITY,
             spacing: int = SPACING) -> None:
    for index in range(notes):
        meter.note_on(note, velocity, at_frame=1000 + index * spacing)


def open_soon(start: Start, seconds: float = 0.3) -> None:
    threading.Timer(seconds, start.open_gate).start()


def test_notes_sound_before_the_rest_is_loaded_and_none_is_lost_afterwards(
        home: Path, jack_server: str) -> None:
    """A note every 20 ms from before NumPy is there until 3 s after: every one is heard once."""
    with JackMeter(jack_server) as meter, Start(home, *OPTIONS) as start:
        assert not HEAVY & start.held()
        connected(meter)
        schedule(meter, note_of("BD"), 25)
        early = meter.capture(0.8)
        assert meter.skipped_frames == 0
        assert count(early) == pytest.approx(25, abs=0.01)
        schedule(meter, note_of("BD"), 165)
        open_soon(start)
        late = meter.capture(3.6)
        assert start.introduction()["midi"] == "MIDI from GAN-808"
        assert meter.skipped_frames == 0
        assert count(late) == pytest.approx(165, abs=0.01)
        assert start.end() == (0, "")


def test_a_sound_goes_on_through_the_handover(home: Path, jack_server: str) -> None:
    """Tones, one after the other, to the sample what they are, while the rest takes over."""
    notes, spacing = 5, round(0.7 * RATE_HZ)
    with JackMeter(jack_server) as meter, Start(home, *OPTIONS) as start:
        start.held()
        connected(meter)
        schedule(meter, note_of("CY"), notes, spacing=spacing)
        open_soon(start, 0.2)
        audio = meter.capture(notes * 0.7 + 0.3)[:, 0]
        assert meter.skipped_frames == 0
        start.introduction()
    expected = tone() * (HEARD / CLICK)
    for index in range(notes):
        begin = 1000 + index * spacing
        window = audio[begin:begin + spacing]
        onset = int(np.flatnonzero(np.abs(window) > 1e-5)[0]) - int(
            np.flatnonzero(np.abs(expected) > 1e-5)[0])
        heard = window[onset:onset + len(expected)]
        # A float32 of the callback's and ours may differ in the last digits of full scale.
        np.testing.assert_allclose(heard, expected[:len(heard)], atol=2e-6)


def test_slots_begin_as_they_were_left(home: Path, jack_server: str) -> None:
    """A muted slot is silent early too; another is as loud as it was set."""
    change_slot(home, "BD", mute=1)
    change_slot(home, "SD", level=LEVEL / 2)
    with JackMeter(jack_server) as meter, Start(home, *OPTIONS) as start:
        start.held()
        connected(meter)
        for release in (False, True):
            if release:
                start.open_gate()
                start.introduction()
            schedule(meter, note_of("BD"), 5)
            assert np.abs(meter.capture(0.3)).max() == 0.0
            schedule(meter, note_of("SD"), 5)
            assert count(meter.capture(0.3)) == pytest.approx(2.5, abs=0.01)


def test_what_is_no_note_waits_for_the_rest(home: Path, jack_server: str) -> None:
    """A knob turned before there is anybody to turn it for counts once there is."""
    with JackMeter(jack_server) as meter, Start(home, *OPTIONS) as start:
        start.held()
        connected(meter)
        meter.message([0xB9, 7, 0])  # volume, on the channel of the drums
        schedule(meter, note_of("BD"), 5)
        assert count(meter.capture(0.3)) == pytest.approx(5, abs=0.01)
        start.open_gate()
        start.introduction()
        meter.capture(0.3)
        schedule(meter, note_of("BD"), 5)
        assert np.abs(meter.capture(0.3)).max() == 0.0


def test_the_image_is_left_alone_while_it_fits(home: Path) -> None:
    """A start that plays early writes none; and after a change of the settings it is made anew."""
    (image,) = images(home)
    before = image.stat().st_mtime_ns
    with Start(home, *OPTIONS) as start:
        start.open_gate()
        start.held()
        start.introduction()
        assert start.end() == (0, "")
    assert images(home) == [image]
    assert image.stat().st_mtime_ns == before
    config = home / "config" / "gan808" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text("[audio]\nmaster_volume = 0.5\n", encoding="utf-8")
    run_once(home, *OPTIONS)
    assert image.stat().st_mtime_ns > before


def test_without_a_server_nothing_happens(home: Path) -> None:
    """There is an image that fits, but no JACK: no output, no thread, nothing printed."""
    asked = ("import sys, threading\nfrom gan808.early.begin import begin\n"
             "from gan808.start import read_run_options\n"
             "early = begin(read_run_options(sys.argv[1:]))\n"
             "print(early, threading.active_count(), 'numpy' in sys.modules)\n"
             "early and early.close()")
    for server in ("there-is-none", os.environ["JACK_DEFAULT_SERVER"]):
        done = subprocess.run(
            [sys.executable, "-c", asked, *OPTIONS], cwd=CHECKOUT, text=True, timeout=60,
            env=environment(home) | {"JACK_DEFAULT_SERVER": server}, capture_output=True,
            check=True)
        assert done.stderr == ""
        nothing = done.stdout.split() == ["None", "1", "False"]
        assert nothing == (server == "there-is-none")


def test_two_runs_do_not_play_each_other_s_state(home: Path, jack_server: str) -> None:
    """While another keeps the state a run begins as configured: the ordinary start does that."""
    with Start(home, *OPTIONS) as first, JackMeter(jack_server) as meter:
        first.open_gate()
        first.held()
        first.introduction()
        with Start(home, *OPTIONS) as second:
            second.held()
            assert meter.connect_midi("gan808-midi") == ["gan808-midi:GAN-808"]
            second.open_gate()
            assert second.introduction()["state"].startswith("not kept")


def test_a_signal_before_there_is_a_daemon_leaves_jack(home: Path, jack_server: str) -> None:
    """It ends by that signal, and JACK does not wait for it: this server would, for seconds."""
    with Start(home, *OPTIONS) as start, JackMeter(jack_server) as meter:
        start.held()
        connected(meter)
        assert start.end() == (-signal.SIGTERM, "")
        began_s = time.monotonic()
        JackMeter(jack_server, "another").close()
        assert time.monotonic() - began_s < 3.0


def test_a_kit_that_is_gone_ends_it_as_ever(home: Path, jack_server: str) -> None:
    """The image may still be there; the kit is not: one line, and the exit status of a failure."""
    shutil.rmtree(home / "data" / "gan808" / "kits" / "tiny")
    with Start(home, *OPTIONS) as start:
        start.held()
        start.open_gate()
        status, errors = start.process.wait(30), start.process.communicate()[1]
        assert status == 1
        assert errors.startswith("gan808: kit 'tiny' not found")
        assert errors.count("\n") == 1


def test_a_mistake_on_the_way_leaves_jack_too(home: Path, jack_server: str) -> None:
    """The image fits and it plays; then something of the rest fails: one line, and out of JACK."""
    with JackMeter(jack_server) as meter, Start(home, *OPTIONS) as start:
        start.held()
        connected(meter)
        shutil.rmtree(home / "data" / "gan808" / "kits" / "tiny")
        start.open_gate()
        status, errors = start.process.wait(30), start.process.communicate()[1]
        assert (status, errors.count("\n")) == (1, 1)
        began_s = time.monotonic()
        JackMeter(jack_server, "another").close()
        assert time.monotonic() - began_s < 3.0


def test_a_server_that_dies_and_returns_is_played_into_again(
        tiny_kit: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients that were opened early are closed and opened again as the ordinary ones are."""
    if shutil.which("jackd") is None:
        pytest.skip("jackd is not installed: no test with a real JACK server")
    name = f"gan808-early-{os.getpid()}"
    monkeypatch.setenv("JACK_DEFAULT_SERVER", name)
    monkeypatch.setenv("JACK_NO_START_SERVER", "1")
    server = start_server(name)
    try:
        click_kit(tiny_kit, tmp_path)
        run_once(tmp_path, *OPTIONS)
        with Start(tmp_path, *OPTIONS) as start:
            start.held()
            start.open_gate()
            start.introduction()
            stop_server(server, name)
            assert start.process.stderr is not None
            assert start.process.stderr.readline().startswith("gan808: the sound device JACK")
            server = start_server(name)
            assert start.process.stdout is not None
            while not start.process.stdout.readline().startswith("playing again: JACK"):
                pass
            with JackMeter(name) as meter:
                connected(meter)
                schedule(meter, note_of("BD"), 5)
                assert count(meter.capture(0.3)) == pytest.approx(5, abs=0.01)
            assert start.end()[0] == 0
    finally:
        stop_server(server, name)
