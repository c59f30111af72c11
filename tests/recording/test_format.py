"""The files of a recording: music for other programs, whole after a kill, refused when damaged."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import mido
import pytest

from gan808.errors import Gan808Error
from gan808.recording.format import read_take
from gan808.recording.midi_file import TICKS_PER_BEAT
from tests.instrument.rig import PATTERN
from tests.recording.rig import RATE_HZ, Stage, read, replayed


def test_a_pattern_of_its_own_is_what_the_tests_play() -> None:
    """Kicks on the beats, a snare on the last sixteenth: the MIDI test counts on it."""
    assert [index for index, step in enumerate(PATTERN.rows["BD"]) if step.sounds] == [0, 4, 8, 12]
    assert PATTERN.rows["SD"][15].velocity == 0.5


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


def test_what_a_kill_leaves_opens_and_can_be_replayed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files as they lie there in the middle of a recording, copied as a kill would leave
    them, the journal's last line cut in half."""
    monkeypatch.setattr("gan808.recording.recorder.KEEP_S", 0.0)
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


def test_a_recording_of_before_hits_had_a_decay_is_replayed(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stem = stage.record("take")
    stage.run(RATE_HZ)
    stage.close()
    head, *lines = read_take(stem.with_suffix(".mid"))
    older = [{**head, "format": 1}, *(
        {"do": [row[:8] for row in line["do"]]} if "do" in line else line for line in lines)]
    path = tmp_path / "older.journal"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in older))
    assert replayed(path).tobytes() == stage.audio.tobytes()


@pytest.mark.parametrize(("damage", "says"), [
    (lambda data: b"", "not a MIDI file"),
    (lambda data: data[:200], "damaged"),
    (lambda data: data.replace(b'"format":2', b'"format":9'), "does not know"),
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
