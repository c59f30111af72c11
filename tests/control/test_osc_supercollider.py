"""The OSC server with SuperCollider's language: messages, answers, and bundles that play at their
time tags to the sample. No SuperCollider server is started.
"""

from __future__ import annotations

import os
import shutil
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from tests.control.jack_stage import Stage, heard_frames, mapped
from tests.control.rig import Client, Rig, frames_of, until
from tests.jack_server import RATE_HZ, JackMeter, jack_server
from tests.timing import WITHIN_S

__all__ = ["jack_server", "mapped"]

pytestmark = [
    pytest.mark.real_time,
    pytest.mark.skipif(
        shutil.which("sclang") is None,
        reason="sclang of supercollider-language is not installed: no test with SuperCollider"),
]
# The language is linked to Qt, which wants no screen and, as root, no sandbox.
ENVIRONMENT = {"QT_QPA_PLATFORM": "offscreen", "QTWEBENGINE_DISABLE_SANDBOX": "1"}
STARTS_WITHIN_S = 120.0


def sclang(folder: Path, port: int, code: str) -> str:
    """Run a program in which `~gan` is the instrument, to its end; what it posted."""
    path = folder / "program.scd"
    path.write_text(f'~gan = NetAddr("127.0.0.1", {port});\n{code}\n', encoding="ascii")
    done = subprocess.run(
        ["sclang", str(path)], env={**os.environ, **ENVIRONMENT, "HOME": str(folder)},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        timeout=STARTS_WITHIN_S, check=True)
    assert "ERROR" not in done.stdout, done.stdout
    return done.stdout


@contextmanager
def noting_tags(target: tuple[str, int]) -> Iterator[tuple[int, list[int]]]:
    """A port that passes everything on, and the raw time tag of every bundle that came by."""
    tags: list[int] = []
    with (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as relay,
          socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out):
        relay.bind(("127.0.0.1", 0))
        relay.settimeout(0.1)
        stopping = threading.Event()

        def pass_on() -> None:
            while not stopping.is_set():
                try:
                    datagram = relay.recv(65536)
                except TimeoutError:
                    continue
                if datagram.startswith(b"#bundle\0"):
                    tags.extend(struct.unpack_from(">Q", datagram, 8))
                out.sendto(datagram, target)

        thread = threading.Thread(target=pass_on, daemon=True)
        thread.start()
        try:
            yield int(relay.getsockname()[1]), tags
        finally:
            stopping.set()
            thread.join(10)


def test_a_program_plays_sets_and_reads(rig: Rig, tmp_path: Path) -> None:
    rig.stock("snare", 7)
    posted = sclang(tmp_path, rig.osc.address[1], """
        fork {
            ["/gan808/hello/reply", "/gan808/done", "/gan808/fail", "/gan808/slot/SD/changed",
             "/gan808/synced", "/gan808/slot/BD/level"].do { |address|
                OSCFunc({ |msg| ("got" + msg).postln }, address);
            };
            ~gan.sendMsg("/gan808/hello");
            ~gan.sendMsg("/gan808/notify", 1);
            ~gan.sendMsg("/gan808/trig", "BD", 0.5);
            ~gan.sendMsg("/gan808/trig", 2, 1);
            ~gan.sendMsg("/gan808/slot/BD/level", 0.25);
            ~gan.sendMsg("/gan808/slot/SD/new");
            ~gan.sendMsg("/gan808/trig", "XX", 1);
            ~gan.sendMsg("/gan808/sync", 9);
            1.wait;
            0.exit;
        };""")
    assert [(hit.slot, hit.value) for hit in rig.played()] == [(0, 0.5), (1, 1.0)]
    got = [line[4:] for line in posted.splitlines() if line.startswith("got ")]
    assert got[0].startswith("[ /gan808/hello/reply, ")
    assert "[ /gan808/done, /gan808/notify ]" in got
    assert "[ /gan808/slot/BD/level, 0.25 ]" in got
    assert "[ /gan808/slot/SD/changed, fake/snare/7, 7 ]" in got
    assert "[ /gan808/done, /gan808/slot/SD/new, fake/snare/7 ]" in got
    assert any(line.startswith("[ /gan808/fail, /gan808/trig, slot 'XX'") for line in got)
    assert "[ /gan808/synced, 9 ]" in got


