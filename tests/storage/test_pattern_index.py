"""The list of patterns reads a file once, and again when it is another."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gan808.errors import ConfigError, Gan808Error
from gan808.storage.pattern_index import PatternIndex


class Reader:
    """Counts how often it reads."""

    def __init__(self, error: str = "") -> None:
        self.times = 0
        self._error = error

    def __call__(self) -> list[str]:
        self.times += 1
        if self._error:
            raise ConfigError(self._error)
        return ["120 BPM", "2 bars", "from beat.mid"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "beat.mid"
    path.write_bytes(b"one")
    return path


def listed(tmp_path: Path, file: Path, read: Reader) -> list[str]:
    """What one run of the list says."""
    index = PatternIndex(tmp_path / "cache" / "patterns.json")
    row = index.row(file, read)
    index.save()
    return row


def test_a_file_is_read_once_until_it_is_another(tmp_path: Path, file: Path) -> None:
    read = Reader()
    rows = [listed(tmp_path, file, read) for _ in range(3)]
    assert rows == [["120 BPM", "2 bars", "from beat.mid"]] * 3
    assert read.times == 1
    file.write_bytes(b"another")
    listed(tmp_path, file, read)
    assert read.times == 2
    os.utime(file, (1, 1))  # as long as before, of another time
    listed(tmp_path, file, read)
    assert read.times == 3


def test_a_broken_file_is_told_of_each_time_and_read_once(tmp_path: Path, file: Path) -> None:
    read = Reader("beat.mid: it has no header")
    for _ in range(2):
        index = PatternIndex(tmp_path / "patterns.json")
        with pytest.raises(Gan808Error, match="it has no header"):
            index.row(file, read)
        index.save()
    assert read.times == 1


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"x": 3}', b"\xff", b"[" * 100_000])
def test_a_damaged_index_costs_the_reading(tmp_path: Path, file: Path, damage: bytes) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "patterns.json").write_bytes(damage)
    read = Reader()
    assert listed(tmp_path, file, read) == listed(tmp_path, file, read)
    assert read.times == 1


def test_without_a_place_for_it_the_list_is_as_ever(tmp_path: Path, file: Path) -> None:
    (tmp_path / "cache").write_bytes(b"a file where a folder should be")
    read = Reader()
    assert listed(tmp_path, file, read) == listed(tmp_path, file, read)
    assert read.times == 2
    file.unlink()
    listed(tmp_path, file, read)
    assert read.times == 3
