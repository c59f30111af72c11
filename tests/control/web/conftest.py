"""Pages of the panel in a browser, and one instrument on a JACK server for those that hear it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.control.web.stage import Stage
from tests.jack_server import JackMeter, jack_server

__all__ = ["jack_server"]

DESKTOP = {"width": 1440, "height": 900}

OpenPage = Callable[..., Any]


@pytest.fixture
def open_page(browser: Any) -> Iterator[OpenPage]:
    """Open the panel of a port in a browser profile of its own; an error of a script fails the
    test. clock: the page's can be moved on."""
    contexts: list[Any] = []
    errors: list[Any] = []

    def opened(port: int, *, clock: bool = False, **options: Any) -> Any:
        context = browser.new_context(**{"viewport": DESKTOP, **options})
        contexts.append(context)
        page = context.new_page()
        if clock:
            page.clock.install()
        page.on("pageerror", lambda error: errors.append(error))
        page.goto(f"http://127.0.0.1:{port}/panel/")
        page.wait_for_selector(".pad")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not errors


@pytest.fixture(scope="module")
def stage(
    jack_server: str, tiny_kit: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """`gan808 run` on a JACK server, wired to a meter."""
    with JackMeter(jack_server) as meter:
        stage = Stage(meter, tiny_kit, tmp_path_factory.mktemp("home"))
        stage.start()
        yield stage
        stage.stop()
