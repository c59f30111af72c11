"""A large MIDI file is read in a process of its own; what comes back is the same pattern."""

from __future__ import annotations

import logging
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gan808.errors import ConfigError
from gan808.exchange import midi_apart, midi_patterns
from gan808.exchange.midi_patterns import APART_BYTES, MAX_FILE_BYTES, pattern_of, read_midi_file
from gan808.sound.kit.slots import TR808
from gan808.storage.pattern_files import find_own_pattern
from tests.control.rig import Client
from tests.control.rig import Rig as ControlRig
from tests.exchange.test_midi_patterns import END, smf
from tests.fake_library import SceneLibrary
from tests.timing import WITHIN_S

# Swung sixteenths, a roll and a note without a slot; then it is long.
BEAT = bytes([0, 0x99, 36, 100, 32, 42, 60, 48, 42, 77, 112, 42, 50, 8, 42, 50, 8, 42, 50, 8, 42,
              50, 24, 3, 9])


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process reads no MIDI file."""

    def refuse(*_: Any) -> None:
        raise AssertionError("it was read in this process")

    monkeypatch.setattr(midi_patterns, "pattern_of", refuse)


def write(path: Path, n_bytes: int, end: bytes = END, beat: bytes = BEAT) -> Path:
    track = beat + bytes([96, 36, 90]) * (n_bytes // 3)
    path.write_bytes(smf(track + end, ticks=96))
    assert path.stat().st_size > n_bytes
    return path


@pytest.mark.parametrize("name", ["beat.mid", os.fsdecode(b"gr\x81n.mid"), 'a "b"\n\x01.mid'])
def test_the_same_pattern_comes_from_either_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """To the last digit and letter, whatever the file is called."""
    path = write(tmp_path / name, APART_BYTES)
    here = pattern_of(path, TR808)
    assert here.swing > 0
    assert any(step.ratchet > 1 for step in here.rows["CH"])
    monkeypatch.setattr(midi_patterns, "pattern_of", None)
    assert read_midi_file(path, TR808) == here


@pytest.mark.usefixtures("elsewhere")
def test_what_is_wrong_is_said_as_ever(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cut = write(tmp_path / "cut.mid", APART_BYTES, end=b"\x00")
    with caplog.at_level(logging.WARNING, "gan808"):
        read_midi_file(cut, TR808)
    assert [record.message for record in caplog.records] == [
        f"{cut}: damaged: it breaks off; what comes before that is played"]
    (tmp_path / "none.mid").write_bytes(b"x" * (APART_BYTES + 1))
    with pytest.raises(ConfigError, match=r"none\.mid: not a whole MIDI file: it has no header$"):
        read_midi_file(tmp_path / "none.mid", TR808)


def test_only_large_files_and_none_that_are_refused_cost_a_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(subprocess, "run", refuse)
    read_midi_file(write(tmp_path / "small.mid", 1000), TR808)
    with pytest.raises(ConfigError, match="too large"):
        read_midi_file(write(tmp_path / "huge.mid", MAX_FILE_BYTES), TR808)


def test_a_process_that_hangs_or_dies_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "x.mid", APART_BYTES)
    monkeypatch.setattr(midi_apart, "LONGEST_S", 0.0)
    with pytest.raises(ConfigError, match="takes longer than 0 s to read$"):
        read_midi_file(path, TR808)
    monkeypatch.setattr(midi_apart.sys, "executable", "/bin/false")
    monkeypatch.setattr(midi_apart, "LONGEST_S", WITHIN_S)
    with pytest.raises(ConfigError, match="has ended with status 1$"):
        read_midi_file(path, TR808)
    monkeypatch.setattr(midi_apart.sys, "executable", str(tmp_path / "gone"))
    with pytest.raises(ConfigError, match="No such file or directory$"):
        read_midi_file(path, TR808)


@pytest.mark.usefixtures("elsewhere")
def test_osc_is_answered_while_a_large_file_is_read(tmp_path: Path) -> None:
    write(tmp_path / "large.mid", 3 * APART_BYTES)

    class Library(SceneLibrary):
        def own_pattern(self, name: str, slots: Any = TR808) -> Any:
            return find_own_pattern(name, [tmp_path], slots)

    with ControlRig(Library()) as rig, Client(rig) as asker, Client(rig) as other:
        assert other.ask("/gan808/notify", 1)[0] == "/gan808/done"
        asker.send("/gan808/seq/pattern", "large.mid")
        asker.send("/gan808/sync", 1)  # which waits for what its sender has asked for
        for number in range(5):
            assert other.ask("/gan808/sync", number) == ("/gan808/synced", number)
        assert asker.receive(0.0) is None
        assert other.receive(WITHIN_S) == ("/gan808/seq/pattern", "large")
        assert asker.receive() == ("/gan808/synced", 1)
