"""OSCQuery over HTTP: a client that asks is told every address, its type, range and present value.

`QueryServer` owns the socket and one thread, `osc-query`, which accepts; a short-lived thread a
request answers it. It only reads. Values come from the machine's thread, and how often it is asked
is limited, so that nobody who asks all day holds it up.
"""

from __future__ import annotations

import errno
import json
import logging
import queue
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from gan808.control.osc.clients import Limit
from gan808.control.oscquery.namespace import (
    ATTRIBUTES,
    NOT_OFFERED,
    Method,
    Node,
    below,
    full_path,
    methods,
    node_at,
)
from gan808.errors import DeviceError, Gan808Error, Guard
from gan808.instrument.parameters import Value

if TYPE_CHECKING:
    from gan808.instrument.machine import Machine

NAME = "GAN-808"
HOST_INFO = "HOST_INFO"
OPTIONAL = sorted(ATTRIBUTES - {"FULL_PATH", "CONTENTS"})
ANY_HOST = ("0.0.0.0", "::", "")
MAX_REQUESTS = 8
REQUESTS_HZ, BURST = 20.0, 40
READ_S = 1.0
IDLE_S = 2.0  # a client that says nothing for so long is hung up on
WHOLE_S = 5.0  # and one that takes longer over all it says and reads
STOP_S = 0.1

log = logging.getLogger("gan808")


