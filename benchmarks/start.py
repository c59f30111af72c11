"""From the command to the first note that can be played: GAN-808 against FluidSynth.

    python benchmarks/start.py [--repeats 7]

Both are started on one JACK server without a sound card, in turn. The meter, two JACK clients in C,
waits for their ports, connects them and sends a note every 10 ms until it hears something.
Printed: the median of the seconds from start to sound, the median of the processor's seconds until
then (what is left of it on an idle machine), and the ratios FluidSynth / GAN-808 (above 1: GAN-808
is there first). Both are warm, as from their second start on a machine: programs and sound font are
in the disk's cache, GAN-808's callback is compiled and its factory sounds are decoded.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.support import jack
from benchmarks.support.jack import CHANNEL, KICK, RATE_HZ, Environment

PERIOD_FRAMES = 128
WARMING = 2  # starts of each that are not counted
CONFIG = "[osc]\nenabled = false\n"


@dataclass(frozen=True)
class Start:
    """Seconds from the command to the first sound, and of the processor until then."""

    real_s: float
    processor_s: float


def start_of(meter: Path, environment: Environment, part: str,
             player: AbstractContextManager[Popen[bytes]]) -> Start:
    """Start a player and play a note until it sounds. Raises RuntimeError if it never does."""
    listening = jack.start_meter(meter, environment, part, CHANNEL, KICK, 127, 0, RATE_HZ // 100)
    began_s = time.monotonic()
    with player as process:
        heard = listening.communicate()[0].strip()
        times = psutil.Process(process.pid).cpu_times()
    if listening.returncode:
        raise RuntimeError(f"{part} was not heard")
    return Start(float(heard) - began_s, times.user + times.system)


def summary(name: str, starts: list[Start]) -> str:
    """The medians in words."""
    real_s = statistics.median(each.real_s for each in starts)
    processor_s = statistics.median(each.processor_s for each in starts)
    return f"{name} {real_s:.2f} s, {processor_s:.2f} s of processor"


def ratio(ours: list[Start], theirs: list[Start], what: Callable[[Start], float]) -> float:
    """How many of our medians go into theirs."""
    return statistics.median(map(what, theirs)) / statistics.median(map(what, ours))


def main() -> None:
    """Starts both in turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    repeats = parser.parse_args().repeats
    missing = jack.needed("jackd", "fluidsynth", "cc")
    if missing:
        print(f"left out: {missing} is missing")
        return
    ours: list[Start] = []
    theirs: list[Start] = []
    with tempfile.TemporaryDirectory() as folder, jack.jack_server(PERIOD_FRAMES) as environment:
        meter = jack.build_meter(Path(folder))
        for turn in range(repeats + WARMING):
            player = jack.gan808(environment, "--pattern", "off", "--evolve", "0", config=CONFIG,
                                 home=Path(folder))
            own = start_of(meter, environment, "gan808", player)
            their = start_of(meter, environment, "fluidsynth",
                             jack.fluidsynth(environment, PERIOD_FRAMES))
            if turn >= WARMING:
                ours.append(own)
                theirs.append(their)
    print(f"{repeats} starts each: {summary('GAN-808', ours)}; {summary('FluidSynth', theirs)}; "
          f"ratio {ratio(ours, theirs, lambda each: each.real_s):.2f}, "
          f"of processor {ratio(ours, theirs, lambda each: each.processor_s):.2f}")


if __name__ == "__main__":
    main()
