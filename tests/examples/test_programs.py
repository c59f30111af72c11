"""The patches and scripts in the programs they are for, against a real OSC server."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.control.rig import Client, Rig, until
from tests.running import CHECKOUT, environment
from tests.timing import SOON_S

EXAMPLES = CHECKOUT / "examples"
# A port of the system's for every port of the examples, so that nothing else is disturbed.
PD_LISTENS = "9002"
STARTS_WITHIN_S = 60.0


def installed(program: str, package: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(program) is None,
                              reason=f"{program} ({package}) is not installed: its example is "
                                     "not tried")


@contextmanager
def running(arguments: list[str], home: Path) -> Iterator[list[str]]:
    """A program and the lines it prints, which go on to come while it runs; then it is ended."""
    process = subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=home,
        env={**environment(home), "QT_QPA_PLATFORM": "offscreen",
             "QTWEBENGINE_DISABLE_SANDBOX": "1", "XDG_RUNTIME_DIR": str(home)})
    lines: list[str] = []
    assert process.stdout is not None
    reader = threading.Thread(target=lambda: lines.extend(iter(process.stdout.readline, "")),
                              daemon=True)
    reader.start()
    try:
        yield lines
    finally:
        process.kill()
        process.wait()
        reader.join(SOON_S)


def said(lines: list[str], what: str) -> Callable[[], bool]:
    return lambda: any(what in line for line in lines)


def copied(name: str, home: Path, changes: dict[str, str]) -> Path:
    """A copy of an example with other ports."""
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    copy = home / name
    copy.write_text(text, encoding="utf-8")
    return copy


@installed("pd", "puredata-core")
def test_the_pure_data_patch_plays_and_is_told(rig: Rig, tmp_path: Path) -> None:
    rig.stock("kick", 5)
    with Client(rig) as client:
        patch = copied("puredata.pd", tmp_path, {
            "127.0.0.1 8808": f"127.0.0.1 {rig.osc.address[1]}", PD_LISTENS: str(client.port + 1)})
        moves = ["pad-BD bang", "dial-velocity 0.5", "pad-CH bang", "new-BD bang",
                 "dial-tempo 140", "dial-evolve 4", "new-SD bang"]
        options = [word for move in moves for word in ("-send", move)]
        with running(["pd", "-nogui", "-noaudio", "-nomidi", "-stderr", *options, str(patch)],
                     tmp_path) as lines:
            until(said(lines, "gan808: evolve 4"), STARTS_WITHIN_S)
            until(said(lines, "gan808: slot BD changed fake/kick/5 5"))
            until(said(lines, "gan808: seq tempo 140"))
            client.settle()
            # The pad's own velocity is where the dial starts.
            assert [(hit.slot, round(hit.value, 4)) for hit in rig.played()] == [
                (0, 0.8), (15, 0.5)]
            assert client.ask("/gan808/seq/tempo")[1] == 140.0
            assert client.ask("/gan808/slot/BD/info")[1] == "fake/kick/5"
            # The dial follows the machine without sending it back.
            client.send("/gan808/seq/tempo", 100)
            until(said(lines, "gan808: seq tempo 100"))
            client.settle()
            assert client.ask("/gan808/seq/tempo")[1] == 100.0
            assert not any("error" in line for line in lines), lines


@installed("sclang", "supercollider-language")
def test_the_supercollider_file_plays_and_is_told(rig: Rig, tmp_path: Path) -> None:
    rig.stock("snare", 7)
    rig.stock("closed_hat", 1, 2, 3)
    # Further ahead than a user's, so that no busy machine makes a hit late.
    script = copied("supercollider.scd", tmp_path, {
        '"127.0.0.1", 8808': f'"127.0.0.1", {rig.osc.address[1]}', "ahead: 0.1": "ahead: 2.0"})
    with running(["sclang", str(script)], tmp_path) as lines:
        until(said(lines, "SD plays fake/snare/7"), STARTS_WITHIN_S)
        until(said(lines, "CH plays fake/closed_hat/1"))
        until(said(lines, "[ /gan808/seq/tempo, 108.0 ]"))
        until(lambda: sum(hit.slot == 0 for hit in rig.played()) >= 3)
    assert not any("ERROR" in line for line in lines), lines
    first, *pattern = rig.played()
    assert (first.slot, first.value, first.frame) == (0, 1.0, 0)
    # The pattern's hits are bundles: due at a frame, a sixteenth of 108 BPM apart.
    assert all(hit.frame > 0 for hit in pattern)
    kicks = [hit.frame for hit in pattern if hit.slot == 0]
    assert abs((kicks[1] - kicks[0]) / 48000 - 6 * 60 / 108 / 4) < 0.002
    # Two slots of one event are due together.
    claves = {hit.frame for hit in pattern if hit.slot == 8}
    assert claves == {hit.frame for hit in pattern if hit.slot == 12}


def test_the_python_client_plays_a_bar_and_prints_the_answers(rig: Rig, tmp_path: Path) -> None:
    rig.stock("snare", 7)
    host, port = rig.osc.address
    with running([sys.executable, "-u", str(EXAMPLES / "osc_client.py"), "--host", host, "--port",
                  str(port), "--bars", "1", "--tempo", "400"], tmp_path) as lines:
        until(said(lines, "/gan808/slot/SD/changed fake/snare/7 7"), STARTS_WITHIN_S)
        until(lambda: len(rig.played()) == 14)
    assert {hit.slot for hit in rig.played()} == {0, 1, 15}


@installed("systemd-analyze", "systemd")
def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    """With a path to a program that is there; unknown settings are warnings on stderr."""
    unit = copied("gan808.service", tmp_path, {"%h/.local/bin/gan808": sys.executable})
    done = subprocess.run(
        ["systemd-analyze", "--user", "verify", str(unit)], capture_output=True, text=True,
        check=False, env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_unit_starts_a_run_there_is() -> None:
    from typer.main import get_command

    from gan808.cli.exit import WRONG_USAGE
    from gan808.cli.main import app

    unit = (EXAMPLES / "gan808.service").read_text(encoding="utf-8")
    words = re.search(r"^ExecStart=\S+/gan808 run (.*)$", unit, re.MULTILINE)
    assert words is not None
    run: Any = get_command(app)
    given = run.commands["run"].make_context("run", words[1].split()).params
    assert {name: value for name, value in given.items() if value} == {
        "output": "default", "pattern": "off", "quiet": True}
    assert f"RestartPreventExitStatus={WRONG_USAGE}\n" in unit
    for setting in ("Type=notify", "WatchdogSec=", "Restart=on-failure", "LimitRTPRIO=",
                    "LimitMEMLOCK="):
        assert f"\n{setting}" in unit
