"""Who cannot see well, has no mouse or holds a phone reaches everything: axe-core, keys, sizes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.control.rig import Client, Rig, until
from tests.control.web.conftest import OpenPage
from tests.control.web.rig import Served

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
LEAST_TARGET_PX = 44
SERIOUS = {"resultTypes": ["violations"]}
# What a page says and does is the same in another light.
COLOURS = {**SERIOUS, "runOnly": {"type": "rule", "values": ["color-contrast"]}}


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Rig, Served]]:
    with Rig() as rig, Served(rig.osc.address) as server:
        for seed in range(3):
            rig.stock("kick", seed)
        with Client(rig) as client:  # steps are alike: axe need not look at hundreds
            for code in rig.machine.codes[2:]:
                client.send("/gan808/seq/length", code, 4)
            client.settle()
        yield rig, server


@pytest.mark.parametrize("device", [{}, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing_serious(
    served: tuple[Rig, Served], open_page: OpenPage, device: dict[str, Any]
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = open_page(served[1].port, **device)

    def check(place: str) -> None:
        for scheme, rules in lights:
            page.emulate_media(color_scheme=scheme)
            page.wait_for_selector("html:not(.lost)")  # what is grey may be faint
            found = axe.run(page, options=rules).response["violations"]
            worse = [f"{place}, {scheme}: {each['id']}: {node['target']} {node['failureSummary']}"
                     for each in found if each["impact"] in ("serious", "critical")
                     for node in each["nodes"][:3]]
            assert not worse, "\n".join(worse)

    # A phone has other pages for what is played; colours and the rest are the same.
    lights = (("dark", SERIOUS),) if device else (("dark", SERIOUS), ("light", COLOURS))
    for name in ["Pads", "Sound", "Beat"] if device else ["Play", "Library", "Set-up"]:
        page.locator("nav").get_by_role("button", name=name, exact=True).click()
        check(name)
    page.locator("nav").get_by_role("button").first.click()
    page.get_by_role("button", name="Everything of SD").click()
    check("menu")


def test_targets_are_large_enough_for_a_finger(
    served: tuple[Rig, Served], open_page: OpenPage
) -> None:
    page = open_page(served[1].port, **PHONE)
    for name in ("Pads", "Sound", "Beat", "Library", "Set-up"):
        page.locator("nav").get_by_role("button", name=name, exact=True).click()
        small = page.evaluate("""(least) => [...document.querySelectorAll(
            'button, select, input:not([type=range]), a, [role=slider]')].filter((e) => {
                const { width, height } = e.getBoundingClientRect();
                return width && getComputedStyle(e).pointerEvents !== 'none'
                    && !e.closest('.row:not(.chosen), [role=rowheader]')
                    && (height < least || width < least - 8);
            }).map((e) => e.outerHTML.slice(0, 90))""", LEAST_TARGET_PX)
        assert not small, f"{name}: {small}"
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name


def test_a_finger_scrolls_or_draws(served: tuple[Rig, Served], open_page: OpenPage) -> None:
    """Upwards it scrolls the beat and draws nothing; sideways and where it only taps it draws."""
    rig, server = served
    page = open_page(server.port, **PHONE)
    page.locator("nav").get_by_role("button", name="Beat", exact=True).click()

    def swipe(*places: tuple[float, float]) -> None:
        touch = page.context.new_cdp_session(page)
        for at, (x, y) in enumerate(places):
            touch.send("Input.dispatchTouchEvent", {
                "type": "touchMove" if at else "touchStart", "touchPoints": [{"x": x, "y": y}]})
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    def drawn() -> list[int]:
        return [step for step in range(1, 17) if rig.machine.sequencer.step(0, step).sounds]

    def places() -> list[tuple[float, float]]:
        boxes = [page.locator(f'[data-cell="BD:{at}"]').bounding_box() for at in range(8)]
        return [(box["x"] + 20, box["y"] + 20) for box in boxes]

    before = drawn()
    x, y = places()[4]
    swipe(*[(x, y - 12 * at) for at in range(8)])
    page.wait_for_timeout(500)
    assert drawn() == before
    page.locator("main").evaluate("e => e.scrollTo(0, 0)")
    page.locator('[data-cell="BD:5"]').tap()
    until(lambda: set(drawn()) ^ set(before) == {6})
    swipe(*places()[1:4])
    until(lambda: set(drawn()) - set(before) == {2, 3, 6})


def test_who_wants_no_motion_sees_none(
    served: tuple[Rig, Served], open_page: OpenPage
) -> None:
    page = open_page(served[1].port)
    for wish, moving in (("no-preference", True), ("reduce", False)):
        page.emulate_media(reduced_motion=wish)
        lengths = page.evaluate("""[...document.querySelectorAll('*')].flatMap((e) =>
            ['', '::before', '::after'].map((part) => getComputedStyle(e, part)).flatMap((s) =>
                [s.transitionDuration, s.animationDuration]))""")
        assert any(length != "0s" for length in lengths) == moving, wish


def test_keys_reach_everything(served: tuple[Rig, Served], open_page: OpenPage) -> None:
    """The grid is one tab stop whose arrows move; a knob is a slider that says its value."""
    rig, server = served
    page = open_page(server.port)
    grid = page.get_by_role("grid", name="Steps")
    assert grid.locator('[tabindex="0"]').count() == 1
    grid.locator('[data-cell="BD:0"]').focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "Space"):
        page.keyboard.press(key)
    until(lambda: rig.machine.sequencer.step(1, 3).sounds)
    until(lambda: grid.locator('[tabindex="0"]').get_attribute("aria-label")
          == "SD step 3: velocity 78")
    tune = page.get_by_role("slider", name="Tune", exact=True)
    tune.focus()
    page.keyboard.press("Home")
    until(lambda: tune.get_attribute("aria-valuetext") == "-24.0 st")
    page.keyboard.press("End")
    until(lambda: tune.get_attribute("aria-valuetext") == "+24.0 st")
    assert rig.machine.swaps.slots[0].values["tune"] == 24.0
    tune.dblclick()
    until(lambda: tune.get_attribute("aria-valuetext") == "0.0 st")
    page.mouse.wheel(0, 100)
    until(lambda: tune.get_attribute("aria-valuetext") == "-1.0 st")
    page.mouse.down()
    page.mouse.move(0, 0)  # as far as it goes
    page.mouse.up()
    until(lambda: tune.get_attribute("aria-valuetext") == "+24.0 st")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Decay"
    assert page.evaluate("document.activeElement.getAttribute('role')") == "slider"
    for selector in (".pad .hit", ".knob", ".map"):
        style = page.locator(selector).first.evaluate(
            "e => [getComputedStyle(e).touchAction, getComputedStyle(e).userSelect]")
        assert style == ["none", "none"], selector
        assert page.locator(selector).first.evaluate(
            "e => !e.dispatchEvent(new Event('contextmenu', { cancelable: true, bubbles: true }))")
