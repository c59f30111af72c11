"""What systemd would hear: from the class over real sockets, and from a run as it starts it."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from gan808.app.systemd import ServiceManager
from tests.running import STOPS_WITHIN_S, Running

pytestmark = pytest.mark.real_time

ALONE = ("--output", "null", "--midi", "off", "--osc", "off")
ANSWER_S = 60.0  # what a start may take on two busy cores without numba's cache


class Listener:
    """The socket a service manager reads."""

    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address)

    def next(self, timeout_s: float = ANSWER_S) -> str:
        self._socket.settimeout(timeout_s)
        return self._socket.recv(4096).decode()

    def waiting(self) -> list[str]:
        """What has come and was not read yet."""
        self._socket.setblocking(False)
        heard = []
        while True:
            try:
                heard.append(self._socket.recv(4096).decode())
            except BlockingIOError:
                return heard

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[Listener]:
    listener = Listener(str(tmp_path / "notify"))
    yield listener
    listener.close()


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_nobody_asked_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "socket", None)  # opening one would fail
    service = ServiceManager({"WATCHDOG_USEC": "1000000"}, Clock())
    service.ready("playing")
    for frame in range(100):
        service.alive(frame)
    service.stopping()


def test_it_says_ready_how_it_is_and_that_it_ends(listener: Listener, tmp_path: Path) -> None:
    environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "HOME": "/home/somebody"}
    service = ServiceManager(environment, Clock())
    assert environment == {"HOME": "/home/somebody"}  # no child of ours speaks in its name
    service.ready("playing")
    service.status("waiting for the sound device")
    service.stopping()
    assert listener.waiting() == [
        "READY=1\nSTATUS=playing", "STATUS=waiting for the sound device", "STOPPING=1"]


def test_a_name_outside_the_file_system() -> None:
    name = f"gan808-test-{os.getpid()}"
    listener = Listener(f"\0{name}")
    ServiceManager({"NOTIFY_SOCKET": f"@{name}"}).ready("playing")
    assert listener.waiting() == ["READY=1\nSTATUS=playing"]
    listener.close()


def watched(folder: Path, clock: Clock, **more: str) -> ServiceManager:
    """One with a watchdog that wants to hear something every two seconds."""
    return ServiceManager(
        {"NOTIFY_SOCKET": str(folder / "notify"), "WATCHDOG_USEC": "2000000", **more}, clock)


def test_the_watchdog_hears_it_twice_in_its_time(listener: Listener, tmp_path: Path) -> None:
    clock = Clock()
    service = watched(tmp_path, clock)
    for tick in range(1, 101):  # ten seconds, ten times a second
        clock.now_s = 100.0 + tick / 10
        service.alive(tick)
    assert listener.waiting() == ["WATCHDOG=1"] * 10


def test_sound_that_stands_still_is_not_alive(listener: Listener, tmp_path: Path) -> None:
    clock = Clock()
    service = watched(tmp_path, clock, WATCHDOG_PID=str(os.getpid()))
    for tick in range(1, 101):
        clock.now_s = 100.0 + tick / 10
        service.alive(min(tick, 35))
    assert listener.waiting() == ["WATCHDOG=1"] * 4  # at 1, 2, 3 s, and for the last half second
    for tick in range(101, 131):
        clock.now_s = 100.0 + tick / 10
        service.alive()  # waiting for a device counts as living
    assert len(listener.waiting()) == 3


def test_a_watchdog_of_another_process_is_not_ours(listener: Listener, tmp_path: Path) -> None:
    clock = Clock()
    service = watched(tmp_path, clock, WATCHDOG_PID=str(os.getpid() + 1))
    clock.now_s += 60
    service.alive(1)
    assert listener.waiting() == []


@pytest.mark.parametrize("address", ["/nowhere/notify", "vsock:2:1234", "\0"])
def test_a_socket_that_is_not_there_is_told_once(
    address: str, caplog: pytest.LogCaptureFixture
) -> None:
    service = ServiceManager({"NOTIFY_SOCKET": address})
    with caplog.at_level(logging.WARNING, "gan808"):
        service.ready("playing")
        service.stopping()
    assert len(caplog.records) == 1
    assert "NOTIFY_SOCKET" in caplog.text


def test_a_run_tells_its_service_manager(
    listener: Listener, tiny_kit: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.setenv("WATCHDOG_USEC", "200000")
    with Running(tmp_path, "--kit", str(tiny_kit), *ALONE) as running:
        first = listener.next()
        assert first.startswith("READY=1\nSTATUS=playing: null")
        # The introduction is printed just before: it could be played by then.
        running.introduction()
        assert {listener.next(), listener.next()} == {"WATCHDOG=1"}
        assert running.interrupt() < STOPS_WITHIN_S
        assert running.process.returncode == 0
        assert running.errors() == []
        told = listener.waiting()
    assert told[-1] == "STOPPING=1"
    assert set(told[:-1]) <= {"WATCHDOG=1"}


def test_a_run_that_cannot_start_is_never_ready(
    listener: Listener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    with Running(tmp_path, "--kit", "nonsense", *ALONE) as running:
        assert running.process.wait(60) == 1
    assert listener.waiting() == []
