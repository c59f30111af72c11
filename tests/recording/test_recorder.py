"""A performance recorded from a machine on the real engine, and replayed to the same samples."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gan808.app.offline.replay import find_sounds, write_wav
from gan808.config import Settings
from gan808.engine.engine import Engine
from gan808.errors import ConfigError, Gan808Error
from gan808.instrument.machine import Machine
from gan808.recording.format import read_take
from gan808.recording.recorder import Recorder, named, stem_of
from gan808.recording.replay import Replay, codes_of
from gan808.sound.latent import Point
from gan808.sound.sound import Sound
from tests.engine.test_wav import full_after
from tests.fakes import FakeKit, FakeLibrary
from tests.instrument.rig import PATTERN
from tests.pool.sounds import make_sound
from tests.recording.rig import (
    LENGTH,
    RATE_HZ,
    EndlessPool,
    Filler,
    Stage,
    made_again,
    read,
    replayed,
    sound_of,
    texts,
)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_performance_is_replayed_to_the_same_samples(tmp_path: Path, seed: int) -> None:
    """Begun in the middle of the music, with everything that can happen to it."""
    stage, random = Stage(tmp_path), np.random.default_rng(seed)
    stage.play(random, 1.0)
    before = stage.engine.frames
    stem = stage.record("take")
    stage.play(random, 4.0)
    assert stage.close().startswith(f"recorded {stem}.wav and .mid")
    audio = stage.audio[before:]
    assert np.abs(audio).max() > 0.3
    assert read(stem.with_suffix(".wav")).tobytes() == audio.tobytes()
    assert replayed(stem.with_suffix(".mid")).tobytes() == audio.tobytes()
    assert stem.with_suffix(".wav").read_bytes() == (tmp_path / "replay.wav").read_bytes()
    assert not stem.with_suffix(".journal").exists()
    assert len([t for t in texts(stem.with_suffix(".mid")) if "fake/" in t]) > 40


def test_another_kit_comes_in_the_middle(tmp_path: Path) -> None:
    stage = Stage(tmp_path, evolve={"swaps_per_bar": 0.0, "quantise": "now"})
    stem = stage.record("take")
    stage.run(RATE_HZ // 2)
    stage.ask("/kit/load", "other")
    stage.run(RATE_HZ)
    stage.close()
    assert replayed(stem.with_suffix(".mid")).tobytes() == stage.audio.tobytes()
    assert "BD other/kick/7" in texts(stem.with_suffix(".mid"))
    assert "kit other" in texts(stem.with_suffix(".mid"))


def test_cells_that_are_used_again_do_not_mix_sounds_up(tmp_path: Path) -> None:
    """Every hit a new sound in an arena as small as it may be: cells change hands all the time."""
    stage = Stage(tmp_path, evolve={"swaps_per_bar": 1.0, "mode": "fresh"})
    stem = stage.record("take")
    for _ in range(60):
        for code in ("BD", "SD", "CH", "OH"):
            stage.ask("/trig", code, 0.9)
        stage.run(700)
    stage.close()
    assert len([line for line in read_take(stem.with_suffix(".mid")) if "sound" in line]) > 200
    assert replayed(stem.with_suffix(".mid")).tobytes() == stage.audio.tobytes()


def test_a_sound_that_is_not_as_it_was_is_named(tmp_path: Path) -> None:
    stage = Stage(tmp_path, evolve={"swaps_per_bar": 0.0})
    stem = stage.record("take")
    stage.run(RATE_HZ // 2)
    stage.close()
    lines = read_take(stem.with_suffix(".mid"))

    def other(kit: str, pairs: Sequence[tuple[str, str]]) -> Mapping[str, list[Sound]]:
        made = dict(made_again(kit, pairs))
        made["fake/kick/0"] = [make_sound("kick", 999, n_frames=LENGTH)]
        del made["fake/snare/0"]
        return made

    found = find_sounds(lines, other)
    assert set(found.differing) == {"fake/kick/0", "fake/snare/0"}
    replay = Replay(lines, found.sounds)
    heard: list[np.ndarray] = []
    replay.play(lambda block: heard.append(block.copy()))
    assert np.concatenate(heard).tobytes() != stage.audio.tobytes()


def test_each_slot_is_recorded_alone_and_replayed_to_the_same_samples(tmp_path: Path) -> None:
    """Where [audio] outputs asks for it, beside the mix, which is as without."""
    stage, random = Stage(tmp_path, audio={"outputs": "slots"}), np.random.default_rng(4)
    stage.play(random, 0.5)
    before = stage.engine.frames
    stem = stage.record("take")
    stage.play(random, 1.0)
    assert "and each slot alone" in stage.close()
    assert read(stem.with_suffix(".wav")).tobytes() == stage.audio[before:].tobytes()
    names = [f"-{code}.wav" for code in stage.machine.codes]
    recorded = {path.name.removeprefix("take"): path.read_bytes()
                for path in tmp_path.glob("take-*")}
    assert sorted(recorded) == sorted(names)
    lines = read_take(stem.with_suffix(".mid"))
    write_wav(tmp_path / "again.wav", Replay(lines, find_sounds(lines, made_again).sounds),
              by_slot=True)
    for name in names:
        assert (tmp_path / f"again{name}").read_bytes() == recorded[name], name
    heard = [read(tmp_path / f"take{name}") for name in names]
    assert len([1 for each in heard if np.abs(each).max() > 0.05]) > 8
    assert {len(each) for each in heard} == {stage.engine.frames - before}


def test_a_slots_file_that_is_there_is_met_before_anything_is_made(tmp_path: Path) -> None:
    stage = Stage(tmp_path, audio={"outputs": "slots"})
    (tmp_path / "take-SD.wav").write_text("mine")
    with pytest.raises(Gan808Error, match="take-SD.wav: there is one already"):
        stage.record("take")
    assert [path.name for path in tmp_path.iterdir()] == ["take-SD.wav"]
    stage.record("other")
    assert len(list(tmp_path.iterdir())) == 3 + len(stage.machine.codes)
    assert "nothing was played" in stage.close()
    assert [path.name for path in tmp_path.iterdir()] == ["take-SD.wav"]


def test_a_damaged_recording_names_no_file() -> None:
    """A slot's code is part of a path."""
    slots = [["BD", 36], ["../X", 38], ["", 40], ["bd", 41]]
    assert codes_of([{"kit": "k", "slots": slots}]) == ("BD", "slot2", "slot3", "slot4")
    assert codes_of([]) == ()
    with pytest.raises(Gan808Error, match="damaged"):
        codes_of([{"kit": "k", "slots": [3]}])


