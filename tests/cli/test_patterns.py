"""`gan808 patterns` and `run --pattern` as a user has them: lists, files, and hits in samples."""

from __future__ import annotations

from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile

from gan808.storage.pattern_files import find_pattern, pattern_names
from tests.cli.commands import Command, gan808, one_line

# Slow, so that each hit of a tenth of a second is over before the next: a step is 12000 frames.
SLOW = """name = "slow"
tempo_bpm = 60
[steps]
BD = "X.XX..X"
[ratchet]
BD = "..2...."
[nudge]
BD = { 4 = 0.25, 7 = -0.125 }
"""


def folder(home: Path) -> Path:
    return home / "data" / "gan808" / "patterns"


def test_patterns_are_listed_with_tempo_length_and_description(
    here: Command, tmp_path: Path
) -> None:
    folder(tmp_path).mkdir(parents=True)
    (folder(tmp_path) / "slow.toml").write_text(SLOW)
    (folder(tmp_path) / "torn.toml").write_text("name = 3")
    for arguments in (["patterns"], ["patterns", "list"]):
        result = here(*arguments)
        assert (result.returncode, result.stderr) == (0, "")
        lines = result.stdout.splitlines()
        assert [line.split()[0] for line in lines[:-1]] == sorted([*pattern_names(), "slow"])
        trap = next(line for line in lines if line.startswith("trap"))
        assert trap.endswith(find_pattern("trap").description)
        assert "142 BPM  2 bars" in trap
        assert "60 BPM   7 steps" in next(line for line in lines if line.startswith("slow"))
        assert lines[-1].startswith(f"broken: {folder(tmp_path)}/torn.toml: name = 3: give a")


def test_a_pattern_is_printed_as_its_file_has_it(here: Command, tmp_path: Path) -> None:
    (tmp_path / "slow.toml").write_text(SLOW)
    for arguments in (["patterns", "slow.toml"], ["patterns", "show", "slow.toml"]):
        assert here(*arguments).stdout == SLOW
    assert here("patterns", "techno").stdout.startswith("# Straight and hypnotic")


def test_a_midi_file_becomes_a_pattern_of_ones_own(here: Command, tmp_path: Path) -> None:
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(96))])
    track += [mido.Message("note_on", channel=9, note=note, velocity=100, time=480 if n else 0)
              for n, note in enumerate((36, 38, 36, 38))]
    mido.MidiFile(tracks=[track], ticks_per_beat=480).save(str(tmp_path / "my beat.mid"))
    result = here("patterns", "import", "my beat.mid", "--name", "mine")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        f"{folder(tmp_path)}/mine.toml: 1 bar, 2 rows, 4 hits, 96 BPM, swing 0; from my beat.mid",
        "play it: gan808 run --pattern mine"]
    shown = here("patterns", "mine").stdout
    assert 'BD = "x... .... x... ...."' in shown
    assert here("patterns", "my beat.mid").stdout == shown.replace(
        'name = "mine"', 'name = "my beat"')


@pytest.mark.parametrize(("arguments", "said"), [
    (["nowhere"], "pattern 'nowhere': no such pattern; there are 808,"),
    (["import", "gone.mid"], "gone.mid: cannot be read: No such file"),
    (["import", "torn.mid"], "torn.mid: "),
    (["import", "x.toml"], "x.toml: give a MIDI file"),
    (["torn.toml"], "torn.toml: not valid TOML"),
    (["list", "--loud"], "No such option"),
    (["--loud"], "No such option"),
])
def test_a_mistake_is_one_line(
    here: Command, tmp_path: Path, arguments: list[str], said: str
) -> None:
    (tmp_path / "torn.mid").write_bytes(b"MThd\0\0\0\x06\0")
    (tmp_path / "torn.toml").write_text("name = ")
    result = here("patterns", *arguments)
    assert result.returncode == 2
    assert said in one_line(result)


def test_a_rendered_pattern_has_every_hit_on_its_frame(
    one_class_kit: Path, tmp_path: Path
) -> None:
    """Ratchet, nudges and a row of seven steps, from a file to a file, measured in samples."""
    (tmp_path / "slow.toml").write_text(SLOW)
    result = gan808(
        tmp_path, "run", "--kit", str(one_class_kit), "--pattern", "slow.toml", "--fast", "--quiet",
        "--output", "file:out.wav", "--seconds", "4.5", "--evolve", "0", "--midi", "off",
        "--osc", "off")
    assert result.returncode == 0, result.stderr
    audio, rate_hz = soundfile.read(tmp_path / "out.wav")
    assert rate_hz == 48000
    loud = np.flatnonzero(np.abs(audio[:, 0]) > 1e-5)
    onsets = loud[np.diff(loud, prepend=-10**6) > 1200]
    steps = [0, 2, 2.5, 3.25, 5.875]
    expected = [round(12000 * (step + 7 * turn)) for turn in range(3) for step in steps]
    expected = [frame for frame in expected if frame < 4.5 * rate_hz - 100]
    np.testing.assert_array_equal(onsets - onsets[0], expected)
