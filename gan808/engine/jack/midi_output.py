"""MIDI to JACK, each message at the frame it is due: the client that makes the sound sends it.

Messages are handed over a little ahead with the frames of the engine they belong to; what Python
does meanwhile moves none of them. One thread of Python fills the ring.
"""

from __future__ import annotations

import time
from typing import Any

from gan808.engine.jack.client import JackClient
from gan808.engine.jack.libjack import IS_INPUT, IS_OUTPUT, MIDI_TYPE
from gan808.engine.jack.midi_layout import MAX_BYTES, RING_EVENTS
from gan808.engine.jack.midi_port import JackMidiPort

NOTE_ON, KIND = 0x90, 0xF0
# What is left when a port is closed is due soon, or never.
DRAINS_S = 0.1


class JackMidiOutput(JackMidiPort):
    """One MIDI output. `send` belongs to one thread."""

    def __init__(self, client: JackClient, name: str, memory: Any, ring: Any) -> None:
        """Appears at once, connected to nothing. Raises DeviceError."""
        super().__init__(client, name, IS_OUTPUT, memory, ring)
        self._written = self._load(self._written_at)

    @property
    def late(self) -> int:
        """Messages that were sent in a later cycle than they were due."""
        return int(self._ring["late"])

    def send(self, data: bytes, frame: float) -> bool:
        """Send up to MAX_BYTES bytes at a frame, not before what was sent last; False where the
        ring is full."""
        if self._written - self._load(self._read_at) >= RING_EVENTS:
            return False
        event = self._ring["events"][self._written % RING_EVENTS]
        event["frame"], event["size"] = frame, min(len(data), MAX_BYTES)
        event["data"][:len(data)] = memoryview(data)[:MAX_BYTES]
        self._written += 1
        self._store(self._written_at, self._written)
        return True

    def take_back(self, frame: float) -> None:
        """Sends no note on that is due at `frame` or later and has not been sent yet."""
        for place in range(self._load(self._read_at), self._written):
            event = self._ring["events"][place % RING_EVENTS]
            if event["frame"] >= frame and event["data"][0] & KIND == NOTE_ON:
                event["size"] = 0

    def close(self) -> None:
        """Takes the port away once what is due has been sent; safe to call twice."""
        deadline_s = time.monotonic() + DRAINS_S
        while self.alive and self._load(self._read_at) < self._written \
                and time.monotonic() < deadline_s:
            time.sleep(0.001)
        super().close()

    def inputs(self) -> list[str]:
        """The full names of the MIDI inputs of all programs; none when the server has gone."""
        return self._client.port_names(MIDI_TYPE, IS_INPUT)

    def connect(self, target: str) -> bool:
        """Sends to another program's MIDI input as well; whether it is connected now. One that has
        just appeared may not be ready for it yet."""
        return self._client.connected(self._handle, target) or \
            self._client.connect(self.name, target)

    def disconnect(self, target: str) -> bool:
        """Sends there no longer; False where it did not."""
        return self._client.connected(self._handle, target) and \
            self._client.disconnect(self.name, target)
