"""The command line as a user meets it: exit status, one line on stderr, what is printed where."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import typer
from rich.text import Text

from gan808 import __version__
from gan808.app.run_options import osc_address
from gan808.cli import main
from gan808.errors import ConfigError
from gan808.instrument.parameters import TABLE
from gan808.sound.kit.kit import load_kit
from tests.running import Running, environment
from tests.tiny_kit import write_tiny_kit


def gan808(
    home: Path, *arguments: str, timeout_s: float = 120, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "gan808", *arguments], cwd=home, env=environment(home) | env,
        capture_output=True, text=True, timeout=timeout_s, check=False,
    )


def one_line(result: subprocess.CompletedProcess[str]) -> str:
    """The one line on stderr that a failure may print."""
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("gan808: ")
    assert result.stdout == ""
    return lines[0]


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


def test_version(tmp_path: Path) -> None:
    for asked in ("version", "--version", "-V"):
        assert gan808(tmp_path, asked).stdout == f"gan808 {__version__}\n"


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


def test_help_has_a_short_form_everywhere(tmp_path: Path) -> None:
    for command in ([], ["run"], ["kits"], ["kits", "info"], ["train"]):
        short, long = (gan808(tmp_path, *command, option) for option in ("-h", "--help"))
        assert (short.returncode, short.stdout) == (0, long.stdout)


def test_osc_prints_the_table(tmp_path: Path) -> None:
    """For a reader a line for each row, for a program everything the table says of it."""
    lines = gan808(tmp_path, "osc").stdout.splitlines()
    assert len(lines) == len(TABLE) + 1
    (tempo,) = (line for line in lines if line.startswith("/seq/tempo "))
    assert "f tempo 20..400 BPM" in tempo
    assert tempo.endswith("tempo of the pattern -> f:tempo")
    rows = {row["address"]: row for row in json.loads(gan808(tmp_path, "osc", "--json").stdout)}
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
    (["run", "--loud"], "No such option"),
    (["run", "--tempo", "quick"], "Invalid value for '--tempo'"),
    (["run", "--tempo", "1000"], "sequencer.tempo_bpm = 1000.0 is not accepted"),
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
    tmp_path: Path, arguments: list[str], said: str
) -> None:
    result = gan808(tmp_path, *arguments)
    assert result.returncode == 2
    assert said in one_line(result)


@pytest.mark.parametrize(("arguments", "said"), [
    (["status", "--osc", "127.0.0.1:1"], "no GAN-808 answers at 127.0.0.1:1; start one with"),
    (["kits", "info", "nonsense"], "kit 'nonsense' not found; there is:"),
    (["kits", "verify", "nonsense"], "kit 'nonsense' not found"),
    (["render", "--class", "kick", "--kit", "nonsense"], "kit 'nonsense' not found"),
])
def test_a_failure_is_status_1_and_one_line(
    tmp_path: Path, arguments: list[str], said: str
) -> None:
    result = gan808(tmp_path, *arguments)
    assert result.returncode == 1
    assert said in one_line(result)


def test_debug_shows_the_traceback_wherever_it_stands(tmp_path: Path) -> None:
    for arguments in (["--debug", "kits", "info", "x"], ["kits", "info", "x", "--debug"]):
        result = gan808(tmp_path, *arguments)
        assert result.returncode == 1
        assert "Traceback" in result.stderr
        assert "KitError: kit 'x' not found" in result.stderr


def test_the_users_settings_and_their_mistakes_are_used(tmp_path: Path) -> None:
    file = tmp_path / "config" / "gan808" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text("[osc]\nport = 5\n")
    assert "no GAN-808 answers at 127.0.0.1:5" in one_line(gan808(tmp_path, "status"))
    file.write_text("[osc]\nports = 5\n")
    result = gan808(tmp_path, "status")
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


def test_a_kit_is_packed_added_and_removed(tmp_path: Path) -> None:
    kit = write_tiny_kit(tmp_path / "tiny", rendered=True)
    packed = gan808(tmp_path, "kits", "pack", str(kit))
    assert packed.stdout.startswith("tiny.gan808.zip: sha256 ")
    added = gan808(tmp_path, "kits", "add", "tiny.gan808.zip", "--name", "mine")
    assert (added.returncode, added.stderr) == (0, "")
    assert added.stdout.splitlines()[0] == packed.stdout.strip()
    kits = tmp_path / "data" / "gan808" / "kits"
    assert [path.name for path in kits.iterdir()] == ["mine"]
    assert one_line(gan808(tmp_path, "kits", "remove", "gan808")).endswith("and stays")
    assert gan808(tmp_path, "kits", "remove", "mine", "--yes").stdout == f"removed: {kits}/mine\n"
    assert list(kits.iterdir()) == []


def test_kits_are_listed_described_and_checked(tiny_kit: Path, tmp_path: Path) -> None:
    kits = tmp_path / "data" / "gan808" / "kits"
    shutil.copytree(tiny_kit, kits / "tiny")
    shutil.copytree(tiny_kit, kits / "torn")
    (kits / "torn" / "kit.toml").write_text("name = 3")
    shutil.copytree(tiny_kit, kits / "cut")
    weights = kits / "cut" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:500])

    listed = gan808(tmp_path, "kits", "list")
    assert listed.returncode == 0
    assert "tiny" in listed.stdout
    assert "12 classes  16 slots" in listed.stdout
    assert f"broken: {kits}/torn/kit.toml" in listed.stdout

    info = gan808(tmp_path, "kits", "info", "tiny").stdout
    assert "sine waves: 36 sounds, CC0-1.0" in info
    assert "16    CH  Closed Hi-Hat  closed_hat  42 44     choke 1" in info

    whole = gan808(tmp_path, "kits", "verify", str(write_tiny_kit(kits / "fit", rendered=True)))
    assert (whole.returncode, whole.stderr) == (0, "")
    assert whole.stdout == f"{kits}/fit: whole\n"
    (tmp_path / "fit").mkdir()  # a folder of the same name that is no kit
    assert gan808(tmp_path, "kits", "verify", "fit").stdout == "fit: whole\n"
    # "." is a folder, not the name of a kit in any of theirs
    assert one_line(gan808(tmp_path, "kits", "verify", ".")) == (
        "gan808: .: not a kit (kit.toml is missing)")
    cut = gan808(tmp_path, "kits", "verify", "cut")
    assert cut.returncode == 1
    assert "weights.safetensors" in one_line(cut)


def test_devices_says_what_there_is_and_what_run_takes(tmp_path: Path) -> None:
    result = gan808(tmp_path, "devices", JACK_NO_START_SERVER="1", JACK_DEFAULT_SERVER="none")
    assert result.returncode == 0
    assert result.stderr == ""
    for part in ("audio outputs", "MIDI inputs", "MIDI outputs", "run takes: udp 127.0.0.1:8808",
                 f"your settings   {tmp_path}/config/gan808/config.toml"):
        assert part in result.stdout
    assert result.stdout.count("run takes:") == 3


def test_render_writes_what_it_was_asked_for_and_the_same_again(
    tiny_kit: Path, tmp_path: Path
) -> None:
    def render(out: str, *more: str) -> list[Path]:
        result = gan808(tmp_path, "render", "--kit", str(tiny_kit), "--out", out, *more)
        assert (result.returncode, result.stderr) == (0, "")
        files = sorted((tmp_path / out).iterdir())
        assert [line.split("  ")[0] for line in sorted(result.stdout.splitlines())] == [
            f"{out}/{file.name}" for file in files
        ]
        return files

    snares = render("a", "--class", "snare", "--seed", "9", "--count", "3")
    assert [file.name for file in snares] == [
        "tiny_snare_10.wav", "tiny_snare_11.wav", "tiny_snare_9.wav"
    ]
    again = render("b", "--class", "snare", "--seed", "11", "--count", "1", "--rate", "16000")
    first, rate_hz = soundfile.read(snares[1])
    second, _ = soundfile.read(again[0])
    assert rate_hz == load_kit(tiny_kit).geometry.sample_rate_hz
    np.testing.assert_array_equal(first, second)
    assert 0.1 < np.abs(first).max() <= 1.0
    assert len(render("c", "--class", "all", "--rate", "48000")) == 12


def test_render_goes_on_from_a_sound_and_recalls_what_it_found(
    tiny_kit: Path, tmp_path: Path
) -> None:
    def render(out: str, *more: str) -> dict[str, bytes]:
        result = gan808(tmp_path, "render", "--kit", str(tiny_kit), "--out", out, *more)
        assert result.returncode == 0, result.stderr
        files = [Path(line.split("  ")[0]) for line in result.stdout.splitlines()]
        return {file.stem: (tmp_path / file).read_bytes() for file in files}

    snare = ("--class", "snare", "--seed", "9")
    way = render("a", *snare, "--morph", "11", "--count", "3")
    assert list(way) == ["tiny_snare_9", "tiny_snare_9~11@0.5", "tiny_snare_11"]
    assert list(render("b", *snare, "--near", "0.2", "--count", "2")) == [
        "tiny_snare_9+0@0.2", "tiny_snare_9+1@0.2"]
    mixed = render("d", *snare, "--mix", "tom", "--count", "3")
    assert sorted(mixed) == ["tiny_snare+tom@0.5_9", "tiny_snare_9", "tiny_tom_9"]
    assert mixed["tiny_snare_9"] == way["tiny_snare_9"]
    assert render("e", "--id", "tiny/snare+tom@0.5/9") == {
        "tiny_snare+tom@0.5_9": mixed["tiny_snare+tom@0.5_9"]}
    again = render("c", "--id", "tiny/snare/9~11@0.5")
    assert again == {"tiny_snare_9~11@0.5": way["tiny_snare_9~11@0.5"]}
    with soundfile.SoundFile(tmp_path / "c" / "tiny_snare_9~11@0.5.wav") as file:
        assert file.title == "tiny/snare/9~11@0.5"


def test_match_finds_a_sound_and_its_id_recalls_it(tiny_kit: Path, tmp_path: Path) -> None:
    kit = ("--kit", str(tiny_kit))
    gan808(tmp_path, "render", *kit, "--class", "snare", "--seed", "5")
    result = gan808(tmp_path, "match", "tiny_snare_5.wav", *kit, "--class", "snare", "--seeds",
                    "16", "--steps", "8", "--out", "found")
    assert result.returncode == 0, result.stderr
    nearest = result.stdout.splitlines()[0]
    assert nearest.startswith("found/tiny_snare_5.wav  nearest seed, ")
    assert nearest.endswith(" dB away: tiny/snare/5")
    first, _ = soundfile.read(tmp_path / "tiny_snare_5.wav")
    again, _ = soundfile.read(tmp_path / "found" / "tiny_snare_5.wav")
    np.testing.assert_array_equal(again, first)
    for arguments, said, status in (
        (["gone.wav"], "gone.wav: is no file", 1),
        (["tiny_snare_5.wav", "--class", "gong"], "--class gong: kit tiny has", 2),
    ):
        refused = gan808(tmp_path, "match", *arguments, *kit)
        assert refused.returncode == status
        assert said in one_line(refused)


def test_render_refuses_a_class_the_kit_does_not_have(tiny_kit: Path, tmp_path: Path) -> None:
    result = gan808(tmp_path, "render", "--kit", str(tiny_kit), "--class", "gong")
    assert result.returncode == 2
    assert "--class gong: kit tiny has clap," in one_line(result)


def test_status_and_render_agree_with_a_running_daemon(
    one_class_kit: Path, tmp_path: Path
) -> None:
    from pythonosc.udp_client import SimpleUDPClient

    options = ["--kit", str(one_class_kit), "--output", "null", "--midi", "off",
               "--osc", "127.0.0.1:0", "--evolve", "3", "--tempo", "93"]
    with Running(tmp_path, *options) as running:
        address = running.introduction()["osc"].removeprefix("udp ")
        port = int(address.rpartition(":")[2])
        table = gan808(tmp_path, "status", "--osc", address)
        assert table.returncode == 0
        assert "808 at 93 BPM" in table.stdout
        assert "3 new sounds a bar" in table.stdout
        answer = json.loads(gan808(tmp_path, "status", "--osc", address, "--json").stdout)
        assert answer["rate"] == 48000
        assert answer["tempo_bpm"] == 93
        assert set(answer["stock"]) == {"kick"}
        assert {"voices", "pool", "load", "peak", "xruns", "latency_ms"} <= set(answer)

        client = SimpleUDPClient("127.0.0.1", port)
        client.send_message("/gan808/evolve", 0.0)
        exported = tmp_path / "data" / "gan808" / "exports" / "mine.wav"
        deadline_s = time.monotonic() + 60
        while not exported.exists():
            assert time.monotonic() < deadline_s, "the sound was not exported"
            client.send_message("/gan808/slot/BD/new", 4711)
            time.sleep(0.2)
            if "kick/4711" in "".join(list(running.out.queue)):
                client.send_message("/gan808/sound/export", ["BD", "mine"])
                time.sleep(0.2)
    rendered = gan808(tmp_path, "render", "--kit", str(one_class_kit), "--class", "kick",
                      "--seed", "4711", "--rate", "48000", "--out", "out")
    assert rendered.returncode == 0
    here, _ = soundfile.read(tmp_path / "out" / "kicks_kick_4711.wav")
    there, _ = soundfile.read(exported)
    np.testing.assert_array_equal(here, there)
