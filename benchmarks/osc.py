"""From an OSC message to its sound, on JACK: GAN-808 against SuperCollider's server; floods.

    python benchmarks/osc.py [--count 120] [--repeats 3] [--seconds 30] [--period 256]

One JACK server without a sound card. Each message's way is taken from just before it is sent to
the period in which its sound begins, by the server's own clock; the attack of our sample is taken
from a copy of it and subtracted, scsynth plays a line that begins at 1. Both play in turn. Printed:
the medians and the ratio scsynth / GAN-808 (above 1: GAN-808 is faster); how far bundles fall from
their time tags, in samples; and with 5,000 messages a second, none of which may be lost, how notes
from MIDI fare during and before.
"""

from __future__ import annotations

import argparse
import math
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from pythonosc.osc_bundle_builder import OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.latency import HEARD, QUIET, our_attack
from benchmarks.support import jack
from benchmarks.support.jack import CHANNEL, KICK, RATE_HZ, Environment
from benchmarks.support.listening import Heard, build_listener, listening
from benchmarks.support.scsynth import message, new_synth, scsynth

SPACING_S = 0.25
LEAD_S = 0.5
STARTS_WITHIN_S = 180.0  # a first start compiles the mixer
RATE_OF_FLOOD = 5000
BURST_S = 0.001
SYNC_EVERY = 500
# A socket's buffer may hold what arrives while the flood ends.
DRAINED_S = 5.0
DECAY = 0.3  # of hits that must not run together; it moves their attack by a few samples
# The renderer has loaded by then, and has filled a stock of one a class: scsynth has nothing beside
# itself either.
SETTLES_S = 15.0
CONFIG = "[pool]\nlimit = 1\nlow_water = 1\n"


@dataclass
class SentAndHeard(Heard):
    """A recording, and the time.monotonic at which each packet was sent."""

    sent: list[float] = field(default_factory=list)


