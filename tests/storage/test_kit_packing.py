"""Kits that travel: packed, added and removed whole, and nothing left of what cannot be used."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from gan808 import atomic, ownership
from gan808.errors import ConfigError, Gan808Error
from gan808.sound.kit.kit import load_kit
from gan808.storage import kit_packing
from gan808.storage.kit_packing import add_kit, pack_kit, remove_kit
from tests.tiny_kit import write_tiny_kit

Members = dict[str, bytes]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_tiny_kit(tmp_path_factory.mktemp("kits") / "tiny", rendered=True)
    (folder / "report").mkdir()
    (folder / "report/README.md").write_text("how it went")
    (folder / "notes.txt").write_text("mine")
    return folder


@pytest.fixture(scope="module")
def packed(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("packed") / "tiny.gan808.zip"
    pack_kit(tiny, out)
    return out


def members_of(packed: Path) -> Members:
    with zipfile.ZipFile(packed) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def written(out: Path, members: Members, *, sums: bool = True) -> Path:
    """An archive of these; sums: with a listing that is right for them."""
    if sums:
        folder = next(iter(members)).split("/")[0]
        members = {name: content for name, content in members.items()
                   if not name.endswith("SHA256SUMS")}
        members[f"{folder}/SHA256SUMS"] = "".join(
            f"{hashlib.sha256(content).hexdigest()}  {name.partition('/')[2]}\n"
            for name, content in members.items()).encode()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out


def test_a_kit_comes_out_as_it_went_in_but_for_what_is_none_of_it(
    tiny: Path, packed: Path, tmp_path: Path
) -> None:
    name, digest = add_kit(packed, tmp_path / "kits", set())
    added = tmp_path / "kits/tiny"
    assert name == "tiny"
    assert digest == hashlib.sha256(packed.read_bytes()).hexdigest()
    kinds = {path.relative_to(added).as_posix(): path.read_bytes()
             for path in added.rglob("*") if path.is_file() and path.name != ownership.MARK}
    original = {path.relative_to(tiny).as_posix(): path.read_bytes()
                for path in tiny.rglob("*") if path.is_file() and path.name not in (
                    ownership.MARK, "notes.txt")}
    assert kinds == original
    assert list((tmp_path / "kits").iterdir()) == [added]


def test_the_same_kit_packs_to_the_same_bytes(tiny: Path, packed: Path, tmp_path: Path) -> None:
    pack_kit(tiny, tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == packed.read_bytes()


def test_other_programs_unpack_and_check_it(packed: Path, tmp_path: Path) -> None:
    shutil.unpack_archive(packed, tmp_path, "zip")
    done = subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"],
                          cwd=tmp_path / "tiny", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_under_another_name_it_is_that_kit(packed: Path, tmp_path: Path) -> None:
    assert add_kit(packed, tmp_path, {"tiny"}, "other")[0] == "other"
    assert load_kit(tmp_path / "other").name == "other"


def test_nothing_that_is_there_is_replaced(packed: Path, tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny/mine").touch()
    for taken, place in (({"tiny"}, tmp_path / "else"), (set(), tmp_path)):
        with pytest.raises(ConfigError, match="one already"):
            add_kit(packed, place, taken)
    with pytest.raises(ConfigError, match="left alone"):
        pack_kit(tiny, packed)
    assert [path.name for path in (tmp_path / "tiny").iterdir()] == ["mine"]
    assert not (tmp_path / "else").exists()


def corrupt(name: str, change: Callable[[bytes], bytes]) -> Callable[[Members], Members]:
    return lambda members: {n: change(c) if n == name else c for n, c in members.items()}


BAD: dict[str, tuple[Callable[[Members], Members], bool, str]] = {
    "a sound damaged": (corrupt("tiny/factory/kick-0.flac", lambda c: c[:-1] + b"x"), False,
                        "checksum is another"),
    "weights cut short": (corrupt("tiny/weights.safetensors", lambda c: c[:-2]), True,
                          "weights.safetensors"),
    "no manifest": (lambda m: {n: c for n, c in m.items() if "kit.toml" not in n}, True,
                    "kit.toml is missing"),
    "no sums": (lambda m: {n: c for n, c in m.items() if "SHA" not in n}, False, "SHA256SUMS"),
    "a file more than the sums name": (lambda m: {**m, "tiny/factory/x.flac": b""}, False,
                                       "does not name what it holds"),
    "a strange file": (lambda m: {**m, "tiny/run.sh": b"#!"}, True, "run.sh is no file of a kit"),
    "a strange sound": (lambda m: {**m, "tiny/factory/x.flac": b""}, True, "factory/x.flac"),
    "a way up": (lambda m: {**m, "tiny/../../x": b""}, True, "no file of a kit"),
    "a way up in the name": (lambda m: {**m, "../x": b""}, True, "no file of a kit"),
    "an absolute path": (lambda m: {**m, "/etc/x": b""}, True, "no file of a kit"),
    "a backslash": (lambda m: {**m, "tiny/..\\x": b""}, True, "no file of a kit"),
    "a device": (lambda m: {**m, "tiny/a:b": b""}, True, "no file of a kit"),
    "two kits": (lambda m: {**m, "other/kit.toml": b""}, True, "2 folders"),
    "hidden": (lambda m: {n.replace("tiny/", ".tiny/"): c for n, c in m.items()}, True,
               "no file of a kit"),
    "empty": (lambda _: {}, False, "0 folders"),
    "many files": (lambda m: {**m, **{f"tiny/report/{n}": b"" for n in range(2000)}}, True,
                   "larger than a kit can be"),
}


@pytest.mark.parametrize("case", BAD)
def test_of_a_bad_one_nothing_is_left_and_one_line_says_why(
    packed: Path, tmp_path: Path, case: str
) -> None:
    change, sums, why = BAD[case]
    file = written(tmp_path / "bad.zip", change(members_of(packed)), sums=sums)
    (tmp_path / "kits").mkdir()
    with pytest.raises(Gan808Error, match=why) as caught:
        add_kit(file, tmp_path / "kits", set())
    assert str(caught.value).startswith(f"{file}: ")
    assert "\n" not in str(caught.value)
    assert list((tmp_path / "kits").iterdir()) == []
    assert {path.name for path in tmp_path.iterdir()} == {"bad.zip", "kits"}


def test_what_is_no_archive_is_one_line(packed: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.zip"
    for content in (b"", b"PK\3\4", packed.read_bytes()[:3000], b"\0" * 99):
        cut.write_bytes(content)
        with pytest.raises(Gan808Error, match="cut.zip"):
            add_kit(cut, tmp_path / "kits", set())
    for file in (tmp_path / "none.zip", tmp_path):
        with pytest.raises(Gan808Error):
            add_kit(file, tmp_path / "kits", set())
    assert not (tmp_path / "kits").exists()


def test_a_bomb_is_refused_by_what_it_says_of_its_size(
    packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kit_packing, "MOST_BYTES", 1 << 20)
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("tiny/kit.toml", bytes(2 << 20))
    assert bomb.stat().st_size < 10_000
    with pytest.raises(Gan808Error, match="larger than a kit"):
        add_kit(bomb, tmp_path / "kits", set())


class TestRemove:
    @pytest.fixture
    def kits(self, tiny: Path, tmp_path: Path) -> Path:
        shutil.copytree(tiny, tmp_path / "kits/tiny", ignore=lambda *_: ["notes.txt"])
        return tmp_path / "kits"

    def test_a_kit_goes_whole(self, kits: Path, tmp_path: Path) -> None:
        assert remove_kit("tiny", kits, tmp_path) == kits / "tiny"
        assert list(kits.iterdir()) == []

    def test_a_broken_one_too(self, kits: Path, tmp_path: Path) -> None:
        (kits / "tiny/kit.toml").write_text("= broken")
        remove_kit("tiny", kits, tmp_path)
        assert list(kits.iterdir()) == []

    @pytest.mark.parametrize("place", ["notes.txt", "factory/mine.flac", "report/mine.txt"])
    def test_what_somebody_put_there_stays_with_all_of_it(
        self, kits: Path, tmp_path: Path, place: str
    ) -> None:
        (kits / "tiny" / place).write_text("mine")
        before = sorted(kits.rglob("*"))
        with pytest.raises(ConfigError, match="left alone"):
            remove_kit("tiny", kits, tmp_path)
        assert sorted(kits.rglob("*")) == before

    def test_the_shipped_one_stays_and_so_does_what_is_elsewhere(
        self, kits: Path, tmp_path: Path
    ) -> None:
        shipped = tmp_path / "shipped"
        shutil.copytree(kits / "tiny", shipped / "gan808")
        (kits / "linked").symlink_to(shipped / "gan808")
        for name, why in (("gan808", "ships"), ("../shipped/gan808", "not a path"),
                          ("linked", "is not in"), ("none", "is not in"), ("", "not a path")):
            with pytest.raises(ConfigError, match=why):
                remove_kit(name, kits, shipped)
        assert (shipped / "gan808/kit.toml").is_file()

    def test_what_a_kill_leaves_of_it_is_swept(
        self, kits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(atomic.shutil, "rmtree", lambda path: None)
        remove_kit("tiny", kits, tmp_path)
        monkeypatch.undo()
        assert not (kits / "tiny").exists()
        atomic.sweep([kits])
        assert list(kits.iterdir()) == []
