"""Patterns: those that ship are sound, files of one's own are checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from gan808.errors import ConfigError
from gan808.machine.pattern_files import find_pattern, pattern_names
from gan808.machine.patterns import OFF, VELOCITIES, parse_pattern
from gan808.sound.slots import TR808

CODES = [slot.code for slot in TR808]
GOOD = 'name = "x"\n[steps]\nBD = "X... x... | o... g..."\n'


@pytest.mark.parametrize("name", pattern_names())
def test_shipped_patterns_are_music(name: str) -> None:
    pattern = find_pattern(name)
    assert pattern.name == name
    assert pattern.description
    assert set(pattern.rows) <= set(CODES)
    assert pattern.rows["BD"][0] > 0, "the one is where the kick is"
    used = {velocity for row in pattern.rows.values() for velocity in row}
    assert {VELOCITIES["X"], VELOCITIES["x"], VELOCITIES["g"]} <= used, "accents and ghosts"
    closed, opened = pattern.rows.get("CH"), pattern.rows.get("OH")
    if closed and opened:
        assert not any(c and o for c, o in zip(closed, opened, strict=True)), "one pair of hats"


def test_there_are_enough_and_the_default_is_one_of_them() -> None:
    assert {"808", "electro", "house", "boom-bap", "bossa", "techno", "half-time"} <= set(
        pattern_names())


def test_signs_are_velocities() -> None:
    row = parse_pattern(GOOD, "test").rows["BD"]
    assert [row[i] for i in (0, 4, 8, 12, 1)] == [1.0, 0.78, 0.55, 0.32, 0.0]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("name = ", "not valid TOML"),
        ('name = "x"', r"\[steps\] is missing"),
        ('[steps]\nBD = "X... X... X... X..."', "name = None"),
        ('name = "x"\n[steps]\nBD = "X..."', "4 steps; give 16"),
        ('name = "x"\n[steps]\nBD = "X... X... X... X..?"', "'\\?' is no step"),
        ('name = "x"\n[steps]\nBD = 5', "BD = 5"),
        ('name = "x"\ntempo_bpm = 1000\n[steps]\nBD = "X... X... X... X..."', "from 20 to 400"),
        ('name = "x"\nswing = true\n[steps]\nBD = "X... X... X... X..."', "swing = True"),
        ('name = "x"\nfeel = 1\n[steps]\nBD = "X... X... X... X..."', "feel is unknown"),
        ('name = "x"\n[steps]\nBD = "' + "X..." * 4 + '"\nSD = "' + "X..." * 8 + '"', "16, 32"),
    ],
)
def test_broken_files_are_refused_by_name(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=why) as caught:
        find_pattern(str(path))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_of_ones_own_come_first_by_name(tmp_path: Path) -> None:
    (tmp_path / "808.toml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "mine.toml").write_text(GOOD, encoding="utf-8")
    assert find_pattern("808", [tmp_path]).name == "x"
    assert "mine" in pattern_names([tmp_path])
    assert find_pattern(OFF).rows == {}


@pytest.mark.parametrize("name", ["nowhere", "../808", "", "/etc/passwd", "missing.toml"])
def test_unknown_names_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        find_pattern(name, [tmp_path])


def test_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "noise.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="UTF-8"):
        find_pattern(str(path))


def test_rows_find_their_slots_and_a_strange_kit_plays_all_the_same() -> None:
    pattern = find_pattern("house")
    grid = pattern.laid_out(CODES)
    assert grid[0] == list(pattern.rows["BD"])
    assert len(grid) == 16
    assert not any(grid[CODES.index("CY")])
    few = pattern.laid_out(["BD", "XY"])
    assert few == [list(pattern.rows["BD"]), [0.0] * 32]
    strange = pattern.laid_out(["DO", "BA"])
    assert strange[0] == list(pattern.rows["BD"])
    assert any(strange[1])
