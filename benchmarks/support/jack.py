"""What benchmarks on JACK share: a server without a sound card, the two synthesisers, the meter.

Everything runs as a process of its own and ends with the context that started it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

CHECKOUT = Path(__file__).resolve().parents[2]
RATE_HZ = 48_000
CHANNEL, KICK = 10, 36
SOUND_FONTS = (
    "/usr/share/sounds/sf2/FluidR3_GM.sf2",
    "/usr/share/sounds/sf2/default-GM.sf2",
    "/usr/share/soundfonts/FluidR3_GM.sf2",
)
SERVER_STARTS_S = 0.5
TRIES = 5

Environment = dict[str, str]


@dataclass
class Take:
    """One recording: float32 mono, the frames of the notes in it, the xruns meanwhile; and, for
    each frame, whether it is missing because the server lost its period: there it is silent."""

    audio: NDArray[np.float32]
    notes: list[int]
    xruns: int
    missing: NDArray[np.bool_]


def needed(*programs: str) -> str | None:
    """The first of these programs that is missing, or a missing sound font."""
    missing = [name for name in programs if shutil.which(name) is None]
    if "fluidsynth" in programs and sound_font() is None:
        missing.append("a General MIDI sound font (fluid-soundfont-gm)")
    return missing[0] if missing else None


def sound_font() -> str | None:
    """The first General MIDI sound font there is."""
    return next((path for path in SOUND_FONTS if Path(path).exists()), None)


def build_meter(folder: Path) -> Path:
    """Compiles the meter. Raises CalledProcessError where cc or JACK's headers are missing."""
    meter = folder / "meter"
    source = Path(__file__).with_name("meter.c")
    subprocess.run(["cc", "-O2", "-o", meter, source, "-ljack", "-lm"], check=True)
    return meter


@contextmanager
def jack_server(period_frames: int) -> Iterator[Environment]:
    """A private jackd with its dummy driver, in real time where that is granted; the environment
    in which clients find it."""
    name = f"gan808-bench-{os.getpid()}"
    environment = dict(os.environ, JACK_DEFAULT_SERVER=name, JACK_NO_START_SERVER="1",
                       JACK_NO_AUDIO_RESERVATION="1")
    server = subprocess.Popen(
        ["jackd", "--name", name, "--no-mlock", "-d", "dummy", "-r", str(RATE_HZ),
         "-p", str(period_frames)], env=environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(SERVER_STARTS_S)
        if server.poll() is not None:
            raise RuntimeError("jackd does not start here")
        yield environment
    finally:
        end(server)


def end(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    """Ends a process, however it takes that; a jackd that is killed leaves one of JACK's eight
    places for servers taken."""
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def gan808(environment: Environment, *options: str, config: str = "",
           home: Path | None = None, module: str = "gan808") -> Iterator[subprocess.Popen[bytes]]:
    """`gan808 run` on JACK with a virtual MIDI port, this config, and user folders of its own: in
    home, where they stay for the next, or in a folder that goes with it. module: what is run."""
    with ExitStack() as kept:
        if home is None:
            home = Path(kept.enter_context(tempfile.TemporaryDirectory()))
        path = Path(home, "bench.toml")
        path.write_text(config, encoding="utf-8")
        folders = {name: str(Path(home, name)) for name in
                   ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME",
                    "XDG_STATE_HOME")}
        process = subprocess.Popen(
            [sys.executable, "-m", module, "run", "--output", "JACK", "--midi", "virtual",
             "--config", str(path), "--quiet", *options],
            env={**environment, **folders, "PYTHONPATH": str(CHECKOUT)}, cwd=CHECKOUT,
            stdin=subprocess.DEVNULL)
        try:
            yield process
        finally:
            end(process)


@contextmanager
def fluidsynth(environment: Environment, period_frames: int) -> Iterator[subprocess.Popen[bytes]]:
    """FluidSynth on JACK with two periods of the same block, reverb and chorus off."""
    process = subprocess.Popen(
        ["fluidsynth", "-is", "-a", "jack", "-m", "jack", "-R", "0", "-C", "0", "-r", str(RATE_HZ),
         "-z", str(period_frames), "-c", "2", "-o", "audio.jack.id=fluidsynth",
         "-o", "midi.jack.id=fluidsynth", str(sound_font())],
        env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        end(process)


def start_meter(meter: Path, environment: Environment, part: str, *numbers: int,
                file: Path | None = None) -> subprocess.Popen[str]:
    """Starts the meter on ports whose names contain part; returns when it listens."""
    arguments: Sequence[str] = [str(number) for number in numbers]
    process = subprocess.Popen([str(meter), part, *arguments, str(file or os.devnull)],
                               env=environment, stdout=subprocess.PIPE, text=True)
    if process.stdout is None or process.stdout.readline().strip() != "ready":
        raise RuntimeError("the meter does not start")
    return process


def record(meter: Path, environment: Environment, part: str, *, count: int, spacing_frames: int,
           note: int = KICK, velocity: int = 127) -> Take:
    """Plays count notes about spacing_frames apart and records them."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "take.f32")
        process = start_meter(meter, environment, part, CHANNEL, note, velocity, count,
                              spacing_frames, file=file)
        lines = process.communicate()[0].split("\n")
        if process.returncode:
            raise RuntimeError("the meter failed")
        audio = np.fromfile(file, np.float32)
    notes = [int(line) for line in lines[1:] if line]
    missing = np.isnan(audio)
    audio[missing] = 0.0
    return Take(audio, notes, int(lines[0].split()[1]), missing)


class Counted(Protocol):
    """Anything recorded, with the server's xruns meanwhile."""

    xruns: int


Recorded = TypeVar("Recorded", bound=Counted)


def undisturbed(take: Callable[[], Recorded]) -> Recorded:
    """The first of TRIES takes in which the server lost no period, or, where it always did, the one
    in which it lost least: what it loses is silent, and all that follows comes later."""
    best = take()
    for _ in range(TRIES - 1):
        if best.xruns == 0:
            break
        best = min(best, take(), key=lambda each: each.xruns)
    return best


def onset(audio: NDArray[np.float32], threshold: float) -> int | None:
    """The first frame louder than the threshold."""
    loud = np.flatnonzero(np.abs(audio) > threshold)
    return int(loud[0]) if len(loud) else None
