"""The render process: what it answers, how it dies, that it never outlives its parent.

Most tests use a child without TensorFlow that speaks the real protocol (fake_child.py); the last
ones load a real, tiny kit.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import pytest

from gan808.config import RendererSettings
from gan808.errors import KitError, RenderError
from gan808.pool import render_process
from gan808.pool.render_child import main as real_child
from gan808.pool.render_process import ChildMain, RenderProcess
from gan808.sound.kit.kit import Kit, load_kit
from gan808.sound.latent import Point, parse_point
from tests.pool import fake_child
from tests.pool.sounds import make_sound
from tests.timing import SOON_S

READY_S = 60.0  # a generous bound for two busy cores, not an expectation


@dataclass(frozen=True)
class FakeKit:
    """All that a render process needs to know of a kit."""

    folder: Path = Path("fake")
    name: str = "fake"
    classes: tuple[str, ...] = ("kick", "snare")


Spawn = Callable[..., RenderProcess]


@pytest.fixture
def spawn() -> Iterator[Spawn]:
    started: list[RenderProcess] = []

    def start(child: ChildMain = fake_child.main, kit: Kit | FakeKit | None = None):
        process = RenderProcess(kit or FakeKit(), 48000, RendererSettings(), child=child)
        started.append(process)
        process.start()
        return process

    yield start
    for process in started:
        process.stop()


def gone(pid: int, within_s: float) -> bool:
    """Whether the process has ended; a zombie has."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.01)
    return False


def test_it_renders_what_was_asked_and_tells_what_is_wrong_with_it(spawn: Spawn) -> None:
    process = spawn()
    assert process.ready(READY_S)
    results = process.render(["kick", "bad", "snare"], [3, 4, 5])
    assert [result.sound.id for result in results] == ["fake/kick/3", "fake/bad/4", "fake/snare/5"]
    assert [result.rejection for result in results] == [None, "unsure", None]
    np.testing.assert_array_equal(results[2].sound.audio, make_sound("snare", 5).audio)


def test_a_refusal_leaves_it_usable(spawn: Spawn) -> None:
    process = spawn()
    assert process.ready(READY_S)
    with pytest.raises(RenderError, match="no class 'refused'"):
        process.render(["refused"], [1])
    assert process.alive()
    assert process.render(["kick"], [1])[0].sound.seed == 1


def test_a_crash_is_told_with_its_last_words(spawn: Spawn) -> None:
    process = spawn()
    assert process.ready(READY_S)
    with pytest.raises(RenderError, match="ended with 3: out of memory, said the fake") as told:
        process.render(["crash"], [1])
    assert "\n" not in str(told.value)


def test_being_killed_is_told(spawn: Spawn) -> None:
    process = spawn()
    assert process.ready(READY_S)
    assert process.pid
    os.kill(process.pid, signal.SIGKILL)
    with pytest.raises(RenderError, match="killed by signal 9"):
        process.render(["kick"], [1])


def test_a_hung_child_is_not_waited_for_for_ever(
    spawn: Spawn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render_process, "ANSWER_TIMEOUT_S", 0.2)
    process = spawn()
    assert process.ready(READY_S)
    with pytest.raises(RenderError, match="has not answered"):
        process.render(["hang"], [1])


def test_a_broken_kit_is_a_kit_error(spawn: Spawn) -> None:
    process = spawn(fake_child.broken_kit)
    with pytest.raises(KitError, match="is cut short"):
        process.ready(READY_S)


def test_it_stops_at_once_while_loading_and_leaves_no_log(spawn: Spawn, tmp_path: Path) -> None:
    process = spawn(fake_child.slow_to_load)
    log = process._log_path
    assert log is not None
    assert log.exists()
    pid = process.pid
    assert pid
    assert not process.ready(0.2)
    began = time.monotonic()
    process.stop()
    assert time.monotonic() - began < SOON_S
    assert gone(pid, SOON_S)
    assert not log.exists()
    process.stop()
    process.start()
    assert process.pid is None


def test_ctrl_c_is_not_for_the_child(spawn: Spawn) -> None:
    process = spawn()
    assert process.pid
    os.kill(process.pid, signal.SIGINT)  # before it can have asked to ignore it
    assert process.ready(READY_S)
    os.kill(process.pid, signal.SIGINT)
    assert process.render(["kick"], [1])[0].sound.seed == 1


@pytest.mark.skipif(not hasattr(os, "nice"), reason="no niceness on this system")
def test_it_stands_back(spawn: Spawn) -> None:
    process = spawn()
    assert process.ready(READY_S)
    assert psutil.Process(process.pid).nice() >= RendererSettings().niceness


@pytest.mark.parametrize("child", ["main", "slow_to_load"])
def test_it_dies_with_a_parent_that_was_killed(child: str, tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(f"""
            import time
            from gan808.config import RendererSettings
            from gan808.pool.render_process import RenderProcess
            from tests.pool import fake_child
            from tests.pool.test_render_process import FakeKit
            process = RenderProcess(FakeKit(), 48000, RendererSettings(), child=fake_child.{child})
            process.start()
            process.ready({READY_S if child == "main" else 1.5})
            print(process.pid, process._log_path, flush=True)
            time.sleep(60)
        """)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    pid, log = parent.stdout.readline().split()
    assert psutil.pid_exists(int(pid))
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert gone(int(pid), SOON_S)
    deadline_s = time.monotonic() + SOON_S  # who removes it is another process
    while Path(log).exists() and time.monotonic() < deadline_s:
        time.sleep(0.01)
    assert not Path(log).exists()


@pytest.fixture(scope="module")
def tiny(tiny_kit: Path) -> Kit:
    return load_kit(tiny_kit)


def test_the_real_child_renders_what_the_renderer_renders(spawn: Spawn, tiny: Kit) -> None:
    from gan808.sound.renderer import Renderer

    process = spawn(real_child, tiny)
    assert process.ready(READY_S)
    class_name = tiny.classes[3]
    order = [class_name, "kick"], [11, Point(12).towards(9, 0.5)]
    there = [result.sound for result in process.render(*order)]
    here = Renderer(tiny, 48000).render(*order)
    assert [sound.id for sound in there] == [
        f"{tiny.name}/{class_name}/11", f"{tiny.name}/kick/12~9@0.5"]
    for theirs, ours in zip(there, here, strict=True):
        # one thread in the child, several here: sums may round differently, audibly they may not
        assert len(theirs.audio) == len(ours.audio)
        np.testing.assert_allclose(theirs.audio, ours.audio, atol=1e-3)
    with pytest.raises(RenderError, match="no class 'gong'"):
        process.render(["gong"], [1])
    with pytest.raises(RenderError, match="a latent of 3 numbers"):
        process.render(["kick"], [parse_point("1=AAAA")])


def test_the_real_child_refuses_a_damaged_kit_by_name(
    spawn: Spawn, tiny: Kit, tmp_path: Path
) -> None:
    import shutil

    folder = tmp_path / "damaged"
    shutil.copytree(tiny.folder, folder)
    weights = folder / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    process = spawn(real_child, load_kit(folder))
    with pytest.raises(KitError, match="weights"):
        process.ready(READY_S)


def test_nothing_but_the_child_loads_tensorflow() -> None:
    code = "import sys, gan808.pool.filler as f; print({'tensorflow', 'keras'} & set(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "set()"
