"""The panel in a real browser in front of `gan808 run` on JACK: what is done in the page is heard,
what happens elsewhere is seen, and a killed instrument is found again."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import numpy as np
import pytest

from tests.control.rig import until
from tests.control.web.conftest import OpenPage
from tests.control.web.stage import Stage, onsets
from tests.jack_server import CONTROL_CHANGE, DRUM_CHANNEL, RATE_HZ

TEMPO_BPM = 120
STEP_FRAMES = RATE_HZ * 60 // TEMPO_BPM // 4
LEARNED_CC = 27
GREY_MS = 4000  # when nothing has come for so long; looked at twice a second


@pytest.fixture
def page(stage: Stage, open_page: OpenPage) -> Any:
    return open_page(stage.port)


def pad(page: Any, code: str) -> Any:
    return page.locator(f'.pad[data-code="{code}"]')


def picture(page: Any, code: str) -> Any:
    """The pixels of a pad's picture, None before there are any."""
    return pad(page, code).locator("canvas").evaluate(
        "c => { const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        " return d.some((x) => x) ? d.join() : null; }")


def shown(page: Any) -> dict[str, Any]:
    """What the page knows."""
    told: dict[str, Any] = page.evaluate(
        "import('/panel/store.js').then(({ state: { slots, rows, values, kit } }) =>"
        " ({ slots, rows, values, kit }))")
    return rounded(told)


def rounded(told: Any) -> Any:
    """With numbers as far as OSC's 32 bits carry them."""
    return json.loads(json.dumps(told), parse_float=lambda digits: round(float(digits), 5))


def test_it_says_where_it_is(stage: Stage) -> None:
    assert stage.told_panel == f"http://127.0.0.1:{stage.port}/panel/"


@pytest.mark.parametrize("code", ["BD", "SD", "CB"])
def test_a_pad_that_is_hit_is_heard_as_its_sound(page: Any, stage: Stage, code: str) -> None:
    heard = stage.likeness(stage.hear(1.0, pad(page, code).locator(".hit").click))
    assert max(heard, key=heard.__getitem__) == code
    assert heard[code] > 0.99
    until(lambda: pad(page, code).get_attribute("data-hits") == "1", 2)


def test_higher_on_a_pad_is_louder(page: Any, stage: Stage) -> None:
    box = pad(page, "CP").locator(".hit").bounding_box()

    def level(share: float) -> float:
        place = {"x": box["width"] / 2, "y": box["height"] * share}
        return float(np.abs(stage.hear(
            1.0, lambda: pad(page, "CP").locator(".hit").click(position=place, force=True))).max())

    assert level(0.3) > 1.5 * level(0.75) > 0


def test_another_sound_is_another_picture(page: Any, stage: Stage) -> None:
    before = until(lambda: picture(page, "LT"))
    untouched = until(lambda: picture(page, "MT"))
    stage.tell("/slot/LT/new", 808)
    until(lambda: picture(page, "LT") not in (None, before))
    assert "808" in pad(page, "LT").locator(".id").inner_text()
    assert picture(page, "MT") == untouched


def test_steps_drawn_are_heard_at_their_frames(page: Any, stage: Stage) -> None:
    """Drawn over four steps with the mouse, one of them taken back."""
    cells = [page.locator(f'[data-cell="RS:{index}"]') for index in range(8, 12)]
    cells[0].hover()
    page.mouse.down()
    for cell in cells:
        cell.hover()
    page.mouse.up()
    cells[1].click()
    page.locator('[data-cell="RS:0"]').click()
    until(lambda: [bool(step) for step in stage.snapshot()["rows"]["RS"]] == [
        index in (0, 8, 10, 11) for index in range(16)])
    tempo = page.get_by_label("Tempo", exact=True)
    tempo.fill(str(TEMPO_BPM))
    tempo.press("Enter")
    until(lambda: stage.ask("/seq/tempo") == (TEMPO_BPM,))
    audio = stage.hear(3.0, page.get_by_role("button", name="▶ Play").click)
    page.get_by_role("button", name="■ Stop").click()
    gaps = np.diff(onsets(audio)) / STEP_FRAMES
    assert len(gaps) >= 4
    expected = [8, 2, 1, 5]
    # The same sound passes the threshold in the same frame.
    assert np.abs(gaps - [expected[at % 4] for at in range(len(gaps))]).max() * STEP_FRAMES <= 1
    until(lambda: page.evaluate("document.querySelectorAll('[data-here]').length") == 0)
    stage.tell("/seq/clear")


