"""MIDI clock for others to follow: the sequencer's tempo, starts, stops and place.

On the thread that sends (sender.py). A tick is due when the sound of its frame is heard.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gan808.control.midi.sender import DueMessage
from gan808.sequencer.clock_out import ClockPlan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gan808.instrument.machine import Machine


class ClockSource:
    """The clock of a machine.

    followed: the name of the MIDI port whose clock leads the machine now, None where none does.
    That device does not get its own clock back unless `choice`, the settings', is its whole name.
    """

    name = "clock"

    def __init__(self, machine: Machine, choice: str, followed: Callable[[], str | None]) -> None:
        self._machine = machine
        self._choice = choice
        self._followed = followed
        self._plan = ClockPlan()
        self._told: str | None = None

    def taken_back(self, now: int) -> float:
        """A clock takes nothing back."""
        return math.inf

    def due(self, now: int, until_frame: int) -> list[DueMessage]:
        """Ticks, starts and stops below until_frame, in order."""
        machine = self._machine
        # A frame is heard one output latency after it was mixed.
        latency = machine.engine.latency_frames
        messages = self._plan.due(machine.sequencer.transport, now - latency,
                                  until_frame - latency,
                                  song_from_start=machine.sync.mode == "link")
        return [DueMessage(each.frame + latency, each.frame + latency, each.data)
                for each in messages]

    def hello(self) -> list[bytes]:
        """A port that is new hears the next tick."""
        return []

    def farewell(self) -> list[bytes]:
        """The clock ends as it is."""
        return []

    def shuns(self, name: str) -> bool:
        """Whether a port belongs to the device whose clock is followed: a loop nobody asked for."""
        source = self._followed()
        if source is None or name.lower() == self._choice.lower():
            return False
        return name == source or _client_of(name) == _client_of(source) is not None

    def warn_of_loop(self, names: Iterable[str]) -> None:
        """Say once which of these ports are shunned."""
        source = self._followed()
        if source == self._told:
            return
        self._told = source
        for name in names:
            if self.shuns(name):
                self._machine.say(f"MIDI clock is not sent back to {name}, whose clock is "
                                  "followed; its whole name as midi.clock_out sends it")


def _client_of(name: str) -> str | None:
    """The program of a JACK port; None for RtMidi's names, whose colons mean other things."""
    client, colon, port = name.partition(":")
    return client if colon and ":" not in port else None
