"""Patterns written as MIDI files: every note on its tick, and read back the same pattern."""

from __future__ import annotations

from pathlib import Path

import mido
import pytest

from gan808.errors import ConfigError
from gan808.exchange.midi_export import TICKS_PER_STEP, bars_until_again, write_pattern
from gan808.exchange.midi_patterns import read_midi_file
from gan808.sequencer.patterns import Pattern
from gan808.sequencer.steps import REST, Step
from gan808.storage.pattern_files import find_pattern, pattern_names
from tests.fakes import FakeKit

SLOTS = FakeKit().slots
NOTES = {slot.code: slot.notes[0] for slot in SLOTS}


def begun(path: Path) -> list[tuple[int, int, int]]:
    """(tick, note, velocity) of a file of one track."""
    tick, found = 0, []
    for message in mido.MidiFile(path).tracks[0]:
        tick += message.time
        if message.type == "note_on" and message.velocity:
            assert message.channel == 9
            found.append((tick, message.note, message.velocity))
    return found


def test_each_hit_is_a_note_on_its_tick(tmp_path: Path) -> None:
    row = (Step(1.0), REST, Step(0.5, nudge=0.25), Step(0.5, ratchet=2)) + (REST,) * 12
    pattern = Pattern("x", 90, swing=1.0, rows={"BD": row})
    assert write_pattern(tmp_path / "x.mid", pattern, SLOTS) == (4, 1)
    step = TICKS_PER_STEP
    assert begun(tmp_path / "x.mid") == [
        (0, NOTES["BD"], 127), (2.25 * step, NOTES["BD"], 64), (3.5 * step, NOTES["BD"], 64),
        (3.75 * step, NOTES["BD"], 64)]
    file = mido.MidiFile(tmp_path / "x.mid")
    assert file.length == pytest.approx(16 * 60 / 90 / 4, abs=1e-4)


def test_conditions_take_as_many_bars_as_they_need(tmp_path: Path) -> None:
    row = (Step(1.0, condition="2:3"),) + (REST,) * 15
    pattern = Pattern("x", rows={"BD": row, "SD": (Step(0.5),) + (REST,) * 31})
    assert bars_until_again(pattern) == 6
    write_pattern(tmp_path / "x.mid", pattern, SLOTS)
    bar = 16 * TICKS_PER_STEP
    assert [tick // bar for tick, note, _ in begun(tmp_path / "x.mid") if note == NOTES["BD"]] == [
        1, 4]


@pytest.mark.parametrize("name", pattern_names())
def test_what_was_written_is_read_again(tmp_path: Path, name: str) -> None:
    """The rows' hits at their steps: swing and velocities come back within what MIDI can say."""
    pattern = find_pattern(name, ())
    rows = {code: tuple(Step(step.velocity) if step.chance >= 1 else REST for step in row)
            for code, row in pattern.fitted([slot.code for slot in SLOTS]).rows.items()
            if code in NOTES}
    plain = Pattern(name, pattern.tempo_bpm, rows=rows)
    bars = max(1, plain.n_steps // 16)
    notes, _ = write_pattern(tmp_path / "x.mid", plain, SLOTS, bars=bars)
    if not notes:
        return
    back = read_midi_file(tmp_path / "x.mid", SLOTS)
    assert back.tempo_bpm == pytest.approx(plain.tempo_bpm, abs=0.01)
    for code, row in back.rows.items():
        was = [rows[code][place % len(rows[code])].velocity for place in range(len(row))]
        assert [step.velocity for step in row] == pytest.approx(was, abs=0.005)


def test_a_file_that_is_there_is_kept(tmp_path: Path) -> None:
    (tmp_path / "x.mid").write_bytes(b"mine")
    with pytest.raises(ConfigError, match="is there already"):
        write_pattern(tmp_path / "x.mid", Pattern("x"), SLOTS)
    assert (tmp_path / "x.mid").read_bytes() == b"mine"
