"""A soak: GAN-808 plays, evolves and answers notes on JACK; what goes wrong?

    python benchmarks/soak.py --seconds 1800     (60 when not said)

120 BPM, one swap a bar, a MIDI note every 100 ms from the meter, two JACK clients in C that are
idle besides and count the server's xruns. All slots but the kick are muted, and that is locked and
short, and the pattern leaves it alone, so every note can be found in the meter's recording. GAN-808
records too (0.4 MB a second, in the folder for temporary files, for as long as the soak runs): what
it played, at which frame. So a note that is not heard is one of three: due where the server lost a
period; played and mixed by GAN-808, and lost on its way to the meter; or not played. Printed: how
many of each; the growth of both processes' memory after the first sixth; GAN-808's xruns beside
those the meter saw. Status 1 when a note was not played outside of a lost period, memory grew by
more than 5% or GAN-808 had more xruns.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pythonosc.udp_client import SimpleUDPClient

from benchmarks.support import jack
from benchmarks.support.jack import RATE_HZ, Take
from gan808.control.osc.status_client import ask_status
from gan808.engine.layout import COMMAND_TRIGGER
from gan808.errors import DeviceError
from gan808.recording.format import read_take

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
KICK_SLOT = 0
# A note is a trigger's where no other note is so near: half of the least gap between two.
NEAR_FRAMES = SPACING_FRAMES // 4


@dataclass(frozen=True)
class Losses:
    """Notes that were not heard. hidden: the server lost a period where the note was due. unheard:
    played, and lost on the way. unplayed: GAN-808 did not play it."""

    hidden: int
    unheard: int
    unplayed: int


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


def losses(take: Take, triggers: Sequence[int]) -> Losses:
    """What became of the notes after which nothing was heard before the next. triggers: the frames
    at which GAN-808 played one, by its own count."""
    told = Counter[str]()
    played = played_of(take.notes, triggers)
    ends = [*take.notes[1:], len(take.audio)]
    for index, (note, end) in enumerate(zip(take.notes, ends, strict=True)):
        until = min(end, note + SPACING_FRAMES)
        if (np.abs(take.audio[note:until]) > HEARD).any():
            continue
        if take.missing[max(0, note - PERIOD_FRAMES):until].any():
            told["hidden"] += 1
        else:
            told["unheard" if index in played else "unplayed"] += 1
    return Losses(told["hidden"], told["unheard"], told["unplayed"])


def played_of(notes: Sequence[int], triggers: Sequence[int]) -> set[int]:
    """Which notes, by their numbers, have a trigger. Both count frames, from different beginnings;
    the count of GAN-808 falls behind by each period that the server loses. No two gaps between
    notes are alike, so the most notes that can be paired are the right ones, whichever is first."""
    def paired(first: int) -> set[int]:
        found, at = set(), 0
        offset = triggers[0] - notes[first]
        for index in range(first, len(notes)):
            while at < len(triggers) and triggers[at] < notes[index] + offset - NEAR_FRAMES:
                at += 1
            if at < len(triggers) and triggers[at] <= notes[index] + offset + NEAR_FRAMES:
                offset = triggers[at] - notes[index]
                found.add(index)
                at += 1
        return found

    firsts = range(min(5, len(notes)) if triggers else 0)
    return max((paired(first) for first in firsts), key=len, default=set())


def kicks_of(recording: Path) -> list[int]:
    """The frames of the kick's triggers in a recording of GAN-808's."""
    rows = [row for line in read_take(recording) for row in line.get("do", ())]
    return [int(row[0]) for row in rows if row[1:3] == [COMMAND_TRIGGER, KICK_SLOT]]


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


def soak(seconds: float, folder: Path, kit: str) -> bool:
    """Runs it and prints what was found; whether all was well."""
    meter = jack.build_meter(folder)
    options = ("--kit", kit, "--tempo", "120", "--evolve", "1", "--osc", f"127.0.0.1:{OSC_PORT}",
               "--record", str(folder / "soak.wav"))
    with jack.jack_server(PERIOD_FRAMES) as environment, jack.gan808(
            environment, *options) as player:
        osc = SimpleUDPClient("127.0.0.1", OSC_PORT)
        answering(ANSWERS_WITHIN_S)
        threading.Event().wait(SETTLES_S)
        for address, value in SETTINGS:
            osc.send_message(address, value)
        osc.send_message("/gan808/seq/clear", "BD")
        before = int(ask_status("127.0.0.1", OSC_PORT)["xruns"])
        with Memory(player.pid) as memory:
            take = jack.record(meter, environment, "gan808", spacing_frames=SPACING_FRAMES,
                               count=round(seconds * RATE_HZ / SPACING_FRAMES))
        status = ask_status("127.0.0.1", OSC_PORT)
    # The journal is still there where the end was cut short.
    recording = next(path for path in (folder / "soak.mid", folder / "soak.journal")
                     if path.exists())
    lost, growth = losses(take, kicks_of(recording)), memory.growth()
    xruns = int(status["xruns"]) - before
    sizes = ", ".join(f"{size} MB {grown:+.1%}" for size, grown in growth)
    print(f"{seconds:g} s, {len(take.notes)} notes: {lost.unplayed} not played, {lost.unheard} "
          f"played and not heard, {lost.hidden} in periods that the server lost; memory {sizes}; "
          f"xruns {xruns}, an idle client saw {take.xruns}; late {status['late']}, dropped "
          f"{status['dropped']}")
    return (lost.unplayed == 0 and xruns <= take.xruns
            and all(grown <= MAX_GROWTH for _, grown in growth))


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
        sys.exit(0 if soak(arguments.seconds, Path(folder), arguments.kit) else 1)


if __name__ == "__main__":
    main()
