"""MIDI from JACK with the frame of each message: an input of the client that makes the sound.

The process callback has the engine act on what it can, in the cycle that brings it, and keeps
everything in a ring; one thread of Python reads that. RtMidi would stamp what JACK brings with the
time of the cycle, so that every note would lie on a block.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gan808.engine.jack.client import JackClient
from gan808.engine.jack.libjack import IS_INPUT, IS_OUTPUT, MIDI_TYPE
from gan808.engine.jack.midi_layout import RING_EVENTS
from gan808.engine.jack.midi_port import JackMidiPort
from gan808.errors import DeviceError


@dataclass(frozen=True, slots=True)
class JackMidiEvent:
    """Bytes, time.monotonic seconds of their frame, and whether the engine has acted on them."""

    data: list[int]
    time_s: float
    played: bool


class JackMidiInput(JackMidiPort):
    """One MIDI input. `read` belongs to one thread."""

    def __init__(self, client: JackClient, name: str, memory: Any, ring: Any) -> None:
        """Appears at once, connected to nothing; the ring of an earlier port goes on. Raises
        DeviceError."""
        self._lost_before = int(ring["lost"])
        super().__init__(client, name, IS_INPUT, memory, ring)

    @property
    def lost(self) -> int:
        """Messages for which there was no room, because nobody read for long."""
        return int(self._ring["lost"]) - self._lost_before

    def connect(self, source: str) -> None:
        """Listens to another program's MIDI output, by its full name. Raises DeviceError."""
        if not self._client.connect(source, self.name):
            raise DeviceError(f"JACK MIDI port {source!r} cannot be opened")

    def read(self) -> list[JackMidiEvent]:
        """What has come since the last call. A message of more than MAX_BYTES comes in parts, one
        after the other."""
        written, read = self._load(self._written_at), self._load(self._read_at)
        found = []
        while read < written:
            event = self._ring["events"][read % RING_EVENTS]
            data = event["data"][:event["size"]].tolist()
            found.append(JackMidiEvent(data, float(event["time_s"]), bool(event["played"])))
            read += 1
        self._store(self._read_at, read)
        return found


class JackMidiScanner:
    """A client that lists the MIDI outputs of other programs, or their inputs."""

    def __init__(self, client_name: str, flags: int = IS_OUTPUT) -> None:
        """Raises DeviceError without a JACK server."""
        self._client = JackClient(client_name)
        self._flags = flags

    def get_ports(self) -> list[str]:
        """Their full names; none when the server has gone."""
        return self._client.port_names(MIDI_TYPE, self._flags)

    def delete(self) -> None:
        """Leaves JACK; safe to call twice."""
        self._client.close()
