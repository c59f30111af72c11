"""Plain hits from a real UDP socket into the engine's ring, with no interpreter on the way."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import numpy as np
import pytest
from pythonosc.osc_message import OscMessage

from gan808.engine.engine import Engine, Port
from gan808.engine.layout import RING_COMMANDS
from gan808.engine.trigger_fast_path import ARRIVED, PLAYED, TriggerFastPath
from tests.control.rig import bundle, message
from tests.timing import WITHIN_S

CODES = ("BD", "SD", "CH", "LONG")
BLOCK = 64


class Wire:
    """Two sockets, an engine with a sound on every slot, and a fast path between them."""

    def __init__(self) -> None:
        self.engine = Engine(48_000)
        machine = self.engine.port("machine")
        for slot in range(len(CODES)):
            cell = self.engine.write_sound(np.full(4800, 0.1 * (slot + 1), np.float32))
            assert cell is not None
            machine.assign(slot, cell)
        self.port: Port = self.engine.port("osc")
        self.there = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.there.bind(("127.0.0.1", 0))
        self.here = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.here.connect(self.there.getsockname())
        self.path = TriggerFastPath(self.port, self.there.fileno())

    def hear(self, datagram: bytes) -> int:
        """What the fast path makes of it; it stays to be received."""
        self.here.send(datagram)
        found = self.path.wait(CODES, WITHIN_S)
        assert self.there.recv(4096) == datagram
        return found

    def peak(self) -> float:
        """Of the next block."""
        out = np.zeros((BLOCK, 2), np.float32)
        self.engine.process(out)
        return float(np.abs(out).max())


@pytest.fixture
def wire() -> Iterator[Wire]:
    wire = Wire()
    yield wire
    wire.here.close()
    wire.there.close()


@pytest.mark.parametrize(("slot", "number"), [
    ("BD", 0), ("sd", 1), ("3", 2), (1, 0), (4, 3),
])
def test_a_plain_hit_is_played_as_python_plays_it(
    wire: Wire, slot: str | int, number: int
) -> None:
    """Sample for sample what the port's own trigger gives."""
    assert wire.hear(message("/gan808/trig", slot, 0.625).dgram) == PLAYED
    heard = wire.peak()
    other = Wire()
    other.port.trigger(number, 0.625)
    assert heard == other.peak() > 0.0


@pytest.mark.parametrize("asked", [
    message("/gan808/trig", "XX", 1.0), message("/gan808/trig", 0, 1.0),
    message("/gan808/trig", 5, 1.0), message("/gan808/trig", "Bd", 1.0),
    message("/gan808/trig", "LONG", 1.0), message("/gan808/trig", "BD", 1.5),
    message("/gan808/trig", "BD", -0.5), message("/gan808/trig", "BD", float("nan")),
    message("/gan808/trig", "BD", 1), message("/gan808/trig", "BD", 1.0, 1.0),
    message("/gan808/stop", "BD", 1.0), message("/gan808/trigs", "BD", 1.0), message("/gan808/x"),
], ids=lambda asked: f"{asked.address} {asked.params}")
def test_what_is_not_plain_only_arrives(wire: Wire, asked: OscMessage) -> None:
    assert wire.hear(asked.dgram) == ARRIVED
    assert wire.peak() == 0.0


def test_bundles_and_damage_only_arrive(wire: Wire) -> None:
    hit = message("/gan808/trig", "BD", 1.0).dgram
    for datagram in (bundle(0, message("/gan808/trig", "BD", 1.0)), hit[:-1], hit + b"\0",
                     hit[:-4], b"/", b"", hit.replace(b",sf\0", b",sff")):
        assert wire.hear(datagram) == ARRIVED
    assert wire.peak() == 0.0


def test_silence_ends_in_time(wire: Wire) -> None:
    assert wire.path.wait(CODES, 0.001) == 0


def test_a_full_ring_leaves_the_hit_to_who_can_tell(wire: Wire) -> None:
    """And the port goes on behind what the fast path has written, without losing its place."""
    hit = message("/gan808/trig", "BD", 1.0).dgram
    played = 0
    for number in range(RING_COMMANDS):
        played += wire.hear(hit) == PLAYED if number % 2 else wire.port.trigger(0, 1.0)
    assert played == RING_COMMANDS
    assert wire.hear(hit) == ARRIVED
    assert not wire.port.trigger(0, 1.0)
    wire.peak()
    assert wire.engine.stats().voices > 0
    assert wire.hear(hit) == PLAYED
    assert wire.port.trigger(0, 1.0)


def test_another_kit_has_other_codes(wire: Wire) -> None:
    wire.here.send(message("/gan808/trig", "ZZ", 1.0).dgram)
    assert wire.path.wait(("AA", "ZZ"), WITHIN_S) == PLAYED
    wire.there.recv(4096)
    assert wire.hear(message("/gan808/trig", "ZZ", 1.0).dgram) == ARRIVED
