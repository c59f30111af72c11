"""Found by others: when it is announced, what it says, and that nothing waits for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from gan808.config import Settings
from gan808.control.oscquery import announcement
from gan808.control.oscquery.announcement import OSC, QUERY, is_loopback
from gan808.control.oscquery.discovery import Discovery
from tests.control.rig import Rig, until
from tests.timing import SOON_S, WITHIN_S


class Found:
    """A discovery beside a rig, and the lines it said."""

    def __init__(self, rig: Rig, **osc: Any) -> None:
        self.said: list[str] = []
        self.warned: list[str] = []
        self.parts = Discovery(
            Settings().replace({"osc": osc}).osc, rig.osc.address, self.said.append,
            self.warned.append, settled_s=0.0)
        self.parts.start()

    def __enter__(self) -> Found:
        return self

    def __exit__(self, *_: object) -> None:
        self.parts.stop()


@pytest.fixture
def no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announcement, "find_spec", lambda name: None)


def test_on_this_machine_only_it_is_described_and_not_announced(rig: Rig) -> None:
    with Found(rig) as found:
        until(lambda: found.said)
        url = f"http://127.0.0.1:{rig.osc.address[1]}"
        assert found.said == [f"OSC is described at {url} (OSCQuery)"]
        assert found.warned == []


def test_off_is_off(rig: Rig) -> None:
    before = threading.active_count()
    with Found(rig, query=False, announce="off") as found:
        assert threading.active_count() == before
    assert (found.said, found.warned) == ([], [])


def test_without_the_library_one_line_and_only_when_asked(rig: Rig, no_library: None) -> None:
    with Found(rig, query=False, announce="on") as found:
        until(lambda: found.warned)
        assert found.warned == [
            "OSC is not announced: that needs zeroconf; pip install 'gan808[announce]'"]
    rig.osc.stop()
    with Rig(osc={"host": "0.0.0.0", "port": 0}) as open_rig, Found(open_rig) as found:
        until(lambda: found.said)
        assert "http://localhost:" in found.said[0]
        assert found.warned == []


def test_the_wait_before_it_ends_with_the_stop(rig: Rig) -> None:
    parts = Discovery(rig.settings.osc, rig.osc.address, print, print, settled_s=60.0)
    parts.start()
    began_s = time.monotonic()
    parts.stop()
    assert time.monotonic() - began_s < SOON_S


def test_loopback_is_known() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.1.2.3", "::1", "localhost",
                                 "::ffff:127.0.0.1")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "192.0.2.1", "fe80::1")))


class Listener:
    """Zeroconf's own browser on loopback: what another program of this machine is told."""

    def __init__(self) -> None:
        from zeroconf import ServiceBrowser, Zeroconf

        self.zeroconf = Zeroconf(["127.0.0.1"])
        self.names: dict[str, set[str]] = {OSC: set(), QUERY: set()}
        self._browser = ServiceBrowser(self.zeroconf, [OSC, QUERY], self)  # type: ignore[arg-type]

    def add_service(self, zeroconf: Any, kind: str, name: str) -> None:
        self.names[kind].add(name)

    def update_service(self, zeroconf: Any, kind: str, name: str) -> None:
        self.names[kind].add(name)

    def remove_service(self, zeroconf: Any, kind: str, name: str) -> None:
        self.names[kind].discard(name)


@pytest.fixture
def listener() -> Iterator[Listener]:
    pytest.importorskip("zeroconf", reason="zeroconf is not installed: nothing is announced")
    try:
        listener = Listener()
    except OSError as error:
        pytest.skip(f"no multicast here: {error}")
    yield listener
    listener.zeroconf.close()


def test_it_is_announced_and_takes_it_back(rig: Rig, listener: Listener) -> None:
    """OSC and its description, each with its port, under a name that tells the machine; another
    program hears of it, and that it has gone."""
    with Found(rig, announce="on") as found:
        until(lambda: len(found.said) == 2, WITHIN_S)
        assert "OSC is announced as 'GAN-808 on " in found.said[1]
        name = found.said[1].split("'")[1]
        full = {f"{name}.{kind}" for kind in (OSC, QUERY)}
        until(lambda: full <= set().union(*listener.names.values()), WITHIN_S)
        for kind in (OSC, QUERY):
            info = listener.zeroconf.get_service_info(kind, f"{name}.{kind}")
            assert info is not None
            assert info.port == rig.osc.address[1]
            assert info.parsed_addresses() == ["127.0.0.1"]
            assert info.properties[b"txtvers"] == b"1"
        began_s = time.monotonic()
        found.parts.stop()
        assert time.monotonic() - began_s < SOON_S
    until(lambda: not full & set().union(*listener.names.values()), WITHIN_S)
    assert found.warned == []
