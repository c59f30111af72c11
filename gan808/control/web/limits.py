"""What a request may be: from where, how long it may take, how many at a time. Event loop only."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

# A connection lives so long in all, unless it has become a WebSocket: there are enough ports, and
# a client that sends a byte a second holds up nobody.
REQUEST_S = 5.0
MOST_CONNECTIONS = 256
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


def host_is_ours(host: str, local: tuple[Any, ...] | None) -> bool:
    """Whether a Host header names this machine: a loopback name, its own name, or the very address
    that the connection came to. Another name that leads here is a trick (DNS rebinding)."""
    try:
        name = (urlsplit(f"//{host}").hostname or "").removesuffix(".")
    except ValueError:
        return False
    own = socket.gethostname().lower()
    if name in LOOPBACK_NAMES or name in (own, own.partition(".")[0] + ".local"):
        return True
    try:
        return local is not None and ipaddress.ip_address(name) == ipaddress.ip_address(local[0])
    except ValueError:
        return False


def origin_is_ours(origin: str | None, host: str) -> bool:
    """Whether a page that was served here asks. Programs that are no browsers send no Origin."""
    if origin is None:
        return True
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme == "http" and parts.netloc.lower() == host.lower()


class Doors:
    """Hands out the server's protocols, counts the connections and ends those that dawdle."""

    def __init__(self, make: Callable[[], asyncio.Protocol]) -> None:
        self._make = make
        self._open: dict[asyncio.Protocol, _Guarded] = {}

    def __call__(self) -> asyncio.Protocol:
        """For loop.create_server."""
        return _Guarded(self._make(), self._open)

    def stays(self, protocol: asyncio.Protocol) -> None:
        """The connection of that protocol has become a WebSocket."""
        if protocol in self._open:
            self._open[protocol].keep()


class _Guarded(asyncio.Protocol):
    """Passes everything on to the server's own protocol."""

    def __init__(self, inner: asyncio.Protocol, opened: dict[asyncio.Protocol, _Guarded]) -> None:
        self._inner = inner
        self._opened = opened
        self._refused = True
        self._end: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if len(self._opened) >= MOST_CONNECTIONS:
            transport.abort()  # type: ignore[attr-defined]
            return
        self._refused = False
        self._opened[self._inner] = self
        loop = asyncio.get_running_loop()
        self._end = loop.call_later(REQUEST_S, transport.abort)  # type: ignore[attr-defined]
        self._inner.connection_made(transport)

    def keep(self) -> None:
        """It may stay as long as it likes."""
        if self._end is not None:
            self._end.cancel()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._refused:
            return
        self._opened.pop(self._inner, None)
        self.keep()
        self._inner.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self._refused:
            self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return None if self._refused else self._inner.eof_received()

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()
