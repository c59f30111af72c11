"""Sends MIDI clock: the sequencer's tempo, starts, stops and place for others to follow.

`MidiClockOut` owns one thread, `midi-clock`, which looks at the sequencer every few milliseconds,
and the ports it sends to. A tick is due when the sound of its frame is heard. On JACK it is handed
over ahead and lies on its frame to the sample; elsewhere it is sent when its time comes.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from gan808.control.midi.outputs import MidiOutputs
from gan808.control.midi.ports import OFF
from gan808.errors import Guard
from gan808.realtime import request_realtime
from gan808.sequencer.clock_out import ClockPlan

if TYPE_CHECKING:
    from collections.abc import Callable

    from gan808.instrument.machine import Machine

# A start or stop is told within this time, in one that hears ticks at once.
LOOK_S = 0.004
# Planned so far ahead, and handed to JACK: more than a look, a period and a hold-up of Python.
AHEAD_S = 0.02


class MidiClockOut:
    """The clock of a machine on the ports of a choice.

    followed: the name of the MIDI port whose clock leads the machine now, None where none does.
    That device does not get its own clock back unless the settings name its port in full.
    """

    def __init__(
        self, machine: Machine, outputs: MidiOutputs, followed: Callable[[], str | None]
    ) -> None:
        self._machine = machine
        self._outputs = outputs
        self._followed = followed
        self._plan = ClockPlan()
        # When, at which frame, what: for ports that send at once.
        self._waiting: deque[tuple[float, float, bytes]] = deque()
        self._shunned: str | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="midi-clock", daemon=True)

    @property
    def notice(self) -> str:
        """One line for the user: where the clock goes, empty where it goes nowhere."""
        if self._outputs.choice == OFF:
            return ""
        names = ", ".join(self._outputs.names)
        return f"clock to {names}" if names else f"clock waits for a {self._outputs.choice!r} port"

    def start(self) -> None:
        """Open the ports and begin to send, unless it is off. Raises DeviceError."""
        if self._outputs.choice == OFF:
            return
        self._outputs.open(self._shuns)
        self._thread.start()

    def stop(self) -> None:
        """Close the ports; safe to call twice, or without start."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2.0)
        self._outputs.close()

    def _run(self) -> None:
        request_realtime()
        next_look_s = time.monotonic()
        guard = Guard("MIDI clock out")
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
        machine, clock = self._machine, self._machine.engine.clock
        latency = machine.engine.latency_frames
        # A frame is heard one output latency after it was mixed.
        heard = clock.frame_at(now_s) - latency
        ahead = round(AHEAD_S * machine.engine.sample_rate_hz)
        transport = machine.sequencer.transport
        for message in self._plan.due(transport, heard, heard + ahead,
                                      song_from_start=machine.sync.mode == "link"):
            frame = message.frame + latency
            whole = int(frame)
            due_s = clock.time_at(whole) + (frame - whole) / machine.engine.sample_rate_hz
            self._waiting.append((due_s, frame, message.data))
            for port in self._outputs.ports:
                if port.takes_ahead:
                    port.send(message.data, frame)
        self._notice_loop()

    def send_due(self, now_s: float) -> None:
        """Send what is due now, on ports that send at once."""
        while self._waiting and self._waiting[0][0] <= now_s:
            _, frame, data = self._waiting.popleft()
            for port in self._outputs.ports:
                if not port.takes_ahead and not self._shuns(port.name):
                    # Refused: it has gone, and the ports' watcher is about to notice.
                    port.send(data, frame)

    def _shuns(self, name: str) -> bool:
        """Whether a port belongs to the device whose clock is followed: a loop nobody asked for."""
        source = self._followed()
        if source is None or name.lower() == self._outputs.choice.lower():
            return False
        return name == source or _client_of(name) == _client_of(source) is not None

    def _notice_loop(self) -> None:
        source = self._followed()
        if source == self._shunned:
            return
        self._shunned = source
        for name in self._outputs.names:
            if self._shuns(name):
                self._machine.say(f"MIDI clock is not sent back to {name}, whose clock is "
                                  "followed; its whole name as midi.clock_out sends it")


def _client_of(name: str) -> str | None:
    """The program of a JACK port; None for RtMidi's names, whose colons mean other things."""
    client, colon, port = name.partition(":")
    return client if colon and ":" not in port else None
