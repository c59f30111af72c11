"""The panel in a real browser, on a machine of fakes; who may ask, and who may write."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from typing import Any

import pytest

from gan808.sequencer.steps import Row
from tests.control.rig import Client, Rig, until
from tests.control.web.conftest import OpenPage
from tests.control.web.rig import Served

PING_MS, SILENT_MS = 2000, 4000  # link.js


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
    slots = range(len(served[0].machine.codes))

    def rows() -> list[Row]:
        return sequencer.with_score(lambda score: [score.row(slot) for slot in slots])

    def choose(name: str) -> None:
        page.get_by_role("combobox", name="Pattern").select_option(name)
        until(lambda: sequencer.pattern.name == name)
        until(lambda: [step.sounds for row in rows() for step in row] == page.evaluate(
            """import('/panel/store.js').then(({ state }) =>
                state.slots.flatMap(({ code }) => state.rows[code].map(Boolean)))"""))

    choose("trap")
    copied = rows()
    page.get_by_role("button", name="Copy all").click()
    choose("house")
    page.get_by_role("button", name="Paste").click()
    until(lambda: rows() == copied)
    fills = page.get_by_label("Bars between fills, 0 for none")
    fills.fill("4")
    page.evaluate("import('/panel/store.js').then((m) => m.changed())")  # as when it plays
    page.wait_for_timeout(100)
    fills.press("Enter")
    until(lambda: sequencer.with_score(lambda score: score.fills) == 4)


def test_who_is_silent_is_lost_and_a_slow_renderer_is_not(
    served: tuple[Rig, Served], open_page: OpenPage
) -> None:
    """The map's sounds never come here: the link is told by what answers at once. Four seconds
    after the last answer everything is grey and moves no more."""
    page = open_page(served[1].port, clock=True)
    answered = "import('/panel/store.js').then((m) => m.link.asked === 0)"
    for _ in range(SILENT_MS // PING_MS + 1):
        page.clock.fast_forward(PING_MS)
        until(lambda: page.evaluate(answered))
    assert page.locator("html.lost").count() == 0
    until(lambda: page.locator(".map").get_attribute("data-ready") == "1")
    assert page.get_by_role("button", name="▶ Play").is_enabled()
    served[0].osc.stop()
    page.clock.fast_forward(SILENT_MS + PING_MS)
    page.wait_for_selector("html.lost")
    assert page.locator("main").evaluate("e => e.inert")
    assert page.get_by_role("button", name="▶ Play").is_disabled()
    page.keyboard.press("z")
    assert not served[0].played()


def test_it_opens_without_the_instrument(open_page: OpenPage) -> None:
    """The first visit is enough."""
    with Rig() as rig, Served(rig.osc.address) as server:
        page = open_page(server.port)
        kept = """caches.open("gan808-panel").then((c) => c.keys())
            .then((all) => all.map((each) => new URL(each.url).pathname))"""
        until(lambda: {"/panel/", "/panel/app.js", "/panel/base.css", "/panel/vendor/preact-htm.js"}
              <= set(page.evaluate(kept)))
        manifest = page.evaluate(
            "fetch(document.querySelector('[rel=manifest]').href).then((r) => r.json())")
        assert (manifest["start_url"], manifest["display"]) == ("/panel/", "standalone")
    page.reload()
    page.get_by_text("Looking for the instrument").wait_for()


def test_hands_and_keys(served: tuple[Rig, Served], open_page: OpenPage) -> None:
    """Two fingers at once, each as loud as it is high; one that stays opens no menu; computer keys
    play the pads as they lie."""
    rig, server = served
    page = open_page(server.port, has_touch=True)
    boxes = [page.locator(f'.pad[data-code="{code}"] .hit').bounding_box() for code in ("BD", "CY")]
    points = [{"x": box["x"] + 20, "y": box["y"] + share * box["height"], "id": at}
              for at, (box, share) in enumerate(zip(boxes, (0.9, 0.1), strict=True))]
    touch = page.context.new_cdp_session(page)
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": points})
    until(lambda: len(rig.played()) == 2)
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    soft, loud = sorted((command.value, command.slot) for command in rig.played())
    assert [soft[1], loud[1]] == [rig.machine.codes.index(code) for code in ("BD", "CY")]
    assert soft[0] < 0.4 < 0.9 < loud[0]
    for pointer, menus in (("touch", 0), ("mouse", 1)):
        page.locator(".pad .hit").first.evaluate("""(e, pointerType) => e.dispatchEvent(
            new PointerEvent('contextmenu', { pointerType, bubbles: true }))""", pointer)
        page.wait_for_timeout(50)
        assert page.locator("dialog[open]").count() == menus
    page.keyboard.press("Escape")
    page.keyboard.press("x")
    until(lambda: rig.played()[-1].slot == 1)


def test_a_light_on_what_changes_next(page: Any, served: tuple[Rig, Served]) -> None:
    rig, _ = served
    rate = page.get_by_label("New a bar")
    rate.fill("1")
    rate.press("Enter")
    first = until(lambda: page.locator(".pad.next").get_attribute("data-code"))
    page.get_by_role("button", name=f"Lock {first}").click()
    until(lambda: page.locator(".pad.next").get_attribute("data-code") != first)
    with Client(rig) as client:
        client.send("/gan808/evolve/mode", "all")
    until(lambda: page.locator(".pad.next").count() == 15)


def test_pens_draw_what_a_step_has(page: Any, served: tuple[Rig, Served]) -> None:
    sequencer = served[0].machine.sequencer
    cell = page.locator('[data-cell="SD:5"]')
    cell.click()
    for tool, label, choice, field, expected in (
            ("chance", "Chance", "50%", "chance", 0.5), ("ratchet", "Hits", "3", "ratchet", 3),
            ("nudge", "Nudge", "late 0.1", "nudge", 0.1)):
        page.get_by_role("combobox", name="Draw").select_option(tool)
        page.get_by_role("combobox", name=label, exact=True).select_option(choice)
        cell.click()
        until(lambda f=field, x=expected: getattr(sequencer.step(1, 6), f) == x)
    steps = page.get_by_label("BD steps")
    steps.fill("12")
    steps.press("Enter")
    until(lambda: page.locator('[data-cell^="BD:"]').count() == 12)


def test_what_is_chosen_is_chosen(page: Any, served: tuple[Rig, Served]) -> None:
    rig, _ = served
    page.get_by_role("combobox", name="Pattern").select_option("house")
    until(lambda: rig.machine.sequencer.pattern.name == "house")
    page.get_by_role("combobox", name="Choke").select_option("3")
    until(lambda: rig.machine.swaps.slots[0].values["choke"] == 3)
    before = rig.machine.sequencer.tempo_bpm
    for _ in range(3):
        page.get_by_role("button", name="Tap", exact=True).click()
    until(lambda: rig.machine.sequencer.tempo_bpm != before)
    until(lambda: page.get_by_label("Tempo").input_value() != f"{before:.0f}")
    page.get_by_label("Swing").first.fill("0.5")
    until(lambda: rig.machine.sequencer.swing == 0.5)
    page.get_by_role("button", name="Everything of SD").click()
    page.get_by_role("combobox", name="Copy of").select_option("BD")
    until(lambda: rig.machine.swaps.sound(1) is rig.machine.swaps.sound(0))
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Library").click()
    page.get_by_role("combobox", name="What").select_option("all")
    page.get_by_role("combobox", name="Where").select_option("beat")
    until(lambda: rig.machine.evolution.mode == "all")
    until(lambda: rig.machine.evolution.quantise == "beat")
