"""The page over HTTP: its files, one stream of events a browser, pictures and sounds. Event loop
only; files of the run are read on a thread beside it.

Everything is a GET, nothing is written. A stream begins with the whole state and then has what
changed, so that a page that comes back knows all.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import time
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

from aiohttp import web

from gan808.control.web.limits import Doors, host_is_ours
from gan808.control.web.pages import HEADERS, STATIC, static_files
from gan808.toml_json import from_json

from .account import Account
from .run_folder import RunFolder

OWN = Path(str(files(__package__ or "") / "static"))
SHARED = ("base.css", "icon.svg", "vendor/preact-htm.js", "vendor/LICENSE-preact.txt",
          "vendor/LICENSE-htm.txt")  # of the instrument's panel
PICTURE, SOUND = re.compile(r"/samples/(\d{1,12})\.png"), re.compile(
    r"/samples/(\d{1,12})/(\d{1,4})\.wav")
KEPT = "private, max-age=86400, immutable"  # a version of a step's samples is the same for ever
TICK_S = 1.0
CURVES_TICKS = 5  # between two states of the curves
MOST_STREAMS = 24
STALLED_S = 10.0  # a browser that takes nothing for so long is hung up on


class PageServer:
    """Shows one run, from start to stop."""

    def __init__(self, run: Path, title: str) -> None:
        self._run = RunFolder(run)
        self._account = Account(title, time.monotonic())
        self._files = _files()
        self._parts: dict[str, str] = {}  # name of an event: its data
        self._ticked, self._over, self._streams = asyncio.Event(), False, 0
        self._http = web.Server(self._handle, access_log=None)
        self._doors = Doors(cast("Any", self._http))
        self._server: asyncio.Server | None = None
        self._following: asyncio.Task[None] | None = None

    async def start(self, listening: socket.socket) -> None:
        """Serve on a listening socket, and follow the run's folder."""
        await self._look(curves=True)
        listening.setblocking(False)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._doors, sock=listening)
        self._following = loop.create_task(self._follow())

    def hear(self, line: bytes) -> None:
        """A message of the training command, as JSON; what is none is passed over."""
        try:
            self._account.take(from_json(line), time.monotonic())
        except (ValueError, KeyError, TypeError):
            return

    async def stop(self) -> None:
        """The command is over: tell all pages how it ended, then hang up."""
        self._account.closed()
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)
        if self._server is not None:
            self._server.close()
        await self._look(curves=True, last=True)
        await self._http.shutdown(1.0)

    async def _follow(self) -> None:
        ticks = 0
        while True:
            await asyncio.sleep(TICK_S)
            ticks += 1
            await self._look(curves=ticks % CURVES_TICKS == 0)

    async def _look(self, *, curves: bool, last: bool = False) -> None:
        """Read what is new and wake the streams."""
        while await asyncio.to_thread(self._run.read):
            pass
        run = self._run
        parts: dict[str, Any] = {
            "now": {**self._account.to_dict(time.monotonic()), "step": run.step,
                    "trained_s": round(run.trained_s), "steps_a_second": run.steps_a_second,
                    "events": list(run.events)},
            "samples": run.samples,
        }
        if curves:
            parts["curves"] = run.curves
        self._parts |= {name: json.dumps(part) for name, part in parts.items()}
        self._over = last
        ticked, self._ticked = self._ticked, asyncio.Event()
        ticked.set()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        response = await self._answer(request)
        if not response.prepared:
            response.headers.update(
                {name: said for name, said in HEADERS.items() if name not in response.headers})
            response.force_close()
        return response

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        transport = request.transport
        local = transport.get_extra_info("sockname") if transport is not None else None
        if not host_is_ours(request.headers.get("Host", ""), local):
            return web.Response(status=403, text="this host is not served here")
        if request.method not in ("GET", "HEAD"):
            return web.Response(status=405, headers={"Allow": "GET, HEAD"})
        path = request.path
        if path in self._files:
            kind, body = self._files[path]
            return web.Response(body=body, content_type=kind, charset="utf-8")
        if path == "/events" and request.method == "GET":
            return await self._stream(request)
        if (found := PICTURE.fullmatch(path)) is not None:
            return _sample(await asyncio.to_thread(self._run.picture, int(found[1])), "image/png")
        if (found := SOUND.fullmatch(path)) is not None:
            sound = await asyncio.to_thread(self._run.sound, int(found[1]), int(found[2]))
            return _sample(sound, "audio/wav")
        return web.Response(status=404)

    async def _stream(self, request: web.BaseRequest) -> web.StreamResponse:
        if self._streams >= MOST_STREAMS:
            return web.Response(status=503, text="too many pages are open")
        self._doors.stays(cast("Any", request.protocol))
        response = web.StreamResponse(headers={
            **HEADERS, "Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        response.force_close()
        self._streams += 1
        try:
            await response.prepare(request)
            await self._tell(response)
        except (ConnectionError, TimeoutError):  # it is gone, or takes nothing
            if request.transport is not None:
                request.transport.abort()
        finally:
            self._streams -= 1
        return response

    async def _tell(self, response: web.StreamResponse) -> None:
        sent: dict[str, str] = {}
        while True:
            over, ticked, parts = self._over, self._ticked, dict(self._parts)
            text = "".join(f"event: {name}\ndata: {data}\n\n" for name, data in parts.items()
                           if name == "now" or sent.get(name) != data)
            sent = parts
            await asyncio.wait_for(response.write(text.encode()), STALLED_S)
            if over:
                return
            await ticked.wait()


def _sample(body: bytes | None, kind: str) -> web.Response:
    if body is None:
        return web.Response(status=404, text="that sample is not at hand")
    return web.Response(body=body, content_type=kind, headers={"Cache-Control": KEPT})


def _files() -> dict[str, tuple[str, bytes]]:
    shared = static_files(STATIC, "/")
    found = static_files(OWN, "/") | {f"/{name}": shared[f"/{name}"] for name in SHARED}
    return {**found, "/": found["/index.html"]}
