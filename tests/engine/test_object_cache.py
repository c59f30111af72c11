"""Kept code: found without numba, compiled anew when missing, damaged or stale, and the same code.

And the compiled callback itself: made of what its key covers, and free of allocation.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numba
import numpy as np
import pytest

from gan808 import paths
from gan808.engine import trigger_fast_path
from gan808.engine.jack import client
from gan808.engine.jit import compiling, object_cache
from gan808.engine.jit.object_cache import ObjectCode
from gan808.engine.kernel_api import KERNEL_SOURCES, routines
from gan808.engine.kernels import callback as kernel

PACKAGE = Path(kernel.__file__).parents[2]
START = """
import hashlib, sys
import numpy as np
from gan808.engine.engine import Engine
engine = Engine(48000, cells=4)
port = engine.port("test")
sound = np.random.default_rng(1).uniform(-1, 1, 3000).astype(np.float32)
port.assign(0, engine.write_sound(sound))
port.trigger(0, 0.7, 33, tune_semitones=3.3, pan=0.4)
out = np.zeros((4096, 2), np.float32)
engine.process(out)
assert out.any()
print("numba" in sys.modules, hashlib.sha256(out).hexdigest())
"""
ADDRESSES = {"answer": 42}
KEPT = ObjectCode({"answer": "answer_symbol"}, b"\x00code\nof any kind\xff")


def linked(code: ObjectCode) -> dict[str, int]:
    """Addresses, of KEPT alone: it is no code that could be linked."""
    assert code == KEPT
    return ADDRESSES


def start(folder: Path, cache: Path) -> tuple[bool, str]:
    """Whether an engine from a package in `folder` needed numba, and a digest of what it mixed."""
    environment = dict(os.environ, XDG_CACHE_HOME=str(cache), HOME=str(cache),
                       PYTHONDONTWRITEBYTECODE="1")
    done = subprocess.run([sys.executable, "-c", START], cwd=folder, env=environment, text=True,
                          capture_output=True, check=True, timeout=280)
    compiled, digest = done.stdout.split()
    return compiled == "True", digest


@pytest.mark.skipif(sys.platform != "linux", reason="the user's cache folder is elsewhere")
def test_kept_code_needs_no_numba_and_sounds_the_same(tmp_path: Path) -> None:
    """A read-only package: compiled once, kept in the user's folder, then played without numba;
    where that cannot be written either it is compiled all the same."""
    shutil.copytree(PACKAGE, tmp_path / "gan808", ignore=shutil.ignore_patterns("__pycache__"))
    # Root may write anywhere; but nobody makes a folder where a file is.
    (tmp_path / "gan808" / "engine" / "__pycache__").write_text("")
    (tmp_path / "no_folder").write_text("")
    compiled, cold = start(tmp_path, tmp_path / "cache")
    assert compiled
    assert list((tmp_path / "cache").rglob("kernels.callback-*.bin"))
    assert start(tmp_path, tmp_path / "cache") == (False, cold)


def test_where_nothing_can_be_kept_it_is_compiled_all_the_same(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setattr(paths, "compiled_folders", lambda: (blocked, blocked / "below"))
    monkeypatch.setattr(compiling, "compiled_routines", lambda module: {})
    monkeypatch.setattr(compiling, "object_code", lambda routines: KEPT)
    monkeypatch.setattr(object_cache, "_link", linked)
    assert object_cache._kept_or_compiled("kernels.callback", "0" * 64) == ADDRESSES


def test_a_numba_that_hides_its_object_code_is_asked_for_addresses(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can be kept then, but the routines run."""
    class Hiding:
        def __init__(self, address: int) -> None:
            self.address = address

    monkeypatch.setattr(paths, "compiled_folders", lambda: (tmp_path,))
    monkeypatch.setattr(compiling, "compiled_routines", lambda module: {"one": Hiding(808)})
    assert object_cache._kept_or_compiled("kernels.callback", "0" * 64) == {"one": 808}
    assert not list(tmp_path.iterdir())