class QueryServer:
    """The description of a machine over HTTP, from start to stop."""

    def __init__(self, machine: Machine, osc_address: tuple[str, int], port: int = 0) -> None:
        """port 0: OSC's own number, or a free one when that is taken. Nothing is opened yet."""
        self._machine = machine
        self._osc_address = osc_address
        self._wanted = port
        self._server: _Server | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="osc-query", daemon=True)

    @property
    def port(self) -> int:
        """The TCP port, once started."""
        return int(self._server.server_address[1]) if self._server else self._wanted

    @property
    def url(self) -> str:
        """Where a browser of this machine finds it."""
        host = "localhost" if self._osc_address[0] in ANY_HOST else self._osc_address[0]
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    def start(self) -> None:
        """Bind and begin to answer. Raises DeviceError, one line, when it cannot."""
        self._server = self._bound()
        self._thread.start()

    def stop(self) -> None:
        """Stop answering and free the port; safe to call twice, or without start."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=1.0)
        if self._server is not None:
            self._server.server_close()

    def _bound(self) -> _Server:
        host, osc_port = self._osc_address
        ports = [self._wanted] if self._wanted else [osc_port, 0]
        for port in ports:
            try:
                return _Server((host, port), self._answer)
            except OSError as error:
                if error.errno != errno.EADDRINUSE or port == ports[-1]:
                    raise DeviceError(
                        f"OSCQuery, port {port} on {host}: {error.strerror}; set osc.query_port to "
                        "a free one, or osc.query = false"
                    ) from error
        raise AssertionError("the last port is bound or raises")

    def _run(self) -> None:
        server = self._server
        assert server is not None
        server.timeout = STOP_S
        guard = Guard("OSCQuery", lambda _: self._stopping.wait(STOP_S))
        while not self._stopping.is_set():
            with guard:
                server.handle_request()
                server.hang_up_on_slow(time.monotonic())

    # The thread of a request

    def _answer(self, target: str) -> tuple[HTTPStatus, Node | None]:
        """Status and JSON for the target of a GET, such as /gan808/slot/BD/level?VALUE."""
        parts = urlsplit(target)
        attribute = parts.query.partition("&")[0].partition("=")[0].upper()
        if attribute == HOST_INFO:
            return HTTPStatus.OK, self._host_info()
        if attribute and attribute not in ATTRIBUTES | NOT_OFFERED:
            return HTTPStatus.BAD_REQUEST, None
        slots = self._machine.kit.slots
        path, space = full_path(unquote(parts.path), slots), methods(slots)
        found = below(path, space)
        if attribute in ("", "CONTENTS"):
            values = self._read(found)
        else:
            values = self._read([m for m in found if m.path == path])
        node = node_at(path, space, slots, values)
        if node is None:
            return HTTPStatus.NOT_FOUND, None
        if not attribute:
            return HTTPStatus.OK, node
        if attribute not in node:
            return HTTPStatus.NO_CONTENT, None
        return HTTPStatus.OK, {attribute: node[attribute]}

    def _host_info(self) -> Node:
        host, port = self._osc_address
        info: Node = {
            "NAME": NAME, "OSC_PORT": port, "OSC_TRANSPORT": "UDP",
            "EXTENSIONS": {"LISTEN": False, **dict.fromkeys(OPTIONAL, True)},
        }
        if host not in ANY_HOST:  # else a client takes the address it asked at
            info["OSC_IP"] = host
        return info

    def _read(self, wanted: Sequence[Method]) -> dict[str, tuple[Value, ...]]:
        """The present values of these, as far as they are there in time."""
        answers: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        readable = [method for method in wanted if method.readable]
        for method in readable:
            slot = () if method.slot is None else (method.slot,)
            self._machine.submit(
                method.row.address, *slot, reply=partial(_put, answers, method.path), peek=True)
        values: dict[str, tuple[Value, ...]] = {}
        deadline_s = time.monotonic() + READ_S
        for _ in readable:
            try:
                path, result = answers.get(timeout=max(0.0, deadline_s - time.monotonic()))
            except queue.Empty:
                break
            if not isinstance(result, Gan808Error):
                values[path] = result
        return values


def _put(answers: queue.SimpleQueue[tuple[str, Any]], path: str, result: Any) -> None:
    answers.put((path, result))


class _Server(ThreadingHTTPServer):
    """A bounded number of requests at a time, so many a second; the others are sent away."""

    daemon_threads = True
    block_on_close = False

    def __init__(
        self, address: tuple[str, int], answer: Callable[[str], tuple[HTTPStatus, Node | None]]
    ) -> None:
        self.answer = answer
        self.limit = Limit(REQUESTS_HZ, BURST)
        self._room = threading.Semaphore(MAX_REQUESTS)
        self._begun: dict[socket.socket, float] = {}
        host, port = address
        self.address_family, *_, bound = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        super().__init__(bound, _Handler)  # type: ignore[arg-type]

    def server_bind(self) -> None:
        # HTTPServer would look its own name up, which may ask a name server that is not there.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = NAME, int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._room.acquire(blocking=False):
            self.shutdown_request(request)
            return
        self._begun[request] = time.monotonic()
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # no further thread can be started
            self._begun.pop(request, None)
            self._room.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._begun.pop(request, None)
            self._room.release()

    def hang_up_on_slow(self, now_s: float) -> None:
        """Eight connections that say a letter a second must not keep everybody else out."""
        for request, begun_s in list(self._begun.items()):
            if now_s - begun_s > WHOLE_S:
                with suppress(OSError):  # it has ended meanwhile
                    request.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news; anything else is a mistake of this program."""
        log.debug("OSCQuery: a request from %s failed", client_address[0], exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = IDLE_S
    server_version, sys_version = NAME, ""

    def do_GET(self) -> None:
        self._reply(with_body=True)

    def do_HEAD(self) -> None:
        self._reply(with_body=False)

    def _reply(self, *, with_body: bool) -> None:
        status = HTTPStatus.TOO_MANY_REQUESTS
        node: Node | None = None
        if self.server.limit.allows(time.monotonic()):
            status = HTTPStatus.INTERNAL_SERVER_ERROR
            with Guard("OSCQuery"):
                status, node = self.server.answer(self.path)
        body = b"" if node is None else json.dumps(node, allow_nan=False).encode("ascii")
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Cache-Control", "no-store")
        if status is not HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on stderr: that is for what the player should know."""
        log.debug("OSCQuery: " + format, *args)
