"""A machine with one-sample sounds on a JACK server, listening on a socket: where each is heard is
where it was played, to the sample.
"""

from __future__ import annotations

import numpy as np
import pytest

from gan808.config import Settings
from gan808.control.osc.server import OscServer
from gan808.control.osc.times import TagFrames
from gan808.engine.engine import Engine
from gan808.engine.outputs.registry import open_output
from gan808.instrument.machine import Machine
from gan808.sound.sound import Descriptors, Sound
from tests.fake_filler import FakeFiller
from tests.fake_library import SceneLibrary
from tests.fakes import FakeKit, FakePool
from tests.jack_server import RATE_HZ

SETTINGS = Settings().replace({
    "osc": {"port": 0}, "sequencer": {"playing": False}, "evolve": {"swaps_per_bar": 0.0},
    "audio": {"master_volume": 1.0},
})
CLICK = np.array([0.5, 0.0], np.float32)


class Stage:
    """A machine with one-sample sounds on a JACK server, listening on a socket."""

    def __init__(self) -> None:
        self.output = open_output("auto", sample_rate_hz=None, block_frames=None)
        self.engine = Engine(RATE_HZ)
        clicks = [Sound("fake", name, 0, name, 1.0, 1.0, CLICK, RATE_HZ, Descriptors(0, 0, 0, 0))
                  for name in FakeKit().classes]
        kit = FakeKit(sounds=clicks)
        pool = FakePool(kit.classes)
        self.machine = Machine(kit, self.engine, pool, FakeFiller(pool), SETTINGS, SceneLibrary())
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
def mapped(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, int]]:
    """Every (monotonic time, frame) of a tag that the OSC thread has asked for, once each."""
    asked: dict[float, int] = {}
    told: list[tuple[float, int]] = []
    frame_at = TagFrames.frame_at

    def noted(tags: TagFrames, due_s: float) -> int:
        frame = frame_at(tags, due_s)
        if due_s not in asked:
            asked[due_s] = frame
            told.append((due_s, frame))
        assert asked[due_s] == frame, "a tag has one frame"
        return frame

    monkeypatch.setattr(TagFrames, "frame_at", noted)
    return told


def heard_frames(audio: np.ndarray) -> np.ndarray:
    """Where clicks are in a recording, from the first of them on."""
    at = np.flatnonzero(np.abs(audio[:, 0]) > 0.1)
    return at - at[0]
