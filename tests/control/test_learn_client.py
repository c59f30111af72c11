"""`gan808 learn` against a machine with a real OSC socket; MIDI is put in by hand."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from gan808.cli.main import app
from gan808.control.midi.input import MidiNotes
from gan808.control.osc.learn_client import learning
from gan808.control.osc.status_client import ask_status
from gan808.errors import ConfigError, DeviceError, Gan808Error
from tests.control.rig import Rig
from tests.timing import WITHIN_S


@pytest.fixture
def rig() -> Iterator[Rig]:
    with Rig() as rig:
        yield rig


def lines(rig: Rig, target: str | None = None, *, show: bool = False, forget: str | None = None,
          wait_s: float = WITHIN_S) -> Iterator[str]:
    return learning(*rig.osc.address, target, show, forget, wait_s)


def test_a_control_is_learned_listed_and_forgotten(rig: Rig) -> None:
    notes = MidiNotes(rig.machine, rig.engine.port("midi"), rig.settings)
    talk = lines(rig, "/slot/sd/level")
    assert next(talk).startswith("move the control for /slot/SD/level")
    notes.receive([0xB0, 21, 64], 0.0)
    assert list(talk) == ["cc 1 21 moves /slot/SD/level from now on"]
    assert list(lines(rig, show=True)) == ["cc 1 21  /slot/SD/level"]
    assert list(lines(rig, forget="cc 1 21")) == ["forgotten: 1 control"]
    assert list(lines(rig, show=True)) == ["nothing was learned"]


def test_without_a_control_it_gives_up_and_the_daemon_waits_no_longer(rig: Rig) -> None:
    with pytest.raises(Gan808Error, match="no control was moved in 0.1 s"):
        list(lines(rig, "/volume", wait_s=0.1))
    assert list(lines(rig, show=True)) == ["nothing was learned"]
    assert rig.machine.learning.pending is None


def test_giving_up_half_way_cancels(rig: Rig) -> None:
    talk = lines(rig, "/volume")
    next(talk)
    assert rig.machine.learning.pending is not None
    talk.close()  # type: ignore[attr-defined]
    list(lines(rig, show=True))
    assert rig.machine.learning.pending is None


def test_refusals_are_the_daemon_s_own(rig: Rig) -> None:
    with pytest.raises(Gan808Error, match="nothing that a control can move"):
        list(lines(rig, "/rubbish"))
    with pytest.raises(Gan808Error, match="nothing of that was learned"):
        list(lines(rig, forget="cc 1 1"))
    with pytest.raises(ConfigError, match="--list"):
        list(lines(rig))


def test_nobody_there() -> None:
    with pytest.raises(DeviceError, match="gan808 run"):
        list(learning("127.0.0.1", 9, "/volume", False, None, 1.0))


def test_the_command_line(rig: Rig) -> None:
    host, port = rig.osc.address
    done = CliRunner().invoke(app, ["learn", "--list", "--osc", f"{host}:{port}"])
    assert (done.exit_code, done.output) == (0, "nothing was learned\n")


@pytest.mark.parametrize("host", ["::1", "::", "127.0.0.1", "0.0.0.0", "localhost"])
def test_a_daemon_is_found_wherever_it_listens(host: str) -> None:
    """By `learn` and by `status`, IPv6 included."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as trying:
            trying.bind(("::1", 0))
    except OSError:
        if ":" in host:
            pytest.skip("no IPv6 on this machine")
    with Rig(osc={"host": host, "port": 0}) as rig:
        port = rig.osc.address[1]
        assert list(learning(host, port, None, True, None, 1.0)) == ["nothing was learned"]
        answer = ask_status(host, port, WITHIN_S)
        assert answer["stock"]["kick"] == 0
        assert answer["sync"] == "auto"


def test_nobody_there_is_named_as_it_was_given() -> None:
    with pytest.raises(DeviceError, match=r"no GAN-808 answers at \[::1\]:9;"):
        ask_status("::1", 9, 0.2)
    with pytest.raises(DeviceError, match="no GAN-808 answers at no.such.host.invalid:9;"):
        ask_status("no.such.host.invalid", 9, 0.2)
