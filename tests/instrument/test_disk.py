"""Nothing that touches a disk is done on the machine thread: one worker does it, in order."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gan808.engine.engine import Engine
from gan808.errors import Gan808Error
from gan808.instrument.disk import DiskWorker
from gan808.instrument.host import Host
from gan808.instrument.machine import Machine
from gan808.recording.recorder import Recorder
from tests.fake_filler import FakeFiller
from tests.fake_library import SceneLibrary
from tests.fakes import FakeKit, FakePool
from tests.instrument.rig import PATTERN, Rig

WITHIN_S = 20.0
# Looks only at the path of a kit.
PURE = {"kit_place"}


class WatchedLibrary(SceneLibrary):
    """Writes down which thread asked it for what."""

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if not callable(found) or name in PURE or name.startswith("_"):
            return found

        def asked(*arguments: Any) -> Any:
            ASKED.append((name, threading.current_thread().name))
            return found(*arguments)

        return asked


ASKED: list[tuple[str, str]] = []


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    monkeypatch.setattr("gan808.paths.recordings_folder", lambda: tmp_path)
    kit, engine = FakeKit(), Engine(48_000, cells=64, max_sound_s=0.1)
    library = WatchedLibrary({"fake": kit, "other": FakeKit("other")}, {"test": PATTERN})
    settings = Rig(sequencer={"playing": False}).machine.settings
    pool = FakePool(kit.classes)
    machine = Machine(kit, engine, pool, FakeFiller(pool), settings, library, Host(
        keep_learned=lambda _: ASKED.append(("keep", threading.current_thread().name))))
    machine.commands.register(Recorder(machine).handlers())
    machine.start()
    ASKED.clear()
    yield machine
    machine.stop()


def test_everything_that_touches_a_disk_is_the_workers(machine: Machine) -> None:
    asked = [
        ("/kit/list",), ("/kit/save", "mine"), ("/kit/load", "other"), ("/scene/save", "one"),
        ("/scene/list",), ("/scene/recall", "one"), ("/scene/delete", "one"), ("/seq/patterns",),
        ("/seq/pattern", "test"), ("/seq/save", "kept"), ("/seq/songs",),
        ("/sound/keep", 0), ("/sound/export", 0, "wav"), ("/sound/files",),
        ("/record/start", "take"), ("/learn", "/slot/BD/level"),
    ]
    futures = [machine.submit(*call) for call in asked]  # type: ignore[arg-type]
    machine.load_numbered_kit(1)
    for call, future in zip(asked, futures, strict=True):
        if call[0] not in ("/kit/load", "/scene/recall"):  # a render process is waited for
            assert isinstance(future.result(WITHIN_S), tuple), call
    machine.post(machine.learning.take, ("cc", 1, 21))
    machine.submit("/kit/list").result(WITHIN_S)  # the worker has come so far
    names = {name for name, _ in ASKED}
    assert {"kit_names", "kit", "save_kit", "scene", "save_scene", "own_pattern", "save_pattern",
            "keep", "export", "delete_scene"} <= names
    assert {thread for _, thread in ASKED} == {"gan808-disk"}


def test_work_is_done_in_order_and_its_results_come_back() -> None:
    inbox: queue.SimpleQueue[tuple[Any, ...]] = queue.SimpleQueue()
    disk = DiskWorker(lambda *work: inbox.put(work))
    disk.start()
    done: list[object] = []
    gate = threading.Event()
    disk.do("first", lambda: gate.wait(WITHIN_S) and "first", done.append)
    disk.do("second", lambda: 1 // 0, done.append, done.append)
    disk.do("third", lambda: "third", done.append)
    assert inbox.empty()
    gate.set()
    for _ in range(3):
        work, *arguments = inbox.get(timeout=WITHIN_S)
        work(*arguments)
    disk.finish()
    assert (done[0], done[2]) == ("first", "third")
    assert isinstance(done[1], Gan808Error)


def test_the_end_waits_for_what_is_being_written() -> None:
    written: list[str] = []
    disk = DiskWorker(lambda *work: None)
    disk.start()
    for name in ("one", "two"):
        disk.do("a file", lambda name=name: written.append(name))
    disk.finish()
    assert written == ["one", "two"]