@contextmanager
def instrument(environment: Environment, *options: str) -> Iterator[socket.socket]:
    """GAN-808 on JACK, its pattern off and its renderer at rest; a socket that is connected to its
    OSC port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (jack.gan808(environment, *QUIET, "--osc", f"127.0.0.1:{port}", *options,
                        config=CONFIG),
          socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client):
        client.connect(("127.0.0.1", port))
        client.settimeout(0.2)
        sync(client, 1)
        time.sleep(SETTLES_S)
        yield client


def sync(client: socket.socket, number: int) -> None:
    """Waits until everything sent before is done. Raises RuntimeError."""
    until_s = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < until_s:
        try:
            client.send(message("/gan808/sync", number))
            if b"/gan808/synced" in client.recv(65_536):
                return
        except OSError:  # not there yet
            time.sleep(0.1)
    raise RuntimeError("GAN-808 does not answer")


def send_spaced(client: socket.socket, packet: Callable[[int], bytes], count: int,
                period_s: float) -> list[float]:
    """Sends packets about SPACING_S apart; when, each. They fall evenly on all places of the
    period (steps of the golden ratio), for on that a delay depends most."""
    spacing_s, sent = math.ceil(SPACING_S / period_s) * period_s, []
    first_s = time.monotonic() + LEAD_S
    for number in range(count):
        data = packet(number)
        place = number * (math.sqrt(5) - 1) / 2 % 1.0
        time.sleep(max(0.0, first_s + number * spacing_s + place * period_s - time.monotonic()))
        sent.append(time.monotonic())
        client.send(data)
    return sent


def spaced(listener: Path, environment: Environment, part: str, client: socket.socket,
           packet: Callable[[int], bytes], count: int, period: int) -> SentAndHeard:
    """Packets sent to what is called part, and what is heard; undisturbed if that can be had."""

    def take() -> SentAndHeard:
        with listening(listener, environment, part, take_seconds(count)) as heard:
            sent = send_spaced(client, packet, count, period / RATE_HZ)
        return SentAndHeard(heard.audio, heard.times, heard.xruns, sent)

    return jack.undisturbed(take)


def delays_ms(heard: Heard, sent: list[float], attack_frames: int) -> list[float]:
    """From each sending to its sound; raises when one was not heard."""
    found, half = [], int(SPACING_S / 2 * RATE_HZ)
    for at_s in sent:
        first = int(heard.frame_at(at_s))
        part = np.abs(heard.audio[first:first + half].sum(axis=1))
        onset = jack.onset(part, HEARD * float(part.max(initial=0.0)))
        if onset is None or part.max() < 1e-3:
            raise RuntimeError(f"what was sent at {at_s:.3f} s was not heard")
        heard_s = heard.time_of(first + onset - attack_frames)
        found.append(1000 * (heard_s - at_s))
    return found


def take_seconds(count: int) -> float:
    """How long a recording of so many messages has to be."""
    return LEAD_S + count * (SPACING_S + 0.02) + 1.0


def line(name: str, delays: list[float], xruns: int) -> str:
    """Median, tail and worst of delays."""
    return (f"  {name}: median {statistics.median(delays):.2f} ms, 99% "
            f"{np.quantile(delays, 0.99):.2f}, worst {max(delays):.2f}; server xruns {xruns}")


def compare(listener: Path, period: int, count: int, repeats: int) -> float:
    """Both in turn, again where the server lost a period; the ratio of the medians."""
    attack = our_attack()
    ours: list[float] = []
    theirs: list[float] = []
    xruns = [0, 0]
    hit = message("/gan808/trig", "BD", 1.0)
    for _ in range(repeats):
        with jack.jack_server(period) as environment:
            with instrument(environment) as client:
                heard = spaced(listener, environment, "gan808", client, lambda _: hit, count,
                               period)
            ours += delays_ms(heard, heard.sent, attack)
            xruns[0] += heard.xruns
            with scsynth(environment) as client:
                heard = spaced(listener, environment, "SuperCollider", client, new_synth, count,
                               period)
            theirs += delays_ms(heard, heard.sent, 0)
            xruns[1] += heard.xruns
    ratio = statistics.median(theirs) / statistics.median(ours)
    print(f"OSC to sound, {period} frames a block, {RATE_HZ} Hz, {len(ours)} messages each")
    print(line("GAN-808 /trig", ours, xruns[0]))
    print(line("scsynth /s_new", theirs, xruns[1]))
    print(f"  ratio {ratio:.2f}")
    return ratio


def bundle(due_s: float) -> bytes:
    """Two hits of one slot at a wall-clock time, one on the left and one on the right."""
    builder = OscBundleBuilder(due_s)  # type: ignore[arg-type]
    for side in (0.0, 1.0):
        one = OscMessageBuilder("/gan808/play")
        for value in ("s", "bd", "pan", side):
            one.add_arg(value)
        builder.add_content(one.build())  # type: ignore[arg-type]
    return bytes(builder.build().dgram)


def bundles(listener: Path, period: int, count: int) -> int:
    """Bundles an eighth of a second ahead and SPACING_S apart: errors in samples; the largest of
    hits with one tag."""
    attack = our_attack()
    with (jack.jack_server(period) as environment, instrument(environment) as client,
          listening(listener, environment, "gan808", take_seconds(count)) as heard):
        client.send(message("/gan808/slot/BD/decay", DECAY))
        time.sleep(LEAD_S)
        wall_less_monotonic_s = time.time() - time.monotonic()
        first_s = time.time() + 0.25
        for number in range(count):
            due_s = first_s + number * SPACING_S
            time.sleep(max(0.0, due_s - 0.125 - time.time()))
            client.send(bundle(due_s))
    threshold = HEARD * float(np.abs(heard.audio).max())
    dead = int(SPACING_S / 2 * RATE_HZ)
    left, right = (heard.onsets(side, threshold, dead) for side in (0, 1))
    if not len(left) == len(right) == count:
        raise RuntimeError(f"{len(left)} and {len(right)} of {count} hits were heard")
    together = int(np.abs(left - right).max())
    steps = np.diff(left) - SPACING_S * RATE_HZ
    due = [heard.frame_at(first_s - wall_less_monotonic_s + n * SPACING_S) for n in range(count)]
    offsets = left - attack - np.asarray(due)
    print(f"bundles, {count} of two hits: hits of one tag {together} samples apart at most; tags "
          f"{SPACING_S:g} s apart: {np.abs(steps).max():.0f} off at most, "
          f"{np.sqrt(np.mean(steps ** 2)):.2f} rms; from the tag by the server's clock "
          f"{np.median(offsets) / RATE_HZ * 1000:+.3f} ms, deviation {offsets.std():.1f} samples; "
          f"server xruns {heard.xruns}")
    return together


def drops_of(port: int) -> int:
    """Packets the system has thrown away for want of room in the socket of a UDP port."""
    rows = Path("/proc/net/udp").read_text(encoding="ascii").splitlines()[1:]
    return sum(int(row.split()[-1]) for row in rows if row.split()[1].endswith(f":{port:04X}"))


def send_flood(port: int, seconds: float) -> None:
    """In a process of its own: the flood, a sync every so often; prints sent, asked, answered."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect(("127.0.0.1", port))
        client.setblocking(False)
        knobs = [message("/gan808/slot/CH/pan", value / 50 - 1) for value in range(100)]
        sent = asked = answered = 0
        began_s = time.monotonic()
        while (now_s := time.monotonic() - began_s) < seconds + DRAINED_S and (
                now_s < seconds or answered < asked):
            while sent < min(now_s, seconds) * RATE_OF_FLOOD:
                client.send(knobs[sent % 100])
                sent += 1
                if sent % SYNC_EVERY == 0:
                    asked += 1
                    client.send(message("/gan808/sync", asked))
            answered += received(client)
            time.sleep(BURST_S)
        print(sent, asked, answered)


