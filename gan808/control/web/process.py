"""The web process from the player's side: binds its port, starts it, starts it again.

`WebProcess` owns the listening socket, so that the address is known at once and outlives a crash,
and one thread, `web`, which waits for the process. POSIX only: the process inherits the socket by
its number; on Windows it would have to be given over by socket.share.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable

from gan808.errors import DeviceError

ANY_HOST = ("0.0.0.0", "::", "")
BACKLOG = 128
AGAIN_S = 2.0
STOP_S = 0.5


class WebProcess:
    """OSCQuery and the panel over HTTP, from start to stop."""

    def __init__(
        self, osc_address: tuple[str, int], port: int, warn: Callable[[str], None]
    ) -> None:
        """port 0: OSC's own number, or a free one when that is taken."""
        self._osc_address = osc_address
        self._wanted = port
        self._warn = warn
        self._socket: socket.socket | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="web", daemon=True)

    @property
    def port(self) -> int:
        """The TCP port, once bound."""
        return int(self._socket.getsockname()[1]) if self._socket else self._wanted

    @property
    def url(self) -> str:
        """Where a browser of this machine finds it."""
        host = "localhost" if self._osc_address[0] in ANY_HOST else self._osc_address[0]
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    def bind(self) -> None:
        """Take the port; who connects from now on is served later. Raises DeviceError."""
        if os.name != "posix":
            raise DeviceError("the panel and OSCQuery do not run on this system yet; osc.query = "
                              "false spares this line")
        host, osc_port = self._osc_address
        ports = [self._wanted] if self._wanted else [osc_port, 0]
        for port in ports:
            try:
                self._socket = bound(host, port)
                return
            except OSError as error:
                if error.errno != errno.EADDRINUSE or port == ports[-1]:
                    raise DeviceError(
                        f"OSCQuery, port {port} on {host}: {error.strerror}; set osc.query_port to "
                        "a free one, or osc.query = false"
                    ) from error

    def start(self) -> None:
        """Start the process; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """End the process and free the port; safe to call twice, or without start."""
        self._stopping.set()
        child = self._child
        if child is not None:
            end_child(child)
        if self._thread.is_alive():
            self._thread.join(timeout=STOP_S)
        if self._socket is not None:
            self._socket.close()

    def _run(self) -> None:
        listening = self._socket
        assert listening is not None
        host, port = self._osc_address
        descriptor = listening.fileno()
        asked = "127.0.0.1" if host in ANY_HOST else host
        while not self._stopping.is_set():
            self._child = child = subprocess.Popen(
                [sys.executable, "-m", "gan808.control.web", str(descriptor), asked, str(port)],
                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                pass_fds=[descriptor], env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            )
            if self._stopping.is_set():
                end_child(child)
            child.wait()
            if not self._stopping.wait(AGAIN_S):
                self._warn("the panel's process has ended; it is started again")


def bound(host: str, port: int) -> socket.socket:
    """A listening socket. Raises OSError."""
    family, *_, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening


def end_child(child: subprocess.Popen[bytes], within_s: float = STOP_S) -> None:
    """Close its standard input, by which it knows that it is over, and wait; kill it then."""
    assert child.stdin is not None
    child.stdin.close()
    try:
        child.wait(within_s)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(OSError):
            child.kill()
        child.wait()
