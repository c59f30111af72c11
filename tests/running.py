"""`gan808 run` as a process of its own, as a user starts it, and what tests ask of it."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil

from tests.timing import SOON_S

CHECKOUT = Path(__file__).resolve().parent.parent
STARTS_WITHIN_S = 60.0  # a generous bound for two busy cores without numba's cache
# Stopping takes some tenths of a second; the rest is room for a busy machine. It must stay below
# the daemon's HARD_STOP_S: what ends in less was not cut off.
STOPS_WITHIN_S = 2.5
LAST_OF_INTRODUCTION = "stop"


def environment(home: Path) -> dict[str, str]:
    """An environment whose user folders are all below `home`; numba's cache stays where it is."""
    return {
        **os.environ,
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_STATE_HOME": str(home / "state"),
        "PYTHONPATH": str(CHECKOUT),
        "PYTHONUNBUFFERED": "1",
    }


class Running:
    """A daemon in a session of its own, so that Ctrl-C reaches it as from a terminal."""

    def __init__(self, home: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gan808", "run", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(home),
            cwd=home,
            start_new_session=True,
        )
        self.out: queue.Queue[str] = queue.Queue()
        self.err: queue.Queue[str] = queue.Queue()
        self._readers = [
            threading.Thread(target=_collect, args=pair, daemon=True)
            for pair in ((self.process.stdout, self.out), (self.process.stderr, self.err))
        ]
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.family():
            process.kill()
        self.process.wait()

    def introduction(self) -> dict[str, str]:
        """What it says when it has started, by name; fails when it does not start."""
        facts: dict[str, str] = {}
        while LAST_OF_INTRODUCTION not in facts:
            try:
                line = self.out.get(timeout=STARTS_WITHIN_S)
            except queue.Empty:
                raise AssertionError(f"it did not start: {facts} {self.errors()}") from None
            name, _, fact = line.partition(" ")
            facts[name] = fact.strip()
            assert line, f"it ended: {facts} {self.errors()}"
        return facts

    def family(self) -> list[psutil.Process]:
        """Every process of its session that runs, itself included."""
        members = []
        for process in psutil.process_iter():
            try:
                ours = os.getsid(process.pid) == self.process.pid
                if ours and process.status() != psutil.STATUS_ZOMBIE:
                    members.append(process)
            except (ProcessLookupError, psutil.NoSuchProcess):
                continue
        return members

    def renderer(self) -> psutil.Process | None:
        """Its render process, once there is one."""
        spawned = [p for p in self.family() if "spawn_main" in " ".join(_command(p))]
        return spawned[0] if spawned else None

    def interrupt(self, number: int = signal.SIGINT) -> float:
        """Ctrl-C: a signal to every process of the session. How long it took to end, in s."""
        began_s = time.monotonic()
        os.killpg(self.process.pid, number)
        self.process.wait(30)
        return time.monotonic() - began_s

    def left_over(self, within_s: float = SOON_S) -> list[psutil.Process]:
        """Processes still there; the interpreter's own helper may take a moment to notice."""
        deadline_s = time.monotonic() + within_s
        while (left := self.family()) and time.monotonic() < deadline_s:
            time.sleep(0.01)
        return left

    def errors(self) -> list[str]:
        """What it has printed on stderr since the last time asked."""
        if self.process.poll() is not None:
            for reader in self._readers:
                reader.join(5)
        return [line for line in _drain(self.err) if line]


def _collect(stream: object, lines: queue.Queue[str]) -> None:
    for line in stream:  # type: ignore[attr-defined]
        lines.put(line.rstrip("\n"))
    lines.put("")


def _drain(lines: queue.Queue[str]) -> list[str]:
    drained = []
    while not lines.empty():
        drained.append(lines.get())
    return drained


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return []
