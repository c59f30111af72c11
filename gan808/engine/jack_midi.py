"""MIDI from JACK with the frame of each message: a client whose process callback fills a ring.

RtMidi stamps what JACK brings with the time of the cycle, so that every note would lie on a block.
JACK itself says at which frame of the cycle each message came: that is kept here. The callback is
compiled and never takes the interpreter lock; one thread of Python reads the ring.
"""

from __future__ import annotations

import numpy as np

from gan808.engine import native
from gan808.engine.clock import clock_source
from gan808.engine.jack_client import JackClient
from gan808.engine.jack_midi_layout import INPUT, RING_EVENTS
from gan808.engine.libjack import (
    IS_INPUT,
    IS_OUTPUT,
    MIDI_TYPE,
    address_of,
    libjack,
    port_names,
)
from gan808.engine.routines import routines
from gan808.errors import DeviceError

# Modules the process callback is compiled from.
SOURCES = ("layout", "atomics", "voices", "ccalls", "jack_midi_layout", "jack_midi_kernel")


class JackMidiInput:
    """One MIDI input port in a JACK client of its own. `read` belongs to one thread."""

    def __init__(self, client_name: str, port_name: str) -> None:
        """Appears at once, connected to nothing. Raises DeviceError without a JACK server."""
        self._memory = np.zeros(1, INPUT)
        self._load, self._store = routines().load, routines().store
        self._written_at = self._memory[0]["written"].ctypes.data
        self._read_at = self._memory[0]["read"].ctypes.data
        self._read = 0
        self._client = JackClient(client_name)
        jack, handle = libjack(), self._client.handle
        port = jack.jack_port_register(handle, port_name.encode(), MIDI_TYPE, IS_INPUT, 0)
        memory = self._memory[0]
        memory["client"], memory["port"] = handle, port or 0
        memory["get_buffer"] = address_of("jack_port_get_buffer")
        memory["get_event_count"] = address_of("jack_midi_get_event_count")
        memory["get_event"] = address_of("jack_midi_event_get")
        memory["get_cycle_times"] = address_of("jack_get_cycle_times")
        memory["get_time"] = address_of("jack_get_time")
        memory["clock_address"], memory["clock_id"] = clock_source()
        process = native.addresses("jack_midi_kernel", SOURCES)["process"]
        jack.jack_set_process_callback(handle, process, self._memory.ctypes.data)
        if not port or jack.jack_activate(handle):
            self.close()
            raise DeviceError(f"JACK refuses the MIDI port {port_name!r}")
        self.name = jack.jack_port_name(port).decode()

    @property
    def alive(self) -> bool:
        """Whether the server still runs; when it has gone, nothing comes any more."""
        return self._client.alive

    @property
    def lost(self) -> int:
        """Messages for which there was no room, because nobody read for long."""
        return int(self._memory[0]["lost"])

    def connect(self, source: str) -> None:
        """Listens to another program's MIDI output, by its full name. Raises DeviceError."""
        if libjack().jack_connect(self._client.handle, source.encode(), self.name.encode()):
            raise DeviceError(f"JACK MIDI port {source!r} cannot be opened")

    def read(self) -> list[tuple[list[int], float]]:
        """What has come since the last call: bytes, and time.monotonic seconds of their frames."""
        memory = self._memory[0]
        written = self._load(self._written_at)
        found = []
        while self._read < written:
            event = memory["events"][self._read % RING_EVENTS]
            data = event["data"][:event["size"]].tolist()
            found.append((data, float(event["time_s"])))
            self._read += 1
        self._store(self._read_at, self._read)
        return found

    def close(self) -> None:
        """Leaves JACK; safe to call twice."""
        self._client.close()


class JackMidiScanner:
    """A client that lists the MIDI outputs of other programs."""

    def __init__(self, client_name: str) -> None:
        """Raises DeviceError without a JACK server."""
        self._client = JackClient(client_name)

    def get_ports(self) -> list[str]:
        """Their full names; none when the server has gone."""
        if not self._client.alive:
            return []
        return port_names(self._client.handle, MIDI_TYPE, IS_OUTPUT)

    def delete(self) -> None:
        """Leaves JACK; safe to call twice."""
        self._client.close()
