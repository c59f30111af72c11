"""From a MIDI note to its sound, on JACK: GAN-808, its renderer flat out, against FluidSynth.

    python benchmarks/latency.py [--count 200] [--repeats 3]
    python benchmarks/latency.py --idle         (against itself with an idle renderer)
    python benchmarks/latency.py --blocked      (while its Python is held up, 2 s of every 3)

One JACK server without a sound card; the meter, in C, is two of its clients: one sends notes at
known frames of the block, one finds each onset in what it records. (One client that does both is a
circle in the graph, which costs whoever is in it a period.) Both synthesisers play in turn. The
attack of each sample, as far as 5% of its peak, is taken from a copy of the sound and subtracted.
Printed: how late each is, in ms and frames, and how many xruns the server itself had meanwhile;
notes at a period that it lost are left out, and counted.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import mido
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.support import jack
from benchmarks.support.held_up import FREE_S, HELD_UP_S
from benchmarks.support.jack import CHANNEL, KICK, RATE_HZ, Take
from gan808 import paths
from gan808.config import load_settings
from gan808.instrument.slots import first_sounds
from gan808.sound.kit.kit import find_kit

HEARD = 0.05
# The shortest gap is half of it: by then a kick has faded below what counts as heard.
SPACING_FRAMES = RATE_HZ // 2
SETTLES_S = 12.0
# A stock that is never full lets the renderer never rest; one of a sound a class is soon full.
NEVER_FULL, SOON_FULL = 1000, 1
CONFIG = """
[pool]
limit = {stock}
low_water = {stock}
[osc]
enabled = false
"""
QUIET = ("--pattern", "off", "--evolve", "0")


def our_attack() -> int:
    """Frames into the kick that GAN-808 plays before it is heard."""
    kit = find_kit(load_settings(None).kit.name, paths.kit_folders())
    slot = next(i for i, layout in enumerate(kit.slots) if KICK in layout.notes)
    sound = first_sounds(kit.slots, kit.factory_sounds(RATE_HZ))[slot]
    if sound is None:
        raise RuntimeError("the kit has no kick")
    return attack(np.asarray(sound.audio))


def fluidsynth_attack() -> int:
    """Frames into FluidSynth's kick before it is heard, by its library."""
    import fluidsynth  # type: ignore[import-untyped]

    synth = fluidsynth.Synth(samplerate=RATE_HZ, **{
        "synth.reverb.active": 0, "synth.chorus.active": 0})
    synth.sfload(jack.sound_font())
    synth.get_samples(64)
    synth.noteon(CHANNEL - 1, KICK, 127)
    return attack(synth.get_samples(RATE_HZ // 4).reshape(-1, 2).mean(axis=1))


def attack(audio: np.ndarray) -> int:
    """Frames before a sound reaches 5% of its peak."""
    return jack.onset(audio, HEARD * float(np.abs(audio).max())) or 0


def delays_ms(take: Take, attack_frames: int, period: int) -> list[float]:
    """The delay of each note, the sample's attack discounted; raises when one was not heard. Notes
    at a period that the server lost are left out.

    Below 0: before the note's own frame, as where a synthesiser plays all notes of a block at the
    block's start.
    """
    found = []
    for note in take.notes:
        if take.missing[max(0, note - period):note + SPACING_FRAMES // 2 - period].any():
            continue
        part = take.audio[note - period:note + SPACING_FRAMES // 2 - period]
        threshold = HEARD * float(np.abs(part).max())
        heard = jack.onset(part, threshold)
        if heard is None or np.abs(part).max() < 1e-3:
            raise RuntimeError(f"the note at frame {note} was not heard")
        if heard == 0:
            raise RuntimeError(f"before the note at frame {note} there is no silence")
        found.append(1000 * (heard - period - attack_frames) / RATE_HZ)
    return found


def summary(name: str, delays: list[float], xruns: int) -> str:
    """Number, median, spread and worst of delays."""
    median, least, worst = (f"{value_ms:.2f} ms ({value_ms * RATE_HZ / 1000:.0f} frames)"
                            for value_ms in (statistics.median(delays), min(delays), max(delays)))
    return (f"  {name}: {len(delays)} notes, median {median}, "
            f"deviation {statistics.pstdev(delays):.3f}, "
            f"99% {np.quantile(delays, 0.99):.2f}, least {least}, worst {worst}; "
            f"server xruns {xruns}")


def compare(meter: Path, period: int, count: int, repeats: int) -> None:
    """Both in turn at one block size."""
    ours_attack, theirs_attack = our_attack(), fluidsynth_attack()
    ours: list[float] = []
    theirs: list[float] = []
    xruns = [0, 0]
    for _ in range(repeats):
        with jack.jack_server(period) as environment:
            config = CONFIG.format(stock=NEVER_FULL)
            with jack.gan808(environment, *QUIET, config=config):
                time.sleep(SETTLES_S)
                take = jack.record(meter, environment, "gan808", count=count,
                                   spacing_frames=SPACING_FRAMES)
            ours += delays_ms(take, ours_attack, period)
            xruns[0] += take.xruns
            with jack.fluidsynth(environment, period):
                take = jack.record(meter, environment, "fluidsynth", count=count,
                                   spacing_frames=SPACING_FRAMES)
            theirs += delays_ms(take, theirs_attack, period)
            xruns[1] += take.xruns
    print(f"{period} frames a block, {RATE_HZ} Hz")
    print(summary("GAN-808, renderer flat out", ours, xruns[0]))
    print(summary("FluidSynth", theirs, xruns[1]))


def against_idle(meter: Path, period: int, count: int, repeats: int) -> None:
    """The renderer flat out and idle, in turn."""
    delays: dict[int, list[float]] = {NEVER_FULL: [], SOON_FULL: []}
    xruns = dict.fromkeys(delays, 0)
    for stock in [NEVER_FULL, SOON_FULL] * repeats:
        with jack.jack_server(period) as environment, jack.gan808(
                environment, *QUIET, config=CONFIG.format(stock=stock)):
            time.sleep(SETTLES_S)
            take = jack.record(meter, environment, "gan808", count=count,
                               spacing_frames=SPACING_FRAMES)
        delays[stock] += delays_ms(take, our_attack(), period)
        xruns[stock] += take.xruns
    print(f"{period} frames a block, {RATE_HZ} Hz")
    for name, stock in (("flat out", NEVER_FULL), ("idle", SOON_FULL)):
        print(summary(f"GAN-808, renderer {name}", delays[stock], xruns[stock]))


def blocked(meter: Path, period: int, count: int) -> None:
    """While Python is held up for 2 s of every 3: how late notes are, how many are on record."""
    with jack.jack_server(period) as environment, tempfile.TemporaryDirectory() as folder:
        take_wav = Path(folder, "take.wav")
        with jack.gan808(environment, *QUIET, "--record", str(take_wav),
                         config=CONFIG.format(stock=SOON_FULL),
                         module="benchmarks.support.held_up"):
            time.sleep(SETTLES_S)
            take = jack.record(meter, environment, "gan808", count=count,
                               spacing_frames=SPACING_FRAMES)
            time.sleep(HELD_UP_S)
        recorded = notes_of(take_wav.with_suffix(".mid"))
    print(f"{period} frames a block, {RATE_HZ} Hz, Python held up for {HELD_UP_S:g} s of every "
          f"{HELD_UP_S + FREE_S:g}")
    print(summary("GAN-808", delays_ms(take, our_attack(), period), take.xruns))
    print(f"  {len(take.notes)} notes were sent, {recorded} are on record")


def notes_of(path: Path) -> int:
    """How many notes a MIDI file begins."""
    return sum(message.type == "note_on" and message.velocity > 0
               for message in mido.MidiFile(str(path)))


def main() -> None:
    """Compares at both block sizes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--periods", type=int, nargs="+", default=[128, 256])
    parser.add_argument("--idle", action="store_true")
    parser.add_argument("--blocked", action="store_true")
    arguments = parser.parse_args()
    missing = jack.needed("jackd", "fluidsynth", "cc")
    if missing:
        print(f"left out: {missing} is missing")
        return
    with tempfile.TemporaryDirectory() as folder:
        meter = jack.build_meter(Path(folder))
        for period in arguments.periods:
            if arguments.idle:
                against_idle(meter, period, arguments.count, arguments.repeats)
                continue
            if arguments.blocked:
                blocked(meter, period, arguments.count)
                continue
            compare(meter, period, arguments.count, arguments.repeats)


if __name__ == "__main__":
    main()
