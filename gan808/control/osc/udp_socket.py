"""The UDP socket: opened with errors a user understands, and never raising while it runs.

Received from on one thread; sent on by any.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import sys

from gan808.control.osc.clients import Sender
from gan808.engine.engine import Port
from gan808.engine.protocols import PortLike
from gan808.engine.trigger_fast_path import TriggerFastPath
from gan808.errors import DeviceError

MAX_DATAGRAM_BYTES = 65507
RECEIVE_BUFFER_BYTES = 1 << 20  # room for a burst of bundles while the thread is busy
# A timeout of nothing would make the socket non-blocking and the waiting loop a busy one.
SHORTEST_WAIT_S = 0.0005
# Linux puts on a socket's error queue whose port is closed; elsewhere nobody says. Not in Python's
# socket: IP_RECVERR and IPV6_RECVERR of <linux/in.h> and <linux/in6.h>.
TELL_UNREACHABLE = {socket.AF_INET: (socket.IPPROTO_IP, 11),
                    socket.AF_INET6: (socket.IPPROTO_IPV6, 25)}


class OscSocket:
    """One bound UDP socket; IPv4 or IPv6 as the host asks for."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._socket: socket.socket | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Host and port it is bound to; the configured ones before `open`."""
        if self._socket is None:
            return self._host, self._port
        name = self._socket.getsockname()
        return str(name[0]), int(name[1])

    def open(self) -> None:
        """Bind. Raises DeviceError."""
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(
                self._host, self._port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE
            )[0]
            bound = socket.socket(family, kind, protocol)
        except OSError as error:
            raise DeviceError(
                f"OSC host {self._host!r}: {error.strerror}; give --osc HOST:PORT, such as "
                "127.0.0.1:8808"
            ) from error
        try:
            with contextlib.suppress(OSError):
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
            if sys.platform == "linux":
                with contextlib.suppress(OSError):
                    bound.setsockopt(*TELL_UNREACHABLE[family], 1)
            bound.bind(address)
        except OSError as error:
            bound.close()
            raise DeviceError(self._refusal(error)) from error
        self._socket = bound

    def _refusal(self, error: OSError) -> str:
        where = f"OSC port {self._port} on {self._host}"
        host = f"[{self._host}]" if ":" in self._host else self._host
        if error.errno == errno.EADDRINUSE:
            return (f"{where} is in use, perhaps by another gan808; stop that program or give "
                    f"another port with --osc {host}:PORT")
        if error.errno == errno.EADDRNOTAVAIL:
            return f"{where}: that is no address of this machine; 127.0.0.1 and 0.0.0.0 always are"
        if error.errno == errno.EACCES:
            return f"{where} is not allowed; give a port above 1023 with --osc {host}:PORT"
        return f"{where} cannot be opened: {error.strerror}"

    def receive(self, timeout_s: float) -> tuple[bytes, Sender] | None:
        """The next datagram and its sender; None when there is none in time."""
        if self._socket is None:
            return None
        try:
            self._socket.settimeout(max(timeout_s, SHORTEST_WAIT_S))
            return self._socket.recvfrom(MAX_DATAGRAM_BYTES + 1)
        except OSError:
            # A timeout; or the notice, on some systems, that an answer found nobody.
            return None

    def unreachable(self) -> list[Sender]:
        """Receivers whose port turned out to be closed since the last call, where the system tells.
        On the thread that receives."""
        found: list[Sender] = []
        if self._socket is None or sys.platform != "linux":
            return found
        with contextlib.suppress(OSError):  # nothing (more) is told
            self._socket.settimeout(0.0)
            while True:
                _, told, _, address = self._socket.recvmsg(
                    1, 512, socket.MSG_ERRQUEUE | socket.MSG_DONTWAIT)
                # struct sock_extended_err begins with the error's number.
                if any(int.from_bytes(data[:4], sys.byteorder) == errno.ECONNREFUSED
                       for _, _, data in told):
                    found.append(address)
        return found

    def fast_path(self, port: PortLike) -> TriggerFastPath | None:
        """What waits on this socket and plays plain hits at once; None where this system or port
        does not allow it."""
        if self._socket is None or not isinstance(port, Port):
            return None
        with contextlib.suppress(OSError, AttributeError):
            return TriggerFastPath(port, self._socket.fileno())
        return None

    def send(self, datagram: bytes, receiver: Sender) -> None:
        """Send; a receiver who cannot be reached is passed over, as UDP does."""
        bound = self._socket  # another thread may close meanwhile
        for _ in range(2):  # the first may only report what became of an earlier one
            if bound is None:
                return
            with contextlib.suppress(OSError):
                bound.sendto(datagram, receiver)
                return

    def close(self) -> None:
        """Free the port; safe to call twice."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
