"""A JACK server without a sound card, for tests, and a meter that plays notes and records.

    from tests.jack_server import JackMeter, jack_server  # noqa: F401  (a fixture)

    def test_it(jack_server):
        with JackMeter(jack_server) as meter:
            meter.connect_audio("gan808")
            meter.note_on(36, 100, at_frame=4800)
            audio = meter.capture(0.5)      # frame 4800 of audio is the note's frame
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.support.jack import end

RATE_HZ = 48_000
PERIOD_FRAMES = 128
START_TIMEOUT_S = 30.0
NOTE_ON, NOTE_OFF, PROGRAM_CHANGE, CONTROL_CHANGE = 0x90, 0x80, 0xC0, 0xB0
DRUM_CHANNEL = 10


# A test run that is killed must leave no server behind; util-linux has this on every Linux.
_DYING_WITH_US = ("setpriv", "--pdeathsig", "TERM") if shutil.which("setpriv") else ()


class JackError(AssertionError):
    """JACK did not do what the test needs."""


class JackMeter:
    """A JACK client with two audio inputs and a MIDI output, in a process of its own.

    Notes given a frame wait for the next capture and are sent at that frame of it, to the sample.
    """

    def __init__(self, server: str, name: str = "meter") -> None:
        environment = dict(os.environ, JACK_DEFAULT_SERVER=server, JACK_NO_AUDIO_RESERVATION="1")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.jack_client", name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env=environment, cwd=Path(__file__).parent.parent)
        try:
            self.sample_rate_hz = int(self._answer()[0]["rate_hz"])
        except JackError:
            self.close()
            raise
        self.skipped_frames = 0
        # What came on midi_in during the last capture: its frame, its bytes.
        self.midi: list[tuple[int, list[int]]] = []
        # The frame by JACK's clock at which the last capture began, and those of it, by the same
        # clock, at which scheduled notes were sent.
        self.start_frame = 0
        self.sent_frames: list[int] = []
        # Its periods: the first frame, and the transport's there, None where that does not roll.
        self.transport: list[tuple[int, int | None]] = []

    def __enter__(self) -> JackMeter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def connect_audio(self, part: str) -> list[str]:
        """Records from the first two audio outputs whose name contains `part`; waits for them."""
        return list(self._ask(do="connect", type="audio", part=part)[0]["ports"])

    def connect_midi(self, part: str, **more: float) -> list[str]:
        """Sends to the first MIDI input whose name contains `part`; waits for it, within_s."""
        return list(self._ask(do="connect", type="midi", part=part, **more)[0]["ports"])

    def note_on(self, note: int, velocity: int, at_frame: int | None = None,
                channel: int = DRUM_CHANNEL) -> None:
        """Schedules a note at a frame of the next capture, or sends it now."""
        self.message([NOTE_ON | channel - 1, note, velocity], at_frame)

    def message(self, message: list[int], at_frame: int | None = None) -> None:
        """Schedules or sends the bytes of one JACK MIDI event."""
        self._ask(do="note", message=message, at_frame=at_frame)

    def move_transport(self, frame: int | None = None, rolls: bool | None = None) -> None:
        """Relocates JACK's transport, or has it roll or stand."""
        self._ask(do="move", frame=frame, rolls=rolls)

    def capture(
        self, seconds: float, meanwhile: Callable[[], object] = lambda: None
    ) -> NDArray[np.float32]:
        """Records float32 (n, 2), frame 0 being the first frame of a JACK period; meanwhile() is
        called once that has begun.

        skipped_frames then says how many JACK itself lost meanwhile (recorded as silence).
        """
        self._ask(do="capture", seconds=seconds)
        meanwhile()
        head, data = self._answer()
        self.skipped_frames = int(head["skipped_frames"])
        self.midi = [(int(frame), list(data)) for frame, data in head["midi"]]
        self.transport = [(int(first), place) for first, place in head["transport"]]
        self.start_frame = int(head["start"] or 0)
        self.sent_frames = [self.start_frame + int(frame) for frame in head["sent"]]
        return np.frombuffer(data, np.float32).reshape(-1, 2)

    def close(self) -> None:
        """Ends the process."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _ask(self, **request: Any) -> tuple[dict[str, Any], bytes]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> tuple[dict[str, Any], bytes]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise JackError("the JACK client died")
        head = json.loads(line)
        data = self._process.stdout.read(head["bytes"])
        if head.get("error"):
            raise JackError(head["error"])
        return head, data


def start_server(
    name: str, *, period_frames: int = PERIOD_FRAMES, rate_hz: int = RATE_HZ
) -> subprocess.Popen[bytes]:
    """Starts jackd with its dummy driver under a private name and waits until it answers.

    Raises JackError when it does not. Neither real-time priority nor locked memory is asked for:
    containers grant neither.
    """
    process = subprocess.Popen(
        [*_DYING_WITH_US, "jackd", "--name", name, "--no-realtime", "--no-mlock", "--sync",
         "-d", "dummy", "-r", str(rate_hz), "-p", str(period_frames)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline_s = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline_s and process.poll() is None:
        try:
            JackMeter(name, "probe").close()
            return process
        except JackError:
            time.sleep(0.05)
    stop_server(process, name)
    raise JackError("jackd does not start here")


def stop_server(process: subprocess.Popen[bytes], name: str) -> None:
    """Ends jackd and removes what a killed one leaves in shared memory."""
    end(process)
    for left in Path("/dev/shm").glob(f"*{name}*"):
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def jack_server() -> Iterator[str]:
    """The name of a running JACK server, also in JACK_DEFAULT_SERVER while the module's tests run.

    Skips where jackd is missing; fails where it is there and does not start.
    """
    if shutil.which("jackd") is None:
        pytest.skip("jackd is not installed: no test with a real JACK server")
    name = f"gan808-test-{os.getpid()}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JACK_DEFAULT_SERVER", name)
        patch.setenv("JACK_NO_START_SERVER", "1")
        process = start_server(name)
        try:
            yield name
        finally:
            stop_server(process, name)
