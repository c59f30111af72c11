"""The page in a real browser: it shows a run, lets it be heard, and outlives it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.timing import eventually
from tests.training.page.run_rig import ServedRun, write_run, write_samples

PHONE = {"width": 390, "height": 844}
# What is played is noted: whether there was anything to hear.
NOTE_SOUNDS = """() => {
  window.heard = [];
  const start = AudioBufferSourceNode.prototype.start;
  AudioBufferSourceNode.prototype.start = function () {
    window.heard.push(this.buffer.getChannelData(0).some((x) => Math.abs(x) > 0.01));
    return start.apply(this);
  };
}"""


def test_a_run_is_seen_heard_and_kept_after_its_end(browser: Any, tmp_path: Path) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    run = write_run(tmp_path / "run")
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    errors: list[Any] = []
    page.on("pageerror", lambda error: errors.append(error))
    with ServedRun(run) as served:
        page.goto(f"http://127.0.0.1:{served.port}/")
        served.hear(stage="train", fraction=0.42, text="step 40")
        page.get_by_text("42 %", exact=True).wait_for()
        page.get_by_text("2.0 steps/s").wait_for()
        assert page.locator("figure canvas").count() == 6
        assert page.locator(".cell").count() == 8
        page.evaluate(NOTE_SOUNDS)
        page.get_by_role("button", name="Hear open hat 2, step 40").click()
        page.wait_for_function("window.heard.length === 1 && window.heard[0]")
        page.get_by_role("slider", name="Samples of which step").fill("0")
        page.get_by_role("button", name="Hear kick 1, step 20").wait_for()
        page.get_by_role("button", name="Newest").click()
        write_samples(run, 60)
        page.get_by_role("button", name="Hear kick 1, step 60").wait_for()
        for scheme in ("dark", "light"):
            page.emulate_media(color_scheme=scheme)
            found = axe.run(page, options={"resultTypes": ["violations"]}).response["violations"]
            assert not [(each["id"], node["target"]) for each in found for node in each["nodes"]
                        if each["impact"] in ("serious", "critical")]
        page.set_viewport_size(PHONE)
        eventually(lambda: page.evaluate("document.documentElement.scrollWidth <= innerWidth"))
        # All of the newest are fetched ahead: they can be heard when the server has gone.
        page.wait_for_function("performance.getEntriesByType('resource').filter("
                               "(e) => e.name.includes('/samples/60/')).length === 8")
        served.hear(end="stopped", why="no more room")
    page.get_by_text("stopped", exact=True).wait_for()
    page.get_by_text("no more room").wait_for()
    page.get_by_role("button", name="Hear kick 4, step 60").click()
    page.wait_for_function("window.heard.length === 2 && window.heard[1]")
    with ServedRun(run, served.port):
        page.get_by_text("running", exact=True).wait_for()
    page.get_by_text("died", exact=True).wait_for()
    context.close()
    assert not errors
