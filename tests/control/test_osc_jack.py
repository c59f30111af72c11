"""Bundles from a real socket to a real JACK server's port: where a hit is due is where it is heard.

A time tag becomes a frame once: the wall clock's tag to the monotonic clock, that to a frame by the
engine's delay-locked loop. From there on nothing is measured or rounded again. So what is heard
is compared to the sample with the frames that were sent, and the frames with the tags.
"""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from gan808.config import Settings
from gan808.control.osc import OscServer
from gan808.engine.clock import EngineClock
from gan808.engine.engine import Engine
from gan808.engine.outputs import open_output
from gan808.machine.machine import Machine
from gan808.sound.sound import Descriptors, Sound
from tests.control.rig import bundle, message
from tests.fakes import FakeFiller, FakeKit, FakePool, FakeShelf
from tests.jack_server import RATE_HZ, JackMeter, jack_server

__all__ = ["jack_server"]

SETTINGS = Settings().replace({
    "osc": {"port": 0}, "sequencer": {"playing": False}, "evolve": {"swaps_per_bar": 0.0},
    "audio": {"master_volume": 1.0},
})
CLICK = np.array([0.5, 0.0], np.float32)
BUNDLES = 24


class Stage:
    """A machine with one-sample sounds on a JACK server, listening on a socket."""

    def __init__(self) -> None:
        self.output = open_output("auto", sample_rate_hz=None, block_frames=None)
        self.engine = Engine(RATE_HZ)
        clicks = [Sound("fake", name, 0, name, 1.0, 1.0, CLICK, RATE_HZ, Descriptors(0, 0, 0, 0))
                  for name in FakeKit().classes]
        kit = FakeKit(sounds=clicks)
        pool = FakePool(kit.classes)
        self.machine = Machine(kit, self.engine, pool, FakeFiller(pool), SETTINGS, FakeShelf())
        self.osc = OscServer(self.machine, SETTINGS)

    def __enter__(self) -> Stage:
        self.machine.start()
        self.output.start(self.engine)
        self.osc.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.osc.stop()
        self.output.stop()
        self.machine.stop()


@pytest.fixture
def stage(jack_server: str) -> Iterator[Stage]:
    with Stage() as stage:
        yield stage


@pytest.fixture
def mapped(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, int]]:
    """Every (monotonic time, frame) the OSC thread asks the engine's clock for."""
    asked: list[tuple[float, int]] = []
    frame_at = EngineClock.frame_at

    def noted(clock: EngineClock, monotonic_s: float) -> int:
        frame = frame_at(clock, monotonic_s)
        if threading.current_thread().name == "osc":
            asked.append((monotonic_s, frame))
        return frame

    monkeypatch.setattr(EngineClock, "frame_at", noted)
    return asked


def test_bundles_are_heard_at_their_very_samples(
    jack_server: str, stage: Stage, mapped: list[tuple[float, int]]
) -> None:
    """One sample anywhere in two seconds would show, wherever in its block a hit falls."""
    order = random.Random(808)
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with JackMeter(jack_server) as meter, sender:
        meter.connect_audio("gan808")
        first = stage.engine.clock.frame_now() + RATE_HZ // 2
        assert stage.engine.port("test").trigger(0, 1.0, first)
        start_s = time.time() + 1.0
        tags_s = [start_s + 0.06 * number + order.uniform(0, 0.03) for number in range(BUNDLES)]
        for tag_s in order.sample(tags_s, BUNDLES):
            sender.sendto(bundle(tag_s, message("/gan808/trig", "BD", 1.0)), stage.osc.address)
        audio = meter.capture(2.7)
        assert meter.skipped_frames == 0
    assert stage.osc.counters.late == stage.engine.stats().late_commands == 0
    due_s, frames = map(np.array, zip(*sorted(mapped), strict=True))
    # The offset of the two clocks is kept while it changes by less than 0.2 ms.
    assert np.diff(due_s) == pytest.approx(np.diff(tags_s), abs=0.0005)
    # Where the device lost time in between, a later tag may even have the earlier frame.
    heard = np.flatnonzero(np.abs(audio[:, 0]) > 0.1)
    assert np.array_equal(heard - heard[0], [0, *(np.sort(frames) - first)])
