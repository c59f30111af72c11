"""`gan808 run` on a JACK server with a kit of single samples, held up before its first import.

One sample a note: what is heard tells where each note fell and how many there were, even where two
fall on one frame. The gate is an import hook: until it is opened, nothing has loaded NumPy, the
settings, the daemon or even logging, so what sounds is the early start.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import soundfile

from gan808.sound.kit.slots import TR808
from tests.jack_server import RATE_HZ
from tests.running import CHECKOUT, environment

TONE_S, TONE_HZ = 0.6, 220.0
CLICK = 0.5
TONE_CLASS = "cymbal"
STARTS_WITHIN_S = 60.0
GATED = """
import sys

class Gate:
    def find_spec(self, name, path=None, target=None):
        if name in ("logging", "pathlib", "typing", "pydantic", "numpy"):
            sys.meta_path.remove(self)
            print("held", *sys.modules, flush=True)
            sys.stdin.readline()

sys.meta_path.insert(0, Gate())
from gan808 import start
start.main()
"""


def tone() -> np.ndarray:
    """A sine that begins and ends at zero, float32 (n,)."""
    t = np.arange(round(TONE_S * RATE_HZ)) / RATE_HZ
    return np.asarray(0.4 * np.sin(2 * np.pi * TONE_HZ * t) * np.sin(np.pi * t / TONE_S),
                      np.float32)


def click_kit(tiny_kit: Path, home: Path) -> str:
    """A copy of the tiny kit whose sounds are one sample each, but for a tone on the cymbal; its
    name."""
    folder = home / "data" / "gan808" / "kits" / "tiny"
    shutil.copytree(tiny_kit, folder)
    click = np.zeros(64, np.float32)
    click[0] = CLICK
    for path in (folder / "factory").iterdir():
        audio = tone() if path.name.startswith(TONE_CLASS) else click
        soundfile.write(path, audio, RATE_HZ, subtype="PCM_24")
    return "tiny"


def note_of(code: str) -> int:
    """The note of a slot of the default kit."""
    return next(slot.notes[0] for slot in TR808 if slot.code == code)


class Start:
    """`gan808 run` in a process of its own; its modules wait at the gate until `open_gate`."""

    def __init__(self, home: Path, *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", GATED, "run", *options], text=True, env=environment(home),
            cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def __enter__(self) -> Start:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()

    def held(self) -> set[str]:
        """Returns when it is held up at the gate: the modules it has loaded by then."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("held "), line
        return set(line.split()[1:])

    def open_gate(self) -> None:
        """Let it import the rest."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def introduction(self) -> dict[str, str]:
        """What it says when it is up."""
        assert self.process.stdout is not None
        facts: dict[str, str] = {}
        while "stop" not in facts:
            line = self.process.stdout.readline()
            assert line, f"it ended, {self.process.wait(30)}: {self.process.communicate()[1]}"
            name, _, fact = line.partition(" ")
            facts[name] = fact.strip()
        return facts

    def end(self) -> tuple[int, str]:
        """The exit status after `kill`, and what it has said on stderr."""
        self.process.terminate()
        errors = self.process.communicate(timeout=30)[1]
        return self.process.returncode, errors


def images(home: Path) -> list[Path]:
    """The images there are."""
    return sorted((home / "cache" / "gan808" / "early").glob("*.image"))


def run_once(home: Path, *options: str) -> Path:
    """A start that finds no image and leaves one: the image."""
    with Start(home, *options) as first:
        first.held()
        first.open_gate()
        first.introduction()
        deadline_s = time.monotonic() + STARTS_WITHIN_S
        while not images(home) and time.monotonic() < deadline_s:
            time.sleep(0.02)
        assert first.end() == (0, "")
    assert len(images(home)) == 1
    return images(home)[0]


def change_slot(home: Path, code: str, **values: float) -> None:
    """Set a slot as if the last run had left it so."""
    path = home / "state" / "gan808" / "state.json"
    state = json.loads(path.read_text(encoding="utf-8"))
    for entries in state["kits"].values():
        for entry in entries:
            if entry["code"] == code:
                entry["values"].update(values)
    path.write_text(json.dumps(state), encoding="utf-8")
