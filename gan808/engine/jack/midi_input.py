"""MIDI from JACK with the frame of each message: a client whose process callback fills a ring.

RtMidi stamps what JACK brings with the time of the cycle, so that every note would lie on a block.
JACK itself says at which frame of the cycle each message came: that is kept here. The callback is
compiled and never takes the interpreter lock; one thread of Python reads the ring.
"""

from __future__ import annotations

import numpy as np

from gan808.engine.jack.client import JackClient
from gan808.engine.jack.libjack import (
    IS_INPUT,
    IS_OUTPUT,
    MIDI_TYPE,
    libjack,
    port_names,
)
from gan808.engine.jack.midi_layout import INPUT, RING_EVENTS
from gan808.engine.jack.midi_port import JackMidiPort
from gan808.engine.kernels.clock_source import clock_source
from gan808.errors import DeviceError

# Modules the process callback is compiled from.
SOURCES = (
    "layout", "kernels.atomics", "kernels.voices", "kernels.intrinsics", "jack.midi_layout",
    "jack.midi_input_kernel",
)


class JackMidiInput(JackMidiPort):
    """One MIDI input port in a JACK client of its own. `read` belongs to one thread."""

    def __init__(self, client_name: str, port_name: str) -> None:
        """Appears at once, connected to nothing. Raises DeviceError without a JACK server."""
        super().__init__(client_name, port_name, np.zeros(1, INPUT))
        clock_address, clock_id = clock_source()
        self._open(IS_INPUT, "jack.midi_input_kernel", SOURCES, {
            "get_buffer": "jack_port_get_buffer",
            "get_event_count": "jack_midi_get_event_count",
            "get_event": "jack_midi_event_get",
            "get_cycle_times": "jack_get_cycle_times",
            "get_time": "jack_get_time",
            "clock_address": clock_address, "clock_id": clock_id,
        })

    @property
    def lost(self) -> int:
        """Messages for which there was no room, because nobody read for long."""
        return int(self._memory[0]["lost"])

    def connect(self, source: str) -> None:
        """Listens to another program's MIDI output, by its full name. Raises DeviceError."""
        if libjack().jack_connect(self._client.handle, source.encode(), self.name.encode()):
            raise DeviceError(f"JACK MIDI port {source!r} cannot be opened")

    def read(self) -> list[tuple[list[int], float]]:
        """What has come since the last call: bytes, and time.monotonic seconds of their frames.

        A message of more than MAX_BYTES comes in parts, one after the other.
        """
        memory = self._memory[0]
        written, read = self._load(self._written_at), self._load(self._read_at)
        found = []
        while read < written:
            event = memory["events"][read % RING_EVENTS]
            data = event["data"][:event["size"]].tolist()
            found.append((data, float(event["time_s"])))
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
        if not self._client.alive:
            return []
        return port_names(self._client.handle, MIDI_TYPE, self._flags)

    def delete(self) -> None:
        """Leaves JACK; safe to call twice."""
        self._client.close()
