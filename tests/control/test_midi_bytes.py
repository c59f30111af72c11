"""Bytes of a port become whole messages, whatever stands between them; damage costs no note."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gan808.control.midi.byte_stream import DATA_BYTES, MessageReader

NOTE = [0x99, 36, 100]


def read(*parts: Sequence[int]) -> list[list[int]]:
    reader = MessageReader()
    return [message for part in parts for message in reader.read(part)]


@pytest.mark.parametrize(("data", "messages"), [
    (NOTE, [NOTE]),
    ([0xC9, 5], [[0xC9, 5]]),
    ([0x99, 36, 100, 38, 90, 38, 0], [NOTE, [0x99, 38, 90], [0x99, 38, 0]]),
    ([0xD9, 1, 2, 3], [[0xD9, 1], [0xD9, 2], [0xD9, 3]]),
    ([0xF8, 0x99, 0xF8, 36, 0xFE, 100, 0xFA], [[0xF8], [0xF8], [0xFE], NOTE, [0xFA]]),
    ([0xF0, 1, 2, 3, 0xF7, *NOTE], [NOTE]),
    ([0xF0, 1, 0xF8, 2, 0xF7, *NOTE], [[0xF8], NOTE]),
    ([0xF0, 1, 2, *NOTE], [NOTE]),  # its end was lost
    ([0xF2, 1, 2, *NOTE], [[0xF2, 1, 2], NOTE]),
    ([0xF6, *NOTE], [[0xF6], NOTE]),
    ([0xF9, 0xFD, *NOTE], [NOTE]),
    ([0xF4, 1, 0xF5, 2, 3, *NOTE], [NOTE]),
    ([36, 100, *NOTE], [NOTE]),
    ([0x99, 36, *NOTE], [NOTE]),
    ([0x99, *NOTE], [NOTE]),
    ([0xB9, 7, *NOTE, 38, 1], [NOTE, [0x99, 38, 1]]),
])
def test_messages(data: list[int], messages: list[list[int]]) -> None:
    assert read(data) == messages
    assert read(*[[byte] for byte in data]) == messages, "the same, byte by byte"


@pytest.mark.parametrize("system", [0xF0, 0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7])
def test_system_messages_end_running_status(system: int) -> None:
    """By the standard: data after them belongs to no note."""
    data = [*NOTE, system, *[1] * (DATA_BYTES.get(system) or 0)]
    assert [0x99, 40, 41] not in read([*data, 40, 41])


@pytest.mark.parametrize("clock", [0xF8, 0xFA, 0xFB, 0xFC, 0xFE, 0xFF])
def test_real_time_messages_leave_running_status(clock: int) -> None:
    assert read([*NOTE, clock, 40, clock, 41]) == [NOTE, [clock], [clock], [0x99, 40, 41]]


def test_damage_is_counted_once_a_run() -> None:
    reader = MessageReader()
    reader.read([1, 2, 3, 4])
    assert reader.unusable == 1
    reader.read([0x99, 36])
    reader.read(NOTE)
    assert reader.unusable == 2


@given(st.lists(st.lists(st.integers(-5, 300), max_size=8), max_size=8))
def test_nothing_raises_and_messages_are_whole(parts: list[list[int]]) -> None:
    for message in read(*parts):
        status = message[0]
        if status < 0xF8:
            assert len(message) - 1 == DATA_BYTES[status & 0xF0 if status < 0xF0 else status]
        assert all(0 <= byte <= 127 for byte in message[1:])


def test_a_note_after_any_storm_is_heard_and_notes_within_it_in_order() -> None:
    """Notes with their status are never lost, whatever bytes stand between them."""
    chance, reader = random.Random(808), MessageReader()
    for number in range(5000):
        reader.read([chance.randrange(256) for _ in range(chance.randrange(12))])
        note = [0x99, 36, 1 + number % 127]
        # Clock may come within any message.
        place = chance.randrange(3)
        heard = reader.read([*note[:place], 0xF8, *note[place:]])
        assert [message for message in heard if message != [0xF8]][-1:] == [note]
