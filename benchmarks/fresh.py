"""Fresh mode: every hit a new sound, for as long as is asked. Does the renderer keep up?

    python benchmarks/fresh.py --seconds 300                     (60 when not said)
    python benchmarks/fresh.py --recipe paper

Four slots on sixteenths: 30 sounds a second at the house's 112.5 BPM, 46 at the paper's 174.
GAN-808 plays on JACK's dummy driver a kit whose networks have the recipe's full size and random
numbers; its critic knows one class and its thresholds let everything pass, so what is measured is
speed. A listener on OSC counts the swaps and remembers every sound's id. Printed: hits, swaps,
sounds that came twice, the least stock, the renderer's share of a core, xruns beside those of a
JACK client that is idle. Status 1 when a hit got no new sound, a sound came twice or GAN-808 had
more xruns.
"""

from __future__ import annotations

import argparse
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder
from pythonosc.udp_client import SimpleUDPClient

from benchmarks.support import jack
from benchmarks.support.kits import write_random_kit
from gan808.control.osc.status_client import ask_status
from gan808.errors import DeviceError

PERIOD_FRAMES = 128
OSC_PORT = 18809
SLOTS, STEPS_A_BEAT = 4, 4
UNUSED_NOTE = 100
TEMPO_BPM = {"house": 112.5, "paper": 174.0}
STOCK = 96  # two seconds of hits: what evens out the batches
LOADS_S = 240.0
REGISTER_EVERY_S = 5.0
SAMPLE_S = 1.0
PATTERN = 'name = "sixteenths"\n[steps]\n' + "".join(
    f'K{slot + 1} = "xxxx xxxx xxxx xxxx"\n' for slot in range(SLOTS))


class Listener:
    """Counts /slot/SLOT/changed by the sound's id, on a thread of its own."""

    def __init__(self, port: int) -> None:
        self.heard: Counter[str] = Counter()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.connect(("127.0.0.1", port))
        self._socket.settimeout(0.5)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Listener:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        registered_s = -REGISTER_EVERY_S
        while not self._done.is_set():
            if time.monotonic() - registered_s > REGISTER_EVERY_S:
                registered_s = time.monotonic()
                message = OscMessageBuilder("/gan808/notify")
                message.add_arg(1)
                self._socket.send(message.build().dgram)
            try:
                told = OscMessage(self._socket.recv(65535))
            except TimeoutError:
                continue
            if told.address.endswith("/changed"):
                self.heard[str(told.params[0])] += 1


def config(arguments: argparse.Namespace, folder: Path) -> str:
    """Settings that play nothing until the stock is full."""
    pattern = folder / "sixteenths.toml"
    pattern.write_text(PATTERN, encoding="utf-8")
    return (f'[sequencer]\npattern = "{pattern}"\ntempo_bpm = {arguments.tempo:.1f}\n'
            'playing = false\n[evolve]\nmode = "fresh"\n'
            f"[pool]\nlimit = {STOCK}\nlow_water = {STOCK}\n"
            f"[renderer]\nthreads = {arguments.threads}\nniceness = {arguments.niceness}\n")


def stock(timeout_s: float = 10.0) -> int:
    """Sounds in the pool; none while GAN-808 does not answer yet."""
    try:
        return sum(ask_status("127.0.0.1", OSC_PORT, timeout_s)["stock"].values())
    except DeviceError:
        return 0


def wait_for_stock() -> None:
    """Until the pool is full."""
    deadline_s = time.monotonic() + LOADS_S
    while stock() < STOCK:
        if time.monotonic() > deadline_s:
            raise RuntimeError(f"the stock was not full after {LOADS_S:g} s")
        time.sleep(SAMPLE_S)


def renderer_of(player: int) -> psutil.Process:
    """The render process: the child with the most processor time."""
    family = psutil.Process(player).children(recursive=True)
    return max(family, key=lambda process: process.cpu_times().user)


def play(arguments: argparse.Namespace, player: int, idle: Future[jack.Take]) -> bool:
    """Plays, listens and prints; whether all was well."""
    osc, child = SimpleUDPClient("127.0.0.1", OSC_PORT), renderer_of(player)
    before = ask_status("127.0.0.1", OSC_PORT)
    busy_s = sum(child.cpu_times()[:2])
    stocks: list[int] = []
    with Listener(OSC_PORT) as listener:
        time.sleep(SAMPLE_S)
        listener.heard.clear()
        began_s = time.monotonic()
        osc.send_message("/gan808/seq/play", [])
        while (left_s := began_s + arguments.seconds - time.monotonic()) > 0:
            time.sleep(min(SAMPLE_S, left_s))
            stocks.append(stock())
        osc.send_message("/gan808/seq/stop", [])
        played_s = time.monotonic() - began_s
        time.sleep(SAMPLE_S)
    status = ask_status("127.0.0.1", OSC_PORT)
    share = (sum(child.cpu_times()[:2]) - busy_s) / (played_s + SAMPLE_S)
    swaps, twice = listener.heard.total(), sum(n > 1 for n in listener.heard.values())
    steps = int(played_s * arguments.tempo / 60 * STEPS_A_BEAT)
    xruns, theirs = int(status["xruns"]) - int(before["xruns"]), idle.result().xruns
    print(f"{arguments.recipe}, {played_s:.0f} s at {arguments.tempo:g} BPM: {steps * SLOTS} hits, "
          f"{swaps} new sounds ({swaps / played_s:.1f} a second), {twice} came twice")
    print(f"  stock: least {min(stocks)}, median {statistics.median(stocks):g} of {STOCK}; "
          f"render process {share:.0%} of a core; xruns {xruns}, an idle client saw "
          f"{theirs}; late {status['late']}")
    # A step at either end may be counted on one side only.
    return swaps >= (steps - 2) * SLOTS and not twice and xruns <= theirs


def main() -> None:
    """Plays for so long."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--recipe", choices=sorted(TEMPO_BPM), default="house")
    parser.add_argument("--tempo", type=float, help="default: the recipe's")
    parser.add_argument("--threads", type=int, default=1, help="of the renderer")
    parser.add_argument("--niceness", type=int, default=10, help="of the renderer")
    parser.add_argument("--width", type=int, help="d of the networks; default: the recipe's")
    arguments = parser.parse_args()
    arguments.tempo = arguments.tempo or TEMPO_BPM[arguments.recipe]
    missing = jack.needed("jackd", "cc")
    if missing:
        print(f"left out: {missing} is missing")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kit = write_random_kit(folder / arguments.recipe, arguments.recipe, width=arguments.width)
        meter = jack.build_meter(folder)
        options = ("--kit", str(kit), "--osc", f"127.0.0.1:{OSC_PORT}")
        with (jack.jack_server(PERIOD_FRAMES) as environment,
              jack.gan808(environment, *options, config=config(arguments, folder)) as player):
            wait_for_stock()
            with ThreadPoolExecutor(1) as pool:
                idle = pool.submit(  # its notes mean nothing to the kit; its counter is wanted
                    jack.record, meter, environment, "gan808", count=int(arguments.seconds) + 1,
                    spacing_frames=jack.RATE_HZ, note=UNUSED_NOTE)
                well = play(arguments, player.pid, idle)
            sys.exit(0 if well else 1)


if __name__ == "__main__":
    main()
