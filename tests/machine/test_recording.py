"""A performance recorded from a machine on the real engine, and replayed to the same samples."""

from __future__ import annotations

import itertools
import re
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pytest
import soundfile

from gan808.config import Settings
from gan808.engine.engine import Engine
from gan808.errors import ConfigError, Gan808Error
from gan808.machine.addresses import decode
from gan808.machine.events import Notice
from gan808.machine.ledger import Ledger
from gan808.machine.machine import Machine
from gan808.machine.recording import named, stem_of
from gan808.machine.replay import Replay
from gan808.machine.take import read_take
from gan808.machine.take_midi import TICKS_PER_BEAT
from gan808.replay_files import find_sounds, write_wav
from gan808.sound.latent import Point, parse_id
from gan808.sound.sound import Sound
from tests.engine.test_wav import full_after
from tests.fakes import FakeFiller, FakeKit, FakePool, FakeShelf
from tests.machine.rig import PATTERN
from tests.pool.sounds import make_sound

RATE_HZ = 48_000
LENGTH = 3000


def sound_of(class_name: str, point: Point, kit: str = "fake") -> Sound:
    """A sound that is a function of its identity, as a rendered one is."""
    return make_sound(class_name, point.seed, n_frames=LENGTH + point.seed % 500, kit=kit,
                      trail=point.trail)


def made_again(_: str, pairs: Sequence[tuple[str, str]]) -> Mapping[str, list[Sound]]:
    """What the render process does: sounds from ids."""
    found = {}
    for sound_id, _ in pairs:
        kit, class_name, point = parse_id(sound_id)
        found[sound_id] = [sound_of(class_name, point, kit)]
    return found


class EndlessPool(FakePool):
    """Another sound at every draw."""

    def __init__(self, classes: Sequence[str]) -> None:
        super().__init__(classes)
        self._seeds = itertools.count(100)

    def take(self, class_name: str, third: int | None = None, *,
             width: float = 0.0) -> Sound | None:
        return sound_of(class_name, Point(next(self._seeds)).widened(width))


class Filler(FakeFiller):
    def _render(self, class_name: str, point: Point) -> Sound | Gan808Error:
        return sound_of(class_name, point)


class Stage:
    """A machine on the real engine, driven block by block; what it plays is in `heard`."""

    def __init__(self, folder: Path, **sections: dict[str, Any]) -> None:
        self.folder = folder
        base: dict[str, dict[str, Any]] = {
            "sequencer": {"pattern": "test"}, "renderer": {"seed": 808},
            "evolve": {"swaps_per_bar": 16.0, "quantise": "beat"}}
        self.engine = Engine(RATE_HZ, cells=128, max_sound_s=0.1, voices=16)
        kit = FakeKit(sounds=[sound_of(name, Point(seed)) for name in FakeKit().classes
                              for seed in range(3)])
        other = FakeKit("other", sounds=[sound_of(name, Point(7), "other")
                                         for name in kit.classes])
        pool = EndlessPool(kit.classes)
        self.filler = Filler(pool)
        self.machine = Machine(
            kit, self.engine, pool, self.filler, Settings().replace(base | sections),
            FakeShelf({"fake": kit, "other": other}, {"test": PATTERN}))
        self.notices: list[str] = []
        self.machine.subscribe(lambda event: self.notices.append(event.text)
                               if isinstance(event, Notice) else None)
        self.port = self.engine.port("osc")
        self.heard: list[np.ndarray] = []
        self.machine.start(live=False)

    def run(self, frames: int, block: int = 128) -> None:
        end = self.engine.frames + frames
        while self.engine.frames < end:
            count = min(block, end - self.engine.frames)
            self.filler.deliver_all()
            self.machine.before_block(self.engine.frames + count)
            out = np.zeros((count, 2), np.float32)
            self.engine.process(out)
            self.machine.commands.recording.follow()
            self.heard.append(out)

    def ask(self, address: str, *arguments: object) -> Any:
        answers: list[Any] = []
        for request in decode(f"/gan808{address}", arguments, self.machine.codes):
            self.machine.handle(request, self.port, 0, answers.append)
        self.machine.before_block(self.engine.frames)
        return answers[0] if answers else None

    def play(self, random: np.random.Generator, seconds: float) -> None:
        """Hits as soon as possible, settings, swaps and sounds to order, while it evolves."""
        codes, end = self.machine.codes, self.engine.frames + round(seconds * RATE_HZ)
        while self.engine.frames < end:
            code = str(random.choice(codes))
            self.ask("/trig", code, float(random.uniform(0.2, 1)))
            wishes: list[tuple[object, ...]] = [
                (f"/slot/{code}/level", float(random.random())),
                (f"/slot/{code}/tune", float(random.uniform(-9, 9))),
                (f"/slot/{code}/decay", float(random.uniform(0.3, 1))),
                (f"/slot/{code}/pan", float(random.uniform(-1, 1))),
                (f"/slot/{code}/new", int(random.integers(0, 99))),
                (f"/slot/{code}/width", 0.5),
                (f"/slot/{code}/morph", int(random.integers(0, 9)), 0.25),
                ("/play", "s", code, "gain", 0.7, "pan", 0.2, "speed", 1.5),
                ("/seq/tempo", float(random.uniform(80, 180))),
                ("/volume", float(random.uniform(0.4, 1))),
                ("/stop", code),
                ("/trig", code, 1.0),
            ]
            address, *arguments = wishes[int(random.integers(0, len(wishes)))]
            self.ask(str(address), *arguments)
            self.run(int(random.integers(1, 4000)), block=int(random.integers(1, 300)))

    def record(self, name: str) -> Path:
        stem = self.folder / name
        self.machine.commands.recording.begin(stem)
        return stem

    def close(self) -> str:
        said = self.machine.commands.recording.close()
        assert said is not None
        return said

    @property
    def audio(self) -> np.ndarray:
        return np.concatenate(self.heard)


