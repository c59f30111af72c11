"""MIDI to JACK, each message at the frame it is due: a process callback empties a ring.

Messages are handed over a little ahead with the frames of the engine they belong to; what Python
does meanwhile moves none of them. One thread of Python fills the ring.
"""

from __future__ import annotations

import errno

import numpy as np

from gan808.engine import native
from gan808.engine.jack_client import JackClient
from gan808.engine.jack_midi_layout import MAX_BYTES, OUTPUT, RING_EVENTS
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
SOURCES = ("layout", "atomics", "voices", "ccalls", "jack_midi_layout", "jack_midi_out_kernel")


class JackMidiOutput:
    """One MIDI output port in a JACK client of its own. `send` belongs to one thread."""

    def __init__(self, client_name: str, port_name: str, engine_frame: int = 0) -> None:
        """Appears at once, connected to nothing. Raises DeviceError without a JACK server.

        engine_frame: the address of an engine's count of frames, which plays on the same server
        and must outlive this; 0: frames are JACK's own.
        """
        self._memory = np.zeros(1, OUTPUT)
        self._load, self._store = routines().load, routines().store
        self._written_at = self._memory[0]["written"].ctypes.data
        self._read_at = self._memory[0]["read"].ctypes.data
        self._written = 0
        self._client = JackClient(client_name)
        jack, handle = libjack(), self._client.handle
        port = jack.jack_port_register(handle, port_name.encode(), MIDI_TYPE, IS_OUTPUT, 0)
        memory = self._memory[0]
        memory["client"], memory["port"] = handle, port or 0
        memory["get_buffer"] = address_of("jack_port_get_buffer")
        memory["clear_buffer"] = address_of("jack_midi_clear_buffer")
        memory["write_event"] = address_of("jack_midi_event_write")
        memory["get_frame"] = address_of("jack_last_frame_time")
        memory["engine_frame"] = engine_frame
        process = native.addresses("jack_midi_out_kernel", SOURCES)["process"]
        jack.jack_set_process_callback(handle, process, self._memory.ctypes.data)
        if not port or jack.jack_activate(handle):
            self.close()
            raise DeviceError(f"JACK refuses the MIDI port {port_name!r}")
        self._port = port
        self.name = jack.jack_port_name(port).decode()

    @property
    def alive(self) -> bool:
        """Whether the server still runs."""
        return self._client.alive

    @property
    def late(self) -> int:
        """Messages that were sent in a later cycle than they were due."""
        return int(self._memory[0]["late"])

    @property
    def frame(self) -> int:
        """The frame of JACK's last cycle, as far as it has been counted here."""
        return int(self._memory[0]["jack_frame"])

    def send(self, data: bytes, frame: float) -> bool:
        """Send up to MAX_BYTES bytes at a frame, not before what was sent last; False where the
        ring is full."""
        if self._written - self._load(self._read_at) >= RING_EVENTS:
            return False
        event = self._memory[0]["events"][self._written % RING_EVENTS]
        event["frame"], event["size"] = frame, min(len(data), MAX_BYTES)
        event["data"][:len(data)] = memoryview(data)[:MAX_BYTES]
        self._written += 1
        self._store(self._written_at, self._written)
        return True

    def inputs(self) -> list[str]:
        """The full names of the MIDI inputs of all programs; none when the server has gone."""
        return port_names(self._client.handle, MIDI_TYPE, IS_INPUT) if self.alive else []

    def connect(self, target: str) -> bool:
        """Sends to another program's MIDI input as well; whether it is connected now. One that has
        just appeared may not be ready for it yet."""
        if not self.alive:
            return False
        if libjack().jack_port_connected_to(self._port, target.encode()):
            return True
        own, other = self.name.encode(), target.encode()
        # A connection just made may not be seen yet.
        return libjack().jack_connect(self._client.handle, own, other) in (0, errno.EEXIST)

    def disconnect(self, target: str) -> bool:
        """Sends there no longer; False where it did not."""
        if not self.alive or not libjack().jack_port_connected_to(self._port, target.encode()):
            return False
        own, other = self.name.encode(), target.encode()
        return not libjack().jack_disconnect(self._client.handle, own, other)

    def close(self) -> None:
        """Leaves JACK; safe to call twice."""
        self._client.close()
