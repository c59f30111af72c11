"""The thread that keeps the state: soon, whole, and in nobody's way."""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gan808.instrument.state import State
from gan808.storage import session as keeping_module
from gan808.storage.session import Session
from gan808.storage.session_files import STATE, StateFiles
from tests.instrument.rig import BLOCK, Rig
from tests.storage.test_session import opened
from tests.timing import SOON_S, WITHIN_S, eventually


@pytest.fixture
def kept(folder: Path, warned: list[str]) -> Iterator[tuple[Session, Rig]]:
    """A machine that is kept, and plays in a thread of its own."""
    keeping, rig, ended = opened(warned), Rig(stock=8), threading.Event()
    keeping.begin(rig.machine)

    def play() -> None:
        while not ended.wait(0.005):
            rig.run(BLOCK)

    playing = threading.Thread(target=play)
    playing.start()
    keeping.go_on(rig.machine)
    yield keeping, rig
    keeping.stop()
    ended.set()
    playing.join()


def settled(folder: Path) -> bool:
    """Whether nothing is written for so long that a change would have been."""
    written = (folder / STATE).stat().st_mtime_ns
    time.sleep(2 * keeping_module.SETTLE_S)
    return (folder / STATE).stat().st_mtime_ns == written


def on_disk(folder: Path) -> State | None:
    return StateFiles(folder).read()


def tune_on_disk(folder: Path) -> object:
    files = StateFiles(folder)
    files.read()
    slots = files.slots("fake", 48000)
    return slots[0].values["tune"] if slots else None


def test_a_change_is_on_the_disk_soon(folder: Path, kept: tuple[Session, Rig]) -> None:
    """Whatever it is that changes; nobody asks for it to be written."""
    _, rig = kept
    eventually(lambda: on_disk(folder) is not None)
    rig.send("/slot/BD/tune", -5.0)
    eventually(lambda: tune_on_disk(folder) == -5.0)
    rig.send("/seq/step", "BD", 2, 0.5)
    rig.send("/evolve", 3.0)
    eventually(lambda: (state := on_disk(folder)) is not None
               and state.pattern is not None and state.pattern.edited
               and state.values["/evolve"] == 3.0)


def test_nothing_is_written_while_nothing_changes(
    folder: Path, kept: tuple[Session, Rig]
) -> None:
    keeping, _ = kept
    eventually(lambda: on_disk(folder) is not None)
    eventually(lambda: settled(folder))
    assert keeping.status == "kept"


def test_the_last_state_is_that_of_the_end(folder: Path, kept: tuple[Session, Rig]) -> None:
    """What the daemon does to the machine once it ends, fading the volume, is not kept."""
    keeping, rig = kept
    rig.send("/slot/BD/tune", 7.0)
    rig.send("/volume", 0.4)
    keeping.freeze()
    rig.send("/volume", 0.0)
    keeping.stop()
    state = on_disk(folder)
    assert state is not None
    assert state.values["/volume"] == 0.4
    assert tune_on_disk(folder) == 7.0


def test_a_full_disk_is_one_line_and_the_machine_never_notices(
    folder: Path, kept: tuple[Session, Rig], warned: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line however often it fails; the status tells; when there is room it is written."""
    keeping, rig = kept
    eventually(lambda: on_disk(folder) is not None)
    tries = []

    def full(self: StateFiles, state: State) -> None:
        tries.append(state)
        raise OSError(errno.ENOSPC, "No space left on device", str(folder / STATE))

    with monkeypatch.context() as patch:
        patch.setattr(StateFiles, "write", full)
        for tune in (1.0, 2.0):
            before = len(tries)
            rig.send("/slot/BD/tune", tune)
            eventually(lambda before=before: len(tries) > before)
        eventually(lambda: "No space" in keeping.status)
        assert len(warned) == 1
        assert f"the state cannot be kept: {folder / STATE}: No space left" in warned[0]
    rig.send("/slot/BD/tune", 3.0)
    eventually(lambda: tune_on_disk(folder) == 3.0)
    eventually(lambda: keeping.status == "kept", SOON_S)
    assert len(warned) == 1


def test_a_disk_that_hangs_holds_nobody_up(
    kept: tuple[Session, Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a write does not return, commands are answered and notes are played."""
    _, rig = kept
    entered, release = threading.Event(), threading.Event()

    def hangs(self: StateFiles, state: State) -> None:
        entered.set()
        release.wait(WITHIN_S)

    monkeypatch.setattr(StateFiles, "write", hangs)
    rig.send("/slot/BD/tune", 1.0)
    assert entered.wait(WITHIN_S)
    answers = rig.send("/slot/BD/tune", 2.0)
    answers += rig.send("/slot/BD/tune")
    eventually(lambda: rig.machine.swaps.slots[0].values["tune"] == 2.0)
    hits = len(rig.engine.hits)
    rig.send("/trig", "BD", 1.0)
    eventually(lambda: len(rig.engine.hits) > hits)
    release.set()


def test_where_every_hit_is_new_the_slots_are_written_seldom(
    folder: Path, kept: tuple[Session, Rig]
) -> None:
    """A swap there is gone in a moment; writing each would wear a disk out. A setting still goes
    at once."""
    _, rig = kept
    rig.send("/evolve/mode", "fresh")
    rig.send("/evolve", 1.0)
    eventually(lambda: (state := on_disk(folder)) is not None and state.fresh)
    eventually(lambda: settled(folder))
    written = (folder / STATE).stat().st_mtime_ns
    changed = rig.sound_id(0)
    rig.send("/trig", "BD", 1.0)
    eventually(lambda: rig.sound_id(0) != changed)
    time.sleep(3 * keeping_module.SETTLE_S)
    assert (folder / STATE).stat().st_mtime_ns == written
    rig.send("/slot/BD/tune", 4.0)
    eventually(lambda: tune_on_disk(folder) == 4.0)


def test_no_mistake_ends_it(folder, kept, warned, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    with monkeypatch.context() as patch:
        patch.setattr(StateFiles, "write", lambda *_: {}["a name"])
        eventually(lambda: warned and "KeyError: 'a name'" in warned[0])
    kept[1].send("/slot/BD/tune", 3.0)
    eventually(lambda: tune_on_disk(folder) == 3.0)
