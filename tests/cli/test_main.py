"""The command line as a user meets it: exit status, one line on stderr, what is printed where."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from rich.text import Text

from gan808 import __version__
from gan808.app.run_options import osc_address
from gan808.cli import main
from gan808.errors import ConfigError
from gan808.instrument.parameters import TABLE
from tests.cli.commands import Command, gan808, one_line
from tests.running import environment


def test_help_lists_every_command_and_loads_nothing_heavy(tmp_path: Path) -> None:
    result = gan808(tmp_path, "--help")
    assert result.returncode == 0
    for command in ("run", "devices", "doctor", "status", "learn", "osc", "render", "match", "kits",
                    "train", "prepare", "fit", "evaluate", "export", "version"):
        assert f" {command} " in result.stdout
    code = "import sys, gan808.cli.main; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], env=environment(tmp_path), capture_output=True, text=True,
        check=True,
    ).stdout.split()
    assert not {"numpy", "numba", "tensorflow", "keras", "pydantic", "soundfile"} & set(loaded)


def test_help_is_quick(tmp_path: Path) -> None:
    def processor_s() -> float:
        before = os.times()
        gan808(tmp_path, "--help")
        after = os.times()
        return after.children_user + after.children_system - before.children_user \
            - before.children_system

    # processor time, so that a busy machine does not count; half of it is Python's own start
    assert min(processor_s() for _ in range(3)) < 0.6


def test_version(here: Command) -> None:
    for asked in ("version", "--version", "-V"):
        assert here(asked).stdout == f"gan808 {__version__}\n"


def test_every_command_shows_an_example_that_it_would_take() -> None:
    """version is left out: it takes nothing."""
    def commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
        inner = getattr(command, "commands", None)
        if inner is None:
            yield path, command
        for name, part in (inner or {}).items():
            yield from commands(part, f"{path} {name}")

    for path, command in commands(typer.main.get_command(main.app), "gan808"):
        if path != "gan808 version":
            start = f"Example: {path}"
            assert (command.epilog or "").startswith(start), path
            command.make_context(path, command.epilog[len(start):].split())  # or it raises


def test_the_shell_completes_commands(tmp_path: Path) -> None:
    asked = {"_GAN808_COMPLETE": "complete_bash", "_TYPER_COMPLETE_ARGS": "gan808 ren",
             "COMP_WORDS": "gan808 ren", "COMP_CWORD": "1"}
    done = subprocess.run([sys.executable, "-m", "gan808"], env={**os.environ, **asked},
                          cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["render"]


def test_help_has_a_short_form_everywhere(here: Command) -> None:
    for command in ([], ["run"], ["kits"], ["kits", "info"], ["train"]):
        short, long = (here(*command, option) for option in ("-h", "--help"))
        assert (short.returncode, short.stdout) == (0, long.stdout)


def test_osc_prints_the_table(here: Command) -> None:
    """For a reader a line for each row, for a program everything the table says of it."""
    lines = here("osc").stdout.splitlines()
    assert len(lines) == len(TABLE) + 1
    (tempo,) = (line for line in lines if line.startswith("/seq/tempo "))
    assert "f tempo 20..400 BPM" in tempo
    assert tempo.endswith("tempo of the pattern -> f:tempo")
    rows = {row["address"]: row for row in json.loads(here("osc", "--json").stdout)}
    assert len(rows) == len(TABLE)
    level = rows["/gan808/slot/SLOT/level"]
    assert (level["kind"], level["help"]) == ("value", "loudness of the slot")
    assert level["cc"] == list(range(16, 32))
    assert level["arguments"][0] == {
        "name": "level", "type": "f", "minimum": 0, "maximum": 1, "unit": "", "choices": [],
        "optional": False, "default": 0.8}


def test_help_shows_every_word_that_was_written() -> None:
    """Square brackets are markup to rich: unescaped, they and what they hold are not shown."""
    def helps(command: Any) -> Iterator[str]:
        yield from (text for part in (command, *command.params)
                    if (text := getattr(part, "help", None)))
        for inner in getattr(command, "commands", {}).values():
            yield from helps(inner)

    texts = list(helps(typer.main.get_command(main.app)))
    assert len(texts) > 40
    for text in texts:
        assert Text.from_markup(text).plain == text.replace("\\[", "[")


@pytest.mark.parametrize(("arguments", "said"), [
    (["dance"], "No such command 'dance'"),
    (["run", "--tempo", "1000"], "sequencer.tempo_bpm = 1000.0 is not accepted"),
])
def test_wrong_usage_is_the_status_of_the_process(
    tmp_path: Path, arguments: list[str], said: str
) -> None:
    """`run` ends its process in a way of its own."""
    result = gan808(tmp_path, *arguments)
    assert result.returncode == 2
    assert said in one_line(result)


@pytest.mark.parametrize(("arguments", "said"), [
    (["run", "--loud"], "No such option"),
    (["run", "--tempo", "quick"], "Invalid value for '--tempo'"),
    (["run", "--evolve", "-1"], "evolve.swaps_per_bar = -1.0 is not accepted"),
    (["run", "--seed", "-5"], "renderer.seed = -5 is not accepted"),
    (["run", "--osc", "localhost:high"], "'high' is no port; give HOST:PORT or off"),
    (["run", "--fast", "--output", "null"], "--fast would fill the disk: give --seconds S"),
    (["run", "--config", "missing.toml"], "missing.toml: no such file"),
    (["render", "--count", "3"], "--class or --id is missing"),
    (["render", "--id", "kick/5"], "'kick/5' is no id of a sound"),
    (["render", "--id", "gan808/kick/5~6@2"], "names no sound"),
    (["render", "--class", "kick", "--near", "1.5"], "radius 1.5: must be a number from 0 to 1"),
    (["render", "--class", "kick", "--near", "0.5", "--morph", "7"], "give one of them"),
    (["render", "--id", "gan808/kick/5~6@0.2", "--count", "2"], "give --near or --morph"),
    (["render", "--class", "kick", "--count", "0"], "Invalid value for '--count'"),
    (["kits", "dance"], "No such command 'dance'"),
])
def test_wrong_usage_is_status_2_and_one_line(
    here: Command, arguments: list[str], said: str
) -> None:
    result = here(*arguments)
    assert result.returncode == 2
    assert said in one_line(result)


@pytest.mark.parametrize(("arguments", "said"), [
    (["kits", "info", "nonsense"], "kit 'nonsense' not found; there is:"),
    (["kits", "verify", "nonsense"], "kit 'nonsense' not found"),
    (["render", "--class", "kick", "--kit", "nonsense"], "kit 'nonsense' not found"),
])
def test_a_failure_is_status_1_and_one_line(
    here: Command, arguments: list[str], said: str
) -> None:
    result = here(*arguments)
    assert result.returncode == 1
    assert said in one_line(result)


def test_a_failure_is_the_status_of_the_process(tmp_path: Path) -> None:
    result = gan808(tmp_path, "status", "--osc", "127.0.0.1:1")
    assert result.returncode == 1
    assert "no GAN-808 answers at 127.0.0.1:1; start one with" in one_line(result)


def test_debug_shows_the_traceback_wherever_it_stands(tmp_path: Path) -> None:
    for arguments in (["--debug", "kits", "info", "x"], ["kits", "info", "x", "--debug"]):
        result = gan808(tmp_path, *arguments)
        assert result.returncode == 1
        assert "Traceback" in result.stderr
        assert "KitError: kit 'x' not found" in result.stderr


def test_the_users_settings_and_their_mistakes_are_used(here: Command, tmp_path: Path) -> None:
    file = tmp_path / "config" / "gan808" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text("[osc]\nport = 5\n")
    assert "no GAN-808 answers at 127.0.0.1:5" in one_line(here("status"))
    file.write_text("[osc]\nports = 5\n")
    result = here("status")
    assert result.returncode == 2
    assert f"{file}: osc.ports is not a setting; [osc] has enabled, host, port" in one_line(result)


@pytest.mark.parametrize(("text", "expected"), [
    (None, {}),
    ("off", {"enabled": False}),
    ("0.0.0.0:9000", {"enabled": True, "host": "0.0.0.0", "port": 9000}),
    (":9000", {"enabled": True, "host": None, "port": 9000}),
    ("studio", {"enabled": True, "host": "studio", "port": None}),
    ("[::1]:8808", {"enabled": True, "host": "::1", "port": 8808}),
    ("[::]", {"enabled": True, "host": "::", "port": None}),
    ("fe80::1", {"enabled": True, "host": "fe80::1", "port": None}),
])
def test_osc_addresses(text: str | None, expected: dict[str, object]) -> None:
    assert osc_address(text) == expected


def test_a_port_must_be_a_number() -> None:
    with pytest.raises(ConfigError, match="no port"):
        osc_address("host:-1")


def test_devices_says_what_there_is_and_what_run_takes(tmp_path: Path) -> None:
    result = gan808(tmp_path, "devices", JACK_NO_START_SERVER="1", JACK_DEFAULT_SERVER="none")
    assert result.returncode == 0
    assert result.stderr == ""
    for part in ("audio outputs", "MIDI inputs", "MIDI outputs", "run takes: udp 127.0.0.1:8808",
                 f"your settings   {tmp_path}/config/gan808/config.toml"):
        assert part in result.stdout
    assert result.stdout.count("run takes:") == 3
