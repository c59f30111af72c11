"""Another kit's sounds are read beside the machine: its thread goes on with everything else."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from gan808.errors import KitError
from gan808.instrument.machine import Machine
from gan808.sound.sound import Sound
from tests.fakes import FakeEngine, FakeFiller, FakeKit, FakePool, FakeShelf
from tests.instrument.rig import PATTERN, Rig

LONG_S = 20.0


@dataclass
class SlowKit(FakeKit):
    """Its sounds can be read only when the test lets them."""

    gate: threading.Event = field(default_factory=threading.Event)
    reading: threading.Event = field(default_factory=threading.Event)
    damaged: bool = False

    def factory_sounds(self, sample_rate_hz: int) -> list[Sound]:
        self.reading.set()
        self.gate.wait(LONG_S)
        if self.damaged:
            raise KitError("kit slow: a sound is cut short")
        return super().factory_sounds(sample_rate_hz)


class Live:
    """A machine whose threads run, a filler that answers when told to, a slow kit on the shelf."""

    def __init__(self) -> None:
        kit = FakeKit()
        self.slow = SlowKit("slow")
        self.filler = FakeFiller()
        shelf = FakeShelf({"slow": self.slow, "other": FakeKit("other")}, {"test": PATTERN})
        settings = Rig(sequencer={"playing": False}).machine.settings
        self.machine = Machine(kit, FakeEngine(), FakePool(kit.classes), self.filler, settings,
                               shelf)
        self.answers: queue.Queue = queue.Queue()

    def ask(self, command: str, *arguments: object) -> object:
        answers: queue.Queue = queue.Queue()
        self.machine.submit(command, *arguments, reply=answers.put)  # type: ignore[arg-type]
        return answers.get(timeout=LONG_S)

    def load(self, name: str) -> None:
        self.machine.submit("/kit/load", name, reply=self.answers.put)

    def answer(self) -> object:
        """The answer to a load; the filler's part happens as soon as it is asked."""
        for _ in range(2000):
            if not self.answers.empty():
                break
            self.filler.deliver_all()
            self.ask("/kit/list")
        return self.answers.get(timeout=LONG_S)


@pytest.fixture
def live() -> Iterator[Live]:
    live = Live()
    live.machine.start()
    yield live
    live.slow.gate.set()
    live.machine.stop()


def test_the_machine_goes_on_while_a_kit_is_read(live: Live) -> None:
    live.load("slow")
    assert live.slow.reading.wait(LONG_S)
    assert live.ask("/slot/SLOT/level", 0, 0.5) == (0.5,)
    live.slow.gate.set()
    assert live.answer() == ("slow",)
    assert live.machine.kit.name == "slow"


def test_sounds_that_cannot_be_read_change_nothing(live: Live) -> None:
    live.slow.damaged = True
    live.slow.gate.set()
    live.load("slow")
    assert "cut short" in str(live.answer())
    assert live.machine.kit.name == "fake"


def test_the_last_kit_asked_for_is_the_one_that_comes(live: Live) -> None:
    live.load("slow")
    assert live.slow.reading.wait(LONG_S)
    live.load("other")
    assert live.answer() == ("other",)
    live.slow.gate.set()
    assert "another was asked for" in str(live.answer())
    assert live.machine.kit.name == "other"
