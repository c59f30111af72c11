"""A session manager for tests: a UDP socket that speaks NSM as nsmd does, when the test says."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path

from gan808.control.nsm.client import ANNOUNCE, OPEN, ManagedProject, NsmClient
from gan808.control.osc.packets import Received, build_message, read_packet
from tests.timing import WITHIN_S


class FakeManager:
    """Hears one client, and tells it what the test wants."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.05)
        self.url = f"osc.udp://localhost:{self._socket.getsockname()[1]}/"
        self._client: object = None
        self.heard: list[Received] = []

    def __enter__(self) -> FakeManager:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def hear(self, address: str) -> tuple[object, ...]:
        """The arguments of the next message with that address; others before it are kept."""
        deadline_s = time.monotonic() + WITHIN_S
        while time.monotonic() < deadline_s:
            try:
                datagram, self._client = self._socket.recvfrom(65536)
            except TimeoutError:
                continue
            (message,) = read_packet(datagram)
            assert isinstance(message, Received)
            self.heard.append(message)
            if message.address == address:
                return message.arguments
        raise AssertionError(f"no {address}; there was {self.heard}")

    def tell(self, address: str, *values: object) -> None:
        """A message to the client that was heard last."""
        self._socket.sendto(build_message(address, values), self._client)  # type: ignore[arg-type]

    def open(self, folder: Path, client_id: str = "GAN-808.nTEST") -> tuple[object, ...]:
        """Answer an announcement and have a project opened; what was announced."""
        announced = self.hear(ANNOUNCE)
        self.tell("/reply", ANNOUNCE, "hello", "fake manager", ":server-control:")
        self.tell(OPEN, str(folder), "song", client_id)
        return announced

    def joined(self, folder: Path) -> tuple[NsmClient, ManagedProject]:
        """A client that has been told to open a folder."""
        client, found = NsmClient(self.url), []
        joining = threading.Thread(target=lambda: found.append(client.join(WITHIN_S)))
        joining.start()
        self.open(folder)
        joining.join()
        return client, found[0]
