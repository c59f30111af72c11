"""Who cannot see well, has no mouse or holds a phone reaches everything: axe-core, keys, sizes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.control.rig import Rig
from tests.control.web.conftest import OpenPage
from tests.control.web.rig import Served

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
LEAST_TARGET_PX = 44


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Rig, Served]]:
    with Rig() as rig, Served(rig.osc.address) as server:
        for seed in range(3):
            rig.stock("kick", seed)
        yield rig, server


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("device", [{}, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing_serious(
    served: tuple[Rig, Served], open_page: OpenPage, scheme: str, device: dict[str, Any]
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = open_page(served[1].port, color_scheme=scheme, **device)

    def check(place: str) -> None:
        page.wait_for_timeout(100)
        found = axe.run(page).response["violations"]
        worse = [f"{place}: {each['id']}: {node['target']} {node['failureSummary']}"
                 for each in found if each["impact"] in ("serious", "critical")
                 for node in each["nodes"][:3]]
        assert not worse, "\n".join(worse)

    for name in ["Pads", "Sound", "Beat"] if device else ["Play"]:
        page.locator("nav").get_by_role("button", name=name, exact=True).click()
        check(name)
    for name in ("Library", "Set-up"):
        page.get_by_role("button", name=name).click()
        check(name)
    page.locator("nav button").first.click()
    page.get_by_role("button", name="Everything of SD").click()
    check("menu")
