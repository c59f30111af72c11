"""The OSC server on a real engine, whose plain hits are played before Python has read them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from gan808.config import Settings
from gan808.control.osc.server import OscServer
from gan808.engine.engine import Engine
from gan808.instrument.machine import Machine
from tests.control.rig import Client, message
from tests.fake_filler import FakeFiller
from tests.fake_library import SceneLibrary
from tests.fakes import FakeKit, FakePool, fake_sound

BLOCK = 32


class Band:
    """Server, machine and engine; blocks are mixed when the test says so."""

    def __init__(self) -> None:
        kit = FakeKit()
        self.engine = Engine(48_000)
        self.pool = FakePool(kit.classes)
        settings = Settings().replace({
            "osc": {"port": 0}, "sequencer": {"playing": False}, "evolve": {"swaps_per_bar": 0.0}})
        self.machine = Machine(kit, self.engine, self.pool, FakeFiller(self.pool), settings,
                               SceneLibrary({"fake": kit}))
        self.machine.start(live=False)
        self.osc = OscServer(self.machine, settings)
        self.osc.start()

    def mix(self, blocks: int = 1) -> float:
        """The loudest sample."""
        peak = 0.0
        out = np.zeros((BLOCK, 2), np.float32)
        for _ in range(blocks):
            self.machine.before_block(self.engine.frames + BLOCK)
            self.engine.process(out)
            peak = max(peak, float(np.abs(out).max()))
        return peak


@pytest.fixture
def band() -> Iterator[Band]:
    band = Band()
    band.mix()
    yield band
    band.osc.stop()
    band.machine.stop()


def test_a_hit_is_played_once(band: Band) -> None:
    with Client(band) as client:  # type: ignore[arg-type]
        client.send("/gan808/trig", "BD", 1.0)
        client.settle()
        band.mix()
        assert band.engine.stats().voices == 1
        assert band.osc.counters.packets == 2


def test_order_is_kept(band: Band) -> None:
    """A stop and a hit sent one after the other: the hit sounds, though Python had the stop."""
    with Client(band) as client:  # type: ignore[arg-type]
        for _ in range(20):
            client.send("/gan808/stop")
            client.send("/gan808/trig", "BD", 1.0)
            client.settle()
            assert band.mix() > 0.0
        client.send("/gan808/trig", "BD", 1.0)
        client.send("/gan808/stop")
        client.settle()
        band.mix(200)
        assert band.engine.stats().voices == 0


def test_in_fresh_mode_such_a_hit_takes_a_new_sound_too(band: Band) -> None:
    band.machine.submit("/evolve", 1.0)
    band.machine.submit("/evolve/mode", "fresh")
    band.mix()
    for seed in (901, 902):
        assert band.pool.put(fake_sound("kick", seed))  # type: ignore[arg-type]
    stock = band.pool.stock()["kick"]
    with Client(band) as client:  # type: ignore[arg-type]
        client.raw(message("/gan808/trig", "BD", 1.0).dgram)
        client.settle()
    band.mix(2)
    assert band.pool.stock()["kick"] == stock - 1


def test_what_is_wrong_is_told_as_ever(band: Band) -> None:
    with Client(band) as client:  # type: ignore[arg-type]
        client.send("/gan808/trig", "BD", 2.0)
        answer = client.receive()
    assert answer is not None
    assert answer[:2] == ("/gan808/fail", "/gan808/trig")