def test_a_bundle_plays_at_its_time_tag(rig: Rig, tmp_path: Path) -> None:
    """Sixteen steps as the language's clock sends them, its jitter included: the frames that the
    engine is given lie as far apart as the tags. Two hits of one bundle share a frame."""
    with noting_tags(rig.osc.address) as (port, tags):
        sclang(tmp_path, port, """
            fork {
                16.do { |step|
                    ~gan.sendBundle(2, ["/gan808/trig", "CH", 0.5], ["/gan808/trig", "BD", 1]);
                    0.031.wait;
                };
                1.wait;
                0.exit;
            };""")
        hits = until(lambda: len(rig.played()) == 32 and rig.played(), WITHIN_S)
    assert len(tags) == 16
    assert rig.osc.counters.late == 0
    frames = np.array(frames_of(hits))
    assert np.array_equal(frames[::2], frames[1::2])
    due = np.array([tag - tags[0] for tag in tags]) / 2**32 * RATE_HZ
    # Each frame is rounded once, and seconds since 1970 are held to a hundredth of a frame.
    assert np.abs(frames[::2] - frames[0] - due).max() <= 1.01


def test_a_bundle_in_the_past_is_told(rig: Rig, tmp_path: Path) -> None:
    posted = sclang(tmp_path, rig.osc.address[1], """
        fork {
            OSCFunc({ |msg| ("late by" + msg[2].round(1)).postln }, "/gan808/late");
            ~gan.sendBundle(-2, ["/gan808/trig", "BD", 1]);
            1.wait;
            0.exit;
        };""")
    (late,) = [line for line in posted.splitlines() if line.startswith("late by ")]
    assert 1900 < float(late.split()[-1]) < 4000
    assert [(hit.slot, hit.frame) for hit in rig.played()] == [(0, 0)]


def test_a_bundle_is_heard_at_its_very_sample(
    jack_server: str, mapped: list[tuple[float, int]], tmp_path: Path
) -> None:
    """From the language to a JACK server's port: every click where the engine was told to play it,
    and that as far from the others as the tags say."""
    with (Stage() as stage, JackMeter(jack_server) as meter,
          noting_tags(stage.osc.address) as (port, tags)):
        meter.connect_audio("gan808")
        program = threading.Thread(target=sclang, args=(tmp_path, port, """
            fork {
                ~gan.sendMsg("/gan808/hello");
                12.do { |step|
                    ~gan.sendBundle(0.6, ["/gan808/trig", "BD", 1]);
                    0.0517.wait;
                };
                1.wait;
                0.exit;
            };"""))
        program.start()
        until(lambda: stage.osc.counters.packets, STARTS_WITHIN_S)
        audio = meter.capture(2.0)
        program.join(STARTS_WITHIN_S)
        assert meter.skipped_frames == 0
        assert stage.osc.counters.late == stage.engine.stats().late_commands == 0
    assert len(tags) == 12
    due_s, frames = map(np.array, zip(*sorted(mapped), strict=True))
    assert np.diff(due_s) == pytest.approx(np.diff(np.array(tags) - tags[0]) / 2**32, abs=0.0005)
    assert np.array_equal(heard_frames(audio), np.sort(frames) - frames.min())


def test_a_client_is_left_alone(rig: Rig, tmp_path: Path) -> None:
    """What the language sends on its own, such as an empty bundle or a blob, harms nothing."""
    sclang(tmp_path, rig.osc.address[1], """
        ~gan.sendBundle(0.0);
        ~gan.sendMsg("/gan808/trig", Int8Array[1, 2, 3]);
        ~gan.sendMsg("/gan808/status.reply", 1);
        ~gan.sendBundle(nil, ["/gan808/trig", "SD", 1.0]);
        0.exit;""")
    with Client(rig) as client:
        client.settle()
    assert [(hit.slot, hit.value, hit.frame) for hit in rig.played()] == [(1, 1.0, 0)]
