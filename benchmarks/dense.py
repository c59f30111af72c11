"""Dense notes: 200 a second from a MIDI port, the renderer flat out. None lost, none late?

    python benchmarks/dense.py [--seconds 60] [--period 128]

One JACK server without a sound card. The meter, in C, sends notes 2.5 to 7.5 ms apart at known
frames from one JACK client and records with another. GAN-808 plays a kit whose sound is a click of
a millisecond. Printed: notes lost, and how many frames after its own each is heard, 0 where it was
played in the cycle that brought it, at its place there. What is due in or just before a period that
the server lost cannot be heard, and is told apart. Status 1 when a note was lost, or was late.
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


def clicks(audio: np.ndarray, sound: np.ndarray) -> np.ndarray:
    """The frames at which clicks begin: where the recording is most like one."""
    likeness = np.correlate(audio, sound)
    one = float(np.median(likeness[likeness > 0.7 * likeness.max()]))
    peak = (likeness[1:-1] > 0.5 * one) & (likeness[1:-1] >= likeness[:-2]) & (
        likeness[1:-1] > likeness[2:])
    return 1 + np.flatnonzero(peak)


def lateness(take: Take, sound: np.ndarray, period: int) -> tuple[Counter[int], int, int]:
    """How many notes were how many frames late; how many were lost; and of how many that cannot be
    told, since the server lost a period there."""
    heard = set(clicks(take.audio, sound).tolist())
    late: Counter[int] = Counter()
    lost = hidden = 0
    for note in sorted(take.notes):
        if take.missing[max(0, note - period):note + period + len(sound)].any():
            hidden += 1
            continue
        later = [frame for frame in range(note, note + 2 * period) if frame in heard]
        if later:
            heard.discard(later[0])
            late[later[0] - note] += 1
        else:
            lost += 1
    return late, lost, hidden


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
    late, lost, hidden = lateness(take, sound, given.period)
    print(f"{len(take.notes)} notes in {given.seconds:g} s, renderer flat out, {given.period} "
          f"frames a block, {RATE_HZ} Hz: {lost} lost; {hidden} at periods that the server lost; "
          f"its xruns {take.xruns}")
    print("  frames late: " + ", ".join(
        f"{frames}: {late[frames]} notes" for frames in sorted(late)))
    return int(lost > 0 or max(late, default=0) > 0)


if __name__ == "__main__":
    sys.exit(main())
