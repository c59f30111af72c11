"""Songs: read by name of what is wrong, and gone through bar by bar."""

from __future__ import annotations

from pathlib import Path

import pytest

from gan808.errors import ConfigError
from gan808.sequencer.song import SongPosition, parse_song
from gan808.storage.song_files import find_own_song, find_song, song_names

NIGHT = """name = "night"
[[part]]
pattern = "house"
bars = 2
[[part]]
scene = "late"
bars = 1
[[part]]
pattern = "808"
scene = "later"
bars = 3
"""


def test_parts_in_their_order() -> None:
    song = parse_song(NIGHT, "x")
    assert [(p.pattern, p.scene, p.bars) for p in song.part] == [
        ("house", "", 2), ("", "late", 1), ("808", "later", 3)]
    assert song.repeat


@pytest.mark.parametrize(("text", "why"), [
    ("name = ", "x: not valid TOML"),
    ('name = "x"', "x: part: Field required"),
    ('name = "x"\npart = []', "at least 1"),
    ('name = "x"\n[[part]]\nbars = 2', "x: part.1: give it a pattern, a scene, or both"),
    ('name = "x"\n[[part]]\npattern = "808"\nbars = 0', "part.1.bars: Input should be greater"),
    ('name = "x"\n[[part]]\npattern = "808"\nbar = 1', "part.1.bar: Extra inputs"),
    ("[[part]]\npattern = '808'", "name: Field required"),
])
def test_what_is_wrong_is_told_in_one_line(text: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why) as raised:
        parse_song(text, "x")
    assert "\n" not in str(raised.value)


def test_the_next_part_is_told_as_the_last_bar_of_one_begins() -> None:
    position = SongPosition(parse_song(NIGHT, "x"))
    seen = [(position.begin_bar(), position.part) for _ in range(8)]
    assert seen == [(None, 0), (1, 0), (2, 1), (None, 2), (None, 2), (0, 2), (None, 0), (1, 0)]


def test_a_song_that_does_not_repeat_ends_after_its_last_bar() -> None:
    position = SongPosition(parse_song("repeat = false\n" + NIGHT, "x"))
    assert [position.begin_bar() for _ in range(6)] == [None, 1, 2, None, None, 3]


def test_songs_by_name_and_never_by_a_path_from_the_network(tmp_path: Path) -> None:
    (tmp_path / "night.toml").write_text(NIGHT)
    assert song_names(tmp_path) == ["night"]
    assert find_song("night", tmp_path) == find_song(str(tmp_path / "night.toml"), Path("none"))
    for name in ("../night", str(tmp_path / "night.toml"), "day", "night\0"):
        with pytest.raises(ConfigError, match="no such song"):
            find_own_song(name, tmp_path)
    (tmp_path / "torn.toml").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match=r"torn\.toml: not text"):
        find_song("torn", tmp_path)
