"""A session manager's session: opened, saved, closed and opened again, all of it back."""

from __future__ import annotations

import signal
import socket
import threading
from pathlib import Path

import pytest

from gan808.control.nsm.client import ANNOUNCE, OPEN, SAVE
from tests.app.test_state_daemon import Player
from tests.control.nsm_manager import FakeManager
from tests.running import STOPS_WITHIN_S

pytestmark = pytest.mark.real_time


class OpenedPlayer(Player):
    """A daemon that a manager has told to open a folder. taken: its OSC port is another's."""

    def __init__(self, manager: FakeManager, folder: Path, home: Path, kit: Path, *,
                 taken: bool = False) -> None:
        self.manager, self.folder = manager, folder
        super().__init__(home, kit)
        self.other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        if taken:
            self.other.bind(("127.0.0.1", self.port))

    def __exit__(self, *_: object) -> None:
        self.other.close()
        super().__exit__()

    def __enter__(self) -> OpenedPlayer:
        opening = threading.Thread(target=self.manager.open, args=(self.folder,))
        opening.start()
        super().__enter__()
        opening.join()
        assert self.manager.hear("/reply")[0] == OPEN
        self.port = int(self.facts["osc"].rpartition(":")[2])
        self._socket.connect(("127.0.0.1", self.port))
        return self


def test_a_session_is_back_as_it_was_saved_and_not_as_it_was_left(
    tiny_kit: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "sessions" / "song" / "GAN-808.nTEST"
    (tmp_path / "config" / "gan808").mkdir(parents=True)
    config = tmp_path / "config" / "gan808" / "config.toml"
    config.write_text("[sequencer]\ntempo_bpm = 140.0\n[evolve]\nswaps_per_bar = 0.0\n")
    with FakeManager() as manager:
        monkeypatch.setenv("NSM_URL", manager.url)
        with OpenedPlayer(manager, folder, tmp_path, tiny_kit) as player:
            assert player.facts["state"] == "new in this session"
            assert player.ask("/seq/tempo") == [140.0]
            player.send("/slot/BD/tune", -5.0)
            player.send("/seq/tempo", 101.0)
            manager.hear("/nsm/client/is_dirty")
            manager.tell(SAVE)
            assert manager.hear("/reply")[0] == SAVE
            player.send("/slot/BD/tune", 7.0)
            assert player.ask("/slot/BD/tune") == [7.0]
            manager.hear("/nsm/client/is_dirty")
            assert player.running.interrupt(signal.SIGTERM) < STOPS_WITHIN_S
            assert player.running.process.returncode == 0
        assert not list((tmp_path / "state").rglob("state.json")), "the user's own is untouched"
        with OpenedPlayer(manager, folder, tmp_path, tiny_kit, taken=True) as player:
            assert player.facts["state"] == "as the session was saved"
            assert player.ask("/slot/BD/tune") == [-5.0], "what was not saved is gone"
            assert player.ask("/seq/tempo") == [101.0], "a session comes before config.toml"
            assert player.ask("/state") == ["kept when the session is saved"]
            player.running.interrupt(signal.SIGTERM)


def test_a_run_that_cannot_start_says_so_to_the_manager(
    tiny_kit: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeManager() as manager:
        monkeypatch.setenv("NSM_URL", manager.url)
        player = Player(tmp_path, tmp_path / "no kit")
        manager.open(tmp_path / "song")
        told = manager.hear("/error")
        player.__exit__()
    assert told[:2] == (OPEN, -1)
    assert "no kit" in str(told[2])
    assert manager.heard[0].address == ANNOUNCE