class TestOverOsc:
    @pytest.fixture(autouse=True)
    def recordings(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        folder = tmp_path / "recordings"
        monkeypatch.setattr("gan808.paths.recordings_folder", lambda: folder)
        return folder

    def test_start_state_and_stop(self, tmp_path: Path, recordings: Path) -> None:
        stage = Stage(tmp_path)
        assert stage.ask("/record") == (0, 0.0, "", 0)
        wav = str(recordings / "my take.wav")
        assert stage.ask("/record/start", "my take") == (wav,)
        stage.run(RATE_HZ)
        assert stage.ask("/record") == (1, 1.0, wav, 0)
        stage.ask("/record/stop")
        stage.run(128)
        assert stage.ask("/record") == (0, 1.0, wav, 0)
        assert replayed(recordings / "my take.mid").tobytes() == stage.audio[:RATE_HZ].tobytes()

    def test_the_stop_is_answered_with_the_file(self, tmp_path: Path, recordings: Path) -> None:
        stage, answers = Stage(tmp_path), list[Any]()
        stage.ask("/record/start")
        stage.run(500)
        stage.machine.submit("/record/stop", reply=answers.append)
        stage.run(128)
        ((path,),) = answers
        assert re.fullmatch(r"gan808-\d{8}-\d{6}\.wav", Path(path).name)
        assert Path(path).parent == recordings

    def test_what_cannot_be_is_refused_in_a_line(self, tmp_path: Path, recordings: Path) -> None:
        stage = Stage(tmp_path)
        assert "nothing is being recorded" in str(stage.ask("/record/stop"))
        for name in ("../out", "/etc/x", "a/b", "", "..", "a\nb"):
            if name:
                assert "is no name" in str(stage.ask("/record/start", name)), name
        stage.ask("/record/start", "a")
        assert "is being recorded" in str(stage.ask("/record/start", "b"))
        stage.run(100)
        stage.close()
        stage.run(100)
        assert "there is one already" in str(stage.ask("/record/start", "a"))
        assert sorted(path.name for path in recordings.iterdir()) == ["a.mid", "a.wav"]

    def test_names_and_paths(self, recordings: Path) -> None:
        assert named("a.mid") == named("a") == stem_of("a") == recordings / "a"
        assert stem_of("a.wav") == Path("a")
        assert stem_of("./a") == Path("a")
        assert stem_of("in/a.mid") == Path("in/a")
        with pytest.raises(ConfigError):
            stem_of("?")


def test_a_full_disk_ends_the_recording_and_not_the_sound(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stem = stage.record("take")
    with full_after(200_000):
        stage.run(RATE_HZ)
        stage.close()
    stage.run(128)
    (notice,) = [text for text in stage.notices if "take" in text]
    assert "cannot be written" in notice
    assert "the sound goes on" in notice
    assert "\n" not in notice
    there = read(stem.with_suffix(".wav"))
    assert 20_000 < len(there) <= 25_000
    assert there.tobytes() == stage.audio[: len(there)].tobytes()
    assert np.abs(stage.audio[RATE_HZ // 2 :]).max() > 0.1


def test_a_recording_that_never_began_leaves_nothing(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.record("take")
    assert "nothing was played" in stage.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("room", [0, 30, 60, 200])
def test_a_full_disk_at_its_start_leaves_nothing_and_the_name_free(
    tmp_path: Path, room: int
) -> None:
    """Whether the header, the journal or the first sound finds no room."""
    stage = Stage(tmp_path)
    with full_after(room):
        with suppress(Gan808Error):
            stage.record("again")
            stage.run(1000)
        stage.recorder.close()
    stage.run(128)
    left = {path.suffix: path.stat().st_size for path in tmp_path.iterdir()}
    assert not left or left[".wav"] > 58, left
    if not left:
        stage.record("again")
        stage.run(1000)
        stage.close()
        assert {path.name for path in tmp_path.iterdir()} == {"again.wav", "again.mid"}


def test_on_threads_of_its_own_it_records_the_same(tmp_path: Path) -> None:
    """Live: the recording has its thread, the engine another, notes come from a third."""
    engine = Engine(RATE_HZ, cells=64, max_sound_s=0.1)
    kit = FakeKit(sounds=[sound_of(name, Point(1)) for name in FakeKit().classes])
    machine = Machine(kit, engine, EndlessPool(kit.classes), Filler(),
                      Settings().replace({"sequencer": {"pattern": "test"}}),
                      FakeLibrary({}, {"test": PATTERN}))
    recorder = Recorder(machine)
    machine.commands.register(recorder.handlers())
    machine.start()
    recorder.begin(tmp_path / "take")
    heard, port, answers = [], engine.port("midi"), list[Any]()
    for number in range(200):
        machine.trigger(port, number % 16, 0.8)
        out = np.zeros((96, 2), np.float32)
        engine.process(out)
        heard.append(out)
        if number == 150:
            machine.submit("/record/stop", reply=answers.append)
        time.sleep(0.002)
    until_s = time.monotonic() + 20
    while not answers and time.monotonic() < until_s:
        engine.process(np.zeros((96, 2), np.float32))
        time.sleep(0.01)
    machine.stop()
    assert answers == [(str(tmp_path / "take.wav"),)]
    audio, whole = read(tmp_path / "take.wav"), np.concatenate(heard)
    assert len(audio) >= 150 * 96
    n = min(len(audio), len(whole))
    assert audio[:n].tobytes() == whole[:n].tobytes()
    assert replayed(tmp_path / "take.mid").tobytes() == audio.tobytes()
