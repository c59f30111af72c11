"""Dense notes: 200 a second from a MIDI port, the renderer flat out. None lost, none late?

    python benchmarks/dense.py [--seconds 60] [--period 128]

One JACK server without a sound card. The meter, in C, sends notes 2.5 to 7.5 ms apart at known
frames from one JACK client and records with another. GAN-808 plays a kit whose sound is a click
shorter than a block: what begins in each block can be counted, two at once included. Printed: notes
lost, and in how many blocks after its own each is heard, 0 where it was played in the cycle that
brought it. What would have begun in a period that the server lost cannot be heard, and is told
apart. Status 1 when a note was lost, or late by more than a block though no period was lost.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.support import jack
from benchmarks.support.jack import RATE_HZ, Take
from benchmarks.support.kits import click, write_random_kit
from gan808.sound.kit.kit import load_kit

SPACING_FRAMES = RATE_HZ // 200
SETTLES_S = 15.0
CONFIG = """
[pool]
limit = 1000
low_water = 1000
[osc]
enabled = false
"""


def counted(take: Take, sound: np.ndarray, period: int) -> np.ndarray:
    """How many clicks begin in each block of the recording."""
    blocks = take.audio[:len(take.audio) // period * period].reshape(-1, period)
    if len(sound) > period:
        raise RuntimeError(f"a click of {len(sound)} frames does not fit a block of {period}")
    found = blocks[:, :len(sound)] @ sound
    one = float(np.median(found[found > 0.3 * found.max()]))  # most blocks have one, if any
    return np.rint(found / one).astype(int)


def main() -> int:
    """One take; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--period", type=int, default=128)
    given = parser.parse_args()
    if missing := jack.needed("jackd", "cc"):
        print(f"left out: {missing} is missing")
        return 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kit = write_random_kit(folder / "clicks", "house", slots=1, sound=click)
        sound = np.asarray(load_kit(kit).factory_sounds(RATE_HZ)[0].audio)
        meter = jack.build_meter(folder)
        with jack.jack_server(given.period) as environment, jack.gan808(
                environment, "--pattern", "off", "--evolve", "0", "--kit", str(kit),
                config=CONFIG):
            time.sleep(SETTLES_S)
            take = jack.undisturbed(lambda: jack.record(
                meter, environment, "gan808", count=round(given.seconds * 200),
                spacing_frames=SPACING_FRAMES))
    clicks = counted(take, sound[:given.period], given.period)
    silent = np.asarray(
        take.missing[:clicks.size * given.period].reshape(-1, given.period).any(axis=1))
    heard = np.repeat(np.arange(len(clicks)), clicks)
    sent = np.sort(np.asarray(take.notes)) // given.period
    unheard, hidden = len(sent) - len(heard), int((silent[sent] | silent[sent + 1]).sum())
    lost = max(0, unheard - hidden)  # what was due there may have been played a period later
    print(f"{len(sent)} notes in {given.seconds:g} s, renderer flat out, {given.period} frames a "
          f"block, {RATE_HZ} Hz: {lost} lost; {unheard} not heard, {hidden} due in the "
          f"{silent.sum()} periods that the server lost; its xruns {take.xruns}")
    if unheard:
        return int(lost > 0)
    late = Counter((heard - sent).tolist())
    print("  blocks after the note's own: " + ", ".join(
        f"{blocks}: {late[blocks]} notes" for blocks in sorted(late)))
    return int(max(late) > 1 and take.xruns == 0)


if __name__ == "__main__":
    sys.exit(main())
