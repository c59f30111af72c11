"""MIDI from JACK with the frame of each message: a client whose process callback fills a ring.

RtMidi stamps what JACK brings with the time of the cycle, so that every note would lie on a block.
JACK itself says at which frame of the cycle each message came: that is kept here. The callback is
compiled and never takes the interpreter lock; one thread of Python reads the ring.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gan808.engine import native
from gan808.engine.clock_source import clock_source
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

if TYPE_CHECKING:
    from gan808.early.clients import EarlyInput

# Modules the process callback is compiled from.
SOURCES = ("layout", "atomics", "voices", "ccalls", "jack_midi_layout", "jack_midi_kernel")


class JackMidiInput:
    """One MIDI input port in a JACK client of its own. `read` belongs to one thread."""

    def __init__(self, client_name: str, port_name: str, early: EarlyInput | None = None) -> None:
        """Appears at once, connected to nothing. early: a port of these names that is there
        already; its own reader must have stopped before the first `read`. Raises DeviceError
        without a JACK server."""
        self._memory = np.zeros(1, INPUT) if early is None else np.frombuffer(
            early.client.memory.pages, INPUT, 1)
        self._load, self._store = routines().load, routines().store
        self._written_at = self._memory[0]["written"].ctypes.data
        self._read_at = self._memory[0]["read"].ctypes.data
        self._client = JackClient(client_name, early.client if early is not None else None)
        if early is None:
            self._open(port_name)
        self.name = f"{self._own_name()}:{port_name}"

    def _own_name(self) -> str:
        return str(libjack().jack_get_client_name(self._client.handle).decode())

    def _open(self, port_name: str) -> None:
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

    def close(self) -> None:
        """Leaves JACK; safe to call twice."""
        self._client.close()


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
