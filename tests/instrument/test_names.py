"""Names from outside: one file's name on every system, and no way out of the folders."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gan808.errors import ConfigError, KitError
from gan808.instrument.names import is_plain_name
from gan808.sound.kit.kit import Kit
from gan808.storage.library import Library
from tests.fakes import fake_sound
from tests.instrument.rig import Rig

WAYS_OUT = [
    "..", ".", "../mine", "../../etc/passwd", "a/b", "a\\b", "/etc/passwd", "C:\\x", "C:x",
    "\\\\h\\x", "", " ", "x\0", "x\0.wav", "x\n", "x\r", "\u2215etc", "~", "~root", ".hidden", "-x",
    "x.", "x ", "CON", "con", "nul", "NUL.wav", "Com1", "COM1.tar.gz", "LPT\u00b9", "aux ",
    "prn .x",
    "y" * 200,
    "file:x", "x*", "x?", "|x", "x;y", "$HOME", "%2e%2e",
]


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """Folders two deep, with a kit and a pattern outside them to reach for."""
    inside = tmp_path / "inside"
    return Library((inside / "kits",), (inside / "patterns",), inside / "favourites",
                 inside / "exports")


def files(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["kick", "my kick 2", "a-b_c", "17+3@0.2~9@0.5", "caf\u00e9",
                                  "x.y", "console", "com", "com10", "null", "y" * 160])
def test_plain_names_are_plain(name: str) -> None:
    assert is_plain_name(name)


@pytest.mark.parametrize("name", WAYS_OUT)
def test_others_are_not(name: str) -> None:
    assert not is_plain_name(name)


@given(st.text(max_size=30))
def test_a_plain_name_is_one_part_of_a_path(name: str) -> None:
    if is_plain_name(name):
        assert Path(name).parts == (name,)
        assert not {"/", "\\", ":", "\0", "\n"} & set(name)
        assert name not in ("..", ".")


@pytest.mark.parametrize("name", WAYS_OUT)
def test_an_export_stays_inside(library: Library, tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="no file name") as refused:
        library.export(fake_sound(), name)
    assert "\n" not in str(refused.value)
    assert files(tmp_path) == set()


@pytest.mark.parametrize("name", WAYS_OUT)
def test_a_kit_is_saved_inside(library: Library, tiny_kit: Path, tmp_path: Path, name: str) -> None:
    (kit,) = (each for each in [Library((tiny_kit.parent,), (), tmp_path, tmp_path).kit("tiny")]
              if isinstance(each, Kit))
    with pytest.raises(ConfigError):
        library.save_kit(kit, [], name)
    assert files(tmp_path) == set()


@pytest.mark.parametrize("way", ["{outside}", "../../outside/tiny", "tiny/../../../outside/tiny",
                                 "./tiny", "tiny/", "tiny\0", "file:{outside}"])
def test_a_kit_outside_is_not_loaded(
    library: Library, tiny_kit: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """Though it is there and whole, by an absolute path, by a relative one, or in the folder the
    program was started in."""
    library.kit_folders[0].mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "tiny").symlink_to(tiny_kit)
    monkeypatch.chdir(tmp_path / "outside")
    for name in (way.format(outside=tmp_path / "outside" / "tiny"), "tiny"):
        with pytest.raises(KitError, match="not in the kits folders") as refused:
            library.kit(name)
        assert "\n" not in str(refused.value)
    (library.kit_folders[0] / "tiny").symlink_to(tiny_kit)
    assert library.kit("tiny").name == "tiny", "a link the user made there is the user's word"


@pytest.mark.parametrize("way", ["{outside}/beat.toml", "../../outside/beat.toml", "beat.toml",
                                 "../beat", "{outside}/beat", "beat\0", "beat.mid"])
def test_a_pattern_outside_is_not_read(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "beat.toml").write_text('name = "beat"\n[steps]\nBD = "X... .... .... ...."\n')
    monkeypatch.chdir(outside)
    with pytest.raises(ConfigError, match="no such"):
        library.own_pattern(way.format(outside=outside))
    library.pattern_folders[0].mkdir(parents=True)
    (library.pattern_folders[0] / "beat.toml").write_text((outside / "beat.toml").read_text())
    assert library.own_pattern("beat").name == "beat"
    assert library.own_pattern("off").name == "off"
    assert library.own_pattern("808").name


def test_no_link_is_written_through(library: Library, tiny_kit: Path, tmp_path: Path) -> None:
    """A link where a file is to go is replaced; one where a kit is to go is refused."""
    precious = tmp_path / "precious"
    precious.write_text("as it was")
    library.exports.mkdir(parents=True)
    for name in ("mine.wav", ".mine.wav"):
        (library.exports / name).symlink_to(precious)
    path = library.export(fake_sound(), "mine")
    assert precious.read_text() == "as it was"
    assert path.is_file()
    assert not path.is_symlink()
    library.kit_folders[0].mkdir(parents=True)
    (library.kit_folders[0] / "mine").symlink_to(tmp_path / "nowhere")
    kit = Library((tiny_kit.parent,), (), tmp_path, tmp_path).kit("tiny")
    with pytest.raises(ConfigError, match="already"):
        library.save_kit(kit, [], "mine")
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("sound_id", ["../../etc/5", "fake/../5", "fake/kick/../5",
                                      "fake/kick/5/..", "/fake/kick/5", "fake/kick/-1",
                                      "fake/kick/5~6@9", "fake//5", "fake/kick/5\0",
                                      "fake/kick/" + "9" * 400, "\0/\0/\0"])
def test_an_id_names_a_sound_of_the_kit_or_nothing(sound_id: str) -> None:
    rig = Rig()
    before = rig.sound_id(0)
    assert rig.refusal("/slot/BD/recall", sound_id)
    assert rig.filler.pending == []
    assert rig.sound_id(0) == before


@pytest.mark.parametrize("name", [*WAYS_OUT, "tiny.toml"])
def test_over_osc_too(tmp_path: Path, name: str, library: Library) -> None:
    """From the decoder to the folders: an error as the answer, and no file anywhere."""
    rig = Rig(library=library, sequencer={"pattern": "808"})
    assert isinstance(rig.ask("/kit/load", name), KitError)
    assert isinstance(rig.ask("/seq/pattern", name), ConfigError)
    if not is_plain_name(name):
        assert isinstance(rig.ask("/sound/export", "BD", name), ConfigError)
    assert files(tmp_path) == set()
