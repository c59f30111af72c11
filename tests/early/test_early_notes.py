"""What becomes of messages before the MIDI thread is there: as that thread would have it, or kept
for it."""

from __future__ import annotations

import time
from typing import Any

import pytest

from gan808.config import Settings
from gan808.control.midi.input import velocity_of
from gan808.early.notes import MOST_WAITING, EarlyNotes
from gan808.early.slots import FirstSlot
from tests.timing import SOON_S

CHANNEL = Settings().midi.channel
VELOCITIES = [velocity_of(value, "linear") for value in range(128)]
ON, OFF, KNOB = 0x90 + CHANNEL - 1, 0x80 + CHANNEL - 1, 0xB0 + CHANNEL - 1


class Engine:
    """Notes down what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    def trigger(self, slot: int, velocity: float) -> None:
        self.told.append(("trigger", slot, velocity))

    def release(self, slot: int) -> None:
        self.told.append(("release", slot))

    def stop(self) -> None:
        self.told.append(("stop",))

    def hand_over(self) -> None:
        self.told.append(("hand over",))


class Source:
    """Gives what it was given, once."""

    def __init__(self, *messages: list[int]) -> None:
        self.messages = [(bytes(message), 1.0 + index) for index, message in enumerate(messages)]

    def read(self) -> list[tuple[bytes, float]]:
        taken, self.messages = self.messages, []
        return taken


def played(*messages: list[int], learned: Any = (), channel: int = CHANNEL) -> tuple[
        list[tuple[Any, ...]], list[tuple[list[int], float]]]:
    """What the engine was told, and what has waited."""
    facts = {"channel": channel, "notes": {"36": 0, "46": 1}, "velocities": VELOCITIES,
             "learned": learned}
    slots = [FirstSlot({"gate": 0}), FirstSlot({"gate": 1})]
    source, engine = Source(*messages), Engine()
    notes = EarlyNotes(facts, slots, source, engine)  # type: ignore[arg-type]
    notes.start()
    deadline_s = time.monotonic() + SOON_S
    while source.messages and time.monotonic() < deadline_s:
        time.sleep(0.001)
    waited = notes.hand_over()
    assert engine.told.pop() == ("hand over",)
    return engine.told, waited


def test_notes_play_their_slots() -> None:
    assert played([ON, 36, 127], [ON, 46, 64], [ON, 12, 100]) == (
        [("trigger", 0, 1.0), ("trigger", 1, velocity_of(64, "linear"))], [])


def test_letting_go_ends_gated_slots_alone() -> None:
    assert played([OFF, 36, 0], [OFF, 46, 64], [ON, 46, 0]) == (
        [("release", 1), ("release", 1)], [])


@pytest.mark.parametrize(("channel", "heard"), [(CHANNEL, 1), (0, 2)])
def test_channels(channel: int, heard: int) -> None:
    told, waited = played([ON, 36, 100], [0x90, 36, 100], channel=channel)
    assert (len(told), waited) == (heard, [])


def test_everything_else_waits_with_its_time() -> None:
    """Knobs, program changes, clock; all sound off does not: what it ends sounds now."""
    told, waited = played([KNOB, 7, 3], [0xC0 + CHANNEL - 1, 2], [0xF8], [KNOB, 120, 0],
                          [KNOB, 123, 0])
    assert told == [("stop",)]
    assert waited == [([KNOB, 7, 3], 1.0), ([0xC0 + CHANNEL - 1, 2], 2.0), ([0xF8], 3.0),
                      ([KNOB, 123, 0], 5.0)]


def test_learned_controls_wait() -> None:
    """On whatever channel they were learned, notes that would play a slot among them."""
    told, waited = played([ON, 36, 100], [0x90, 36, 100], [ON, 46, 100],
                          learned=[["note", CHANNEL, 36], ["note", 1, 36]])
    assert told == [("trigger", 1, velocity_of(100, "linear"))]
    assert [message for message, _ in waited] == [[ON, 36, 100], [0x90, 36, 100]]


def test_a_flood_does_not_fill_memory() -> None:
    told, waited = played(*[[KNOB, 7, 3]] * (MOST_WAITING + 5), [ON, 36, 127])
    assert (len(told), len(waited)) == (1, MOST_WAITING)
