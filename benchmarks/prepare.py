"""Memory of a preparation: so many sounds against ten times as many.

    python benchmarks/prepare.py [--sounds 50000]

`gan808 prepare synth:N` runs once for a tenth of the sounds and once for all of them. Printed: the
peak of each process's memory above what an empty one takes, and the ratio, which would be 10 if
memory grew with the sounds; and how many cores were busy.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

CHECKOUT = Path(__file__).resolve().parents[1]
CLASSES = 12


def peak_mib(*arguments: str) -> tuple[float, float]:
    """Peak resident memory of `gan808 ARGUMENTS` in MiB, and the cores it kept busy."""
    began_s = time.monotonic()
    with subprocess.Popen([sys.executable, "-m", "gan808", *arguments], cwd=CHECKOUT,
                          stdout=subprocess.DEVNULL) as child:
        process = psutil.Process(child.pid)
        peak, busy_s = 0.0, 0.0
        while child.poll() is None:
            try:
                peak = max(peak, process.memory_info().rss / 2**20)
                times = process.cpu_times()
                busy_s = times.user + times.system
            except psutil.NoSuchProcess:
                break
            time.sleep(0.2)
    if child.returncode:
        raise SystemExit(f"gan808 {' '.join(arguments)} ended with {child.returncode}")
    return peak, busy_s / (time.monotonic() - began_s)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sounds", type=int, default=50_000)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="gan808-prepare-"))
    try:
        base, _ = peak_mib("prepare", "synth:2", "--out", str(folder / "two"))
        measured = []
        for n in (given.sounds // 10, given.sounds):
            each = -(-n // CLASSES)
            peak, cores = peak_mib("prepare", f"synth:{each}", "--out", str(folder / str(n)))
            measured.append(peak - base)
            print(f"{each * CLASSES} sounds: {peak:.0f} MiB, {peak - base:.0f} above an empty one; "
                  f"{cores:.2f} cores busy", flush=True)
        print(f"ratio of what they take: {measured[1] / max(measured[0], 1.0):.2f} for 10 times "
              "the sounds")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
