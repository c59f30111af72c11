"""Bundles from a real socket to a real JACK server's port: where a hit is due is where it is heard.

A time tag becomes a frame once: the wall clock's tag to the monotonic clock, that to a frame by the
engine's delay-locked loop. From there on nothing is measured or rounded again. So what is heard
is compared to the sample with the frames that were sent, and the frames with the tags.
"""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Iterator

import numpy as np
import pytest

from tests.control.jack_stage import Stage, heard_frames, mapped
from tests.control.rig import bundle, message
from tests.jack_server import RATE_HZ, JackMeter, jack_server

pytestmark = pytest.mark.real_time

__all__ = ["jack_server", "mapped"]

BUNDLES = 24


@pytest.fixture
def stage(jack_server: str) -> Iterator[Stage]:
    with Stage() as stage:
        yield stage


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
    assert np.array_equal(heard_frames(audio), [0, *(np.sort(frames) - first)])
