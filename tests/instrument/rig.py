"""A machine on fakes, driven offline: every test of it moves time by hand."""

from __future__ import annotations

from typing import Any

from gan808.config import Settings
from gan808.errors import Gan808Error
from gan808.instrument.addresses import decode
from gan808.instrument.events import Event
from gan808.instrument.machine import Machine
from gan808.instrument.protocols import LibraryLike
from gan808.instrument.state import State
from gan808.recording.recorder import Recorder
from gan808.sequencer.patterns import Pattern
from tests.fake_filler import FakeFiller
from tests.fake_library import SceneLibrary
from tests.fakes import FakeEngine, FakeKit, FakePool, fake_sound

BAR = 96000  # frames at 48 kHz and 120 BPM
BLOCK = 128
PATTERN = Pattern("test", 120.0, rows={"BD": (1.0, 0.0, 0.0, 0.0) * 4, "SD": (0.0,) * 15 + (0.5,)})


class Rig:
    """Machine, its fakes, and every event; `ask` runs a command and returns its answer."""

    def __init__(
        self,
        *,
        kit: FakeKit | None = None,
        cells: int = 256,
        stock: int = 0,
        pattern: Pattern = PATTERN,
        width: float = 0.0,
        begin: State | None = None,
        library: LibraryLike | None = None,
        **sections: dict[str, Any],
    ) -> None:
        base = {"sequencer": {"pattern": "test"}, "renderer": {"seed": 808},
                "evolve": {"swaps_per_bar": 0.0}, "kit": {"width": width}}
        merged = {name: {**base.get(name, {}), **sections.get(name, {})}
                  for name in (*base, *sections)}
        self.engine = FakeEngine(48000, cells=cells)
        self.kit = kit or FakeKit()
        self.pool = FakePool(self.kit.classes)
        self.filler = FakeFiller(self.pool)
        self.library = SceneLibrary({"fake": self.kit, "other": FakeKit("other"),
                                 "broken": FakeKit("broken")}, {"test": pattern})
        for name in self.kit.classes:
            for seed in range(stock):
                self.pool.put(fake_sound(name, 1000 + seed, pitch_hz=100.0 + seed))
        self.events: list[Event] = []
        self.machine = Machine(self.kit, self.engine, self.pool, self.filler,
                               Settings().replace(merged), library or self.library)
        self.machine.commands.register(Recorder(self.machine).handlers())
        self.machine.subscribe(self.events.append)
        self.port = self.engine.port("midi")
        if begin is not None:
            self.machine.snapshots.begin_with(begin)
        self.machine.start(live=False)

    def run(self, frames: int) -> None:
        """Mix that many frames, with the machine ahead of every block."""
        end = self.engine.frame + frames
        while self.engine.frame < end:
            block = min(BLOCK, end - self.engine.frame)
            self.machine.before_block(self.engine.frame + block)
            self.engine.run(block)

    def send(self, address: str, *arguments: object, frame: int = 0) -> list[Any]:
        """Decode and handle an OSC message; the list fills with answers as they come."""
        answers: list[Any] = []
        for request in decode(f"/gan808{address}", arguments, self.machine.codes):
            self.machine.handle(request, self.port, frame, answers.append)
        return answers

    def ask(self, address: str, *arguments: object, frame: int = 0) -> Any:
        """The one answer to a message, after one block."""
        answers = self.send(address, *arguments, frame=frame)
        self.run(BLOCK)
        assert len(answers) == 1, answers
        return answers[0]

    def refusal(self, address: str, *arguments: object) -> str:
        """The message of the error a message is answered with."""
        answer = self.ask(address, *arguments)
        assert isinstance(answer, Gan808Error), answer
        assert "\n" not in str(answer)
        return str(answer)

    def of_type(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def sound_id(self, slot: int) -> str:
        return self.machine.status().sounds[slot]