def test_a_knob_is_learned_by_click_and_followed(page: Any, stage: Stage) -> None:
    page.get_by_role("button", name="Set-up").click()
    page.get_by_role("combobox", name="Pad", exact=True).select_option("SD")
    page.get_by_role("combobox", name="Moves", exact=True).select_option("pan")
    page.get_by_role("button", name="Learn", exact=True).click()
    page.get_by_role("button", name="Waiting for /slot/SD/pan").wait_for()
    stage.meter.message([CONTROL_CHANGE | DRUM_CHANNEL - 1, LEARNED_CC, 64])
    page.get_by_text(f"cc {DRUM_CHANNEL} {LEARNED_CC} → /slot/SD/pan").wait_for(timeout=10_000)
    page.get_by_role("button", name="Play").last.click()
    pad(page, "SD").locator(".hit").click()
    stage.meter.message([CONTROL_CHANGE | DRUM_CHANNEL - 1, LEARNED_CC, 127])
    pan = page.get_by_role("slider", name="Pan", exact=True)
    until(lambda: pan.get_attribute("aria-valuetext") == "100 right", 5)
    assert stage.ask("/slot/SD/pan") == (1.0,)


def test_two_pages_agree(page: Any, stage: Stage, open_page: OpenPage) -> None:
    other = open_page(stage.port, viewport={"width": 390, "height": 844}, has_touch=True)
    pad(page, "CB").locator(".hit").click()
    level = page.get_by_role("slider", name="Level", exact=True)
    level.focus()
    level.press("Home")
    pad(page, "CB").get_by_role("button", name="Mute CB").click()
    page.locator('[data-cell="CB:5"]').click()
    page.get_by_role("button", name="New sound", exact=True).click()

    def differences() -> list[str]:
        truth = rounded(stage.snapshot())
        return [f"{name}: {part[0]} is {part[1]}" for name, told in (
                    ("first", shown(page)), ("second", shown(other)))
                for key in told for part in zip(
                    *(list(each.items()) if isinstance(each, dict) else list(each)
                      for each in (told[key], truth[key])), strict=True) if part[0] != part[1]]

    with suppress(AssertionError):
        until(lambda: not differences())
    assert not differences()
    sd = next(slot for slot in shown(other)["slots"] if slot["code"] == "CB")
    assert (sd["values"]["level"], sd["values"]["mute"]) == (0, 1)
    assert shown(other)["rows"]["CB"][5]
    stage.tell("/seq/clear")


def test_a_killed_instrument_is_grey_and_found_again(page: Any, stage: Stage) -> None:
    """Grey four seconds after the last word; the whole new state when it is back."""
    stage.tell("/slot/BD/tune", 7.0)
    until(lambda: shown(page)["slots"][0]["values"]["tune"] == 7)
    stage.kill()
    page.wait_for_selector("html.lost", timeout=GREY_MS + 1500)
    assert "no instrument" in page.locator(".link").inner_text()
    stage.start()
    stage.tell("/slot/SD/level", 0.25)
    page.wait_for_selector("html:not(.lost)", timeout=10_000)
    until(lambda: shown(page) == {key: rounded(stage.snapshot())[key] for key in shown(page)})
    assert shown(page)["slots"][0]["values"]["tune"] == 0
    assert "ms" in page.locator(".link").inner_text()
    heard = stage.likeness(stage.hear(1.0, pad(page, "CB").locator(".hit").click))
    assert max(heard, key=heard.__getitem__) == "CB"
