"""The web server on a thread of the test's own, in front of a rig."""

from __future__ import annotations

import asyncio
import socket
import threading
from pathlib import Path

from gan808.control.web.server import WebServer


class Served:
    """A web server of an instrument at that OSC address, from enter to exit."""

    def __init__(
        self, osc_address: tuple[str, int], imports: Path = Path("/nowhere"),
        training_page: Path = Path("/nowhere"),
    ) -> None:
        self._imports, self._training_page = imports, training_page
        self._osc_address = osc_address
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Served:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        return self

    async def _start(self) -> None:
        self._server = WebServer(self._osc_address, self._imports, self._training_page)
        await self._server.start(self._socket)

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._server.stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
