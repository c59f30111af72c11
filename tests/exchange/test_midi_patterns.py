"""MIDI files as patterns: files made here with mido come back as what was put into them."""

from __future__ import annotations

import io
import random
import time
from collections.abc import Iterable
from pathlib import Path

import mido
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gan808.errors import ConfigError
from gan808.exchange.midi_patterns import SUBSTITUTES, read_midi_file
from gan808.sequencer.clock import swung
from gan808.sequencer.notation import write_row
from gan808.sequencer.patterns import Pattern
from gan808.sequencer.steps import REST, Step
from gan808.sound.kit.slots import TR808, SlotLayout
from gan808.storage.pattern_files import find_own_pattern, find_pattern, pattern_names

TICKS = 480  # a beat; a step is 120
NOTE = {slot.code: slot.notes[0] for slot in TR808}


def write(
    path: Path, notes: Iterable[tuple[float, int, int]], *, bpm: float = 120.0, ticks: int = TICKS,
    channel: int = 9, meter: tuple[int, int] | None = None, end: float | None = None,
    tracks: int = 1,
) -> Path:
    """A file of (position in steps, note, velocity)."""
    file = mido.MidiFile(type=0 if tracks == 1 else 1, ticks_per_beat=ticks)
    for number in range(tracks):
        events: list[tuple[int, mido.Message | mido.MetaMessage]] = []
        if number == 0:
            events.append((0, mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(bpm))))
        if meter and number == 0:
            events.append((0, mido.MetaMessage("time_signature", numerator=meter[0],
                                               denominator=meter[1])))
        for index, (position, note, velocity) in enumerate(notes):
            if index % tracks == number:
                tick = round(position * ticks / 4)
                events += [(tick, mido.Message("note_on", note=note, velocity=velocity,
                                               channel=channel)),
                           (tick + 10, mido.Message("note_on", note=note, velocity=0,
                                                    channel=channel))]
        if end is not None:
            events.append((round(end * ticks / 4), mido.MetaMessage("end_of_track")))
        track = mido.MidiTrack()
        now = 0
        for tick, message in sorted(events, key=lambda e: (e[0], e[1].type == "end_of_track")):
            track.append(message.copy(time=tick - now))
            now = tick
        file.tracks.append(track)
    file.save(str(path))
    return path


def performance(pattern: Pattern, steps: int) -> list[tuple[float, int, int]]:
    """What a pattern is as notes, every chance taken."""
    notes = []
    for code, row in pattern.rows.items():
        for number in range(steps):
            step = row[number % len(row)]
            place, after = swung(number, pattern.swing), swung(number + 1, pattern.swing)
            count = step.ratchet if step.sounds else 0
            notes += [(place + step.nudge + n * (after - place) / count, NOTE[code],
                       round(step.velocity * 127)) for n in range(count)]
    return notes


def test_steps_notes_velocities_and_tempo(tmp_path: Path) -> None:
    path = write(tmp_path / "beat.mid", [(0, 36, 127), (4, 38, 100), (8, 35, 64), (12, 40, 99),
                                         *((n, 42, 70) for n in range(0, 16, 2))], bpm=93.5)
    pattern = find_pattern(str(path))
    assert (pattern.name, pattern.swing) == ("beat", 0.0)
    assert pattern.tempo_bpm == pytest.approx(93.5, abs=0.001)
    assert pattern.description == "from beat.mid"
    assert list(pattern.rows) == ["BD", "SD", "CH"]
    assert [step.velocity for step in pattern.rows["BD"] if step.sounds] == [
        1.0, pytest.approx(64 / 127, abs=0.001)]
    assert write_row(pattern.rows["CH"]) == "o.o. o.o. o.o. o.o."
    assert all(step.nudge == 0 and step.ratchet == 1 and step.chance == 1
               for row in pattern.rows.values() for step in row)


@pytest.mark.parametrize("name", [n for n in pattern_names() if n not in ("polymeter", "minimal",
                                                                         "footwork")])
@pytest.mark.parametrize("ticks", [96, 480, 960])
def test_a_shipped_pattern_survives_the_way_there_and_back(tmp_path: Path, name, ticks) -> None:
    pattern = find_pattern(name)
    path = write(tmp_path / "x.mid", performance(pattern, pattern.n_steps), bpm=pattern.tempo_bpm,
                 ticks=ticks)
    back = read_midi_file(path, TR808)
    assert back.tempo_bpm == pytest.approx(pattern.tempo_bpm, abs=0.01)
    assert set(back.rows) == {code for code, row in pattern.rows.items()
                              if any(step.sounds for step in row)}
    tick = 4 / ticks
    for code, row in back.rows.items():
        for number in range(pattern.n_steps):
            old = pattern.rows[code][number % len(pattern.rows[code])]
            new = row[number % len(row)]
            assert (new.sounds, new.ratchet) == (old.sounds, old.ratchet), (code, number + 1)
            assert abs(new.velocity - old.velocity) < 0.005
            if old.sounds:
                place = swung(number, pattern.swing) + old.nudge
                assert abs(swung(number, back.swing) + new.nudge - place) < tick / 2 + 0.006


