"""A client of a session manager, against one that the test plays."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gan808.control.nsm.client import ANNOUNCE, OPEN, SAVE, ManagedProject, NsmClient
from gan808.control.osc.packets import build_message
from gan808.errors import DeviceError, Gan808Error
from tests.control.nsm_manager import FakeManager


@pytest.fixture
def manager() -> Iterator[FakeManager]:
    with FakeManager() as found:
        yield found


def test_it_announces_itself_and_learns_what_to_open(manager: FakeManager, tmp_path: Path) -> None:
    client, project = manager.joined(tmp_path / "GAN-808.nTEST")
    name, capabilities, executable, major, minor, process = manager.heard[0].arguments
    assert (name, executable, major, process) == ("GAN-808", "gan808", 1, os.getpid())
    assert isinstance(minor, int)
    assert ":switch:" not in str(capabilities), "another session means another start"
    assert project == ManagedProject(tmp_path / "GAN-808.nTEST", "song", "GAN-808.nTEST")
    client.stop()


def test_saving_is_answered_when_it_is_done_and_a_failure_with_why(
    manager: FakeManager, tmp_path: Path
) -> None:
    client, _ = manager.joined(tmp_path)
    going_on, why = threading.Event(), ""

    def save() -> None:
        assert going_on.wait(20)
        if why:
            raise Gan808Error(why)

    client.start(save)
    try:
        assert manager.hear("/reply")[0] == OPEN
        manager.hear("/nsm/client/is_clean")
        client.changed()
        client.changed()
        manager.tell(SAVE)
        manager.hear("/nsm/client/is_dirty")
        assert not [each for each in manager.heard[2:] if each.address == "/reply" and
                    each.arguments[0] == SAVE], "not before it is written"
        going_on.set()
        assert manager.hear("/reply")[0] == SAVE
        manager.hear("/nsm/client/is_clean")
        why = "the disk is full"
        manager.tell(SAVE)
        assert manager.hear("/error") == (SAVE, -1, why)
        told = [each.address for each in manager.heard]
        assert told.count("/nsm/client/is_dirty") == 1
    finally:
        client.stop()


def test_what_changes_while_it_is_saved_is_unsaved(manager: FakeManager, tmp_path: Path) -> None:
    client, _ = manager.joined(tmp_path)
    client.start(client.changed)
    try:
        manager.tell(SAVE)
        manager.hear("/nsm/client/is_dirty")
        manager.hear("/reply")
        manager.tell(SAVE)
        manager.hear("/nsm/client/is_dirty")
        clean = [each for each in manager.heard if each.address == "/nsm/client/is_clean"]
        assert len(clean) == 1
    finally:
        client.stop()


def test_another_session_is_not_opened_while_it_runs(manager: FakeManager, tmp_path: Path) -> None:
    client, project = manager.joined(tmp_path)
    client.start(lambda: None)
    try:
        manager.hear("/reply")
        manager.tell(OPEN, "/another", "song", "GAN-808.nELSE")
        assert manager.hear("/error")[:2] == (OPEN, -1)
        manager.tell("/nsm/client/session_is_loaded")
        manager.tell(OPEN, str(project.folder), "song", project.client_id)
        assert manager.hear("/reply")[0] == OPEN
    finally:
        client.stop()


def test_a_refusal_is_told(manager: FakeManager) -> None:
    client = NsmClient(manager.url)

    def refuse() -> None:
        manager.hear(ANNOUNCE)
        manager.tell("/error", ANNOUNCE, -4, "no session is open")

    refusing = threading.Thread(target=refuse)
    refusing.start()
    with pytest.raises(DeviceError, match="no session is open"):
        client.join(20)
    refusing.join()
    client.stop()


def test_nobody_answers(manager: FakeManager) -> None:
    client = NsmClient(manager.url)
    with pytest.raises(DeviceError, match="no session manager answers"):
        client.join(0.05)
    client.stop()


def test_others_are_not_listened_to(manager: FakeManager, tmp_path: Path) -> None:
    """Whoever knows the port is not the manager."""
    client = NsmClient(manager.url)
    found: list[ManagedProject] = []
    joining = threading.Thread(target=lambda: found.append(client.join(20)))
    joining.start()
    manager.hear(ANNOUNCE)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(build_message(OPEN, ("/stolen", "song", "x")), client.address)
        stranger.sendto(b"\xff" * 100, client.address)
    manager.tell("/reply", ANNOUNCE, "hello", "fake manager", "")
    manager.tell(OPEN, str(tmp_path), "song", "GAN-808.nTEST")
    joining.join()
    assert found[0].folder == tmp_path
    client.stop()


@pytest.mark.parametrize("url", ["", "localhost:1", "osc.tcp://localhost:1/", "osc.udp://:1/",
                                 "osc.udp://localhost/", "osc.udp://localhost:99999/"])
def test_an_address_that_is_none_is_said(url: str) -> None:
    with pytest.raises(DeviceError, match="NSM_URL"):
        NsmClient(url)
