"""The sequencer's hits as MIDI notes, so that other gear plays the pattern.

On the thread that sends (sender.py). A note is its slot's, the first in the kit; how hard it was
hit is its velocity. On JACK it lies at the very frame of its hit, elsewhere it is due when that is
heard. Slots that are mute send none.
"""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING

from gan808.control.midi.sender import DueMessage
from gan808.sequencer.hits import ScheduledHit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gan808.instrument.machine import Machine

NOTE_S = 0.05
# Further behind than this, after a machine was asleep, silence is better than a burst.
MOST_BEHIND_S = 0.25
DRUM_CHANNEL = 10  # where the settings listen to all
NOTE_OFF, NOTE_ON, CONTROL_CHANGE = 0x80, 0x90, 0xB0
ALL_NOTES_OFF, HARDEST = 123, 127


class NoteSource:
    """What a machine's sequencer plays. channel 1..16, or 0."""

    name = "notes"

    def __init__(self, machine: Machine, channel: int) -> None:
        self._machine = machine
        self._channel = (channel or DRUM_CHANNEL) - 1
        self._coming: deque[ScheduledHit] = deque()
        self._ends: dict[int, float] = {}  # notes that sound: the frame at which each ends

    def taken_back(self, now: int) -> float:
        """The frame from which on no note that was given sounds; inf where all do."""
        earliest = math.inf
        for news in self._machine.sequencer.hits.read():
            if isinstance(news, ScheduledHit):
                self._coming.append(news)
                continue
            self._coming = deque(hit for hit in self._coming if hit.frame < news.frame)
            earliest = min(earliest, news.frame)
        if earliest < math.inf:
            end = max(now, earliest)
            self._ends = {note: min(each, end) for note, each in self._ends.items()}
        return earliest

    def due(self, now: int, until_frame: int) -> list[DueMessage]:
        """Notes on and off below until_frame; of one note in order, off before on."""
        rate_hz, found = self._machine.engine.sample_rate_hz, []
        while self._coming and self._coming[0].frame < until_frame:
            hit = self._coming.popleft()
            note = self._note_of(hit.slot)
            if note is None or now - hit.frame > MOST_BEHIND_S * rate_hz:
                continue
            if note in self._ends:
                found.append(self._off(note, min(self._ends[note], hit.frame)))
            velocity = min(max(round(HARDEST * hit.velocity), 1), HARDEST)
            found.append(self._message(hit.frame, NOTE_ON, note, velocity))
            self._ends[note] = max(hit.frame, now) + NOTE_S * rate_hz
        over = [note for note, end in self._ends.items() if end < until_frame]
        return found + [self._off(note, self._ends.pop(note)) for note in over]

    def hello(self) -> list[bytes]:
        """A port that is new, or has returned, holds no note."""
        return [bytes((CONTROL_CHANGE | self._channel, ALL_NOTES_OFF, 0))]

    def farewell(self) -> list[bytes]:
        """What ends the notes that sound."""
        ends, self._ends = self._ends, {}
        return [self._off(note, 0.0).data for note in ends]

    def shuns(self, name: str) -> bool:
        """Notes go everywhere: nothing of ours plays them back."""
        return False

    def warn_of_loop(self, names: Iterable[str]) -> None:
        """There is none."""

    def _note_of(self, slot: int) -> int | None:
        slots = self._machine.kit.slots
        if slot >= len(slots) or self._machine.swaps.is_silenced(slot):
            return None
        return slots[slot].notes[0]

    def _off(self, note: int, frame: float) -> DueMessage:
        return self._message(frame, NOTE_OFF, note, 0)

    def _message(self, frame: float, status: int, note: int, value: int) -> DueMessage:
        heard = frame + self._machine.engine.latency_frames
        return DueMessage(frame, heard, bytes((status | self._channel, note, value)))
