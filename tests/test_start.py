"""`run` without the command line's libraries: read the same way, and nothing heavy on the way."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, get_type_hints

import pytest
import typer

from gan808 import start
from gan808.cli import main
from gan808.engine.kernel_api import routines
from tests.running import environment

# What a start must never wait for; numba only where there is something to compile.
HEAVY = {"tensorflow", "keras", "librosa", "matplotlib", "scipy", "sklearn", "numba", "typer",
         "rich", "click", "tomlkit", "safetensors", "pythonosc", "mido"}
PLAY = """
import sys
from gan808 import start
from gan808.control.midi import input

def playable(self):
    begun(self)
    self._notes.receive([0x99, 36, 127], 0.0)
    print(*sys.modules, flush=True)

begun, input.MidiInput.start = input.MidiInput.start, playable
sys.argv = ["gan808", "run", "--output", "null", "--midi", "off", "--osc", "off", "--quiet",
            "--seconds", "0.1"]
start.main()
"""


def test_the_quick_reader_knows_the_options_of_the_command_line() -> None:
    """Names, kinds and short forms are those that Typer shows and reads."""
    expected = get_type_hints(main.run)
    assert expected.pop("return") is type(None)
    assert expected.pop("config") == Path | None
    assert start.RUN_OPTIONS["config"] is str  # paths take longer to load than a note may wait
    assert {name: kind if kind is bool else kind | None  # type: ignore[operator]
            for name, kind in start.RUN_OPTIONS.items() if name != "config"} == expected
    command: Any = typer.main.get_command(main.app)
    named = {option for each in command.commands["run"].params for option in each.opts}
    assert named - {"--help"} == {f"--{name}" for name in start.RUN_OPTIONS} | set(
        start.SHORT_OPTIONS)


def test_plain_options_are_read() -> None:
    assert start.read_run_options([]) == {}
    assert start.read_run_options(
        ["--kit", "k", "--tempo=120.5", "--seed", "-1", "-q", "--fast", "--config", "a.toml"]
    ) == {"kit": "k", "tempo": 120.5, "seed": -1, "quiet": True, "fast": True,
          "config": "a.toml"}
    assert start.read_run_options(["--pattern", "off", "--pattern", "808"]) == {"pattern": "808"}


@pytest.mark.parametrize("arguments", [
    ["--help"], ["--nothing"], ["--tempo"], ["--tempo", "fast"], ["--seed", "1.5"], ["--fast=1"],
    ["house"], ["--"], ["-x"], ["--debug"], ["--no-fast"],
])
def test_what_is_not_plain_is_left_to_the_command_line(arguments: list[str]) -> None:
    assert start.read_run_options(arguments) is None


def test_a_mistake_is_the_same_line_either_way(tmp_path: Path) -> None:
    """A setting out of range is found on the quick way, a word that is no number on the other."""
    for arguments, said in (
        (["--tempo", "5"], "tempo_bpm = 5.0 is not accepted"),
        (["--seconds", "0"], "--seconds 0 is not accepted"),
        (["--tempo", "quick"], "Invalid value for '--tempo'"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "gan808", "run", *arguments], env=environment(tmp_path),
            capture_output=True, text=True, check=False)
        assert done.returncode == start.WRONG_USAGE
        assert done.stderr.startswith("gan808: ")
        assert done.stderr.count("\n") == 1
        assert said in done.stderr


def test_up_to_the_first_note_nothing_heavy_is_loaded(tmp_path: Path) -> None:
    """The real program, as far as a MIDI note that it has accepted: neither TensorFlow nor librosa
    nor matplotlib, no numba once the callback is compiled, and no library for command lines."""
    routines()  # kept from here on, should this be the first start on a machine
    done = subprocess.run([sys.executable, "-c", PLAY], env=environment(tmp_path), timeout=280,
                          capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert {"gan808", "numpy"} <= loaded
    assert not HEAVY & loaded
