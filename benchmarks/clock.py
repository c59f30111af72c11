"""Following a MIDI clock whose ticks tremble: the steps heard against the ideal ones, on JACK.

    python benchmarks/clock.py [--seconds 64] [--bpm 120] [--jitter 1.0] [--period 128]

One JACK server without a sound card. A JACK client sends start and 24 ticks a beat at known frames,
each off by a random (Gaussian) error, and records what GAN-808 plays: a short sound on every
sixteenth. Printed: how far the steps are from the ideal ones, root mean square after the first bar,
and the ratio of the ticks' error to the steps' (above 1: steadier than what it follows). Steps
leave the port early by the output's latency, to be heard in time: that is printed and taken off.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.latency import HEARD, our_attack
from benchmarks.support import jack
from benchmarks.support.jack import CHANNEL, RATE_HZ
from benchmarks.support.listening import Heard, MidiEvent, build_listener, listening

START, TICK = 0xFA, 0xF8
TICKS_A_STEP, STEPS_A_BAR = 6, 16
LEAD_S = 2.0
SETTLES_S = 15.0  # the renderer has loaded by then and has filled its small stock
# The first slot's decay, by its controller: 60 dB in 45 ms, so that steps do not run together.
SHORT = (0xB0 | CHANNEL - 1, 40, 11)
PATTERN = 'name = "every"\n[steps]\nBD = "XXXX XXXX XXXX XXXX"\n'
CONFIG = """
[osc]
enabled = false
[pool]
limit = 1
low_water = 1
[sequencer]
sync = "midi"
"""


def clock_events(seconds: float, bpm: float, jitter_ms: float) -> tuple[list[MidiEvent], float]:
    """Start and ticks as events, and the deviation in ms their frames really have."""
    chance = random.Random(808)
    a_tick = RATE_HZ * 60.0 / bpm / 24
    first = LEAD_S * RATE_HZ
    errors = [chance.gauss(0.0, jitter_ms / 1000 * RATE_HZ) for _ in range(int(
        seconds * RATE_HZ / a_tick))]
    frames = [round(first + number * a_tick + error) for number, error in enumerate(errors)]
    events: list[MidiEvent] = [(1000, SHORT), (frames[0] - RATE_HZ // 100, (START,))]
    events += [(frame, (TICK,)) for frame in sorted(frames)]
    return events, float(np.std(errors)) / RATE_HZ * 1000


def follow(listener: Path, period: int, seconds: float, bpm: float, jitter_ms: float) -> float:
    """One take, undisturbed if it can be had; the root mean square error of the steps in ms."""
    events, real_jitter_ms = clock_events(seconds, bpm, jitter_ms)
    a_step = RATE_HZ * 60.0 / bpm * TICKS_A_STEP / 24
    with tempfile.TemporaryDirectory() as folder:
        pattern = Path(folder, "every.toml")
        pattern.write_text(PATTERN, encoding="utf-8")
        options = ("--pattern", str(pattern), "--evolve", "0")
        with jack.jack_server(period) as environment, jack.gan808(
                environment, *options, config=CONFIG):
            time.sleep(SETTLES_S)

            def take() -> Heard:
                with listening(listener, environment, "gan808", LEAD_S + seconds, events) as heard:
                    pass
                return heard

            heard = jack.undisturbed(take)
    threshold = HEARD * float(np.abs(heard.audio).max())
    onsets = heard.onsets(0, threshold, int(0.7 * a_step)) - our_attack()
    steps = (onsets - LEAD_S * RATE_HZ) / a_step
    numbers = np.rint(steps)
    led = (numbers >= STEPS_A_BAR) & (onsets < (LEAD_S + seconds - 0.5) * RATE_HZ)
    wanted = int((seconds - 0.5) * RATE_HZ / a_step) - STEPS_A_BAR
    if not wanted - 2 <= led.sum() <= wanted + 2 or np.diff(numbers[led]).max() > 1:
        raise RuntimeError(f"{led.sum()} of {wanted} steps were heard")
    errors_ms = (steps - numbers)[led] * a_step / RATE_HZ * 1000
    rms_ms = float(errors_ms.std())
    print(f"MIDI clock at {bpm:g} BPM, ticks {real_jitter_ms:.2f} ms off (deviation), "
          f"{period} frames a block: {led.sum()} steps {rms_ms:.3f} ms rms from the ideal, worst "
          f"{np.abs(errors_ms - errors_ms.mean()).max():.3f}, {-errors_ms.mean():.3f} early; ratio "
          f"{real_jitter_ms / max(rms_ms, 1e-6):.1f}; server xruns {heard.xruns}")
    return rms_ms


def main() -> None:
    """One take."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=64.0)
    parser.add_argument("--bpm", type=float, default=120.0)
    parser.add_argument("--jitter", type=float, default=1.0)
    parser.add_argument("--period", type=int, default=128)
    given = parser.parse_args()
    if missing := jack.needed("jackd", "cc"):
        print(f"left out: {missing} is missing")
        return
    with tempfile.TemporaryDirectory() as folder:
        listener = build_listener(Path(folder))
        follow(listener, given.period, given.seconds, given.bpm, given.jitter)


if __name__ == "__main__":
    main()
