"""The doctor on machines with and without what playing needs: one line each, and what to do."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections import namedtuple
from contextlib import closing
from pathlib import Path

import pytest

from gan808 import realtime
from gan808.app import doctor
from gan808.app.doctor import BAD, CARE, GOOD
from gan808.config import Settings
from gan808.engine.outputs import registry
from gan808.engine.outputs.devices import OutputInfo
from gan808.errors import DeviceError
from tests.control.rig import Rig
from tests.jack_server import jack_server  # noqa: F401
from tests.running import environment

Usage = namedtuple("Usage", "total used free")  # as shutil.disk_usage gives it
SETTINGS = Settings()


def on_port(port: int) -> Settings:
    return SETTINGS.replace({"osc": {"port": port}})


def test_every_part_is_one_line_with_what_to_do(tmp_path: Path, tiny_kit: Path) -> None:
    """The command itself, on whatever machine this is."""
    (tmp_path / "config.toml").write_text(f'kit.name = "{tiny_kit}"\nosc.port = 0\n')
    done = subprocess.run(
        [sys.executable, "-m", "gan808", "doctor", "--config", str(tmp_path / "config.toml")],
        capture_output=True, text=True, timeout=120, env=environment(tmp_path), cwd=tmp_path)
    lines = done.stdout.splitlines()
    assert [line.split()[1] for line in lines] == [
        "sound", "server", "realtime", "midi", "renderer", "disk", "network"], done.stderr
    marks = [line.split()[0] for line in lines]
    assert set(marks) <= {"ok", "--", "!!"}
    assert done.returncode == ("!!" in marks)
    assert "a sound in" in lines[4]
    assert not (tmp_path / "state").exists()


def test_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> list[OutputInfo]:
        raise DeviceError("PortAudio library not found")

    devices = [OutputInfo(f"Card {n}", "ALSA", 2, 48000, n == 0) for n in range(5)]
    for found, state, told in (
            (none, BAD, "libportaudio2"), (list, CARE, "into a file"),
            (lambda: devices, GOOD, "Card 0, Card 1, Card 2 and 2 more")):
        monkeypatch.setattr(registry, "list_outputs", found)
        finding = doctor.sound(SETTINGS)
        assert finding.state == state
        assert told in finding.told


@pytest.mark.skipif(sys.platform != "linux", reason="the servers of Linux")
def test_no_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "gan808-none")
    assert "no JACK or PipeWire runs" in doctor.server(SETTINGS).told
    (tmp_path / "pipewire-0").touch()
    assert "pw-jack gan808 run" in doctor.server(SETTINGS).told


def test_jack(jack_server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:  # noqa: F811
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("JACK_DEFAULT_SERVER", jack_server)
    finding = doctor.server(SETTINGS)
    assert (finding.state, finding.told) == (GOOD, "JACK runs")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system grants it")
@pytest.mark.parametrize(("granted", "state"), [(True, GOOD), (False, CARE)])
def test_real_time(monkeypatch: pytest.MonkeyPatch, granted: bool, state: str) -> None:
    monkeypatch.setattr(realtime, "realtime_is_granted", lambda: granted)
    finding = doctor.real_time(SETTINGS)
    assert finding.state == state
    assert ("rtprio" in finding.told) != granted


def test_a_kit_that_is_broken_is_a_finding_and_the_others_follow(tmp_path: Path) -> None:
    (tmp_path / "kit.toml").write_text("= broken")
    settings = SETTINGS.replace({"kit": {"name": str(tmp_path)}, "osc": {"port": 0}})
    found = {finding.name: finding for finding in doctor.examine(settings)}
    assert found["renderer"].state == BAD
    assert "kit.toml" in found["renderer"].told
    assert found["network"].state == GOOD


@pytest.mark.parametrize(("free", "state"), [(50 << 20, BAD), (500 << 20, CARE), (5 << 30, GOOD)])
def test_disk(monkeypatch: pytest.MonkeyPatch, free: int, state: str) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, free))
    assert doctor.disk(SETTINGS).state == state


def test_a_folder_that_is_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.os, "access", lambda *_: False)
    assert doctor.disk(SETTINGS).state == BAD


def test_network() -> None:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as other:
        other.bind(("127.0.0.1", 0))
        finding = doctor.network(on_port(other.getsockname()[1]))
    assert finding.state == BAD
    assert "is in use" in finding.told
    with Rig() as rig:
        finding = doctor.network(on_port(rig.osc.address[1]))
    assert finding.told.startswith("a GAN-808 runs at 127.0.0.1:")
    assert doctor.network(on_port(0)).state == GOOD
    assert doctor.network(SETTINGS.replace({"osc": {"enabled": False}})).state == CARE
