"""Kits from anybody: whatever is wrong with one is a line that names it, soon."""

from __future__ import annotations

import io
import json
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from gan808.errors import KitError
from gan808.sound.kit import checks
from gan808.sound.kit.kit import Kit, list_kits, load_kit
from gan808.sound.kit.verify import verify_kit
from tests.tiny_kit import CLASSES, GEOMETRY, write_tiny_kit


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_kit(tmp_path_factory.mktemp("kits") / "tiny")


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    """A copy to break."""
    return Path(shutil.copytree(original, tmp_path / "kits" / "tiny"))


def refusal(folder: Path) -> str:
    with pytest.raises(KitError) as caught:
        load_kit(folder).statistics()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("damage", ["deep", "zero", "fifo", "folder", "large"])
def test_a_manifest_that_is_none_is_one_line_and_breaks_no_list(folder: Path, damage: str) -> None:
    path = folder / "kit.toml"
    path.unlink()
    if damage == "deep":
        path.write_text("a = " + "[" * 100_000)
    elif damage == "zero":
        path.symlink_to("/dev/zero")
    elif damage == "fifo":
        os.mkfifo(path)
    elif damage == "folder":
        path.mkdir()
    else:
        path.write_text("#" * (2 << 20))
    assert "kit.toml" in refusal(folder)
    shutil.copytree(write_tiny_kit(folder.parent.parent / "whole"), folder.parent / "whole")
    found = list_kits([folder.parent])
    assert [kit.name if isinstance(kit, Kit) else "broken" for kit in found] == ["broken", "whole"]


def rewrite(folder: Path, name: str, content: bytes) -> None:
    """Put another array into moments.npz, packed."""
    with np.load(folder / "moments.npz", allow_pickle=False) as file:
        arrays = dict(file)
    with zipfile.ZipFile(folder / "moments.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        for each, array in arrays.items():
            buffer = io.BytesIO()
            np.save(buffer, array)
            archive.writestr(f"{each}.npy", content if each == name else buffer.getvalue())


def header(shape: tuple[int, ...]) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        buffer, {"descr": "<f4", "fortran_order": False, "shape": shape})
    return buffer.getvalue()


@pytest.mark.timeout(20)
@pytest.mark.parametrize(("name", "shape"), [
    ("mean", (10**12,)), ("realness", (len(CLASSES), 10**12)), ("deviation", (64, 2)),
    ("realness", (len(CLASSES), 0)), ("realness", (len(CLASSES), -5))])
def test_arrays_of_other_shapes_are_refused_before_they_are_read(
    folder: Path, name: str, shape: tuple[int, ...]
) -> None:
    rewrite(folder, name, header(shape) + bytes(1000))
    assert "moments.npz" in refusal(folder)


def test_an_array_that_unpacks_without_end_is_read_as_far_as_it_is_needed(folder: Path) -> None:
    """Zeros pack a thousandfold: what the manifest does not need is not unpacked."""
    rewrite(folder, "mean", header((GEOMETRY.n_bands,)) + bytes(100 << 20))
    load_kit(folder).statistics()
    rewrite(folder, "mean", header((GEOMETRY.n_bands,)) + bytes(3))
    assert "moments.npz" in refusal(folder)


@pytest.mark.parametrize("dtype", ["I8", "BF16", "F32", "F64"])
def test_weights_that_are_no_float16_are_refused(folder: Path, dtype: str) -> None:
    path = folder / "weights.safetensors"
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    head = json.loads(content[8:8 + length])
    next(entry for name, entry in head.items() if name != "__metadata__")["dtype"] = dtype
    text = json.dumps(head).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + content[8 + length:])
    assert dtype in "\n".join(verify_kit(folder))


@pytest.mark.parametrize("content", [b"", b"\xff" * 8, (1 << 62).to_bytes(8, "little") + b"{}",
                                     (100_000).to_bytes(8, "little") + b"[" * 100_000])
def test_a_damaged_header_of_weights_is_one_line(folder: Path, content: bytes) -> None:
    (folder / "weights.safetensors").write_bytes(content)
    with pytest.raises(KitError, match=r"weights\.safetensors") as caught:
        checks.check_weights(folder / "weights.safetensors")
    assert "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kit whose factory sounds are its own."""
    return write_tiny_kit(tmp_path_factory.mktemp("kits") / "tiny", rendered=True)


def as_bytes_of(other: type) -> Callable[[np.ndarray], np.ndarray]:
    """The bits of numbers of another kind, taken for float16: of bfloat16 as of a file's bytes."""
    def taken(array: np.ndarray) -> np.ndarray:
        numbers = array.astype(other)
        high = numbers.view(np.uint32) >> 16 if other is np.float32 else numbers.astype(np.uint16)
        return np.nan_to_num(high.astype(np.uint16).view(np.float16), posinf=6e4, neginf=-6e4)
    return taken


WRONG: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "zeros": np.zeros_like,
    "infinite": lambda array: np.full_like(array, np.inf),
    "largest": lambda array: np.full_like(array, 6e4),
    "bfloat16": as_bytes_of(np.float32),
    "int8": lambda array: (127 * array / max(np.abs(array).max(), 1e-3)).round(),
    "shuffled": lambda array: np.random.default_rng(1).permutation(
        array.ravel()).reshape(array.shape),
    "twice": lambda array: 2 * array,
}


@pytest.mark.parametrize(("wrong", "which"), [
    *((wrong, "") for wrong in WRONG), ("shuffled", "generator"), ("zeros", "critic")])
def test_weights_that_are_others_than_the_kits_are_found(
    whole: Path, tmp_path: Path, wrong: str, which: str
) -> None:
    """Right names, shapes and kind of number, so only what they make tells."""
    folder = Path(shutil.copytree(whole, tmp_path / "tiny"))
    path = folder / "weights.safetensors"
    with np.errstate(all="ignore"):
        save_file({name: np.ascontiguousarray(WRONG[wrong](array), np.float16)
                   if name.startswith(which) else array
                   for name, array in load_file(path).items()}, path)
    assert verify_kit(folder)


def test_a_kit_whose_weights_make_its_factory_sounds_is_whole(whole: Path) -> None:
    assert verify_kit(whole) == []


def test_a_kit_has_the_name_of_its_folder(folder: Path) -> None:
    other = folder.rename(folder.with_name("Another-1"))
    kit = load_kit(other)
    assert kit.name == "Another-1"
    assert {sound.kit for sound in kit.factory_sounds(16_000)} == {"Another-1"}
    assert [each.name for each in list_kits([other.parent]) if isinstance(each, Kit)] == [
        "Another-1"]
    assert "rename it" in refusal(other.rename(other.with_name("no name")))


def test_a_copy_under_way_is_no_kit(folder: Path) -> None:
    folder.rename(folder.with_name(".tiny.1-00000000.partial"))
    assert list_kits([folder.parent]) == []