def test_swing_is_swing_and_what_differs_is_a_nudge(tmp_path: Path) -> None:
    notes = [(swung(n, 0.5), 42, 90) for n in range(16)] + [(4 - 0.125, 38, 90), (12.2, 38, 90)]
    pattern = read_midi_file(write(tmp_path / "x.mid", notes, ticks=960), TR808)
    assert pattern.swing == pytest.approx(0.5, abs=0.01)
    assert all(abs(step.nudge) < 0.01 for step in pattern.rows["CH"])
    snare = {n: step.nudge for n, step in enumerate(pattern.rows["SD"]) if step.sounds}
    assert snare == {4: pytest.approx(-0.125, abs=0.001), 12: pytest.approx(0.2, abs=0.005)}


def test_a_humans_timing_stays_within_half_a_millisecond(tmp_path: Path) -> None:
    dice = random.Random(808)
    notes = [(max(n + dice.gauss(0, 0.05), 0), 42, dice.randrange(1, 128)) for n in range(32)]
    pattern = read_midi_file(write(tmp_path / "x.mid", notes, ticks=960), TR808)
    played = [swung(n, pattern.swing) + step.nudge for n, step in enumerate(pattern.rows["CH"])]
    step_s = 60 / 120 / 4
    assert len(played) == 32
    assert max(abs(a - b) * step_s for a, (b, _, _) in zip(played, notes, strict=True)) < 5e-4


@pytest.mark.parametrize("count", [2, 3, 4, 6, 8])
def test_rolls_are_ratchets(tmp_path: Path, count) -> None:
    notes = [(0, 36, 100), *((4 + n / count, 42, 80) for n in range(count)), (5, 42, 80)]
    row = read_midi_file(write(tmp_path / "x.mid", notes), TR808).rows["CH"]
    assert {n: s.ratchet for n, s in enumerate(row) if s.sounds} == {4: count, 5: 1}


def test_bars_that_repeat_are_written_once_each_row_for_itself(tmp_path: Path) -> None:
    notes = [(bar * 16, 36, 100) for bar in range(4)] + [(4, 38, 90), (36, 38, 90)]
    rows = read_midi_file(write(tmp_path / "x.mid", notes, end=64), TR808).rows
    assert {code: len(row) for code, row in rows.items()} == {"BD": 16, "SD": 32}


def test_a_long_file_is_cut_at_whole_bars_from_the_first_note(tmp_path: Path) -> None:
    notes = [(n * 16 + n % 7, 36, 100) for n in range(8, 40)]
    pattern = read_midi_file(write(tmp_path / "song.mid", notes), TR808)
    assert pattern.n_steps == 64
    assert pattern.description == "from song.mid, bars 9 to 12 of 40"
    assert [n for n, s in enumerate(pattern.rows["BD"]) if s.sounds] == [1, 18, 35, 52]


@pytest.mark.parametrize(("meter", "steps"), [((3, 4), 12), ((7, 8), 14), ((6, 8), 12),
                                              ((4, 4), 16), ((3, 32), 16)])
def test_bars_are_as_long_as_the_meter_says(tmp_path: Path, meter, steps) -> None:
    path = write(tmp_path / "x.mid", [(0, 36, 100), (5, 38, 100)], meter=meter)
    assert read_midi_file(path, TR808).n_steps == steps


def test_a_loop_that_ends_in_rests_keeps_them(tmp_path: Path) -> None:
    path = write(tmp_path / "x.mid", [(0, 36, 100), (16, 36, 90)], end=64)
    assert read_midi_file(path, TR808).n_steps == 64


def test_notes_find_slots_by_the_kit_and_the_rest_what_is_near(tmp_path: Path) -> None:
    notes = [(n, note, 100) for n, note in enumerate((51, 54, 44, 71))]
    pattern = read_midi_file(write(tmp_path / "x.mid", notes), TR808)
    assert {code: [n for n, s in enumerate(row) if s.sounds] for code, row in
            pattern.rows.items()} == {"MA": [1], "CY": [0], "CH": [2]}
    assert pattern.description == "from x.mid; no slot for notes 71"
    own = (SlotLayout("FROG", "Frog", "frog", (71,)),)
    assert list(read_midi_file(tmp_path / "x.mid", own).rows) == ["FROG"]
    assert set(SUBSTITUTES.values()) <= set(NOTE)
    assert not set(SUBSTITUTES) & {note for slot in TR808 for note in slot.notes}


