"""A machine on the real engine whose performances are recorded, and what makes its sounds again."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import mido
import numpy as np
import soundfile

from gan808.app.offline.replay import find_sounds, write_wav
from gan808.config import Settings
from gan808.engine.engine import Engine
from gan808.errors import Gan808Error
from gan808.instrument.addresses import decode
from gan808.instrument.events import Notice
from gan808.instrument.machine import Machine
from gan808.recording.format import read_take
from gan808.recording.recorder import Recorder
from gan808.recording.replay import Replay
from gan808.sound.latent import Point, parse_id
from gan808.sound.sound import Sound
from tests.fake_filler import FakeFiller
from tests.fakes import FakeKit, FakeLibrary, FakePool
from tests.instrument.rig import PATTERN
from tests.pool.sounds import make_sound

RATE_HZ = 48_000
LENGTH = 3000


def sound_of(class_name: str, point: Point, kit: str = "fake") -> Sound:
    """A sound that is a function of its identity, as a rendered one is."""
    return make_sound(class_name, point.seed, n_frames=LENGTH + point.seed % 500, kit=kit,
                      trail=point.trail)


def made_again(_: str, pairs: Sequence[tuple[str, str]]) -> Mapping[str, list[Sound]]:
    """What the render process does: sounds from ids."""
    found = {}
    for sound_id, _ in pairs:
        kit, class_name, point = parse_id(sound_id)
        found[sound_id] = [sound_of(class_name, point, kit)]
    return found


class EndlessPool(FakePool):
    """Another sound at every draw."""

    def __init__(self, classes: Sequence[str]) -> None:
        super().__init__(classes)
        self._seeds = itertools.count(100)

    def take(self, class_name: str, third: int | None = None, *,
             width: float = 0.0) -> Sound | None:
        return sound_of(class_name, Point(next(self._seeds)).widened(width))


class Filler(FakeFiller):
    def _render(self, class_name: str, point: Point) -> Sound | Gan808Error:
        return sound_of(class_name, point)


class Stage:
    """A machine on the real engine, driven block by block; what it plays is in `heard`."""

    def __init__(self, folder: Path, **sections: dict[str, Any]) -> None:
        self.folder = folder
        base: dict[str, dict[str, Any]] = {
            "sequencer": {"pattern": "test"}, "renderer": {"seed": 808},
            "evolve": {"swaps_per_bar": 16.0, "quantise": "beat"}}
        self.engine = Engine(RATE_HZ, cells=128, max_sound_s=0.1, voices=16)
        kit = FakeKit(sounds=[sound_of(name, Point(seed)) for name in FakeKit().classes
                              for seed in range(3)])
        other = FakeKit("other", sounds=[sound_of(name, Point(7), "other")
                                         for name in kit.classes])
        pool = EndlessPool(kit.classes)
        self.filler = Filler(pool)
        self.machine = Machine(
            kit, self.engine, pool, self.filler, Settings().replace(base | sections),
            FakeLibrary({"fake": kit, "other": other}, {"test": PATTERN}))
        self.recorder = Recorder(self.machine)
        self.machine.commands.register(self.recorder.handlers())
        self.notices: list[str] = []
        self.machine.subscribe(lambda event: self.notices.append(event.text)
                               if isinstance(event, Notice) else None)
        self.port = self.engine.port("osc")
        self.heard: list[np.ndarray] = []
        self.machine.start(live=False)

    def run(self, frames: int, block: int = 128) -> None:
        end = self.engine.frames + frames
        while self.engine.frames < end:
            count = min(block, end - self.engine.frames)
            self.filler.deliver_all()
            self.machine.before_block(self.engine.frames + count)
            out = np.zeros((count, 2), np.float32)
            self.engine.process(out)
            self.recorder.follow()
            self.heard.append(out)

    def ask(self, address: str, *arguments: object) -> Any:
        answers: list[Any] = []
        for request in decode(f"/gan808{address}", arguments, self.machine.codes):
            self.machine.handle(request, self.port, 0, answers.append)
        self.machine.before_block(self.engine.frames)
        return answers[0] if answers else None

    def play(self, random: np.random.Generator, seconds: float) -> None:
        """Hits as soon as possible, settings, swaps and sounds to order, while it evolves."""
        codes, end = self.machine.codes, self.engine.frames + round(seconds * RATE_HZ)
        while self.engine.frames < end:
            code = str(random.choice(codes))
            self.ask("/trig", code, float(random.uniform(0.2, 1)))
            wishes: list[tuple[object, ...]] = [
                (f"/slot/{code}/level", float(random.random())),
                (f"/slot/{code}/tune", float(random.uniform(-9, 9))),
                (f"/slot/{code}/decay", float(random.uniform(0.3, 1))),
                (f"/slot/{code}/pan", float(random.uniform(-1, 1))),
                (f"/slot/{code}/new", int(random.integers(0, 99))),
                (f"/slot/{code}/width", 0.5),
                (f"/slot/{code}/morph", int(random.integers(0, 9)), 0.25),
                ("/play", "s", code, "gain", 0.7, "pan", 0.2, "speed", 1.5),
                ("/seq/tempo", float(random.uniform(80, 180))),
                ("/volume", float(random.uniform(0.4, 1))),
                ("/stop", code),
                ("/trig", code, 1.0),
            ]
            address, *arguments = wishes[int(random.integers(0, len(wishes)))]
            self.ask(str(address), *arguments)
            self.run(int(random.integers(1, 4000)), block=int(random.integers(1, 300)))

    def record(self, name: str) -> Path:
        stem = self.folder / name
        self.recorder.begin(stem)
        return stem

    def close(self) -> str:
        said = self.recorder.close()
        assert said is not None
        return said

    @property
    def audio(self) -> np.ndarray:
        return np.concatenate(self.heard)


def replayed(path: Path) -> np.ndarray:
    lines = read_take(path)
    found = find_sounds(lines, made_again)
    assert not found.differing
    write_wav(path.with_name("replay.wav"), Replay(lines, found.sounds))
    return read(path.with_name("replay.wav"))


def read(path: Path) -> np.ndarray:
    return np.asarray(soundfile.read(path, dtype="float32", always_2d=True)[0])


def texts(path: Path) -> list[str]:
    return [message.text for track in mido.MidiFile(path).tracks for message in track
            if message.type == "text"]
