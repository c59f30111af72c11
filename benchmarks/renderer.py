"""The renderer of one kit: ready after, memory, sounds a second; against another checkout's.

    python benchmarks/renderer.py [--checkout PATH] [--kit PATH] [--repeats 3]

Both sides play and render the same kit (default: the shipped one, with --checkout that one's, which
both can read) in turn, each with a home of its own, so that nothing is in stock. Printed, medians:
seconds from `gan808 run` until the renderer has filed its first sound; the largest memory of the
render process, MiB; seconds of `gan808 render --count 8` from nothing; and sounds a second of the
processor's time, from what 56 sounds more cost it. With --checkout the ratios before / now (of
sounds now / before): above 1 it is better now. Compiled kernels are kept on both sides, in the
temporary folder, where they stay.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, fields
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gan808.control.osc.client import OscClient
from gan808.errors import DeviceError

HERE = Path(__file__).resolve().parents[1]
PORT = 9808
FEW, MANY = 8, 64
CLASS_NAME = "snare"
READY_AT_MOST_S = 300.0
ASK_EVERY_S = 0.05


@dataclass(frozen=True)
class Figures:
    """Of one side, once."""

    ready_s: float
    memory_mib: float
    render_s: float
    sounds_a_second: float


def command(checkout: Path, home: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """`gan808 ARGUMENTS` of that checkout."""
    environment = {**os.environ, "PYTHONPATH": str(checkout), "HOME": str(home),
                   "XDG_CACHE_HOME": f"{tempfile.gettempdir()}/gan808-bench-{checkout.name}"}
    return subprocess.Popen([sys.executable, "-m", "gan808", *arguments], env=environment,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def in_stock(client: OscClient) -> int:
    """Sounds in the pool; -1 where nobody answers yet."""
    try:
        client.send("/gan808/pool")
        answer = client.receive(time.monotonic() + ASK_EVERY_S)
    except DeviceError:  # nobody listens yet
        time.sleep(ASK_EVERY_S)
        return -1
    return sum(answer.params[1::2]) if answer else -1


def playing(checkout: Path, kit: Path, home: Path) -> tuple[float, float]:
    """Seconds until the first sound is filed, and MiB of the render process ten seconds on."""
    began_s = time.monotonic()
    player = command(checkout, home, "run", "--kit", str(kit), "--output", "null", "--midi", "off",
                     "--osc", f"127.0.0.1:{PORT}", "--pattern", "off", "--evolve", "0")
    try:
        with OscClient("127.0.0.1", PORT) as client:
            first = in_stock(client)
            while (stock := in_stock(client)) <= max(first, 0):
                first = first if first >= 0 else stock
                if time.monotonic() - began_s > READY_AT_MOST_S or player.poll() is not None:
                    raise SystemExit(f"{checkout}: its renderer was never ready")
        ready_s = time.monotonic() - began_s
        time.sleep(10)
        children = psutil.Process(player.pid).children(recursive=True)
        return ready_s, max(child.memory_info().rss for child in children) / 2**20
    finally:
        player.terminate()
        player.wait(30)


def rendering(checkout: Path, kit: Path, home: Path, count: int) -> tuple[float, float]:
    """Seconds, and the processor's, of `gan808 render --count COUNT`."""
    began_s, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    child = command(checkout, home, "render", "--kit", str(kit), "--class", CLASS_NAME, "--count",
                    str(count), "--out", str(home / "out"))
    if child.wait(READY_AT_MOST_S):
        raise SystemExit(f"{checkout}: gan808 render failed")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (time.monotonic() - began_s,
            after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def measured(checkout: Path, kit: Path, home: Path) -> Figures:
    """All figures of one side, once."""
    ready_s, memory_mib = playing(checkout, kit, home)
    render_s, few_s = rendering(checkout, kit, home, FEW)
    _, many_s = rendering(checkout, kit, home, MANY)
    return Figures(ready_s, memory_mib, render_s, (MANY - FEW) / (many_s - few_s))


def medians(takes: list[Figures]) -> Figures:
    """Each figure's."""
    return Figures(*(statistics.median(getattr(take, field.name) for take in takes)
                     for field in fields(Figures)))


def said(name: str, figures: Figures) -> str:
    """One side in words."""
    return (f"{name}: ready after {figures.ready_s:.1f} s, {figures.memory_mib:.0f} MiB, render "
            f"--count {FEW} in {figures.render_s:.1f} s, {figures.sounds_a_second:.1f} sounds a "
            "second of the processor's")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--checkout", type=Path)
    parser.add_argument("--kit", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    kit = asked.kit or (asked.checkout or HERE) / "kits" / "gan808"
    sides = [HERE, *([asked.checkout.resolve()] if asked.checkout else [])]
    takes: list[list[Figures]] = [[] for _ in sides]
    with tempfile.TemporaryDirectory() as folder:
        homes = [Path(folder, str(number)) for number in range(len(sides))]
        for home in homes:
            home.mkdir()
        for checkout, home in zip(sides, homes, strict=True):  # compiles what is not in the cache
            rendering(checkout, kit, home, 1)
        for repeat in range(asked.repeats):
            for row, checkout, home in zip(takes, sides, homes, strict=True):
                fresh = home / str(repeat)
                fresh.mkdir()
                row.append(measured(checkout, kit, fresh))
    now, *before = map(medians, takes)
    print(said("now", now))
    if before:
        old = before[0]
        print(said("before", old))
        print(f"ratios: ready {old.ready_s / now.ready_s:.1f}, memory "
              f"{old.memory_mib / now.memory_mib:.1f}, render {old.render_s / now.render_s:.1f}, "
              f"sounds {now.sounds_a_second / old.sounds_a_second:.2f}")


if __name__ == "__main__":
    main()
