"""What a page costs to load, whom the server hears, and what a crowd costs the notes: nothing."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, TypeVar

import aiohttp
import numpy as np
import pytest
from numpy.typing import NDArray

from gan808.control.osc.packets import build_message
from gan808.control.web.limits import MOST_CONNECTIONS, host_is_ours, origin_is_ours
from tests.control.rig import Client, Rig, until
from tests.control.web.conftest import OpenPage
from tests.control.web.rig import Served
from tests.control.web.stage import Stage, onsets
from tests.jack_server import PERIOD_FRAMES, RATE_HZ

MOST_PAGE_BYTES = 300_000
HALF_OPEN = 1000
FLOOD_PAGES, FLOOD_MESSAGES = 8, 5000
NOTE_FRAMES = RATE_HZ // 5


Result = TypeVar("Result")


def apart(work: Coroutine[Any, Any, Result]) -> Result:
    """Run it in an event loop on a thread of its own: Playwright has one on this."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


@contextmanager
def half_open(port: int) -> Iterator[None]:
    """So many connections that begin a request and never finish it."""
    with ExitStack() as opened:
        for _ in range(HALF_OPEN):
            half = opened.enter_context(socket.socket())
            half.setblocking(False)
            half.connect_ex(("127.0.0.1", port))
            with suppress(OSError):  # where it is not connected yet
                half.send(b"GET /panel/ HTTP/1.1\r\n")
        yield


@pytest.fixture
def served() -> Iterator[tuple[Rig, Served]]:
    with Rig() as rig, Served(rig.osc.address) as server:
        yield rig, server


def test_a_page_weighs_little(served: tuple[Rig, Served], open_page: OpenPage) -> None:
    page = open_page(served[1].port)
    loaded = page.evaluate("performance.getEntries().filter((e) => e.transferSize !== undefined)"
                           ".map((e) => [new URL(e.name).origin, e.decodedBodySize])")
    assert len(loaded) > 10
    assert {origin for origin, _ in loaded} == {f"http://127.0.0.1:{served[1].port}"}
    assert 20_000 < sum(size for _, size in loaded) < MOST_PAGE_BYTES


def test_whose_name_a_host_header_may_have() -> None:
    here = ("192.168.1.7", 8808)
    for ours in ("localhost:8808", "127.0.0.1", "[::1]:8808", "192.168.1.7:8808",
                 socket.gethostname()):
        assert host_is_ours(ours, here), ours
    for foreign in ("", "evil.example", "192.168.1.8", "localhost.evil.example", "[",
                    "a@localhost@b", "192.168.1.7.nip.io"):
        assert not host_is_ours(foreign, here), foreign
    assert origin_is_ours(None, "localhost:8808")
    assert origin_is_ours("http://LOCALHOST:8808", "localhost:8808")
    for foreign in ("null", "http://localhost:8809", "https://localhost:8808", "http://[",
                    "http://evil.example", ""):
        assert not origin_is_ours(foreign, "localhost:8808"), foreign


def test_who_listens_hears_that_and_nothing_else(served: tuple[Rig, Served]) -> None:
    """OSCQuery's LISTEN and IGNORE, as a program that is no browser sends them."""
    rig, server = served

    async def listen() -> list[bytes | None]:
        async with aiohttp.ClientSession() as session, session.ws_connect(
                f"http://127.0.0.1:{server.port}/") as connection:
            async def settle() -> None:
                await connection.send_bytes(build_message("/gan808/sync", (7,)))
                assert await connection.receive_bytes(timeout=10) == (
                    build_message("/gan808/synced", (7,)))

            async def moved(level: float) -> bytes | None:
                with Client(rig) as client:
                    client.send("/gan808/slot/SD/pan", level)
                    client.send("/gan808/slot/BD/level", level)
                try:
                    return await connection.receive_bytes(timeout=0.5)
                except TimeoutError:
                    return None

            for rubbish in ("{", "[]", '{"COMMAND": "LISTEN"}', '{"COMMAND": 1, "DATA": []}'):
                await connection.send_str(rubbish)
            await connection.send_json({"COMMAND": "LISTEN", "DATA": "/gan808/slot/BD/level"})
            await settle()
            heard = [await moved(0.25)]
            await connection.send_json({"COMMAND": "IGNORE", "DATA": "/gan808/slot/BD/level"})
            await settle()
            return [*heard, await moved(0.75)]

    assert apart(listen()) == [build_message("/gan808/slot/BD/level", (0.25,)), None]


def test_a_crowd_costs_no_note_its_time(stage: Stage) -> None:
    """A thousand connections that never finish their request, and eight pages that send as fast as
    they can: every note of JACK's is heard at its own frame, and the next page is served."""
    notes = [NOTE_FRAMES * (1 + at) for at in range(10)]
    for note in notes:
        stage.meter.note_on(36, 127, at_frame=note)

    async def send(page: aiohttp.ClientWebSocketResponse) -> None:
        for number in range(FLOOD_MESSAGES):
            await page.send_bytes(build_message("/gan808/slot/SD/pan", (number % 2 / 2,)))

    async def crowd() -> NDArray[np.float32]:
        async with aiohttp.ClientSession() as session:
            pages = [await session.ws_connect(f"http://127.0.0.1:{stage.port}/")
                     for _ in range(FLOOD_PAGES)]
            with half_open(stage.port):
                sending = [asyncio.create_task(send(page)) for page in pages]
                audio = await asyncio.to_thread(stage.hear, 2.4, lambda: None)
            for task in sending:
                task.cancel()
            return audio

    audio = apart(crowd())
    late = np.array(onsets(audio)) - notes
    # Who sends and hears in one client closes a circle, which JACK cuts by a period; by another
    # where this machine is too busy for the meter.
    assert np.median(late) == PERIOD_FRAMES + 1
    assert late.max() <= 2 * PERIOD_FRAMES + 1
    assert stage.ask("/counters")[0] == 0
    assert MOST_CONNECTIONS < HALF_OPEN
    until(stage.served)
