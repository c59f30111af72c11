"""A machine on fakes with a real OSC socket, and a client that speaks python-osc."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

from pythonosc.osc_bundle_builder import OscBundleBuilder
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

from gan808.config import Settings
from gan808.control.osc.server import OscServer
from gan808.instrument.machine import Machine
from gan808.instrument.protocols import LibraryLike
from gan808.recording.recorder import Recorder
from tests.fake_filler import FakeFiller
from tests.fake_library import SceneLibrary
from tests.fakes import Command, FakeEngine, FakeKit, FakePool, fake_sound

ANSWER_S = 20.0
SILENCE_S = 0.15


class Rig:
    """Everything between the socket and the engine is real; the clock is the wall's."""

    def __init__(self, library: LibraryLike | None = None, **sections: dict[str, Any]) -> None:
        kit = FakeKit()
        self.settings = Settings().replace({
            "osc": {"port": 0}, "sequencer": {"playing": False}, "evolve": {"swaps_per_bar": 0.0},
            **sections,
        })
        self.engine = FakeEngine()
        self.pool = FakePool(kit.classes)
        self.filler = FakeFiller(self.pool)
        self.library = SceneLibrary({"fake": kit, "other": FakeKit("other")})
        self.machine = Machine(
            kit, self.engine, self.pool, self.filler, self.settings, library or self.library)
        self.machine.commands.register(Recorder(self.machine).handlers())
        self.machine.start()
        self.osc = OscServer(self.machine, self.settings)

    def __enter__(self) -> Rig:
        self.osc.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.osc.stop()
        self.machine.stop()

    def stock(self, class_name: str, *seeds: int, **more: float) -> None:
        for seed in seeds:
            assert self.pool.put(fake_sound(class_name, seed, **more))  # type: ignore[arg-type]

    def played(self, port: str = "osc") -> list[Command]:
        return [command for command in self.engine.commands if command.port == port]


class Client:
    """One UDP socket that sends to a rig and collects what comes back."""

    def __init__(self, rig: Rig) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.connect(rig.osc.address)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    def raw(self, datagram: bytes) -> None:
        self._socket.send(datagram)

    def send(self, address: str, *values: Any) -> None:
        self.raw(message(address, *values).dgram)

    def bundle(self, unix_s: float, *messages: OscMessage) -> None:
        self.raw(bundle(unix_s, *messages))

    def receive(self, timeout_s: float = ANSWER_S) -> tuple[Any, ...] | None:
        """The next answer as (address, value, ...); None when there is none in time."""
        self._socket.settimeout(timeout_s)
        try:
            answer = OscMessage(self._socket.recv(65536))
        except (TimeoutError, BlockingIOError):
            return None
        return (answer.address, *answer.params)

    def raw_answer(self) -> bytes:
        self._socket.settimeout(ANSWER_S)
        return self._socket.recv(65536)

    def ask(self, address: str, *values: Any) -> tuple[Any, ...]:
        self.send(address, *values)
        answer = self.receive()
        assert answer is not None, f"no answer to {address}"
        return answer

    def settle(self) -> None:
        """Wait until the server has done everything sent before."""
        assert self.ask("/gan808/sync", 808) == ("/gan808/synced", 808)


def message(address: str, *values: Any) -> OscMessage:
    """Values as python-osc types them; (type, value) pairs say the type."""
    builder = OscMessageBuilder(address)
    for value in values:
        if isinstance(value, tuple):
            builder.add_arg(value[1], value[0])
        else:
            builder.add_arg(value)
    return builder.build()


def bundle(unix_s: float, *contents: Any) -> bytes:
    """A bundle of messages and bundles due at a time (0 = the tag that means at once)."""
    builder = OscBundleBuilder(unix_s)
    for content in contents:
        builder.add_content(content)
    return bytes(builder.build().dgram)


def until(condition: Callable[[], Any], timeout_s: float = ANSWER_S) -> Any:
    """Wait for a condition; its value, or a failure."""
    deadline_s = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < deadline_s, "it never happened"
        time.sleep(0.002)
    return value


def frames_of(commands: Sequence[Command]) -> list[int]:
    return [command.frame for command in commands]
