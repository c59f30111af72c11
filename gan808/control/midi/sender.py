"""Sends MIDI to the ports of a choice: the clock, the notes, or both.

`MidiSender` owns one thread, `midi-out`, which asks its sources every few milliseconds for what is
due soon, and the ports. What a port of JACK's is to have is handed over ahead and lies on its frame
to the sample; elsewhere it is sent when its time comes.
"""

from __future__ import annotations

import heapq
import itertools
import math
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from gan808.control.midi.outputs import MidiOutputs
from gan808.control.midi.ports import OFF
from gan808.errors import Guard
from gan808.realtime import request_realtime

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gan808.instrument.machine import Machine

# A start or stop is told within this time, in one that hears ticks at once.
LOOK_S = 0.004
# Planned so far ahead, and handed to JACK: more than a look, a period and a hold-up of Python.
AHEAD_S = 0.02
NOTE_ON, KIND = 0x90, 0xF0


@dataclass(frozen=True, slots=True)
class DueMessage:
    """A message. frame: of the engine, at which it lies on JACK; heard_frame: the sound of which
    frame is heard when it is sent elsewhere."""

    frame: float
    heard_frame: float
    data: bytes


class MidiSource(Protocol):
    """What is sent. shuns(name): a port that does not get it. hello and farewell: what a port gets
    when it comes, and all of them when the program ends."""

    name: str

    def taken_back(self, now: int) -> float: ...

    def due(self, now: int, until_frame: int) -> list[DueMessage]: ...

    def hello(self) -> list[bytes]: ...

    def farewell(self) -> list[bytes]: ...

    def shuns(self, name: str) -> bool: ...

    def warn_of_loop(self, names: Iterable[str]) -> None: ...


class MidiSender:
    """Some sources on the ports of one choice."""

    def __init__(
        self, machine: Machine, outputs: MidiOutputs, sources: Sequence[MidiSource]
    ) -> None:
        self._machine = machine
        self._outputs = outputs
        self._sources = tuple(sources)
        self._known: set[str] = set()
        # When, in which order, what, for whom: for ports that send at once.
        self._waiting: list[tuple[float, int, DueMessage, MidiSource]] = []
        self._order = itertools.count()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="midi-out", daemon=True)

    @property
    def notice(self) -> str:
        """One line for the user: what goes where, empty where nothing does."""
        if self._outputs.choice == OFF:
            return ""
        what, names = " and ".join(s.name for s in self._sources), ", ".join(self._outputs.names)
        return f"{what} to {names}" if names else (
            f"{what} to {self._outputs.choice!r} when such a port is there")

    def start(self) -> None:
        """Open the ports and begin to send, unless it is off. Raises DeviceError."""
        if self._outputs.choice == OFF:
            return
        self._outputs.open(self.shuns)
        self._thread.start()

    def stop(self) -> None:
        """Close the ports, with no note left on; safe to call twice, or without start."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2.0)
        self._take_back(0.0)
        for source in self._sources:
            for port, data in itertools.product(self._outputs.ports, source.farewell()):
                port.send(data, 0.0)
        self._outputs.close()

    def shuns(self, name: str) -> bool:
        """Whether nothing is sent to a port."""
        return all(source.shuns(name) for source in self._sources)

    def _run(self) -> None:
        request_realtime()
        next_look_s = time.monotonic()
        guard = Guard("MIDI out")
        while not self._stopping.is_set():
            with guard:
                now_s = time.monotonic()
                if now_s >= next_look_s:
                    next_look_s = now_s + LOOK_S
                    self.look(now_s)
                self.send_due(time.monotonic())
            wake_s = min(next_look_s, self._waiting[0][0] if self._waiting else next_look_s)
            self._stopping.wait(max(0.0, wake_s - time.monotonic()))

    def look(self, now_s: float) -> None:
        """Plan what is due soon and hand over what ports take ahead."""
        self._outputs.close_gone()
        now = self._machine.engine.clock.frame_at(now_s)
        until = now + round(AHEAD_S * self._machine.engine.sample_rate_hz)
        self._greet()
        self._take_back(min(source.taken_back(now) for source in self._sources))
        planned = [(due, source) for source in self._sources for due in source.due(now, until)]
        for due, source in sorted(planned, key=lambda each: each[0].frame):
            heapq.heappush(self._waiting, (
                self._time_of(due.heard_frame), next(self._order), due, source))
            for port in self._outputs.ports:
                if port.takes_ahead and not self._is_looped(source):
                    port.send(due.data, due.frame)
        for source in self._sources:
            source.warn_of_loop(self._outputs.names)

    def send_due(self, now_s: float) -> None:
        """Send what is due now, on ports that send at once."""
        while self._waiting and self._waiting[0][0] <= now_s:
            _, _, due, source = heapq.heappop(self._waiting)
            for port in self._outputs.ports:
                if not port.takes_ahead and not source.shuns(port.name):
                    # Refused: it has gone, and the ports' watcher is about to notice.
                    port.send(due.data, due.heard_frame)

    def _time_of(self, frame: float) -> float:
        whole, engine = int(frame), self._machine.engine
        return engine.clock.time_at(whole) + (frame - whole) / engine.sample_rate_hz

    def _is_looped(self, source: MidiSource) -> bool:
        """Whether our port on JACK may not carry a source: it is connected to what shuns that, and
        the cable stays for what the other has to send."""
        return len(self._sources) > 1 and any(map(source.shuns, self._outputs.names))

    def _greet(self) -> None:
        names = set(self._outputs.names)
        if names - self._known:
            for port, source in itertools.product(self._outputs.ports, self._sources):
                for data in source.hello():
                    port.send(data, 0.0)
        self._known = names

    def _take_back(self, frame: float) -> None:
        """No note on that is due at a frame or later is sent any more."""
        if frame == math.inf:
            return
        self._waiting = [each for each in self._waiting
                         if each[2].frame < frame or each[2].data[0] & KIND != NOTE_ON]
        heapq.heapify(self._waiting)
        for port in self._outputs.ports:
            port.take_back(frame)
