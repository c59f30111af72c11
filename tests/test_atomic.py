"""The one atomic write: whole or not at all, nothing left behind, leftovers of a kill swept."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gan808 import atomic
from tests.running import CHECKOUT


def no_room(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def ended_process() -> int:
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_it_is_there_with_ordinary_permissions_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    atomic.write_bytes(path, b"one")
    atomic.write_bytes(path, b"two", durable=True)
    assert path.read_bytes() == b"two"
    (tmp_path / "plain").touch()
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode
    assert len(list(tmp_path.iterdir())) == 2


def test_a_full_disk_leaves_the_old_file_and_no_litter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    monkeypatch.setattr(atomic.os, "fsync", no_room)
    with pytest.raises(OSError, match="No space left"):
        atomic.write_bytes(path, b"new")
    with pytest.raises(OSError, match="No space left"), atomic.replacing_folder(
            tmp_path / "folder") as unfinished:
        (unfinished / "part").write_bytes(b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_durable_has_its_file_and_its_folder_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[bool] = []
    really = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").resolve().is_dir())
        really(descriptor)

    monkeypatch.setattr(atomic.os, "fsync", fsync)
    atomic.write_bytes(tmp_path / "file", b"one", durable=True)
    assert synced == [False, True]


def test_a_link_in_the_way_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"other")
    (tmp_path / "file").symlink_to(tmp_path / "other")
    atomic.write_bytes(tmp_path / "file", b"one")
    assert (tmp_path / "other").read_bytes() == b"other"
    assert not (tmp_path / "file").is_symlink()


@pytest.mark.parametrize("name", ["x" * 255, "夜" * 85, "k.toml"])
def test_a_name_as_long_as_names_can_be(tmp_path: Path, name: str) -> None:
    atomic.write_bytes(tmp_path / name, b"one")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_folder_takes_the_place_of_the_old(tmp_path: Path) -> None:
    folder = tmp_path / "kits" / "mine"
    for content in ("one", "two"):
        with atomic.replacing_folder(folder) as unfinished:
            (unfinished / content).write_text(content)
    assert [path.name for path in folder.iterdir()] == ["two"]
    assert list(folder.parent.iterdir()) == [folder]


KILLED = """
import sys
from pathlib import Path
from gan808 import atomic

number = 0
while True:
    number += 1
    with atomic.replacing_folder(Path(sys.argv[1]) / "folder") as unfinished:
        for n in range(8):
            (unfinished / str(n)).write_text(str(number))
    atomic.write_text(Path(sys.argv[1]) / "file", str(number) * 100_000)
    if number == 3:
        print("writing", flush=True)
"""


@pytest.mark.parametrize("after_s", [0.0, 0.003, 0.011])
def test_killed_at_any_moment_it_is_whole_after_a_sweep(tmp_path: Path, after_s: float) -> None:
    writing = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], cwd=CHECKOUT,
                               stdout=subprocess.PIPE)
    assert writing.stdout is not None
    assert writing.stdout.readline() == b"writing\n"
    time.sleep(after_s)
    writing.kill()
    writing.wait()
    writing.stdout.close()
    atomic.sweep([tmp_path])
    assert {path.name for path in tmp_path.iterdir()} == {"folder", "file"}
    assert len({path.read_text() for path in (tmp_path / "folder").iterdir()}) == 1
    assert len((tmp_path / "file").read_text()) % 100_000 == 0


def test_a_sweep_brings_back_a_folder_killed_between_its_renames(tmp_path: Path) -> None:
    pid = ended_process()
    old, new = tmp_path / f".kit.{pid}-00000002.old", tmp_path / f".kit.{pid}-0000000a.partial"
    for folder in (old, new):
        folder.mkdir()
        (folder / "kit.toml").write_text(folder.name)
    atomic.sweep([tmp_path])
    assert [path.name for path in tmp_path.iterdir()] == ["kit"]
    assert (tmp_path / "kit" / "kit.toml").read_text() == old.name


def test_a_sweep_leaves_what_is_not_ours_and_what_another_is_writing(tmp_path: Path) -> None:
    names = {"song.partial", ".hidden", f".file.{os.getppid()}-00000000.partial", ".x.partial"}
    for name in names:
        (tmp_path / name).touch()
    (tmp_path / f".file.{ended_process()}-00000000.partial").touch()
    (tmp_path / f".file.{os.getpid()}-00000099.partial").touch()  # a container's last life
    with atomic.replacing_file(tmp_path / "file"):
        atomic.sweep([tmp_path, tmp_path / "none"])
    assert {path.name for path in tmp_path.iterdir()} == names | {"file"}
