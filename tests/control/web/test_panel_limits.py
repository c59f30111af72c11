"""What a page costs to load, and whom the server hears."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import aiohttp
import pytest

from gan808.control.osc.packets import build_message
from gan808.control.web.limits import host_is_ours, origin_is_ours
from tests.control.rig import Client, Rig
from tests.control.web.conftest import OpenPage
from tests.control.web.rig import Served
from tests.control.web.stage import apart

MOST_PAGE_BYTES = 300_000


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
