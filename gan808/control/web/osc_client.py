"""OSC over UDP from inside the event loop: a socket a client, and questions with their answers."""

from __future__ import annotations

import asyncio
import itertools
import struct
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from gan808.control.osc.packets import BUNDLE, build_message
from gan808.instrument.parameter import ROOT

AT_ONCE = struct.pack(">Q", 1)
ANSWER_S = 1.0
# Of one bundle, so that the answers find room in the socket's buffer.
MOST_QUESTIONS = 120


class OscEnd(asyncio.DatagramProtocol):
    """One UDP socket to the instrument; receive gets every datagram that comes back."""

    def __init__(self, receive: Callable[[bytes], None]) -> None:
        self._receive = receive
        self._transport: asyncio.DatagramTransport | None = None

    @classmethod
    async def open(cls, address: tuple[str, int], receive: Callable[[bytes], None]) -> OscEnd:
        """A socket of its own, connected to that address."""
        loop = asyncio.get_running_loop()
        _, end = await loop.create_datagram_endpoint(lambda: cls(receive), remote_addr=address)
        return end

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._receive(data)

    def error_received(self, exc: Exception) -> None:
        """Nobody listens: the instrument has gone, and may come back."""

    def send(self, packet: bytes) -> None:
        """Send one packet."""
        if self._transport is not None:
            self._transport.sendto(packet)

    def close(self) -> None:
        """Free the port."""
        if self._transport is not None:
            self._transport.close()


class OscAsker:
    """Asks the instrument, one batch after the other."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self._end: OscEnd | None = None
        self._one = asyncio.Lock()
        self._numbers = itertools.count(1)
        self._wanted: dict[str, Callable[[tuple[Any, ...]], None]] = {}

    async def ask(self, questions: Sequence[tuple[str, str, tuple[Any, ...]]]) -> dict[
            str, tuple[Any, ...]]:
        """Answers by address. questions: the address asked, the address of the answer, and the
        arguments. What is not answered within a second is left out."""
        answers: dict[str, tuple[Any, ...]] = {}
        async with self._one:
            if self._end is None:
                self._end = await OscEnd.open(self._address, self._receive)
            for start in range(0, len(questions), MOST_QUESTIONS):
                if not await self._batch(questions[start:start + MOST_QUESTIONS], answers):
                    break
        return answers

    async def _batch(
        self, questions: Sequence[tuple[str, str, tuple[Any, ...]]],
        answers: dict[str, tuple[Any, ...]],
    ) -> bool:
        assert self._end is not None
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        number = next(self._numbers)
        for asked, replied, _ in questions:
            self._wanted[replied] = partial(answers.__setitem__, asked)
        self._wanted[f"{ROOT}/synced"] = lambda values: (
            done.set_result(None) if values == (number,) and not done.done() else None)
        messages = [build_message(asked, values) for asked, _, values in questions]
        messages.append(build_message(f"{ROOT}/sync", (number,)))
        parts = [struct.pack(">i", len(each)) + each for each in messages]
        self._end.send(BUNDLE + AT_ONCE + b"".join(parts))
        try:
            await asyncio.wait_for(done, ANSWER_S)
        except TimeoutError:
            return False
        finally:
            self._wanted.clear()
        return True

    def _receive(self, datagram: bytes) -> None:
        from pythonosc.osc_message import OscMessage, ParseError

        try:
            message = OscMessage(datagram)
        except ParseError:
            return
        wanted = self._wanted.get(message.address)
        if wanted is not None:
            wanted(tuple(message.params))

    def close(self) -> None:
        """Free the socket."""
        if self._end is not None:
            self._end.close()
