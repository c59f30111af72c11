"""A soak: GAN-808 plays, evolves and answers notes on JACK; what goes wrong?

    python benchmarks/soak.py --seconds 1800     (60 when not said)

120 BPM, one swap a bar, a MIDI note every 100 ms from the meter, two JACK clients in C that are
idle besides and count the server's xruns. All slots but the kick are muted, and that is locked and
short, so every note can be found in the recording. Printed: notes lost, those apart that were due
where the server lost a period, which nobody can hear; the growth of both processes' memory after
the first sixth; GAN-808's xruns beside those the meter saw. Status 1 when a note was lost by
GAN-808, memory grew by more than 5% or GAN-808 had more xruns.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pythonosc.udp_client import SimpleUDPClient

from benchmarks.support import jack
from benchmarks.support.jack import RATE_HZ, Take
from gan808.control.osc.status_client import ask_status
from gan808.errors import DeviceError

PERIOD_FRAMES = 128
SPACING_FRAMES = RATE_HZ // 10
OSC_PORT = 18808
SAMPLE_S = 1.0
HEARD = 1e-3
MAX_GROWTH = 0.05
ANSWERS_WITHIN_S = 90.0  # without kept code, and beside other work
SETTLES_S = 15.0
SETTINGS: tuple[tuple[str, float], ...] = (
    ("/gan808/slot/*/mute", 1), ("/gan808/slot/BD/mute", 0), ("/gan808/slot/BD/lock", 1),
    ("/gan808/slot/BD/decay", 0.0),
)


class Memory:
    """Samples the resident memory of a process and its children on a thread of its own."""

    def __init__(self, pid: int) -> None:
        self.samples: list[dict[int, int]] = []
        self._process = psutil.Process(pid)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._done.wait(SAMPLE_S):
            family = [self._process, *self._process.children(recursive=True)]
            try:
                self.samples.append({each.pid: each.memory_info().rss for each in family})
            except psutil.NoSuchProcess:
                continue

    def growth(self) -> list[tuple[int, float]]:
        """For each process there at the end: MB, and its growth since the first sixth."""
        after = self.samples[len(self.samples) // 6:]
        tenth = max(1, len(after) // 10)
        found = []
        for pid in after[-1]:
            sizes = [sample[pid] for sample in after if pid in sample]
            first, last = statistics.median(sizes[:tenth]), statistics.median(sizes[-tenth:])
            found.append((round(last / 1e6), last / first - 1))
        return found


def lost_notes(take: Take) -> tuple[int, int]:
    """Notes after which nothing began before the next: by us, and where the server lost a period
    in which the note was due or would have begun."""
    lost = [0, 0]
    ends = [*take.notes[1:], len(take.audio)]
    for note, end in zip(take.notes, ends, strict=True):
        part = slice(note, min(end, note + SPACING_FRAMES))
        if not (np.abs(take.audio[part]) > HEARD).any():
            lost[bool(take.missing[part].any())] += 1
    return lost[0], lost[1]


def answering(within_s: float) -> None:
    """Returns when the player answers on OSC. Raises DeviceError when it does not."""
    deadline_s = time.monotonic() + within_s
    while True:
        try:
            ask_status("127.0.0.1", OSC_PORT)
            return
        except DeviceError:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(0.2)


def soak(seconds: float, meter: Path, kit: str) -> bool:
    """Runs it and prints what was found; whether all was well."""
    options = ("--kit", kit, "--tempo", "120", "--evolve", "1", "--osc", f"127.0.0.1:{OSC_PORT}")
    with jack.jack_server(PERIOD_FRAMES) as environment, jack.gan808(
            environment, *options) as player:
        osc = SimpleUDPClient("127.0.0.1", OSC_PORT)
        answering(ANSWERS_WITHIN_S)
        threading.Event().wait(SETTLES_S)
        for address, value in SETTINGS:
            osc.send_message(address, value)
        before = int(ask_status("127.0.0.1", OSC_PORT)["xruns"])
        with Memory(player.pid) as memory:
            take = jack.record(meter, environment, "gan808", spacing_frames=SPACING_FRAMES,
                               count=round(seconds * RATE_HZ / SPACING_FRAMES))
        status = ask_status("127.0.0.1", OSC_PORT)
    (lost, hidden), growth = lost_notes(take), memory.growth()
    xruns = int(status["xruns"]) - before
    sizes = ", ".join(f"{size} MB {grown:+.1%}" for size, grown in growth)
    print(f"{seconds:g} s: {lost} of {len(take.notes)} notes lost, {hidden} more in periods that "
          f"the server lost; memory {sizes}; xruns {xruns}, "
          f"an idle client saw {take.xruns}; late {status['late']}, dropped {status['dropped']}")
    return lost == 0 and xruns <= take.xruns and all(grown <= MAX_GROWTH for _, grown in growth)


def main() -> None:
    """Soaks for so long."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--kit", default="gan808")
    arguments = parser.parse_args()
    missing = jack.needed("jackd", "cc")
    if missing:
        print(f"left out: {missing} is missing")
        return
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(0 if soak(arguments.seconds, jack.build_meter(Path(folder)), arguments.kit) else 1)


if __name__ == "__main__":
    main()
