"""Turns and priorities, on whatever this system grants."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from gan808 import realtime


def apart(work: Callable[[], object]) -> object:
    """What work returns on a thread of its own, whose scheduling it may change."""
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join()
    return found[0]


def test_turns_are_shorter_than_a_block() -> None:
    before = sys.getswitchinterval()
    try:
        realtime.take_short_turns()
        assert sys.getswitchinterval() == pytest.approx(realtime.TURN_S)
        assert realtime.TURN_S < 64 / 48_000
    finally:
        sys.setswitchinterval(before)


@pytest.mark.skipif(sys.platform != "linux", reason="sched_setscheduler is Linux's")
def test_what_is_granted_is_had_and_what_is_refused_is_said() -> None:
    def ask() -> tuple[bool, int]:
        granted = realtime.request_realtime()
        return granted, os.sched_getscheduler(0) & 0xFF

    granted, policy = apart(ask)  # type: ignore[misc]
    assert policy == (os.SCHED_RR if granted else os.SCHED_OTHER)
    assert apart(realtime.realtime_is_granted) == granted


@pytest.mark.skipif(sys.platform != "linux", reason="sched_setscheduler is Linux's")
def test_a_refusal_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError("not allowed")

    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    assert not realtime.request_realtime()
    assert not realtime.realtime_is_granted()


@pytest.mark.skipif(sys.platform != "linux", reason="sched_setscheduler is Linux's")
def test_real_time_threads_are_counted() -> None:
    before = realtime.realtime_threads()
    granted, during = apart(lambda: (realtime.request_realtime(), realtime.realtime_threads()))  # type: ignore[misc]
    assert during - before == int(granted)
    apart(realtime.realtime_is_granted)
    assert realtime.realtime_threads() == before


@pytest.mark.skipif(sys.platform != "linux", reason="sched_setscheduler is Linux's")
def test_a_thread_that_ends_meanwhile_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def policy(task: int) -> int:
        if task == 1:
            raise ProcessLookupError
        return os.SCHED_RR

    ended, alive = SimpleNamespace(name="1"), SimpleNamespace(name="2")
    monkeypatch.setattr(os, "scandir", lambda _: [ended, alive])
    monkeypatch.setattr(os, "sched_getscheduler", policy)
    assert realtime.realtime_threads() == 1
