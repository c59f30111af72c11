"""WebSockets: each a client of the instrument with UDP sockets of its own. Event loop only.

Binary frames are OSC packets, either way. Text frames are OSCQuery's commands: LISTEN and IGNORE
to one address each; what is listened to comes as OSC packets.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

from aiohttp import WSMsgType, web

from gan808.control.osc.clients import Limit
from gan808.control.osc.packets import build_message
from gan808.control.web.osc_client import OscEnd
from gan808.instrument.parameter import ROOT
from gan808.toml_json import from_json

MOST_SOCKETS = 32
MOST_FRAME_BYTES = 1 << 16
MOST_LISTENED = 1024
FRAMES_HZ, BURST = 400.0, 800  # a hand on a knob sends sixty a second
MOST_WAITING = 2000  # packets; a page that no longer reads is hung up on
RENEW_S = 60.0
HEARTBEAT_S = 20.0


class Listeners:
    """Everybody who has a WebSocket open."""

    def __init__(self, osc_address: tuple[str, int]) -> None:
        self._osc_address = osc_address
        self._open: set[_Socket] = set()

    @property
    def full(self) -> bool:
        """Whether there is no room for another."""
        return len(self._open) >= MOST_SOCKETS

    async def serve(self, request: web.BaseRequest) -> web.WebSocketResponse:
        """Serve one until it closes."""
        response = web.WebSocketResponse(
            max_msg_size=MOST_FRAME_BYTES, heartbeat=HEARTBEAT_S, compress=False)
        await response.prepare(request)
        client = _Socket(response, request, self._osc_address)
        self._open.add(client)
        try:
            await client.run()
        finally:
            self._open.discard(client)
            client.close()
        return response

    def close(self) -> None:
        """Hang up on all."""
        for client in list(self._open):
            client.hang_up()


class _Socket:
    """One page or program."""

    def __init__(self, response: web.WebSocketResponse, request: web.BaseRequest,
                 osc_address: tuple[str, int]) -> None:
        self._response = response
        self._transport = request.transport
        self._osc_address = osc_address
        self._limit = Limit(FRAMES_HZ, BURST)
        self._asking: OscEnd | None = None
        self._hearing: OscEnd | None = None
        self._listened: set[bytes] = set()
        self._renewed_s = 0.0
        self._sending: asyncio.Task[None] | None = None
        self._out: asyncio.Queue[bytes] = asyncio.Queue()

    async def run(self) -> None:
        """Pass everything on until one side closes."""
        self._asking = await OscEnd.open(self._osc_address, self._pass_on)
        self._sending = asyncio.create_task(self._send())
        async for message in self._response:
            if not self._limit.allows(time.monotonic()):
                continue
            if message.type is WSMsgType.BINARY:
                self._asking.send(message.data)
                self._renew()
            elif message.type is WSMsgType.TEXT:
                await self._command(message.data)

    async def _send(self) -> None:
        with suppress(ConnectionError):
            while True:
                await self._response.send_bytes(await self._out.get())

    async def _command(self, text: str) -> None:
        """LISTEN or IGNORE; what is neither does nothing, as the proposal has it."""
        try:
            asked = from_json(text)
            command, path = asked["COMMAND"], str(asked["DATA"]).encode()
        except (ValueError, KeyError, TypeError):
            return
        if command == "IGNORE":
            self._listened.discard(path)
        elif command == "LISTEN" and len(self._listened) < MOST_LISTENED:
            self._listened.add(path)
            if self._hearing is None:
                self._hearing = await OscEnd.open(self._osc_address, self._filter)
                self._renewed_s = 0.0
            self._renew()

    def _renew(self) -> None:
        """The instrument forgets who is silent."""
        now_s = time.monotonic()
        if self._hearing is not None and now_s - self._renewed_s > RENEW_S:
            self._renewed_s = now_s
            self._hearing.send(build_message(f"{ROOT}/notify", (1,)))

    def _filter(self, datagram: bytes) -> None:
        if datagram.partition(b"\0")[0] in self._listened:
            self._pass_on(datagram)

    def _pass_on(self, datagram: bytes) -> None:
        transport = self._transport
        if transport is None or transport.is_closing() or self._response.closed:
            return
        if self._out.qsize() > MOST_WAITING:
            transport.abort()
            return
        self._out.put_nowait(datagram)

    def hang_up(self) -> None:
        """End it from our side."""
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """Free the sockets."""
        if self._sending is not None:
            self._sending.cancel()
        for end in (self._asking, self._hearing):
            if end is not None:
                with suppress(OSError):
                    end.send(build_message(f"{ROOT}/notify", (0,)))
                end.close()