def test_channel_ten_is_the_drums_where_there_is_one(tmp_path: Path) -> None:
    path = write(tmp_path / "x.mid", [(0, 36, 100), (4, 38, 100)], channel=0)
    assert set(read_midi_file(path, TR808).rows) == {"BD", "SD"}
    file = mido.MidiFile(str(path))
    file.tracks[0].insert(0, mido.Message("note_on", note=42, velocity=90, channel=9, time=0))
    file.save(str(path))
    assert set(read_midi_file(path, TR808).rows) == {"CH"}


def test_tracks_are_played_together(tmp_path: Path) -> None:
    notes = [(0, 36, 100), (4, 38, 100), (8, 36, 100)]
    assert set(read_midi_file(write(tmp_path / "x.mid", notes, tracks=3), TR808).rows) == {
        "BD", "SD"}


def test_of_several_songs_in_a_file_the_first_is_played(tmp_path: Path) -> None:
    path = write(tmp_path / "x.mid", [(0, 36, 100), (4, 38, 100)], tracks=2)
    file = mido.MidiFile(str(path))
    file.type = 2
    file.save(str(tmp_path / "SONGS.MID"))
    assert set(find_pattern(str(tmp_path / "SONGS.MID")).rows) == {"BD"}


def test_two_notes_on_one_step_take_the_next_or_the_louder_is_kept(tmp_path: Path) -> None:
    notes = [(0, 36, 60), (0.4, 36, 100), (1, 36, 90), (1.05, 36, 120)]
    row = read_midi_file(write(tmp_path / "x.mid", notes), TR808).rows["BD"]
    assert len([s for s in row if s.sounds]) == 2
    assert row[1].velocity == pytest.approx(120 / 127, abs=0.001)