def received(client: socket.socket) -> int:
    """How many syncs were answered since the last time."""
    count = 0
    while True:
        try:
            count += b"/gan808/synced" in client.recv(65_536)
        except BlockingIOError:
            return count


def notes_ms(heard: Heard, frames: list[int], attack: int) -> list[float]:
    """The delay of each MIDI note."""
    found = []
    for note in frames:
        part = np.abs(heard.audio[note:note + int(SPACING_S / 2 * RATE_HZ)].sum(axis=1))
        onset = jack.onset(part, HEARD * float(part.max()))
        if onset is None or part.max() < 1e-3:
            raise RuntimeError(f"the note at frame {note} was not heard")
        found.append(1000 * (onset - attack) / RATE_HZ)
    return found


def flood(listener: Path, period: int, seconds: float) -> float:
    """Notes before and during a flood; the ratio of the medians during / before."""
    attack, chance = our_attack(), random.Random(8)
    count = max(4, int(seconds / SPACING_S))
    frames = [int(LEAD_S * RATE_HZ) + int(i * SPACING_S * RATE_HZ) + chance.randrange(2000)
              for i in range(count)]
    events = [(frame, (0x90 | CHANNEL - 1, KICK, 127)) for frame in frames]
    length_s = LEAD_S + count * SPACING_S + 1.0
    delays, xruns = [], []
    with jack.jack_server(period) as environment, instrument(environment) as client:
        port = client.getpeername()[1]
        for flooded in (False, True):
            with listening(listener, environment, "gan808", length_s, events) as heard:
                sender = subprocess.Popen(
                    [sys.executable, __file__, "--send-flood", str(port), "--seconds",
                     str(length_s if flooded else 0)], stdout=subprocess.PIPE, text=True)
            told = sender.communicate()[0].split()
            delays.append(notes_ms(heard, frames, attack))
            xruns.append(heard.xruns)
        drops = drops_of(port)
    sent, asked, answered = map(int, told)
    ratio = statistics.median(delays[1]) / statistics.median(delays[0])
    print(f"flood, {sent} messages in {length_s:.0f} s ({sent / length_s:.0f} a second): "
          f"{drops} lost by the socket, {answered} of {asked} syncs answered")
    print(line("MIDI notes before", delays[0], xruns[0]))
    print(line("MIDI notes during", delays[1], xruns[1]))
    print(f"  ratio of the medians, during / before: {ratio:.2f}")
    return ratio


def main() -> None:
    """Every figure, or with --send-flood the sender of one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=120)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--period", type=int, default=256)
    parser.add_argument("--send-flood", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.send_flood:
        send_flood(arguments.send_flood, arguments.seconds)
        return
    if missing := jack.needed("jackd", "cc"):
        print(f"left out: {missing} is missing")
        return
    with tempfile.TemporaryDirectory() as folder:
        listener = build_listener(Path(folder))
        if missing := jack.needed("scsynth"):
            print(f"the comparison is left out: {missing} is missing (supercollider-server)")
        else:
            compare(listener, arguments.period, arguments.count, arguments.repeats)
        bundles(listener, arguments.period, arguments.count)
        flood(listener, arguments.period, arguments.seconds)


if __name__ == "__main__":
    main()
