"""The state as a user has it: change things, kill the daemon, start it again, all is back."""

from __future__ import annotations

import socket
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

from gan808.config import Settings
from gan808.pool import store
from gan808.sound.kit.kit import load_kit
from tests.fakes import fake_sound
from tests.running import STOPS_WITHIN_S, Running
from tests.timing import WITHIN_S

pytestmark = pytest.mark.real_time

RATE_HZ = 48000  # of an output to nowhere
CHANGES = (
    ("/slot/BD/tune", -5.0), ("/slot/SD/level", 0.25), ("/slot/CH/pan", -0.5),
    ("/slot/CY/decay", 0.5), ("/slot/HT/mute", 1), ("/slot/OH/choke", 3), ("/slot/BD/lock", 1),
    ("/slot/CB/gate", 1), ("/volume", 0.5), ("/seq/tempo", 101.0), ("/seq/swing", 0.25),
    ("/seq/sync", "internal"), ("/evolve", 0.0), ("/evolve/quantise", "beat"),
    ("/evolve/mode", "all"),
)


def osc_port() -> int:
    """A port that nobody listens on."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Player:
    """A daemon without sound device or MIDI, and a client of it."""

    def __init__(self, home: Path, kit: Path | None, *options: str) -> None:
        self.port = osc_port()
        named = () if kit is None else ("--kit", str(kit))
        self.running = Running(home, *named, "--output", "null", "--midi", "off",
                               "--osc", f"127.0.0.1:{self.port}", *options)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(WITHIN_S)
        self._socket.connect(("127.0.0.1", self.port))

    def __enter__(self) -> Player:
        self.facts = self.running.introduction()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self.running.__exit__()

    def send(self, address: str, *values: Any) -> None:
        message = OscMessageBuilder(f"/gan808{address}")
        for value in values:
            message.add_arg(value)
        self._socket.send(message.build().dgram)

    def ask(self, address: str, *values: Any) -> list[Any]:
        """The values of the answer to this, whatever else is answered before; a failure fails."""
        self.send(address, *values)
        full = f"/gan808{address}"
        while True:
            answer = OscMessage(self._socket.recv(65535))
            assert answer.address != "/gan808/fail", answer.params
            if answer.address == full or answer.params[:1] == [full]:
                return list(answer.params)

    def undone(self, code: str) -> str:
        """The id of the sound before this one, which is read when a note can be played."""
        deadline_s = time.monotonic() + WITHIN_S
        while True:
            self.send(f"/slot/{code}/undo")
            while True:
                answer = OscMessage(self._socket.recv(65535))
                if answer.params[:1] == [f"/gan808/slot/{code}/undo"]:
                    break
            if answer.address != "/gan808/fail":
                return str(answer.params[1])
            assert time.monotonic() < deadline_s, answer.params
            time.sleep(0.05)

    def draw(self, code: str) -> str:
        """The id of a fresh sound out of the stock, which is read when a note can be played."""
        deadline_s = time.monotonic() + WITHIN_S
        while not sum(self.ask("/pool")[1::2]):
            assert time.monotonic() < deadline_s, "nothing in stock"
        return str(self.ask(f"/slot/{code}/new")[1])

    def told(self) -> dict[str, Any]:
        """Everything a client can ask that is to survive."""
        values = {address: self.ask(address) for address, _ in CHANGES}
        sounds = {code: self.ask(f"/slot/{code}/info")[0] for code in ("BD", "SD", "CP", "CH")}
        steps = {step: self.ask("/seq/step", "BD", step) for step in range(1, 17)}
        return {**values, **sounds, "steps": steps, "pattern": self.ask("/seq/pattern")}


def stock(home: Path, kit: Path, *sounds: tuple[str, int]) -> Path:
    """Leave these (class, seed) in stock, as the run before would have: a renderer takes its time.
    The file they are in."""
    path = home / "cache" / "gan808" / "pool" / kit.name
    rounds = Settings().renderer.griffin_lim_rounds
    store.save(path, store.fingerprint(load_kit(kit), RATE_HZ, rounds), [
        fake_sound(name, seed, kit=kit.name, n_frames=RATE_HZ // 10) for name, seed in sounds])
    return path


def test_everything_is_back_after_a_kill(tiny_kit: Path, tmp_path: Path) -> None:
    """Killed with SIGKILL a second and a half after the last change, and then left for another
    kit and back by the options of one run."""
    pool = stock(tmp_path, tiny_kit, ("kick", 4711), ("snare", 5))
    with Player(tmp_path, tiny_kit, "--pattern", "808", "--evolve", "0") as player:
        assert player.facts["state"] == "kept from now on"
        assert player.ask("/state") == ["kept"]
        before = player.told()
        assert player.draw("BD") == "tiny/kick/4711"
        for address, value in CHANGES:
            player.send(address, value)
        player.send("/seq/step", "BD", 3, 0.5)
        assert player.draw("SD") == "tiny/snare/5"
        left = player.told()
        assert left != before
        time.sleep(1.5)
        player.running.process.kill()
        player.running.process.wait()
        assert player.running.errors() == []
    pool.unlink()  # nothing but the state has these sounds
    with Player(tmp_path, tiny_kit) as player:
        assert player.facts["state"].startswith("as it was left")
        assert player.facts["pattern"].startswith("808 at 101 BPM, 0 new sounds")
        assert player.told() == left
        assert player.undone("BD").startswith("tiny/kick/")
        assert player.running.interrupt() < STOPS_WITHIN_S
        assert player.running.errors() == []
    with Player(tmp_path, tiny_kit, "--tempo", "140", "--pattern", "house") as player:
        assert player.facts["pattern"].startswith("house at 140 BPM")
        assert player.ask("/volume") == left["/volume"]
        assert player.ask("/slot/SD/info")[0] == "tiny/snare/5"
        assert player.ask("/seq/step", "BD", 3) == ["BD", 3, 0.0]
        assert player.running.interrupt() < STOPS_WITHIN_S


def test_the_same_kit_without_being_told_and_anew_with_fresh(
    tiny_kit: Path, tmp_path: Path
) -> None:
    """The kit played last is played again although it lies outside the kit folders; with --fresh
    everything is as on the first day, and that is what the next run finds."""
    with Player(tmp_path, tiny_kit, "--evolve", "0") as player:
        player.send("/slot/BD/tune", 7.0)
        first = player.ask("/slot/BD/info")[0]
        assert player.running.interrupt() < STOPS_WITHIN_S
    with Player(tmp_path, None) as player:
        assert player.facts["kit"].startswith("tiny: 16 slots")
        assert player.ask("/slot/BD/tune") == [7.0]
        assert player.ask("/slot/BD/info")[0] == first
        assert player.ask("/volume") == [pytest.approx(0.8)], "the fade at the end is not kept"
        player.running.process.kill()
        player.running.process.wait()
    with Player(tmp_path, None, "--fresh") as player:
        assert player.facts["kit"].startswith("gan808: 16 slots")
        assert player.facts["state"] == "anew, kept from now on"
        assert player.ask("/slot/BD/tune") == [0.0]
        assert player.running.interrupt() < STOPS_WITHIN_S
    with Player(tmp_path, None) as player:
        assert player.facts["kit"].startswith("gan808: 16 slots")
        assert player.ask("/slot/BD/tune") == [0.0]
    with Player(tmp_path, tiny_kit) as player:
        assert player.ask("/slot/BD/tune") == [7.0], "the other kit is as it was left"


def test_a_damaged_state_is_set_aside_and_it_plays(tiny_kit: Path, tmp_path: Path) -> None:
    state = tmp_path / "state" / "gan808" / "state.json"
    state.parent.mkdir(parents=True)
    state.write_bytes(b'{"format": 1, "kit": "tin')
    with Player(tmp_path, tiny_kit) as player:
        assert player.ask("/slot/BD/info")[0].startswith("tiny/kick/")
        (line,) = player.running.errors()
        (aside,) = state.parent.glob("state.json.damaged-*")
        assert aside.name in line
        assert aside.read_bytes() == b'{"format": 1, "kit": "tin'
        assert player.running.interrupt() < STOPS_WITHIN_S
    assert state.is_file()


def test_two_at_once_keep_one_state(tiny_kit: Path, tmp_path: Path) -> None:
    """The first keeps it, also after the second has ended; the second says that it does not."""
    with Player(tmp_path, tiny_kit, "--evolve", "0") as first:
        first.send("/slot/BD/tune", 7.0)
        with Player(tmp_path, tiny_kit, "--evolve", "0") as second:
            assert "another GAN-808 runs" in second.facts["state"]
            assert second.ask("/slot/BD/tune") == [0.0]
            assert second.ask("/state")[0].startswith("not kept")
            second.send("/slot/BD/tune", 1.0)
            assert second.running.interrupt() < STOPS_WITHIN_S
            assert len(second.running.errors()) == 1
        assert first.ask("/state") == ["kept"]
        assert first.running.interrupt() < STOPS_WITHIN_S
        assert first.running.errors() == []
    with Player(tmp_path, tiny_kit) as third:
        assert third.ask("/slot/BD/tune") == [7.0]


def test_a_place_that_cannot_be_written_is_one_line(tiny_kit: Path, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    with Player(tmp_path, tiny_kit) as player:
        assert player.ask("/slot/BD/tune") == [0.0]
        assert player.ask("/state")[0].startswith("not kept")
        player.send("/slot/BD/tune", 2.0)
        time.sleep(1.5)
        assert player.ask("/slot/BD/tune") == [2.0]
        (line,) = player.running.errors()
        assert "the state is not kept" in line


def test_a_seed_gives_the_same_sound_whatever_was_kept(tiny_kit: Path, tmp_path: Path) -> None:
    """--fast and --seed neither read nor write the state."""
    def render(name: str) -> np.ndarray:
        options = ["--output", f"file:{tmp_path / name}", "--fast", "--seconds", "2",
                   "--evolve", "0"]
        with Running(tmp_path, "--kit", str(tiny_kit), *options) as running:
            assert running.process.wait(120) == 0
        audio, _ = soundfile.read(tmp_path / name)
        return np.asarray(audio)

    first = render("1.wav")
    assert not (tmp_path / "state").exists()
    with Player(tmp_path, tiny_kit, "--evolve", "0") as player:
        player.send("/slot/BD/tune", 7.0)
        player.send("/seq/pattern", "house")
        assert player.running.interrupt() < STOPS_WITHIN_S
    with Player(tmp_path, tiny_kit, "--seed", "5") as player:
        assert player.facts["state"].startswith("not kept: a run with a seed")
        assert player.ask("/slot/BD/tune") == [0.0]
        assert player.ask("/seq/pattern") == ["808"]
    np.testing.assert_array_equal(render("2.wav"), first)


def test_a_scene_outlives_the_run(tiny_kit: Path, tmp_path: Path) -> None:
    """Saved in one run, recalled in the next, before there is a renderer: the file has its
    sounds."""
    pool = stock(tmp_path, tiny_kit, ("kick", 99))
    with Player(tmp_path, tiny_kit, "--evolve", "0") as player:
        player.send("/slot/BD/tune", 7.0)
        assert player.draw("BD") == "tiny/kick/99"
        assert player.ask("/scene/save", "verse") == ["/gan808/scene/save", "verse"]
        assert player.running.interrupt() < STOPS_WITHIN_S
    scene = tmp_path / "data" / "gan808" / "scenes" / "verse.scene"
    assert scene.is_file()
    pool.unlink()
    with Player(tmp_path, tiny_kit, "--fresh", "--evolve", "0", "--tempo", "300") as player:
        assert player.ask("/slot/BD/tune") == [0.0]
        assert player.ask("/scene/list") == ["verse"]
        assert player.ask("/scene/recall", "verse") == ["/gan808/scene/recall", "verse"]
        assert player.ask("/slot/BD/info")[0] == "tiny/kick/99"
        assert player.ask("/slot/BD/tune") == [7.0]
        assert player.ask("/scene") == ["verse"]
        assert player.ask("/scene/delete", "verse") == ["/gan808/scene/delete", "verse"]
        assert player.ask("/scene/list") == []
        assert not scene.exists()
