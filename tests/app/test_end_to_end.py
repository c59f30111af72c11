"""The whole instrument as a user has it: `gan808 run` on a real JACK server, played over JACK MIDI,
its sound captured and measured in samples."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from gan808.instrument.slots import first_sounds
from gan808.sound.kit.kit import Kit, load_kit
from gan808.sound.sound import Sound
from tests.jack_server import (
    PERIOD_FRAMES,
    RATE_HZ,
    JackMeter,
    jack_server,
    start_server,
    stop_server,
)
from tests.running import STOPS_WITHIN_S, Running

pytestmark = pytest.mark.real_time

__all__ = ["jack_server"]

# What the velocity curve of the engine promises: gain is velocity to this power.
VELOCITY_POWER = 1.5
SPACING = RATE_HZ // 4
LEAD = RATE_HZ // 10


@dataclass
class Stage:
    """A running instrument, its kit and a meter wired to it."""

    running: Running
    kit: Kit
    meter: JackMeter

    def sound_of(self, note: int) -> Sound:
        """The factory sound that the slot of a note starts with."""
        slots = self.kit.slots
        slot = next(i for i, layout in enumerate(slots) if note in layout.notes)
        sound = first_sounds(slots, self.kit.factory_sounds(RATE_HZ))[slot]
        assert sound is not None
        return sound

    def play(self, *notes: tuple[int, int]) -> list[Heard]:
        """Play (note, velocity) pairs one after the other and cut the recording into hits."""
        frames = [LEAD + i * SPACING for i in range(len(notes))]
        for (note, velocity), frame in zip(notes, frames, strict=True):
            self.meter.note_on(note, velocity, at_frame=frame)
        audio = self.meter.capture((LEAD + len(notes) * SPACING) / RATE_HZ)
        assert self.meter.skipped_frames == 0
        mono = audio.mean(axis=1)
        return [Heard.after(mono[frame : frame + SPACING]) for frame in frames]


@dataclass
class Heard:
    """A hit: its audio from its onset on, and how many frames after the note that was."""

    audio: NDArray[np.float32]
    delay_frames: int

    @classmethod
    def after(cls, audio: NDArray[np.float32]) -> Heard:
        loud = np.flatnonzero(np.abs(audio) > 1e-5)
        assert len(loud), "nothing was heard"
        return cls(audio[loud[0] :], int(loud[0]))

    @property
    def level(self) -> float:
        return float(np.sqrt((self.audio**2).sum()))

    def likeness(self, sound: Sound) -> float:
        """The peak of the normalised cross-correlation, over a few frames of shift: 1 is equal.

        The onset as heard is where the sound passes a threshold, a few frames into it.
        """
        n = len(sound.audio)
        heard = np.pad(self.audio, (32, n))
        scores = [
            float(part @ sound.audio) / (np.linalg.norm(part) * np.linalg.norm(sound.audio))
            for part in (heard[shift : shift + n] for shift in range(64))
            if part.any()
        ]
        return max(scores)


@pytest.fixture(scope="module")
def stage(
    jack_server: str, tiny_kit: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    home = tmp_path_factory.mktemp("home")
    options = ["--kit", str(tiny_kit), "--output", "JACK", "--midi", "virtual", "--osc", "off",
               "--pattern", "off", "--evolve", "0"]
    with Running(home, *options) as running:
        facts = running.introduction()
        assert "JACK" in facts["sound"]
        with JackMeter(jack_server) as meter:
            meter.connect_audio("gan808")
            meter.connect_midi("gan808")
            yield Stage(running, load_kit(tiny_kit), meter)


def test_a_note_is_the_sound_of_its_slot_and_of_no_other(stage: Stage) -> None:
    notes = [36, 38, 43, 50, 39, 42, 56, 49]
    factory = stage.kit.factory_sounds(RATE_HZ)
    for note, heard in zip(notes, stage.play(*((note, 127) for note in notes)), strict=True):
        expected = stage.sound_of(note)
        likeness = {sound.id: heard.likeness(sound) for sound in factory}
        assert max(likeness, key=likeness.__getitem__) == expected.id
        # the engine's gain and its 16-frame ramps are all that may differ
        assert likeness[expected.id] > 0.999


def test_every_note_is_heard_the_same_number_of_frames_after_it_was_sent(stage: Stage) -> None:
    """Wherever in the block it lies. The meter sends and hears, a circle that JACK cuts by a
    period: that, and the sound's attack, is all there is."""
    (delay_frames,) = {hit.delay_frames for hit in stage.play(*[(36, 100)] * 20)}
    attack = np.flatnonzero(np.abs(stage.sound_of(36).audio) > 1e-4)[0]
    assert delay_frames <= PERIOD_FRAMES + attack


