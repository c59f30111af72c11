"""The OSC server with liblo's tools: what a shell user types, and what they see."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from typing import IO

import pytest

from tests.control.rig import Client, Rig, until

pytestmark = pytest.mark.skipif(
    shutil.which("oscsend") is None or shutil.which("oscdump") is None,
    reason="oscsend and oscdump of liblo-tools are not installed: no test with a foreign client",
)


def oscsend(rig: Rig, *words: str) -> None:
    host, port = rig.osc.address
    subprocess.run(["oscsend", host, str(port), *words], check=True, timeout=10)


def test_oscsend_plays_and_sets(rig: Rig) -> None:
    oscsend(rig, "/gan808/trig", "sf", "BD", "0.5")
    oscsend(rig, "/gan808/slot/SD/level", "d", "0.25")
    oscsend(rig, "/gan808/slot/CH/mute", "T")
    oscsend(rig, "/gan808/evolve", "i", "4")
    with Client(rig) as client:
        client.settle()
        assert [(hit.slot, hit.value) for hit in rig.played()] == [(0, 0.5)]
        assert client.ask("/gan808/slot/SD/level")[1] == 0.25
        assert client.ask("/gan808/slot/CH/mute")[1] == 1
        assert client.ask("/gan808/evolve")[1] == 4.0


@pytest.fixture
def dump() -> Iterator[tuple[int, IO[str]]]:
    """oscdump's port and what it prints, line by line."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    process = subprocess.Popen(["oscdump", "-L", str(port)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        until(lambda: _is_taken(port))
        yield port, process.stdout
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


def test_oscdump_hears_of_changes(rig: Rig, dump: tuple[int, IO[str]]) -> None:
    port, lines = dump
    rig.stock("kick", 5)
    oscsend(rig, "/gan808/notify", "ii", "1", str(port))
    assert '/gan808/done s "/gan808/notify"' in lines.readline()
    oscsend(rig, "/gan808/slot/SD/pan", "f", "-0.5")
    assert "/gan808/slot/SD/pan f -0.5" in lines.readline()
    oscsend(rig, "/gan808/slot/BD/new")
    assert '/gan808/slot/BD/changed si "fake/kick/5" 5' in lines.readline()


def test_oscdump_reads_every_answer(rig: Rig, dump: tuple[int, IO[str]]) -> None:
    """Answers go to the port a question came from, so the test passes them on to oscdump."""
    port, lines = dump
    rig.stock("kick", 5)
    asked = [
        (("/gan808/hello",), '/gan808/hello/reply si "'),
        (("/gan808/status",), "/gan808/status.reply iiffiff "),
        (("/gan808/sync", 7), "/gan808/synced i 7"),
        (("/gan808/slot/BD/new",), '/gan808/done ss "/gan808/slot/BD/new" "fake/kick/5"'),
        (("/gan808/slot/BD/info",), '/gan808/slot/BD/info sisff "fake/kick/5" 5 "kick" '),
        (("/gan808/seq/tempo",), "/gan808/seq/tempo f "),
        (("/gan808/trig",), '/gan808/fail ss "/gan808/trig" "/trig takes s [f]'),
        (("/gan808/kit/load", "none"), '/gan808/fail ss "/gan808/kit/load" "kit '),
    ]
    with (Client(rig) as client,
          socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as relay):
        for question, shown in asked:
            client.send(*question)
            relay.sendto(client.raw_answer(), ("127.0.0.1", port))
            assert shown in lines.readline()


def _is_taken(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trying:
        try:
            trying.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False
