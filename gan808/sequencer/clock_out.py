"""The MIDI clock that others follow, made from what the sequencer does: messages and their frames.

`ClockPlan` belongs to the thread that sends; it owns where the clock is. Pure of time: frames in,
frames out. Ticks lie on the sequencer's line, 24 a beat, playing or not; a start is told just
before the tick it begins with.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

from gan808.sequencer.clock import TempoLine, Transport
from gan808.sequencer.midi_clock import TICKS_PER_STEP

CLOCK, START, CONTINUE, STOP = b"\xf8", b"\xfa", b"\xfb", b"\xfc"
SONG_POSITION = 0xF2
SONG_SIXTEENTHS = 1 << 14  # a position has 14 bits: 1024 bars
# What starts is told a quarter of a tick before its first tick; receivers want a millisecond.
BEFORE_TICKS = 0.25
LEAST_BEFORE_S = 0.001
# Further behind than this the clock jumps instead of catching up in a burst.
MOST_BEHIND_S = 0.25
# Tempo changes that are not yet due; more are no music.
MOST_LINES = 64


@dataclass(frozen=True, slots=True)
class ClockMessage:
    """A message and the frame, fraction and all, at which its receiver should have it."""

    frame: float
    data: bytes


def song_position(sixteenths: int) -> bytes:
    """Song position pointer."""
    place = sixteenths % SONG_SIXTEENTHS
    return bytes((SONG_POSITION, place & 0x7F, place >> 7))


class ClockPlan:
    """Follows a sequencer's transport and says which messages are due."""

    def __init__(self) -> None:
        self._lines: deque[TempoLine] = deque()
        self._tick = 0  # the next one, counted from the line's beginning
        self._starts = 0
        self._playing = False
        self._begin_tick: int | None = None  # that of a start that has not been told yet
        self._origin_step = 0  # the step of the line at which the song begins
        self._last_frame = -math.inf

    def due(
        self, transport: Transport, now: int, until_frame: float, *, song_from_start: bool = False
    ) -> list[ClockMessage]:
        """Messages below until_frame that were not given yet, in order.

        song_from_start: wherever on its line the sequencer begins, that is the song's beginning,
        as in a Link session, whose beats count from long ago.
        """
        messages: list[ClockMessage] = []
        if not self._lines:
            self._lines.append(transport.line)
            self._tick = self._tick_at(now)
        if transport.playing and (not self._playing or transport.starts != self._starts):
            self._begin(transport, now, messages, song_from_start)
        elif self._playing and not transport.playing:
            self._begin_tick = None
            self._add(messages, now, STOP)
        elif transport.line != self._lines[-1]:
            self._follow(transport.line)
        self._playing, self._starts = transport.playing, transport.starts
        self._advance(now, until_frame, messages)
        return messages

    def _begin(
        self, transport: Transport, now: int, messages: list[ClockMessage], from_start: bool
    ) -> None:
        if self._playing:
            self._add(messages, now, STOP)
        self._lines = deque([transport.line])
        self._origin_step = transport.first_step if from_start else 0
        step = transport.first_step
        if self._frames_behind(step * TICKS_PER_STEP, now) > self._frames(MOST_BEHIND_S):
            step = math.ceil(transport.line.step_at(now))  # it has been playing for a while
        self._begin_tick = step * TICKS_PER_STEP
        self._tick = min(self._tick_at(now), self._begin_tick)

    def _follow(self, line: TempoLine) -> None:
        # A new tempo holds from its anchor on: until then the old one is what is heard.
        while self._lines and self._lines[-1].anchor_frame >= line.anchor_frame:
            self._lines.pop()
        self._lines.append(line)
        if len(self._lines) > MOST_LINES:
            self._lines.popleft()

    def _advance(self, now: int, until_frame: float, messages: list[ClockMessage]) -> None:
        while True:
            if self._frames_behind(self._tick, now) > self._frames(MOST_BEHIND_S):
                self._jump(now, messages)
            frame = self._frame_of(self._tick)
            if self._tick == self._begin_tick:
                told = frame - BEFORE_TICKS * self._lines[0].frames_per_step / TICKS_PER_STEP
                if told >= until_frame:
                    return
                self._tell_start(max(told, now), messages)
            if frame >= until_frame:
                return
            self._add(messages, frame, CLOCK)
            self._tick += 1

    def _tell_start(self, frame: float, messages: list[ClockMessage]) -> None:
        assert self._begin_tick is not None
        place = self._begin_tick // TICKS_PER_STEP - self._origin_step
        if place == 0:
            self._add(messages, frame, START)
        else:
            self._add(messages, frame, song_position(place))
            self._add(messages, frame, CONTINUE)
        self._begin_tick = None
        self._last_frame += self._frames(LEAST_BEFORE_S)

    def _jump(self, now: int, messages: list[ClockMessage]) -> None:
        """After a long gap: leave out what was missed and tell the song position that holds now."""
        self._tick = self._tick_at(now)
        if self._playing and self._begin_tick is None:
            self._add(messages, now, STOP)
        if self._playing:
            self._begin_tick = -(-self._tick // TICKS_PER_STEP) * TICKS_PER_STEP

    def _frame_of(self, tick: int) -> float:
        step = tick / TICKS_PER_STEP
        while len(self._lines) > 1 and (
            self._lines[0].frame_of(step) >= self._lines[1].anchor_frame - 0.5
        ):
            self._lines.popleft()
        return self._lines[0].frame_of(step)

    def _tick_at(self, frame: float) -> int:
        return math.ceil(self._lines[0].step_at(frame) * TICKS_PER_STEP - 1e-6)

    def _frames_behind(self, tick: int, now: int) -> float:
        return now - self._frame_of(tick)

    def _frames(self, seconds: float) -> float:
        return seconds * self._lines[0].sample_rate_hz

    def _add(self, messages: list[ClockMessage], frame: float, data: bytes) -> None:
        self._last_frame = max(frame, self._last_frame)
        messages.append(ClockMessage(self._last_frame, data))
