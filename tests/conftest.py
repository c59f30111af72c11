"""Fixtures that more than one folder of tests needs."""

from __future__ import annotations

import re
import shutil
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings as hypothesis_settings

from tests.timing import Watchdog

# A busy machine may hold any example up: no test asks how fast something is.
hypothesis_settings.register_profile("suite", deadline=None)
hypothesis_settings.load_profile("suite")


@pytest.fixture(scope="session", autouse=True)
def ctrl_c_is_heard() -> Iterator[None]:
    """A shell starts its background jobs with SIGINT ignored, and every process of theirs inherits
    that; the tests of Ctrl-C need it as a terminal gives it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session", autouse=True)
def folders_of_our_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads or writes in the folders of the user who runs it."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for variable in ("CONFIG_HOME", "DATA_HOME", "CACHE_HOME", "STATE_HOME", "MUSIC_DIR"):
            patch.setenv(f"XDG_{variable}", str(home / variable.lower()))
        yield


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Debian's Chromium, driven by Playwright."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed: no page is tried in a browser")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def tiny_kit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a kit with random weights that renders in milliseconds."""
    from tests.tiny_kit import write_tiny_kit

    return write_tiny_kit(tmp_path_factory.mktemp("kits") / "tiny")


@pytest.fixture(scope="session")
def one_class_kit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kit of one class and one slot: whatever its random critic hears, it is a kick, so sounds
    are filed and drawn."""
    from tests import tiny_kit

    kicks = tuple(slot for slot in tiny_kit.TR808 if slot.class_name == "kick")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiny_kit, "TR808", kicks)
        patch.setattr(tiny_kit, "CLASSES", ("kick",))
        return tiny_kit.write_tiny_kit(tmp_path_factory.mktemp("kits") / "kicks")


# What a file mentions that starts programs, renders, trains or waits for a sound card: not for
# `--quick`.
SLOW = re.compile(r"subprocess|jack_server|jack_client|keras|tests\.training|from training"
                  r"|tests\.running|stage|app\.daemon|output_opener|hypothesis|find_kit|load_kit"
                  r"|RenderProcess|write_tiny_kit|chromium|librosa|sound import golden"
                  r"|cli\.commands|aalink|zeroconf")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true",
                     help="only files that start no program and train nothing")
    parser.addoption("--packets", default=20_000, type=int,
                     help="how many packets of nonsense OSC has to stand without a socket")


def pytest_configure(config: pytest.Config) -> None:
    """On a fresh checkout the callbacks are compiled before there are workers, once: each of these,
    and each program that they start, would take half a minute of a core for it."""
    if getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput"):
        from gan808.engine import trigger_fast_path
        from gan808.engine.jack import client
        from gan808.engine.jit import object_cache
        from gan808.engine.kernel_api import KERNEL_SOURCES

        for module, sources in (("kernels.callback", KERNEL_SOURCES),
                                ("jack.callbacks", client.SOURCES),
                                ("kernels.trigger", trigger_fast_path.SOURCES)):
            object_cache.addresses(module, sources)


WATCHDOG = pytest.StashKey[Watchdog]()


@pytest.fixture(autouse=True)
def watched(request: pytest.FixtureRequest) -> Iterator[None]:
    """Measures, during a test marked real_time, whether the machine kept time."""
    if request.node.get_closest_marker("real_time") is None:
        yield
        return
    with Watchdog() as request.node.stash[WATCHDOG]:
        yield


def was_disturbed(item: pytest.Item) -> bool:
    """Whether the machine held up the test that has just run."""
    return bool(item.stash[WATCHDOG].held_up_s)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs a machine that keeps time, and failed on one that did not, says nothing: it is
    done again. On one that kept time a failure stands."""
    for item in items:
        if item.get_closest_marker("real_time"):
            item.add_marker(pytest.mark.flaky(reruns=3, condition=partial(was_disturbed, item)))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With --quick, pass over a file that mentions what takes long."""
    if not config.getoption("--quick") or not collection_path.name.startswith("test_"):
        return None
    return True if SLOW.search(collection_path.read_text(encoding="utf-8")) else None
