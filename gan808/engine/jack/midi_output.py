"""MIDI to JACK, each message at the frame it is due: a process callback empties a ring.

Messages are handed over a little ahead with the frames of the engine they belong to; what Python
does meanwhile moves none of them. One thread of Python fills the ring.
"""

from __future__ import annotations

import errno

import numpy as np

from gan808.engine.jack.libjack import (
    IS_INPUT,
    IS_OUTPUT,
    MIDI_TYPE,
    libjack,
    port_names,
)
from gan808.engine.jack.midi_layout import MAX_BYTES, OUTPUT, RING_EVENTS
from gan808.engine.jack.midi_port import JackMidiPort

# Modules the process callback is compiled from.
SOURCES = (
    "layout", "kernels.atomics", "kernels.voices", "kernels.intrinsics", "jack.midi_layout",
    "jack.midi_output_kernel",
)


class JackMidiOutput(JackMidiPort):
    """One MIDI output port in a JACK client of its own. `send` belongs to one thread."""

    def __init__(self, client_name: str, port_name: str, engine_frame: int = 0) -> None:
        """Appears at once, connected to nothing. Raises DeviceError without a JACK server.

        engine_frame: the address of an engine's count of frames, which plays on the same server
        and must outlive this; 0: frames are JACK's own.
        """
        super().__init__(client_name, port_name, np.zeros(1, OUTPUT))
        self._written = 0
        self._port = self._open(IS_OUTPUT, "jack.midi_output_kernel", SOURCES, {
            "get_buffer": "jack_port_get_buffer",
            "clear_buffer": "jack_midi_clear_buffer",
            "write_event": "jack_midi_event_write",
            "get_frame": "jack_last_frame_time",
            "engine_frame": engine_frame,
        })

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