def test_velocity_is_heard(stage: Stage) -> None:
    velocities = [16, 48, 80, 127]
    hits = stage.play(*((38, velocity) for velocity in velocities))
    levels = [hit.level for hit in hits]
    expected = [(velocity / 127) ** VELOCITY_POWER for velocity in velocities]
    assert [level / levels[-1] for level in levels] == pytest.approx(expected, rel=0.02)


def test_notes_of_other_channels_and_of_no_slot_are_silent(stage: Stage) -> None:
    stage.meter.note_on(36, 127, at_frame=1000, channel=1)
    stage.meter.note_on(12, 127, at_frame=2000)
    assert np.abs(stage.meter.capture(0.2)).max() < 1e-6


def test_the_sound_goes_on_when_the_renderer_is_killed(stage: Stage) -> None:
    def renderer_with(other_than: int) -> int:
        deadline_s = time.monotonic() + 60
        while time.monotonic() < deadline_s:
            found = stage.running.renderer()
            if found is not None and found.pid != other_than:
                return found.pid
            time.sleep(0.02)
        raise AssertionError("no render process")

    first = renderer_with(other_than=0)
    os.kill(first, signal.SIGKILL)
    hits = stage.play(*[(36, 100)] * 4)
    assert all(hit.likeness(stage.sound_of(36)) > 0.999 for hit in hits)
    assert renderer_with(other_than=first)
    errors = stage.running.errors()
    assert len(errors) == 1
    assert errors[0].startswith("gan808: the render process was killed by signal 9")
    assert "the sound goes on" in errors[0]


def test_ctrl_c_stops_it_within_a_second_and_leaves_nothing(stage: Stage) -> None:
    assert len(stage.running.family()) > 1
    assert stage.running.interrupt() < STOPS_WITHIN_S
    assert stage.running.process.returncode == 0
    assert stage.running.left_over() == []
    assert stage.running.errors() == []


@pytest.mark.parametrize("rate_hz", [RATE_HZ, 44_100])
def test_a_jack_server_that_dies_and_returns_is_played_into_again(
    monkeypatch: pytest.MonkeyPatch, tiny_kit: Path, tmp_path: Path, rate_hz: int
) -> None:
    """Ended and started again, at the same rate or another: one line each, and the pattern and
    notes from JACK are back."""
    if shutil.which("jackd") is None:
        pytest.skip("jackd is not installed: no test with a real JACK server")
    name = f"gan808-mortal-{os.getpid()}"
    monkeypatch.setenv("JACK_DEFAULT_SERVER", name)
    monkeypatch.setenv("JACK_NO_START_SERVER", "1")
    server = start_server(name)
    try:
        with Running(tmp_path, "--kit", str(tiny_kit), "--output", "JACK", "--midi", "virtual",
                     "--osc", "off", "--evolve", "0", "--pattern", "off") as running:
            running.introduction()
            stop_server(server, name)
            gone = running.err.get(timeout=20)
            assert gone.startswith("gan808: the sound device JACK")
            assert gone.endswith("went away; it is opened again when it is back")
            server = start_server(name, rate_hz=rate_hz)
            while not (again := running.out.get(timeout=30)).startswith("playing again: JACK"):
                continue
            assert f"{rate_hz} Hz" in again
            with JackMeter(name) as meter:
                meter.connect_audio("gan808:out")
                meter.connect_midi("GAN-808")
                meter.note_on(36, 127, at_frame=LEAD)
                audio = meter.capture(0.5).mean(axis=1)
            assert np.abs(audio[:LEAD]).max() < 1e-6
            assert Heard.after(audio[LEAD:]).delay_frames < RATE_HZ // 10
            assert running.interrupt() < STOPS_WITHIN_S
            assert running.errors() == []  # nor has libjack printed anything
            assert running.left_over() == []
    finally:
        stop_server(server, name)
