"""Exports of a running instrument that plays into a file: over OSC, and beside it `now` and
`scene:NAME` of the command line. What is written are the sounds it plays."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.app.test_state_daemon import Player
from tests.running import environment
from tests.timing import WITHIN_S


@pytest.fixture(scope="module")
def player(tmp_path_factory: pytest.TempPathFactory, tiny_kit: Path) -> Iterator[Player]:
    home = tmp_path_factory.mktemp("home")
    with Player(home, tiny_kit, "--output", f"file:{home / 'heard.wav'}", "--evolve", "0",
                "--pattern", "off") as running:
        running.home = home  # type: ignore[attr-defined]
        running.ask("/slot/BD/new", 77)
        running.ask("/slot/SD/similar", 0.3)
        running.send("/slot/BD/level", 0.5)
        running.send("/slot/BD/tune", -1.5)
        yield running


def home_of(player: Player) -> Path:
    return player.home  # type: ignore[attr-defined,no-any-return]


def playing(player: Player) -> dict[str, str]:
    slots = player.ask("/slots")[0::4]
    return {code: player.ask(f"/slot/{code}/info")[0] for code in slots}


def sound_now(player: Player, code: str) -> np.ndarray:
    """The slot's sound as int16, told by the instrument."""
    pieces: list[np.ndarray] = []
    while True:
        _, _, frames, _, pcm = player.ask("/sound/audio", player.ask(f"/slot/{code}/info")[0],
                                          sum(map(len, pieces)))
        pieces.append(np.frombuffer(pcm, "<i2"))
        if sum(map(len, pieces)) >= frames:
            return np.concatenate(pieces)


def ids_in(folder: Path) -> dict[str, str]:
    ids = json.loads((folder / "kit.json").read_text("utf-8"))["ids"]
    return {path.split("/")[0]: identity for path, identity in ids.items()}


def command(player: Player, *arguments: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "gan808", *map(str, arguments)], timeout=120,
                          capture_output=True, text=True, env=environment(home_of(player)))


def test_over_osc_the_present_sounds_are_written(player: Player) -> None:
    file = Path(player.ask("/export", "wav", "Käse 1")[1])
    assert file == home_of(player) / "data/gan808/exports/Käse 1"
    assert ids_in(file) == playing(player)
    audio, rate = soundfile.read(file / "BD/000.wav", dtype="float64")
    expected = sound_now(player, "BD")
    assert rate == player.ask("/sound/audio", playing(player)["BD"], 0)[1]
    np.testing.assert_allclose(audio * 32767, expected, atol=0.51)
    about = json.loads((file / "kit.json").read_text("utf-8"))["slots"][0]
    assert (about["code"], about["level"], about["tune_semitones"]) == ("BD", 0.5, -1.5)
    assert player.ask("/export", "sf2", "a.sf2")[1].endswith("/exports/a.sf2")


@pytest.mark.parametrize(("arguments", "why"), [
    (("mp3", "x"), "give one of wav"), (("wav", "../x"), "no file name"),
    (("wav", "/tmp/x"), "no file name"), (("sfz", "taken"), "left alone"),
])
def test_over_osc_what_cannot_be_fails_in_one_line(
    player: Player, arguments: tuple[str, str], why: str
) -> None:
    folder = home_of(player) / "data/gan808/exports"
    (folder / "taken").mkdir(parents=True, exist_ok=True)
    (folder / "taken/mine").touch()
    before = sorted(folder.rglob("*"))
    with pytest.raises(AssertionError, match=why):
        player.ask("/export", *arguments)
    assert sorted(folder.rglob("*")) == before


def test_a_scene_it_saved_is_exported_beside_it(player: Player, tmp_path: Path) -> None:
    player.ask("/scene/save", "mine")
    done = command(player, "export", "scene:mine", "--as", "wav", "--out", tmp_path / "out")
    assert (done.stderr, done.returncode) == ("", 0)
    assert ids_in(tmp_path / "out") == playing(player)


def test_now_is_what_it_plays_within_a_second(player: Player, tmp_path: Path) -> None:
    wanted = playing(player)
    deadline_s = time.monotonic() + WITHIN_S
    for number in range(100):  # the state is written twice a second at most
        out = tmp_path / str(number)
        done = command(player, "export", "now", "--as", "wav", "--out", out)
        if done.returncode == 0 and ids_in(out) == wanted:
            break
        assert time.monotonic() < deadline_s, done.stderr
    audio, _ = soundfile.read(out / "SD/000.wav", dtype="float64")
    np.testing.assert_allclose(audio * 32767, sound_now(player, "SD"), atol=0.51)
