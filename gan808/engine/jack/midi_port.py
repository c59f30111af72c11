"""What a MIDI port on JACK is, in or out: a client of its own whose callback shares a ring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan808.engine.jack.client import JackClient
from gan808.engine.jack.libjack import MIDI_TYPE, address_of, libjack
from gan808.engine.jit import object_cache
from gan808.engine.kernel_api import routines
from gan808.errors import DeviceError


class JackMidiPort:
    """One port and its ring, of a record of jack_midi_layout. One thread of Python uses it."""

    def __init__(self, client_name: str, port_name: str, memory: NDArray[np.void]) -> None:
        """Raises DeviceError without a JACK server."""
        self._memory = memory
        self._load, self._store = routines().load, routines().store
        self._written_at = memory[0]["written"].ctypes.data
        self._read_at = memory[0]["read"].ctypes.data
        self._client = JackClient(client_name)
        own = libjack().jack_get_client_name(self._client.handle).decode()
        self._port_name = port_name
        self.name = f"{own}:{port_name}"

    def _open(self, flags: int, module: str, sources: Sequence[str],
              values: Mapping[str, str | int]) -> int:
        """Appear and begin; JACK's handle of the port. module, sources: of the callback; values: of
        its memory, numbers or names of libjack's functions. Raises DeviceError."""
        jack, handle = libjack(), self._client.handle
        port = jack.jack_port_register(
            handle, self._port_name.encode(), MIDI_TYPE, flags, 0) or 0
        memory: Any = self._memory[0]
        memory["client"], memory["port"] = handle, port
        for name, value in values.items():
            memory[name] = address_of(value) if isinstance(value, str) else value
        process = object_cache.addresses(module, sources)["process"]
        jack.jack_set_process_callback(handle, process, self._memory.ctypes.data)
        if not port or jack.jack_activate(handle):
            self.close()
            raise DeviceError(f"JACK refuses the MIDI port {self._port_name!r}")
        return int(port)

    @property
    def alive(self) -> bool:
        """Whether the server still runs; when it has gone, nothing comes or goes any more."""
        return self._client.alive

    def close(self) -> None:
        """Leaves JACK; safe to call twice."""
        self._client.close()
