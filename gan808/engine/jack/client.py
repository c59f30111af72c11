"""A client of a JACK server that outlives it: knows when the server has gone, and can be closed.

The callbacks are compiled and never take the interpreter lock. `handle` belongs to the thread that
opened the client, the rest to any: nothing is asked of a client that is being closed.

libjack keeps what it knows of the server until the last client of the process is closed, and
crashes when two are opened or closed at once: here that happens one after the other.
"""

from __future__ import annotations

import errno
import threading
import time
import weakref
from functools import cache

import numpy as np

from gan808.engine.jack.libjack import libjack, open_client, port_names
from gan808.engine.jit import object_cache
from gan808.errors import DeviceError

# Modules the callbacks are compiled from.
SOURCES = (
    "layout", "kernels.atomics", "kernels.voices", "kernels.intrinsics", "jack.layout",
    "jack.midi_layout", "jack.midi_input_kernel", "jack.midi_output_kernel",
    "jack.transport_layout", "jack.transport_kernel", "jack.callbacks",
)
# A client whose server died is still busy with that: closed at once, libjack crashes now and then.
SETTLES_S = 0.3
_LOCK = threading.RLock()
_OPEN: weakref.WeakSet[JackClient] = weakref.WeakSet()


@cache
def callbacks() -> dict[str, int]:
    """The addresses of jack_callbacks.ROUTINES; from now on libjack prints nothing."""
    found = object_cache.addresses("jack.callbacks", SOURCES)
    libjack().jack_set_error_function(found["ignore"])
    libjack().jack_set_info_function(found["ignore"])
    return found


class JackClient:
    """An open client; `handle` is its jack_client_t, `name` what the server calls it."""

    def __init__(self, name: str) -> None:
        """Raises DeviceError where no server runs, or one has gone and clients of it are still to
        be closed; never starts a server."""
        mark = callbacks()["mark"]
        self._ended = np.zeros(1, np.int64)
        with _LOCK:
            if not all(client.alive for client in _OPEN):
                raise DeviceError("JACK is not available: its server has gone")
            self.handle = open_client(name)
            self.name = libjack().jack_get_client_name(self.handle).decode()
            libjack().jack_on_shutdown(self.handle, mark, self._ended.ctypes.data)
            _OPEN.add(self)

    @property
    def alive(self) -> bool:
        """Whether the server still runs and knows this client."""
        return bool(self.handle) and not self._ended[0]

    def ask(self, function: str, *arguments: int | None) -> int:
        """What a function of libjack's says of this client: 0 where it says nothing, -1 where the
        server has gone."""
        with _LOCK:
            return int(getattr(libjack(), function)(self.handle, *arguments) or 0) \
                if self.alive else -1

    def register(self, name: str, kind: bytes, flags: int) -> int:
        """A port of ours, by its handle. Raises DeviceError."""
        with _LOCK:
            port = self.alive and libjack().jack_port_register(
                self.handle, name.encode(), kind, flags, 0)
        if not port:
            raise DeviceError(f"JACK refuses the port {name!r}")
        return int(port)

    def unregister(self, port: int) -> None:
        """Takes away a port that the callback uses no more."""
        with _LOCK:
            if self.alive:
                libjack().jack_port_unregister(self.handle, port)

    def port_names(self, kind: bytes, flags: int) -> list[str]:
        """The full names of the server's ports of a kind; none when it has gone."""
        with _LOCK:
            return port_names(self.handle, kind, flags) if self.alive else []

    def connected(self, port: int, other: str) -> bool:
        """Whether a port of ours and another, by its full name, are connected."""
        with _LOCK:
            return self.alive and bool(libjack().jack_port_connected_to(port, other.encode()))

    def connect(self, source: str, target: str) -> bool:
        """Whether an output and an input, by their full names, are connected now."""
        with _LOCK:  # a connection just made may not be seen yet
            return self.alive and libjack().jack_connect(
                self.handle, source.encode(), target.encode()) in (0, errno.EEXIST)

    def disconnect(self, source: str, target: str) -> bool:
        """Whether they were, and are not any more."""
        with _LOCK:
            return self.alive and not libjack().jack_disconnect(
                self.handle, source.encode(), target.encode())

    def close(self) -> None:
        """Leaves JACK, whether the server is there or not; safe to call twice."""
        if self._ended[0] and self.handle:
            time.sleep(SETTLES_S)
        with _LOCK:
            handle, self.handle = self.handle, 0
            _OPEN.discard(self)
            if handle:
                libjack().jack_client_close(handle)
