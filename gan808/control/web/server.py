"""HTTP and WebSocket in one: OSCQuery with LISTEN, the panel's files, and sounds as samples. Event
loop only.

Everything about the instrument is asked of it over OSC, as any client asks. A GET writes nothing,
and takes at most a sound out of the stock; what is written comes over the WebSocket as OSC packets,
or is a sound file, and only from pages served here.
"""

from __future__ import annotations

import asyncio
import socket
import time
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote

from aiohttp import web

from gan808.control.osc.clients import Limit
from gan808.control.web.address import find
from gan808.control.web.limits import Doors, host_is_ours, origin_is_ours
from gan808.control.web.osc_client import OscAsker
from gan808.control.web.pages import HEADERS, STATIC, static_files
from gan808.control.web.query import Query
from gan808.control.web.samples import Samples, is_sample_path, wav_of
from gan808.control.web.sockets import Listeners
from gan808.control.web.uploads import Uploads
from gan808.errors import DeviceError

PANEL, SOUND, UPLOAD = "/panel/", "/panel/sound.wav", "/panel/upload"
TRAINING = "/panel/training"
REQUESTS_HZ, BURST = 20.0, 40  # of those that ask the instrument
MOST_REQUEST_BYTES = 8192


class WebServer:
    """The server of one instrument, from start to stop."""

    def __init__(
        self, osc_address: tuple[str, int], imports: Path, training_page: Path
    ) -> None:
        """imports: the folder that sound files from pages go to. training_page: the file in which a
        training that runs says where its page is."""
        self._training_page = training_page
        self._uploads = Uploads(imports)
        self._asker = OscAsker(osc_address)
        self._query = Query(self._asker, osc_address)
        self._listeners = Listeners(osc_address)
        self._files = _files()
        self._limit = Limit(REQUESTS_HZ, BURST)
        self._samples = Samples(self._asker)
        self._http = web.Server(self._handle, access_log=None)
        self._doors = Doors(cast("Any", self._http))
        self._server: asyncio.Server | None = None

    async def start(self, listening: socket.socket) -> None:
        """Serve on a listening socket."""
        loop = asyncio.get_running_loop()
        listening.setblocking(False)
        self._server = await loop.create_server(self._doors, sock=listening)

    async def stop(self) -> None:
        """Hang up on everybody."""
        if self._server is not None:
            self._server.close()
        self._listeners.close()
        self._asker.close()
        await self._http.shutdown(0.1)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            response = await self._answer(request)
        except ValueError:  # a path that is none
            response = web.Response(status=400)
        if not response.prepared:
            response.headers.update(
                {name: said for name, said in HEADERS.items() if name not in response.headers})
            # One request a connection: what five seconds in all mean is then plain.
            response.force_close()
        return response

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        host = request.headers.get("Host", "")
        transport = request.transport
        local = transport.get_extra_info("sockname") if transport is not None else None
        if not host_is_ours(host, local):
            return web.Response(status=403, text="this host is not served here")
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._socket(request, host)
        path = unquote(request.rel_url.raw_path)
        if request.method == "POST" and path == UPLOAD:
            return await self._upload(request, host)
        readable = ("GET", "HEAD", "OPTIONS") if is_sample_path(path) else ("GET", "HEAD")
        if request.method not in readable:
            return web.Response(status=405, headers={"Allow": ", ".join(readable)})
        if is_sample_path(path):
            return await self._samples.answer(request, path)
        if path in self._files:
            kind, body = self._files[path]
            return web.Response(body=body, content_type=kind, charset="utf-8")
        if path == PANEL.rstrip("/"):
            return web.Response(status=308, headers={"Location": PANEL})
        if path.startswith(PANEL) and path not in (SOUND, TRAINING):
            return web.Response(status=404)
        if not self._limit.allows(time.monotonic()):
            return web.json_response(None, status=429)
        if path == SOUND:
            return await self._wav(request.rel_url.query.get("id", ""))
        if path == TRAINING:
            return web.json_response({"url": await self._training()})
        return await self._query.answer(path, request.rel_url.raw_query_string)

    async def _upload(self, request: web.BaseRequest, host: str) -> web.StreamResponse:
        origin = request.headers.get("Origin")
        if origin is None or not origin_is_ours(origin, host):
            return web.Response(status=403, text="only pages from here may do this")
        self._doors.stays(cast("Any", request.protocol))  # it has a time of its own
        return await self._uploads.take(request)

    async def _socket(self, request: web.BaseRequest, host: str) -> web.StreamResponse:
        if not origin_is_ours(request.headers.get("Origin"), host):
            return web.Response(status=403, text="only pages from here may do this")
        if self._listeners.full:
            return web.Response(status=503, text="too many panels are open")
        self._doors.stays(cast("Any", request.protocol))
        return await self._listeners.serve(request)

    async def _training(self) -> str:
        """The address of the page of a training that runs; nothing where none does."""
        try:
            return await asyncio.to_thread(find, self._training_page, "")
        except DeviceError:
            return ""

    async def _wav(self, sound_id: str) -> web.Response:
        body = await wav_of(self._asker, sound_id)
        if body is None:
            return web.Response(status=404, text="that sound is not at hand")
        return web.Response(body=body, content_type="audio/wav")


def _files() -> dict[str, tuple[str, bytes]]:
    found = static_files(STATIC, PANEL)
    return {**found, PANEL: found[f"{PANEL}index.html"]}