class TestBroken:
    @pytest.mark.parametrize(("content", "why"), [
        (b"", "not a whole MIDI file|cannot be read"),
        (b"MThd", "not a whole MIDI file|cannot be read"),
        (b"RIFF" + b"\0" * 40, "not a whole|cannot be read"),
        (b"MThd\0\0\0\x06\0\0\0\x01\0\x60MTrk\0\0\0\x08\0\x90", "not a whole|cannot be read"),
    ])
    def test_a_damaged_file_is_one_line(self, tmp_path: Path, content, why) -> None:
        path = tmp_path / "x.mid"
        path.write_bytes(content)
        with pytest.raises(ConfigError, match=why) as caught:
            find_pattern(str(path))
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)

    @settings(max_examples=300, deadline=None,
              suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.data())
    def test_no_byte_of_a_file_can_do_harm(self, tmp_path: Path, data) -> None:
        notes = [(n, 36 + n, 100) for n in range(16)]
        path = write(tmp_path / "x.mid", notes, meter=(4, 4), end=16)
        content = bytearray(path.read_bytes())
        for _ in range(data.draw(st.integers(1, 4))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        path.write_bytes(content[:data.draw(st.integers(0, len(content)))])
        try:
            pattern = read_midi_file(path, TR808)
        except ConfigError as error:
            assert "\n" not in str(error)
        else:
            assert 1 <= pattern.n_steps <= 64
            assert 20 <= pattern.tempo_bpm <= 400

    def test_film_time_and_size_and_no_notes_are_told(self, tmp_path: Path) -> None:
        path = write(tmp_path / "x.mid", [(0, 36, 100)])
        content = bytearray(path.read_bytes())
        content[12:14] = b"\xe7\x28"
        path.write_bytes(content)
        with pytest.raises(ConfigError, match="film frames"):
            read_midi_file(path, TR808)
        with pytest.raises(ConfigError, match="no notes that a slot answers to"):
            read_midi_file(write(tmp_path / "y.mid", []), TR808)
        (tmp_path / "z.mid").write_bytes(b"\0" * (1 << 20) + b"\0")
        with pytest.raises(ConfigError, match="too large"):
            read_midi_file(tmp_path / "z.mid", TR808)


def test_a_file_in_the_users_folder_is_found_and_none_outside(tmp_path: Path) -> None:
    own = tmp_path / "patterns"
    own.mkdir()
    for path in (own / "loop.mid", tmp_path / "outside.mid"):
        write(path, [(0, 36, 100)])
    assert "loop.mid" in pattern_names([own])
    assert find_own_pattern("loop.mid", [own]).rows["BD"][0] != REST
    assert find_pattern("loop.mid", [own]).name == "loop"
    with pytest.raises(ConfigError, match="no such file"):
        find_own_pattern("../outside.mid", [own])


def test_the_longest_file_of_all_is_read_quickly_enough(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    file = mido.MidiFile(ticks_per_beat=TICKS)
    track = mido.MidiTrack(mido.Message("note_on", note=36, velocity=100, channel=9,
                                        time=30 if number else 0) for number in range(20_000))
    file.tracks.append(track)
    file.save(file=buffer)
    (tmp_path / "x.mid").write_bytes(buffer.getvalue())
    pattern = read_midi_file(tmp_path / "x.mid", TR808)
    assert pattern.rows["BD"][0] == Step(round(100 / 127, 3), ratchet=4)


HIT = bytes([0x99, 36, 100])


def smf(*tracks: bytes, said: int | None = None, count: int | None = None, ticks: int = 96,
        too_long: int = 0) -> bytes:
    """A file of these tracks; said, count: what the header tells of its length and of them."""
    head = b"MThd" + (said or 6).to_bytes(4, "big") + bytes([0, 1, 0, len(tracks)
                                                          if count is None else count, 0, ticks])
    return head + b"".join(
        b"MTrk" + (len(track) + too_long).to_bytes(4, "big") + track for track in tracks)


END = bytes([0, 0xFF, 0x2F, 0])
CARELESS = {
    "undefined system bytes": bytes([0]) + HIT + bytes([24, 0xF4, 0, 0xF5, 0, 0xF9, 0, 0xFD, 0])
    + HIT + END,
    "a key out of range": bytes([0, 0xFF, 0x59, 2, 99, 7, 0]) + HIT + bytes([24]) + HIT + END,
    "short meta events": bytes([0, 0xFF, 0x58, 1, 4, 0, 0xFF, 0x51, 1, 7, 0, 0xFF, 0x59, 0, 0])
    + HIT + bytes([24]) + HIT + END,
    "running status after system exclusive": bytes([0]) + HIT + bytes([0, 0xF0, 2, 1, 0xF7, 24, 36,
                                                                       100]) + END,
    "data that belongs to nothing": bytes([0, 5, 0]) + HIT + bytes([24]) + HIT + END,
    "song position and time code": bytes([0, 0xF2, 1, 1, 0, 0xF1, 3, 0]) + HIT + bytes([24]) + HIT
    + END,
}


class TestCareless:
    """What other programs open, this one does."""

    @pytest.mark.parametrize("name", CARELESS)
    def test_what_a_lenient_reader_passes_over(self, tmp_path: Path, name: str) -> None:
        path = tmp_path / "x.mid"
        path.write_bytes(smf(CARELESS[name]))
        pattern = read_midi_file(path, TR808)
        assert [n for n, step in enumerate(pattern.rows["BD"]) if step.sounds] == [0, 1]
        assert pattern.tempo_bpm == 120

    @pytest.mark.parametrize("content", [
        smf(bytes([0]) + HIT + bytes([24]) + HIT + bytes([24, 0x99, 36])),
        smf(bytes([0]) + HIT + bytes([24]) + HIT, too_long=1000),
        smf(bytes([0]) + HIT + bytes([24]) + HIT + bytes([0, 0xFF, 0x01, 0x7F, 65])),
    ])
    def test_a_file_cut_off_is_played_up_to_there_and_said(
        self, tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
    ) -> None:
        path = tmp_path / "x.mid"
        path.write_bytes(content)
        pattern = read_midi_file(path, TR808)
        assert [n for n, step in enumerate(pattern.rows["BD"]) if step.sounds] == [0, 1]
        assert caplog.messages == [
            f"{path}: damaged: it breaks off; what comes before that is played"]

    def test_more_tracks_than_the_header_says(self, tmp_path: Path) -> None:
        path = tmp_path / "x.mid"
        snare = bytes([0, 0x99, 38, 90]) + END
        path.write_bytes(smf(bytes([0]) + HIT + END, snare, count=1))
        assert set(read_midi_file(path, TR808).rows) == {"BD", "SD"}
        path.write_bytes(smf(bytes([0]) + HIT + END, snare, too_long=9))
        assert set(read_midi_file(path, TR808).rows) == {"BD", "SD"}

    def test_a_tempo_that_comes_later_is_not_the_first_bars(self, tmp_path: Path) -> None:
        late = bytes([0]) + HIT + bytes([0x83, 0, 0xFF, 0x51, 3]) + (300_000).to_bytes(3, "big") \
            + bytes([0]) + HIT + END
        path = tmp_path / "x.mid"
        path.write_bytes(smf(late))
        assert read_midi_file(path, TR808).tempo_bpm == 120

    def test_a_byte_order_mark_is_no_text(self, tmp_path: Path) -> None:
        path = tmp_path / "x.toml"
        path.write_bytes(b"\xef\xbb\xbf" + find_pattern("house").to_toml().encode())
        assert find_pattern(str(path)).rows == find_pattern("house").rows

    def test_a_large_file_takes_a_moment(self, tmp_path: Path) -> None:
        path = tmp_path / "x.mid"
        path.write_bytes(smf((bytes([1]) + HIT) * 200_000 + END))
        began = time.process_time()
        read_midi_file(path, TR808)
        assert time.process_time() - began < 3
