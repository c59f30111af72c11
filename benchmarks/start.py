"""From the command to the first note that can be played: GAN-808 against FluidSynth.

    python benchmarks/start.py [--repeats 7]

Both are started on one JACK server without a sound card, in turn. The meter, a JACK client in C,
waits for their ports, connects them and sends a note every 10 ms until it hears something.
Printed: the median of the seconds from start to sound, and the ratio FluidSynth / GAN-808 (above
1: GAN-808 is there first). Kernels are compiled before, as after the first run on a machine.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from contextlib import AbstractContextManager
from pathlib import Path
from subprocess import Popen

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.support import jack
from benchmarks.support.jack import CHANNEL, KICK, RATE_HZ, Environment

PERIOD_FRAMES = 128
CONFIG = "[osc]\nenabled = false\n"


def first_note_s(meter: Path, environment: Environment, part: str,
                 player: AbstractContextManager[Popen[bytes]]) -> float:
    """Seconds from starting a player to its first sound."""
    listening = jack.start_meter(meter, environment, part, CHANNEL, KICK, 127, 0, RATE_HZ // 100)
    began_s = time.monotonic()
    with player:
        heard = listening.communicate()[0].strip()
    if listening.returncode:
        raise RuntimeError(f"{part} was not heard")
    return float(heard) - began_s


def main() -> None:
    """Starts both in turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    repeats = parser.parse_args().repeats
    missing = jack.needed("jackd", "fluidsynth", "cc")
    if missing:
        print(f"left out: {missing} is missing")
        return
    ours: list[float] = []
    theirs: list[float] = []
    with tempfile.TemporaryDirectory() as folder, jack.jack_server(PERIOD_FRAMES) as environment:
        meter = jack.build_meter(Path(folder))
        for turn in range(repeats + 1):  # the first warms the disk's cache for both
            player = jack.gan808(environment, "--pattern", "off", "--evolve", "0", config=CONFIG)
            own_s = first_note_s(meter, environment, "gan808", player)
            their_s = first_note_s(meter, environment, "fluidsynth",
                                   jack.fluidsynth(environment, PERIOD_FRAMES))
            if turn:
                ours.append(own_s)
                theirs.append(their_s)
    own_s, their_s = statistics.median(ours), statistics.median(theirs)
    print(f"{repeats} starts each: GAN-808 {own_s:.2f} s, FluidSynth {their_s:.2f} s, "
          f"ratio {their_s / own_s:.2f}")


if __name__ == "__main__":
    main()
