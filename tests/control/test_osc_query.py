"""OSCQuery: the table as an address space, and the server that tells it over HTTP."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from gan808.control.oscquery.namespace import Method, full_path, methods
from gan808.control.web import limits
from gan808.control.web.server import BURST
from gan808.instrument.addresses import decode
from gan808.instrument.parameter import Kind
from gan808.instrument.parameters import TABLE
from gan808.sound.kit.slots import TR808
from tests.control.rig import Client, Rig, until
from tests.control.web.rig import Served
from tests.timing import SOON_S

CODES = [slot.code for slot in TR808]

SLOW = 8  # connections, and how many there may be


@pytest.fixture
def server(rig: Rig) -> Iterator[Served]:
    with Served(rig.osc.address) as server:
        yield server


def get(server: Served, target: str, method: str = "GET") -> tuple[int, Any]:
    """Status and what the JSON says, None where there is none."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    try:
        connection.request(method, target)
        response = connection.getresponse()
        body = response.read()
        if body:
            assert response.headers["Content-Type"].split(";")[0] == "application/json"
        return response.status, json.loads(body) if body else None
    finally:
        connection.close()


def leaves(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every node that is a method."""
    if "TYPE" in node:
        yield node
    for inner in node.get("CONTENTS", {}).values():
        yield from leaves(inner)


def test_the_whole_table_is_there(server: Served) -> None:
    """Every address but the events, slot by slot, each of which the decoder knows."""
    status, root = get(server, "/")
    assert (status, root["FULL_PATH"], root["ACCESS"]) == (200, "/", 0)
    told = {node["FULL_PATH"]: node for node in leaves(root)}
    rows = [row for row in TABLE if row.kind is not Kind.EVENT]
    assert len(told) == sum(16 if row.per_slot else 1 for row in rows) + 1
    assert "/dirt/play" in told
    assert root["CONTENTS"]["gan808"]["CONTENTS"]["slot"]["CONTENTS"]["BD"]["DESCRIPTION"] == (
        TR808[0].name)
    for path, node in told.items():
        assert node["DESCRIPTION"]
        assert set(node["TYPE"]) <= set("ifsbN"), path
        if node["ACCESS"] == 3:
            assert decode(path, node["VALUE"], CODES), "its own value can be sent back"
            assert len(node["VALUE"]) == len(node["TYPE"])
        if "RANGE" in node:
            assert len(node["RANGE"]) == len(node["TYPE"].strip("N"))


def test_a_value_with_its_range(rig: Rig, client: Client, server: Served) -> None:
    client.send("/gan808/slot/SD/tune", 3.5)
    client.settle()
    assert get(server, "/gan808/slot/SD/tune") == (200, {
        "FULL_PATH": "/gan808/slot/SD/tune", "DESCRIPTION": "pitch of the slot", "ACCESS": 3,
        "TYPE": "f", "RANGE": [{"MIN": -24, "MAX": 24}], "UNIT": ["semitones"], "VALUE": [3.5],
    })


@pytest.mark.parametrize(("target", "status", "answer"), [
    ("/gan808/slot/SD/lock?VALUE", 200, {"VALUE": [0]}),
    ("/gan808/slot/2/lock?VALUE", 200, {"VALUE": [0]}),
    ("/gan808/slot/sd/lock/?TYPE", 200, {"TYPE": "i"}),
    ("/gan808/slot/SD/lock?RANGE", 200, {"RANGE": [{"MIN": 0, "MAX": 1}]}),
    ("/gan808/slot/SD/lock?ACCESS", 200, {"ACCESS": 3}),
    ("/gan808/slot/SD/lock?FULL_PATH", 200, {"FULL_PATH": "/gan808/slot/SD/lock"}),
    ("/gan808/slot/%53D/lock?DESCRIPTION", 200, {"DESCRIPTION": "1: evolution never swaps it"}),
    ("/gan808/evolve/mode?RANGE", 200, {"RANGE": [{"VALS": ["one", "all", "fresh"]}]}),
    ("/gan808/evolve?TYPE", 200, {"TYPE": "f"}),
    ("/gan808/trig?TYPE", 200, {"TYPE": "s"}),
    ("/gan808/trig?OVERLOADS", 200, {"OVERLOADS": [
        {"TYPE": "sf", "RANGE": [{"VALS": CODES}, {"MIN": 0, "MAX": 1}]}]}),
    ("/gan808/slot/BD/undo?TYPE", 200, {"TYPE": "N"}),
    ("/gan808/slot/BD/new?OVERLOADS", 200,
     {"OVERLOADS": [{"TYPE": "i", "RANGE": [{"MIN": 0, "MAX": 2**31 - 1}]}]}),
    ("/gan808/status?TYPE", 200, {"TYPE": "iiffiff"}),
    ("/gan808/kit/list?VALUE", 200, {"VALUE": ["fake", "other"]}),
    ("/gan808/kit/list?TYPE", 200, {"TYPE": "ss"}),
    ("/gan808/slot/BD/undo?VALUE", 204, None),  # nothing that has a value
    ("/gan808/slot/BD?VALUE", 204, None),
    ("/gan808/slot/BD/lock?CONTENTS", 204, None),
    ("/gan808/slot/BD/lock?CLIPMODE", 204, None),
    ("/gan808/slot/BD/lock?COLOUR", 400, None),
    ("/gan808/slot/XX/lock", 404, None),
    ("/gan808/slot/BD/late", 404, None),
    ("/gan808/../../etc/passwd", 404, None),
    ("/gan808/slot/BD/changed", 404, None),  # only ever sent
])
def test_questions(server: Served, target: str, status: int, answer: Any) -> None:
    assert get(server, target) == (status, answer)


def test_a_part_of_the_tree(server: Served) -> None:
    status, node = get(server, "/gan808/evolve")
    assert (status, node["VALUE"]) == (200, [0.0])
    assert set(node["CONTENTS"]) == {"quantise", "mode", "next"}
    assert get(server, "/gan808/evolve?CONTENTS")[1]["CONTENTS"] == node["CONTENTS"]


def test_the_host_says_where_osc_is(rig: Rig, server: Served) -> None:
    for target in ("/?HOST_INFO", "/gan808/trig?HOST_INFO"):
        status, info = get(server, target)
        assert status == 200
        assert (info["NAME"], info["OSC_TRANSPORT"]) == ("GAN-808", "UDP")
        assert (info["OSC_IP"], info["OSC_PORT"]) == rig.osc.address
        assert info["EXTENSIONS"]["RANGE"] is True
        assert info["EXTENSIONS"]["LISTEN"] is True


def test_nothing_is_changed_over_http(rig: Rig, server: Served) -> None:
    before = list(rig.engine.commands)
    for method in ("POST", "PUT", "DELETE"):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        connection.request(method, "/gan808/slot/BD/level?VALUE=1")
        assert connection.getresponse().status == 405
        connection.close()
    assert get(server, "/gan808/slot/BD/level?VALUE", "HEAD") == (200, None)
    assert rig.engine.commands == before


def test_a_flood_is_sent_away_and_leaves_the_machine_alone(
    rig: Rig, client: Client, server: Served
) -> None:
    statuses = [get(server, "/gan808/volume")[0] for _ in range(2 * BURST)]
    assert statuses.count(200) >= BURST
    assert 429 in statuses
    assert client.ask("/gan808/hello")[0] == "/gan808/hello/reply"


@pytest.mark.parametrize("rubbish", [b"\0\xff" * 400, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
                                     b"GET " + b"/x" * 40_000 + b" HTTP/1.1\r\n\r\n",
                                     b"GET /%ff%00 HTTP/1.1\r\n\r\n", b"GET //[ HTTP/1.0\r\n\r\n"])
def test_rubbish_harms_nothing(
    server: Served, rubbish: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    with socket.create_connection(("127.0.0.1", server.port), 5.0) as asking:
        asking.sendall(rubbish)
        asking.settimeout(SOON_S)
        assert b" 200 " not in asking.recv(65536).split(b"\r\n")[0]
    assert get(server, "/gan808/volume?TYPE") == (200, {"TYPE": "f"})
    assert capfd.readouterr() == ("", "")


def test_a_slot_may_be_given_by_number() -> None:
    assert full_path("/gan808/slot/16/level/", TR808) == "/gan808/slot/CH/level"
    assert full_path("/gan808/slot/17/level", TR808) == "/gan808/slot/17/level"
    assert full_path("/gan808/slot/\u00b2/level", TR808) == "/gan808/slot/\u00b2/level"
    assert full_path("", TR808) == "/"


def test_what_may_be_read_is_what_the_machine_answers(rig: Rig) -> None:
    def answers(method: Method) -> bool:
        got: list[Any] = []
        slot = () if method.slot is None else (method.slot,)
        rig.machine.submit(method.row.address, *slot, reply=got.append)
        return isinstance(until(lambda: got)[0], tuple)

    readable = [method for method in methods(TR808[:1]) if method.readable]
    assert len(readable) > 20
    assert all(map(answers, readable))


def test_looking_changes_nothing(
    rig: Rig, client: Client, server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody's peak meter is reset, and no folder is read on the machine's thread."""
    readers = []
    for name in ("kit_names", "pattern_names", "scene_names"):
        real = getattr(rig.library, name)
        monkeypatch.setattr(rig.library, name, lambda real=real: (
            readers.append(threading.current_thread().name), real())[1])
    assert get(server, "/")[0] == 200
    assert get(server, "/gan808/status?VALUE")[0] == 200
    client.ask("/gan808/counters")
    assert rig.engine.peaks_reset == 0
    assert len(readers) == 3
    for address in ("/gan808/kit/list", "/gan808/seq/patterns", "/gan808/scene/list"):
        assert client.ask(address)[0] == address
    assert set(readers) == {"gan808-disk"}
    client.ask("/gan808/status")
    assert rig.engine.peaks_reset == 1


def test_slow_connections_keep_nobody_out(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request has so long in all, however often it says a letter."""
    monkeypatch.setattr(limits, "REQUEST_S", 0.3)
    monkeypatch.setattr(limits, "MOST_CONNECTIONS", SLOW)
    slow = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(SLOW)]
    for connection in slow:
        connection.send(b"GET /gan808 HTTP/1.1\r\n")

    def drip() -> bool:
        for connection in slow:
            with suppress(OSError):
                connection.send(b"x")
        with suppress(OSError, http.client.HTTPException):
            return get(server, "/gan808/volume")[0] == 200
        return False

    until(drip)
    for connection in slow:
        connection.close()
