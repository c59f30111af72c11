"""A client of a running GAN-808: one UDP socket, IPv4 or IPv6 as the host asks for.

For programs that ask and wait, on their main thread. The daemon's side is server.py.
"""

from __future__ import annotations

import socket
import time

from pythonosc.osc_message import OscMessage, ParseError
from pythonosc.osc_message_builder import OscMessageBuilder

from gan808.errors import DeviceError

MAX_PACKET_BYTES = 65535
# Where a server listens on every network it is reached on this machine.
LOOPBACK = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}


class OscClient:
    """One conversation with the daemon at an address, in a `with`."""

    def __init__(self, host: str, port: int) -> None:
        self._where = host, port

    def __enter__(self) -> OscClient:
        """Raises DeviceError for a host that does not exist."""
        host, port = self._where
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(
                LOOPBACK.get(host, host), port, type=socket.SOCK_DGRAM)[0]
            self._socket = socket.socket(family, kind, protocol)
            try:
                self._socket.connect(address)
            except OSError:
                self._socket.close()
                raise
        except OSError as error:
            raise self.nobody() from error
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, address: str, *values: object) -> None:
        """Send a message to a full address; whether it arrives only an answer tells."""
        builder = OscMessageBuilder(address)
        for value in values:
            builder.add_arg(value)  # type: ignore[arg-type]
        try:
            self._socket.send(builder.build().dgram)
        except OSError:  # "connection refused", told of an earlier packet: the answer will not come
            return

    def receive(self, deadline_s: float) -> OscMessage | None:
        """The next message until that time.monotonic; None when there is none. Raises DeviceError
        where nobody listens."""
        while (left_s := deadline_s - time.monotonic()) > 0:
            self._socket.settimeout(left_s)
            try:
                return OscMessage(self._socket.recv(MAX_PACKET_BYTES))
            except TimeoutError:
                return None
            except ParseError:
                continue
            except OSError as error:
                raise self.nobody() from error
        return None

    def nobody(self) -> DeviceError:
        """What to say where no daemon answers."""
        return DeviceError(f"no GAN-808 answers at {shown(*self._where)}; start one with "
                           "`gan808 run`, or give --osc HOST:PORT")


def shown(host: str, port: int) -> str:
    """HOST:PORT as --osc takes it, an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
