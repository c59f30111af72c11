"""`run --record` and `gan808 replay` as a user has them: what was heard comes back to the byte."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import soundfile
from pythonosc.udp_client import SimpleUDPClient

from gan808.recording.format import read_take
from gan808.sound.sound import RENDER
from tests.running import Running, environment
from tests.timing import SOON_S

SILENT = ("--output", "null", "--midi", "off")
WITHIN_S = 120.0


def replay(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gan808", "replay", *arguments], cwd=home, env=environment(home),
        capture_output=True, text=True, timeout=WITHIN_S, check=False)


def swaps(running: Running, count: int) -> None:
    """Wait until that many sounds were swapped."""
    while count:
        count -= running.out.get(timeout=WITHIN_S).startswith("bar ")


def test_a_live_recording_is_replayed_byte_for_byte(one_class_kit: Path, tmp_path: Path) -> None:
    """Rendered sounds, a mix with another's tail, a file of the user's, evolution, hits and knobs
    over OSC at whatever moment they came."""
    imports = tmp_path / "data" / "gan808" / "imports"
    imports.mkdir(parents=True)
    falling = np.exp(-np.arange(4410) / 900) * np.sin(np.arange(4410) / 9)
    soundfile.write(imports / "mine.wav", falling, 44100)
    options = ["--kit", str(one_class_kit), *SILENT, "--osc", ":0", "--evolve", "8"]
    with Running(tmp_path, *options, "--tempo", "240", "--record", "in/take.wav") as running:
        port = int(running.introduction()["osc"].rpartition(":")[2])
        client = SimpleUDPClient("127.0.0.1", port)
        for number in range(40):
            client.send_message("/gan808/trig", ["BD", 0.5 + number / 100])
            client.send_message("/gan808/slot/BD/pan", [(number % 5 - 2) / 3])
            client.send_message("/gan808/slot/BD/tune", [float(number % 7)])
            if number == 15:
                client.send_message("/gan808/slot/BD/load", ["mine"])
            if number == 35:
                client.send_message("/gan808/slot/BD/recall", ["kicks/kick+kick@0.3/5+t7"])
            if number % 10 == 0:
                client.send_message("/gan808/slot/BD/new", [number])
            time.sleep(0.011)
        swaps(running, 6)
        time.sleep(1.5)  # they are told a bar ahead, which is a second
        running.interrupt()
        assert running.process.returncode == 0
        assert running.errors() == []
    wav, midi = tmp_path / "in" / "take.wav", tmp_path / "in" / "take.mid"
    assert sorted(path.name for path in wav.parent.iterdir()) == ["take.mid", "take.wav"]
    audio, _ = soundfile.read(wav)
    assert np.abs(audio).max() > 0.1
    lines = read_take(midi)
    ids = {line["id"] for line in lines if "sound" in line}
    assert len(ids) >= 6
    assert any("/file:mine.wav@" in each for each in ids)
    assert "kicks/kick+kick@0.3/5+t7" in ids
    done = replay(tmp_path, str(midi), "--out", "again.wav")
    assert done.returncode == 0, done.stderr
    assert "differ" not in done.stdout
    assert (tmp_path / "again.wav").read_bytes() == wav.read_bytes()


def test_offline_it_is_recorded_too(one_class_kit: Path, tmp_path: Path) -> None:
    options = ["--kit", str(one_class_kit), "--output", f"file:{tmp_path / 'heard.wav'}", "--fast"]
    with Running(tmp_path, *options, "--seconds", "4", "--evolve", "16", "--seed", "3",
                 "--record", "./take") as running:
        assert running.process.wait(WITHIN_S) == 0
    heard, _ = soundfile.read(tmp_path / "heard.wav", dtype="float32")
    recorded, _ = soundfile.read(tmp_path / "take.wav", dtype="float32")
    assert len(recorded) == len(heard)
    # 24 bits against floats: half a step of rounding, and libsndfile may round down.
    assert np.abs(recorded - heard).max() <= 2.0**-23
    assert replay(tmp_path, "take.mid").returncode == 0
    assert (tmp_path / "take-replay.wav").read_bytes() == (tmp_path / "take.wav").read_bytes()
    again = replay(tmp_path, "take.mid")
    assert again.returncode == 1
    assert "there is one already" in again.stderr


def test_a_kill_leaves_files_that_open_and_replay(tiny_kit: Path, tmp_path: Path) -> None:
    options = ["--kit", str(tiny_kit), *SILENT, "--osc", "off", "--evolve", "0"]
    with Running(tmp_path, *options, "--record", "./take") as running:
        running.introduction()
        deadline_s = time.monotonic() + SOON_S + 20
        wav = tmp_path / "take.wav"
        while wav.stat().st_size < 8 * 48_000 and time.monotonic() < deadline_s:
            time.sleep(0.05)
        os.killpg(running.process.pid, signal.SIGKILL)
        running.process.wait()
    audio, _ = soundfile.read(wav, dtype="float32")
    assert len(audio) > 20_000
    done = replay(tmp_path, "take.journal")
    assert done.returncode == 0, done.stderr
    assert "cut short" in done.stdout
    assert "rendered otherwise" not in done.stdout
    again, _ = soundfile.read(tmp_path / "take-replay.wav", dtype="float32")
    n = min(len(audio), len(again))
    assert n > 20_000
    assert again[:n].tobytes() == audio[:n].tobytes()
    older = tmp_path / "older.journal"  # as a version before recordings named their renderer
    older.write_text((tmp_path / "take.journal").read_text().replace(f'"render":{RENDER},', ""))
    done = replay(tmp_path, "older.journal")
    assert done.returncode == 0, done.stderr
    (told,) = [line for line in done.stdout.splitlines() if "rendered otherwise" in line]
    assert "renderer 1;" in told
    assert "has changed" not in done.stdout, "the kit is the same"
    assert (tmp_path / "older-replay.wav").read_bytes() == \
        (tmp_path / "take-replay.wav").read_bytes()
