"""The image: read back as it was written, refused when damaged, stale or another's; and what the
early start takes to be so is so."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gan808 import paths as places
from gan808 import start
from gan808.early import image, memory, slots
from gan808.early.image import Unfit
from gan808.engine import layout
from gan808.instrument.parameters import BY_ADDRESS, SLOT
from gan808.instrument.state import FORMAT
from gan808.storage import session_files
from tests.running import CHECKOUT

KEY = {"kit": "tiny"}
FACTS = {"format": image.FORMAT, "key": KEY, "numbers": [1, 2.5, None]}
CONTENT = bytes(range(256)) * 3
LIGHT = """
import sys
before = set(sys.modules)
import gan808.start
print(*set(sys.modules) - before)
"""
# What takes longer to load than a first note may wait for; re and json it has to.
HEAVY = {"numpy", "pydantic", "llvmlite", "numba", "cffi", "_cffi_backend", "platformdirs",
         "logging", "pathlib", "typing", "dataclasses", "inspect", "importlib.metadata",
         "importlib.resources"}


def test_it_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    path = str(tmp_path / "new" / "an.image")
    image.write(path, image.packed(FACTS, CONTENT))
    found = image.read(path, KEY)
    assert found.facts == FACTS
    assert bytes(found.bytes_at([0, len(CONTENT)])) == CONTENT
    assert bytes(found.bytes_at([3, 7])) == CONTENT[3:7]
    with pytest.raises(Unfit):
        found.bytes_at([0, len(CONTENT) + 1])
    assert [each.name for each in Path(path).parent.iterdir()] == ["an.image"]


def test_an_image_that_is_the_same_is_not_written_again(tmp_path: Path) -> None:
    path = tmp_path / "an.image"
    image.write(str(path), image.packed(FACTS, CONTENT))
    os.utime(path, (1, 1))
    image.write(str(path), image.packed(FACTS, CONTENT))
    assert path.stat().st_mtime == 1
    image.write(str(path), image.packed(FACTS, CONTENT[1:]))
    assert path.stat().st_mtime > 1


@pytest.mark.parametrize("damage", [
    lambda whole: whole[:-1], lambda whole: whole[:20], lambda whole: b"",
    lambda whole: whole[:-1] + bytes([whole[-1] ^ 1]), lambda whole: whole[:30] + b"!" + whole[31:],
    lambda whole: b"00000000" + whole[8:],
], ids=["cut", "head only", "empty", "bit", "head", "checksum"])
def test_a_damaged_image_is_refused(damage: Callable[[bytes], bytes], tmp_path: Path) -> None:
    path = tmp_path / "an.image"
    path.write_bytes(damage(image.packed(FACTS, CONTENT)))
    with pytest.raises(Unfit):
        image.read(str(path), KEY)


def test_the_image_of_other_options_or_of_another_version_is_refused(tmp_path: Path) -> None:
    path = str(tmp_path / "an.image")
    image.write(path, image.packed(FACTS | {"format": image.FORMAT + 1}, CONTENT))
    with pytest.raises(Unfit):
        image.read(path, KEY)
    image.write(path, image.packed(FACTS, CONTENT))
    with pytest.raises(Unfit):
        image.read(path, {"kit": "another"})


def test_options_that_the_first_note_hangs_on_have_images_of_their_own() -> None:
    plain = image.key_of({})
    assert image.key_of({"tempo": 90.0, "quiet": True, "evolve": 0.0, "fresh": False}) == plain
    paths = {image.path_of(image.key_of(options)) for options in (
        {}, {"kit": "a"}, {"output": "JACK"}, {"midi": "virtual"}, {"seed": 0}, {"seed": 1},
        {"fresh": True}, {"config": Path("a.toml")})}
    assert len(paths) == 8
    # config comes as text from the quick reader and as a path from the other.
    assert image.key_of({"config": Path("a.toml")}) == image.key_of({"config": "a.toml"})
    assert set(image.OPTIONS) | set(image.LATE_OPTIONS) <= set(start.RUN_OPTIONS)


@pytest.fixture
def needs(tmp_path: Path) -> dict[str, Any]:
    """What an image needs, as it is now."""
    config, kit = tmp_path / "config.toml", tmp_path / "kit.toml"
    config.write_text("[audio]\n", encoding="utf-8")
    kit.write_text("name", encoding="utf-8")
    texts = [str(config), str(tmp_path / "controls.toml")]
    files = [str(kit), str(tmp_path / "kits" / "nearer")]
    return {"python": sys.version, "program": image.program_mark(),
            "environment": image.environment(), "folder": None,
            "texts": {path: image.text_of(path) for path in texts},
            "files": {path: image.mark_of(path) for path in files}}


def test_what_is_as_it_was_fits(needs: dict[str, Any]) -> None:
    image.check(needs)
    image.check(needs | {"folder": str(Path.cwd())})


@pytest.mark.parametrize("change", [
    lambda folder, patch: (folder / "config.toml").write_text("[midi]\n"),
    lambda folder, patch: (folder / "config.toml").unlink(),
    lambda folder, patch: (folder / "controls.toml").write_text('"cc 10 1" = "/volume"'),
    lambda folder, patch: (folder / "kit.toml").write_text("another"),
    lambda folder, patch: os.utime(folder / "kit.toml", (1, 1)),
    lambda folder, patch: (folder / "kits" / "nearer").mkdir(parents=True),
    lambda folder, patch: patch.setenv("NUMBA_OPT", "0"),
    lambda folder, patch: patch.setenv("XDG_STATE_HOME", str(folder)),
    lambda folder, patch: patch.setattr(sys, "version", "another"),
    lambda folder, patch: patch.setattr(image, "program_mark", lambda: 0),
], ids=["settings", "no settings", "learned", "kit", "date", "nearer kit", "numba", "folders",
        "python", "program"])
def test_what_has_changed_does_not(
        change: Callable[[Path, pytest.MonkeyPatch], object], needs: dict[str, Any],
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change(tmp_path, monkeypatch)
    with pytest.raises(Unfit):
        image.check(needs)


def test_a_relative_place_fits_only_in_the_same_folder(
        needs: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = needs | {"folder": str(Path.cwd())}
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Unfit):
        image.check(here)


def test_the_program_s_mark_follows_its_modules(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "engine").mkdir()
    module = tmp_path / "engine" / "a.py"
    module.write_text("a = 1\n")
    monkeypatch.setattr(image, "PACKAGE", str(tmp_path))
    marks = {image.program_mark()}
    os.utime(module, (1, 1))
    marks.add(image.program_mark())
    module.write_text("a = 12\n")
    os.utime(module, (1, 1))
    marks.add(image.program_mark())
    (tmp_path / "b.py").write_text("")
    marks.add(image.program_mark())
    assert len(marks) == 4
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "c.py").write_text("")
    assert image.program_mark() in marks


@pytest.mark.skipif(sys.platform != "linux", reason="the user's cache folder is elsewhere")
@pytest.mark.parametrize("cache", ["/somewhere/else", "", "relative", None])
def test_images_are_where_the_caches_are(
        cache: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if cache is None:
        monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    else:
        monkeypatch.setenv("XDG_CACHE_HOME", cache)
    assert image.folder() == str(places.pool_folder("any").parents[1] / "early")


def fields(record: Any) -> list[tuple[str, int]]:
    """Kind and offset of each field of a structured dtype."""
    letters = {"int64": "q", "int32": "i", "float32": "f"}
    return [(letters[str(kind)], at) for kind, at in record.fields.values()]


@pytest.mark.parametrize(("ours", "theirs"), [
    (memory.COMMAND, layout.COMMAND), (memory.SLOT, layout.SLOT)], ids=["command", "slot"])
def test_records_are_the_engine_s(ours: Any, theirs: Any) -> None:
    letters = ours.format.removeprefix("@")
    offsets, at = [], 0
    for letter in letters:
        offsets.append((letter, at))
        at += 8 if letter == "q" else 4
    assert offsets == fields(theirs)
    assert ours.size == theirs.itemsize
    assert theirs is not layout.SLOT or list(layout.SLOT.names or ()) == [
        "cell", "level", "tune_semitones", "decay", "pan", "muted", "choke", "mark"]


def test_names_and_numbers_are_those_of_the_rest() -> None:
    assert (memory.TRIGGER, memory.STOP, memory.RELEASE) == (
        layout.COMMAND_TRIGGER, layout.COMMAND_STOP, layout.COMMAND_RELEASE)
    assert (memory.ALL_SLOTS, memory.NO_CELL) == (layout.ALL_SLOTS, layout.NO_CELL)
    assert (slots.STATE, slots.SOUNDS, slots.LOCK, slots.STATE_FORMAT) == (
        session_files.STATE, session_files.SOUNDS, session_files.LOCK, FORMAT)
    for name, reach in slots.RANGES.items():
        row = BY_ADDRESS[f"/slot/{SLOT}/{name}"].arguments[0]
        assert reach == (row.minimum, row.maximum)


def test_what_comes_before_the_first_note_is_light() -> None:
    done = subprocess.run([sys.executable, "-c", LIGHT], cwd=CHECKOUT, capture_output=True,
                          text=True, check=True, timeout=60)
    loaded = set(done.stdout.split())
    assert "gan808.early.begin" in loaded
    assert not HEAVY & loaded
