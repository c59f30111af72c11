"""`run`, from the command to a note that can be played: its mistakes, and what it must not load."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from gan808.cli.exit import WRONG_USAGE
from gan808.engine.kernel_api import routines
from tests.running import environment

# What a start must never wait for; numba only where there is something to compile.
HEAVY = {"tensorflow", "keras", "librosa", "matplotlib", "scipy", "sklearn", "numba",
         "rich", "tomlkit", "safetensors", "pythonosc", "mido"}
PLAY = """
import sys
from gan808.cli import main as cli
from gan808.control.midi import input

def playable(self):
    begun(self)
    self._notes.receive([0x99, 36, 127], 0.0)
    print(*sys.modules, flush=True)

begun, input.MidiInput.start = input.MidiInput.start, playable
sys.argv = ["gan808", "run", "--output", "null", "--midi", "off", "--osc", "off", "--quiet",
            "--seconds", "0.1"]
cli.main()
"""


def test_a_mistake_is_one_line(tmp_path: Path) -> None:
    """A setting out of range, which the settings find; a word that is no number, which Typer does.
    """
    for arguments, said in (
        (["--tempo", "5"], "tempo_bpm = 5.0 is not accepted"),
        (["--seconds", "0"], "--seconds 0 is not accepted"),
        (["--tempo", "quick"], "Invalid value for '--tempo'"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "gan808", "run", *arguments], env=environment(tmp_path),
            capture_output=True, text=True, check=False)
        assert done.returncode == WRONG_USAGE
        assert done.stderr.startswith("gan808: ")
        assert done.stderr.count("\n") == 1
        assert said in done.stderr


def test_up_to_the_first_note_nothing_heavy_is_loaded(tmp_path: Path) -> None:
    """The real program, as far as a MIDI note that it has accepted: neither TensorFlow nor librosa
    nor matplotlib, and no numba once the callback is compiled."""
    routines()  # kept from here on, should this be the first start on a machine
    done = subprocess.run([sys.executable, "-c", PLAY], env=environment(tmp_path), timeout=280,
                          capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert {"gan808", "numpy"} <= loaded
    assert not HEAVY & loaded
