"""The compiled callback: kept where it can be, compiled anew where not, and free of allocation."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gan808.engine import kernel

PACKAGE = Path(kernel.__file__).parents[1]
START = """
import time
began_s = time.perf_counter()
from gan808.engine.engine import Engine
engine = Engine(48000, cells=1)
print(engine._callback.cache_hits, time.perf_counter() - began_s)
"""


def start(folder: Path, cache: Path) -> tuple[int, float]:
    """Cache hits and start time of an engine from a package in `folder`."""
    environment = dict(os.environ, XDG_CACHE_HOME=str(cache), HOME=str(cache),
                       PYTHONDONTWRITEBYTECODE="1")
    environment.pop("NUMBA_CACHE_DIR", None)
    done = subprocess.run([sys.executable, "-c", START], cwd=folder, env=environment, text=True,
                          capture_output=True, check=True, timeout=200)
    hits, took_s = done.stdout.split()
    return int(hits), float(took_s)


@pytest.mark.skipif(sys.platform != "linux", reason="the user's cache folder is elsewhere")
def test_a_read_only_package_is_cached_in_the_users_folder(tmp_path: Path) -> None:
    shutil.copytree(PACKAGE, tmp_path / "gan808", ignore=shutil.ignore_patterns("__pycache__"))
    # Root may write anywhere; but nobody makes a folder where a file is.
    (tmp_path / "gan808" / "engine" / "__pycache__").write_text("")
    cold_hits, cold_s = start(tmp_path, tmp_path / "cache")
    warm_hits, warm_s = start(tmp_path, tmp_path / "cache")
    assert (cold_hits, warm_hits) == (0, 1)
    assert warm_s < cold_s / 2
    assert list((tmp_path / "cache").rglob("kernel*.nbi"))


def test_without_any_place_for_a_cache_it_is_compiled_all_the_same() -> None:
    asked: list[bool] = []

    def compile_it(cached: bool) -> str:
        asked.append(cached)
        if cached:
            raise RuntimeError("cannot cache function: no locator available")
        return "compiled"

    assert kernel._cached_where_possible(compile_it) == "compiled"
    assert asked == [True, False]


def test_the_fingerprint_covers_every_file_the_callback_is_made_of() -> None:
    engine = PACKAGE / "engine"
    imported = {path.stem for path in engine.glob("*.py")
                if re.search(r"^@(compiled|typed_intrinsic)", path.read_text(), re.MULTILINE)}
    assert imported | {"layout"} == set(kernel.KERNEL_SOURCES)


def test_the_callback_allocates_nothing_and_calls_no_interpreter() -> None:
    code = kernel.compiled_callback()
    if code.cache_hits:
        code = kernel._compile(kernel.source_fingerprint(), False)
    called = set(re.findall(r"call [^@\n]*@\"?([\w.]+)", code.inspect_llvm()))
    assert called
    # numba leaves counting of references in, on memory it does not own: a test for null.
    counting = {"NRT_incref", "NRT_decref", "NRT_MemInfo_call_dtor", "NRT_Free"}
    forbidden = {name for name in called if re.match(r"NRT_|malloc|calloc|printf|fopen", name)}
    assert forbidden <= counting