def replayed(path: Path) -> np.ndarray:
    lines = read_take(path)
    found = find_sounds(lines, made_again)
    assert not found.differing
    write_wav(path.with_name("replay.wav"), Replay(lines, found.sounds))
    return read(path.with_name("replay.wav"))


def read(path: Path) -> np.ndarray:
    return np.asarray(soundfile.read(path, dtype="float32", always_2d=True)[0])


def texts(path: Path) -> list[str]:
    return [message.text for track in mido.MidiFile(path).tracks for message in track
            if message.type == "text"]


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


def test_the_midi_file_is_music_for_others(tmp_path: Path) -> None:
    """Notes of the slots on the beats of the pattern, at the tempo, the recording where it was."""
    stage = Stage(tmp_path, evolve={"swaps_per_bar": 0.0})
    stage.run(RATE_HZ // 4)  # half a beat at 120 BPM
    stem = stage.record("take")
    stage.run(4 * RATE_HZ)
    stage.close()
    file = mido.MidiFile(stem.with_suffix(".mid"))
    assert [message.tempo for message in file.tracks[0] if message.type == "set_tempo"] == [500_000]
    tick, hits, markers = 0, [], []
    for message in file.tracks[1]:
        tick += message.time
        if message.type == "note_on" and message.velocity:
            hits.append((tick, message.note, message.velocity, message.channel))
    tick = 0
    for message in file.tracks[0]:
        tick += message.time
        markers += [tick] if message.type == "marker" else []
    beat = TICKS_PER_BEAT
    assert markers == [beat // 2]
    kicks = [(tick, velocity) for tick, note, velocity, _ in hits if note == 36]
    assert kicks == [(beat * number, 127) for number in range(1, 9)]
    snares = [(tick, velocity) for tick, note, velocity, _ in hits if note == 38]
    assert snares == [(4 * beat - beat // 4, 64), (8 * beat - beat // 4, 64)]
    assert {channel for *_, channel in hits} == {9}


def test_every_note_ends_before_it_begins_again(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stem = stage.record("take")
    for _ in range(20):
        stage.ask("/trig", "BD", 1.0)
        stage.run(500)
    stage.close()
    sounding = 0
    for message in mido.MidiFile(stem.with_suffix(".mid")).tracks[1]:
        if message.type == "note_on" and message.note == 36:
            sounding += 1 if message.velocity else -1
            assert sounding in (0, 1)
    assert sounding == 0


def test_a_name_that_latin_letters_cannot_write_is_a_name(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stem = stage.record("夜の太鼓")
    stage.run(1000)
    assert "夜の太鼓" in stage.close()
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


class TestOverOsc:
    @pytest.fixture(autouse=True)
    def recordings(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        folder = tmp_path / "recordings"
        monkeypatch.setattr("gan808.places.recordings_folder", lambda: folder)
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


def test_what_a_kill_leaves_opens_and_can_be_replayed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files as they lie there in the middle of a recording, copied as a kill would leave
    them, the journal's last line cut in half."""
    monkeypatch.setattr("gan808.machine.recording.KEEP_S", 0.0)
    stage = Stage(tmp_path)
    stem = stage.record("take")
    stage.run(RATE_HZ)
    left = tmp_path / "left"
    left.mkdir()
    for ending in (".wav", ".journal"):
        shutil.copy(stem.with_suffix(ending), left)
    with (left / "take.journal").open("a") as file:
        file.write('{"do":[[48000,0,')
    audio = read(left / "take.wav")
    assert len(audio) > 0.9 * RATE_HZ
    assert audio.tobytes() == stage.audio[: len(audio)].tobytes()
    again = replayed(left / "take.journal")
    assert again.tobytes() == stage.audio[: len(again)].tobytes()
    assert len(again) == len(audio)
    stage.close()


def test_a_recording_that_never_began_leaves_nothing(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.record("take")
    assert "nothing was played" in stage.close()
    assert list(tmp_path.iterdir()) == []


def test_on_threads_of_its_own_it_records_the_same(tmp_path: Path) -> None:
    """Live: the recording has its thread, the engine another, notes come from a third."""
    engine = Engine(RATE_HZ, cells=64, max_sound_s=0.1)
    kit = FakeKit(sounds=[sound_of(name, Point(1)) for name in FakeKit().classes])
    machine = Machine(kit, engine, EndlessPool(kit.classes), Filler(),
                      Settings().replace({"sequencer": {"pattern": "test"}}),
                      FakeShelf({}, {"test": PATTERN}))
    machine.start()
    machine.commands.recording.begin(tmp_path / "take")
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


@pytest.mark.parametrize(("damage", "says"), [
    (lambda data: b"", "not a MIDI file"),
    (lambda data: data[:200], "damaged"),
    (lambda data: data.replace(b'"format":1', b'"format":9'), "does not know"),
    (lambda data: data.replace(b'"state":{', b'"stale":{'), "damaged"),
    (lambda data: data.replace(b'"rate":48000', b'"rate":48e99'), "damaged"),
    (lambda data: data.replace(b'"rate":', b'"rate";'), "not a recording"),
])
def test_a_damaged_file_is_one_line(tmp_path: Path, damage: Any, says: str) -> None:
    stage = Stage(tmp_path)
    stem = stage.record("take")
    stage.run(2000)
    stage.close()
    path = stem.with_suffix(".mid")
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(Gan808Error, match=says) as caught:
        replayed(path)
    assert "\n" not in str(caught.value)


def test_any_midi_file_is_no_recording(tmp_path: Path) -> None:
    file = mido.MidiFile()
    file.tracks.append(mido.MidiTrack([mido.Message("note_on", note=36)]))
    file.save(tmp_path / "other.mid")
    with pytest.raises(Gan808Error, match="no journal in it"):
        read_take(tmp_path / "other.mid")


class TestLedger:
    def test_it_knows_the_sound_of_each_cell_and_no_other(self) -> None:
        ledger, sounds = Ledger(), [make_sound(seed=seed) for seed in range(3)]
        marks = [ledger.enter(cell, sound) for cell, sound in zip((5, 6, 5), sounds, strict=True)]
        assert [ledger.sound(mark) for mark in marks] == [None, sounds[1], sounds[2]]

    def test_held_sounds_go_when_they_are_noted_or_released(self) -> None:
        ledger, sounds = Ledger(), [make_sound(seed=seed) for seed in range(4)]
        ledger.hold()
        marks = [ledger.enter(5, sound) for sound in sounds]
        assert [ledger.sound(mark) for mark in marks] == sounds
        ledger.forget({marks[0]})
        assert [ledger.sound(mark) for mark in marks] == [None, *sounds[1:]]
        ledger.release()
        assert [ledger.sound(mark) for mark in marks] == [None, None, None, sounds[3]]


def test_a_pattern_of_its_own_is_what_the_tests_play() -> None:
    """Kicks on the beats, a snare on the last sixteenth: the MIDI test counts on it."""
    assert [index for index, step in enumerate(PATTERN.rows["BD"]) if step.sounds] == [0, 4, 8, 12]
    assert PATTERN.rows["SD"][15].velocity == 0.5
