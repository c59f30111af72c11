"""What a MIDI port of an output's client is, in or out: a port and the ring the callback shares."""

from __future__ import annotations

import time
from typing import Any

from gan808.engine.jack.client import JackClient
from gan808.engine.jack.libjack import MIDI_TYPE
from gan808.engine.kernel_api import routines

# A cycle that has begun with a port may use it to its end: the longest, at a low rate, and more.
LONGEST_CYCLE_S = 0.5


class JackMidiPort:
    """One port and its ring, a record of midi_layout. One thread of Python uses it."""

    def __init__(self, client: JackClient, name: str, flags: int, memory: Any, ring: Any) -> None:
        """Appears at once, connected to nothing. memory: the client's; it must outlive this.

        Raises DeviceError where the server has gone, or refuses it.
        """
        self._client = client
        self._ring = ring
        self._load, self._store = routines().load, routines().store
        self._written_at = ring["written"].ctypes.data
        self._read_at = ring["read"].ctypes.data
        self._port_at = ring["port"].ctypes.data
        self._cycles_at = memory["cycles"].ctypes.data
        # What an earlier port has left is none of ours.
        self._store(self._read_at, self._load(self._written_at))
        self._handle = client.register(name, MIDI_TYPE, flags)
        self.name = f"{client.name}:{name}"
        self._store(self._port_at, self._handle)

    @property
    def alive(self) -> bool:
        """Whether the server still runs; when it has gone, nothing comes or goes any more."""
        return bool(self._handle) and self._client.alive

    def close(self) -> None:
        """Takes the port away; safe to call twice."""
        handle, self._handle = self._handle, 0
        if not handle:
            return
        before = self._load(self._cycles_at)
        self._store(self._port_at, 0)
        deadline_s = time.monotonic() + LONGEST_CYCLE_S
        while self._client.alive and self._load(self._cycles_at) == before \
                and time.monotonic() < deadline_s:
            time.sleep(0.001)
        self._client.unregister(handle)
