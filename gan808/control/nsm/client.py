"""A client of a session manager: the Non Session Manager API 1.1, of nsmd, RaySession and others.

The manager says in which folder of a session this instrument's state lies and what it is called on
JACK, when to save, and by SIGTERM when to end. `join` belongs to the main thread; from `start` on a
thread of its own, "nsm", hears what is asked. Nothing of it is on a note's way.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from gan808.control.osc.clients import Sender
from gan808.control.osc.packets import Received, build_message, read_packet
from gan808.control.osc.udp_socket import OscSocket
from gan808.errors import DeviceError, Gan808Error, Guard

API_MAJOR, API_MINOR = 1, 1
APPLICATION, EXECUTABLE = "GAN-808", "gan808"
# Whether anything is unsaved is told; it cannot go over to another session while it runs.
CAPABILITIES = ":dirty:"
# A manager answers at once; one that is busy starting a whole session may take a moment.
ANSWER_S = 5.0
WAIT_S = 0.2
GENERAL_ERROR = -1
ANNOUNCE, OPEN, SAVE = "/nsm/server/announce", "/nsm/client/open", "/nsm/client/save"


@dataclass(frozen=True, slots=True)
class ManagedProject:
    """What a session manager has for us: a folder, which need not exist, and our name on JACK."""

    folder: Path
    display_name: str
    client_id: str


class NsmClient:
    """One conversation, from the announcement to the end of the program."""

    def __init__(self, url: str) -> None:
        """url: NSM_URL, osc.udp://HOST:PORT/. Raises DeviceError where nobody can be there."""
        self._url = url
        self._server = _address_of(url)
        # A manager on this machine is answered from where only this machine comes in.
        here = self._server[0].startswith("127.")
        self._socket = OscSocket("127.0.0.1" if here else "0.0.0.0", 0)
        self._socket.open()
        self._dirty = False
        self._save: Callable[[], None] = _nothing_to_save
        self._project: ManagedProject | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="nsm", daemon=True)

    @property
    def address(self) -> tuple[str, int]:
        """Where it hears the manager."""
        return self._socket.address

    def join(self, within_s: float = ANSWER_S) -> ManagedProject:
        """Announce this program and wait to be told what to open. Raises DeviceError where nobody
        answers within that time, or refuses."""
        self._send(ANNOUNCE, APPLICATION, CAPABILITIES, EXECUTABLE, API_MAJOR, API_MINOR,
                   os.getpid())
        answered, deadline_s = False, time.monotonic() + within_s
        while (left_s := deadline_s - time.monotonic()) > 0:
            for message in self._received(left_s):
                if message.address == "/error" and message.arguments[:1] == (ANNOUNCE,):
                    raise DeviceError(f"the session manager refuses: {message.arguments[-1]}")
                if message.address == "/reply" and message.arguments[:1] == (ANNOUNCE,):
                    answered, deadline_s = True, time.monotonic() + within_s
                if message.address == OPEN and len(message.arguments) >= 3:
                    path, name, client_id = map(str, message.arguments[:3])
                    self._project = ManagedProject(Path(path), name, client_id)
                    return self._project
        raise DeviceError(f"NSM_URL {self._url}: " + (
            "the session manager opens no session" if answered else "no session manager answers"))

    def start(self, save: Callable[[], None]) -> None:
        """The session is open; from now on save() is called, on the thread "nsm", where the manager
        asks for it: it returns when all is written, or raises a Gan808Error."""
        self._save = save
        self._send("/reply", OPEN, "opened")
        self._send("/nsm/client/is_clean")
        self._thread.start()

    def refuse(self, why: str) -> None:
        """The session cannot be opened."""
        self._send("/error", OPEN, GENERAL_ERROR, why)

    def changed(self) -> None:
        """Something is not as it was saved. Any thread; never waits."""
        if not self._dirty:
            self._dirty = True
            self._send("/nsm/client/is_dirty")

    def stop(self) -> None:
        """Hear nothing more; safe to call twice, or without start."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        guard = Guard("the session manager's client")
        while not self._stopping.is_set():
            for message in self._received(WAIT_S):
                with guard:
                    self._hear(message)

    def _hear(self, message: Received) -> None:
        if message.address == SAVE:
            self._answer_save()
        elif message.address == OPEN:
            self._answer_open(message)

    def _answer_save(self) -> None:
        self._dirty = False  # what changes while it is written is unsaved again
        failures: list[Gan808Error] = []
        with Guard("saving the session", failures.append):
            self._save()
        if failures:
            self._dirty = True
            self._send("/error", SAVE, GENERAL_ERROR, str(failures[0]))
            return
        self._send("/reply", SAVE, "saved")
        if not self._dirty:
            self._send("/nsm/client/is_clean")

    def _answer_open(self, message: Received) -> None:
        assert self._project is not None
        if message.arguments[:1] == (str(self._project.folder),):
            self._send("/reply", OPEN, "is open")
        else:
            self.refuse("GAN-808 opens another session when it is started for it")

    def _received(self, timeout_s: float) -> list[Received]:
        """Messages of the manager's; what others send is passed over."""
        found = self._socket.receive(timeout_s)
        if found is None or not self._is_server(found[1]):
            return []
        return [each for each in read_packet(found[0]) if isinstance(each, Received)]

    def _is_server(self, sender: Sender) -> bool:
        host, port = sender[:2]
        same = host == self._server[0] or (
            host.startswith("127.") and self._server[0].startswith("127."))
        return bool(same and port == self._server[1])

    def _send(self, address: str, *values: object) -> None:
        self._socket.send(build_message(address, values), self._server)


def _nothing_to_save() -> None:
    raise Gan808Error("nothing is open yet")


def _address_of(url: str) -> tuple[str, int]:
    """HOST and PORT of an NSM_URL, the host as a number. Raises DeviceError."""
    try:
        parts = urlsplit(url)
        if parts.scheme != "osc.udp" or not parts.hostname or not parts.port:
            raise DeviceError(f"NSM_URL {url!r} is no osc.udp://HOST:PORT/")
        found = socket.getaddrinfo(parts.hostname, parts.port, socket.AF_INET, socket.SOCK_DGRAM)
    except ValueError:
        raise DeviceError(f"NSM_URL {url!r} is no osc.udp://HOST:PORT/") from None
    except OSError as error:
        raise DeviceError(f"NSM_URL {url}: {error.strerror}") from error
    host, port = found[0][4][:2]
    return str(host), int(port)