def test_what_is_written_is_read_back_under_its_own_key_only(tmp_path: Path) -> None:
    path = tmp_path / "new" / "kernel.bin"
    assert object_cache.write(path, "key", KEPT)
    assert object_cache.read(path, "key") == KEPT
    assert object_cache.read(path, "another key") is None
    assert [each.name for each in path.parent.iterdir()] == ["kernel.bin"]


@pytest.mark.parametrize("damage", [
    lambda whole: whole[:-1], lambda whole: whole[:20], lambda whole: b"",
    lambda whole: whole[:-1] + bytes([whole[-1] ^ 1]), lambda whole: b"[1]\n" + whole,
    lambda whole: b"\xff" + whole, lambda whole: whole.replace(b'"answer_symbol"', b"3, "),
], ids=["cut", "head only", "empty", "bit", "no table", "not text", "not JSON"])
def test_damaged_code_is_not_loaded_but_replaced(
        damage: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = "1" * 64
    path = tmp_path / f"kernels.callback-{key[:16]}.bin"
    object_cache.write(path, key, KEPT)
    whole = path.read_bytes()
    path.write_bytes(damage(whole))  # type: ignore[operator]
    assert object_cache.read(path, key) is None
    monkeypatch.setattr(paths, "compiled_folders", lambda: (tmp_path,))
    monkeypatch.setattr(compiling, "compiled_routines", lambda module: {})
    monkeypatch.setattr(compiling, "object_code", lambda routines: KEPT)
    monkeypatch.setattr(object_cache, "_link", linked)
    assert object_cache._kept_or_compiled("kernels.callback", key) == ADDRESSES
    assert path.read_bytes() == whole


def test_the_key_follows_sources_processor_and_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    key = object_cache.key_of(KERNEL_SOURCES)
    assert key == object_cache.key_of(KERNEL_SOURCES)
    others = {object_cache.key_of(KERNEL_SOURCES[1:])}
    for name, value in (("_numba_mark", lambda: "another"),
                        ("_numba_settings", lambda: [("NUMBA_OPT", "0")])):
        with monkeypatch.context() as changed:
            changed.setattr(object_cache, name, value)
            others.add(object_cache.key_of(KERNEL_SOURCES))
    with monkeypatch.context() as changed:
        version, triple, _, features = object_cache._host()
        changed.setattr(object_cache, "_host", lambda: (version, triple, "another", features))
        others.add(object_cache.key_of(KERNEL_SOURCES))
    assert len(others) == 4
    assert key not in others


def compiled_from(module: str) -> set[str]:
    """Modules of the engine that one imports, and those that these import."""
    text = object_cache.source_file(module).read_text(encoding="utf-8")
    found = {module}
    for imported in re.findall(r"^from gan808\.engine\.([\w.]+) import", text, re.MULTILINE):
        found |= compiled_from(imported)
    return found


@pytest.mark.parametrize(("module", "sources"), [
    ("kernels.callback", KERNEL_SOURCES), ("jack.callbacks", client.SOURCES),
    ("kernels.trigger", trigger_fast_path.SOURCES)])
def test_the_key_covers_every_file_the_routines_are_made_of(
        module: str, sources: tuple[str, ...]) -> None:
    assert compiled_from(module) == set(sources)


def test_code_that_allocates_is_refused_and_the_callback_is_not() -> None:
    """numba's names for allocation are no dead ends: code that has one cannot be made."""
    words = numba.types.CPointer(numba.types.int64)

    def allocating(word: Any) -> int:
        scratch = np.zeros(word[0], np.int64)
        scratch[0] = word[0]
        return int(scratch.sum())

    module: Any = SimpleNamespace(ROUTINES={"one": (numba.types.int64(words), allocating)})
    with pytest.raises(RuntimeError, match="calls NRT_"):
        compiling.object_code(compiling.compiled_routines(module))
    assert routines().callback_address
