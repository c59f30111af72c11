"""The panel in a real browser, on a machine of fakes; who may ask, and who may write."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from typing import Any

import pytest

from tests.control.rig import Rig, until
from tests.control.web.conftest import OpenPage
from tests.control.web.rig import Served


@pytest.fixture
def served() -> Iterator[tuple[Rig, Served]]:
    with Rig() as rig, Served(rig.osc.address) as server:
        yield rig, server


@pytest.fixture
def page(served: tuple[Rig, Served], open_page: OpenPage) -> Any:
    return open_page(served[1].port)


def status(server: Served, target: str, method: str = "GET", **headers: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request(method, target, headers=headers)
    got = connection.getresponse().status
    connection.close()
    return got


def test_only_pages_from_here_may_write(served: tuple[Rig, Served]) -> None:
    _, server = served
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
               "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
    assert status(server, "/panel/") == 200
    assert status(server, "/panel/", Host="evil.example") == 403
    assert status(server, "/panel/../server.py") in (400, 404)
    assert status(server, "/gan808/slot/BD/level", "POST") == 405
    assert status(server, "/", Origin="http://evil.example", **upgrade) == 403
    assert status(server, "/", Origin=f"http://127.0.0.1:{server.port}", **upgrade) == 101


def test_a_pad_plays_and_a_step_is_drawn(page: Any, served: tuple[Rig, Served]) -> None:
    rig, _ = served
    page.locator('.pad[data-code="SD"] .hit').click()
    until(lambda: [c for c in rig.played() if c.name == "trigger" and c.slot == 1])
    page.locator('[data-cell="CP:3"]').click()
    until(lambda: rig.machine.sequencer.step(10, 4).sounds)


def test_a_pattern_is_copied_into_another_with_everything(
    page: Any, served: tuple[Rig, Served]
) -> None:
    sequencer = served[0].machine.sequencer
    page.get_by_role("combobox", name="Pattern").select_option("trap")
    until(lambda: sequencer.pattern.name == "trap")
    page.wait_for_timeout(300)
    slots = range(len(served[0].machine.codes))
    rows = sequencer.with_score(lambda score: [score.row(slot) for slot in slots])
    page.get_by_role("button", name="Copy all").click()
    page.get_by_role("combobox", name="Pattern").select_option("house")
    until(lambda: sequencer.pattern.name == "house")
    page.wait_for_timeout(300)
    page.get_by_role("button", name="Paste").click()
    until(lambda: sequencer.with_score(lambda score: [score.row(slot) for slot in slots]) == rows)
    fills = page.get_by_label("Bars between fills, 0 for none")
    fills.fill("4")
    page.evaluate("import('/panel/store.js').then((m) => m.changed())")  # as when it plays
    page.wait_for_timeout(100)
    fills.press("Enter")
    until(lambda: sequencer.with_score(lambda score: score.fills) == 4)


def test_a_slow_renderer_is_no_lost_instrument(
    page: Any, served: tuple[Rig, Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The map's sounds never come here: the link is told by what answers at once."""
    page.wait_for_timeout(5000)
    assert page.locator("html.lost").count() == 0
    assert page.locator(".map").get_attribute("data-ready") == "1"


def test_what_is_chosen_is_chosen(page: Any, served: tuple[Rig, Served]) -> None:
    rig, _ = served
    page.get_by_role("combobox", name="Pattern").select_option("house")
    until(lambda: rig.machine.sequencer.pattern.name == "house")
    page.get_by_role("combobox", name="Choke").select_option("3")
    until(lambda: rig.machine.swaps.slots[0].values["choke"] == 3)
    page.get_by_role("button", name="Library").click()
    page.get_by_role("combobox", name="What").select_option("all")
    page.get_by_role("combobox", name="Where").select_option("beat")
    until(lambda: rig.machine.evolution.mode == "all")
    until(lambda: rig.machine.evolution.quantise == "beat")
