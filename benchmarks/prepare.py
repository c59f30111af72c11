"""Memory of a preparation: so many sounds against ten times as many.

    python benchmarks/prepare.py [--sounds 50000]

`gan808 prepare synth:N` runs once for a tenth of the sounds and once for all of them. Printed: the
peak of each process's memory and how many cores were busy; what each further sound adds to the peak
(a line of an index), and how many times as much its image is, which a preparation that kept its
images in memory would add.
"""

from __future__ import annotations

import argparse
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gan808.sound.spectral.geometry import HOUSE

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
        sounds, peaks = [], []
        for n in (given.sounds // 10, given.sounds):
            each = -(-n // CLASSES)
            peak, cores = peak_mib("prepare", f"synth:{each}", "--out", str(folder / str(n)))
            sounds.append(each * CLASSES)
            peaks.append(peak)
            print(f"{sounds[-1]} sounds: {peak:.0f} MiB, {cores:.2f} of {os.cpu_count()} cores "
                  "busy", flush=True)
        added_kib = 1024 * max(peaks[1] - peaks[0], 0.0) / (sounds[1] - sounds[0])
        image_kib = 2 * math.prod(HOUSE.image_shape) / 1024  # float16
        print(f"each further sound adds {added_kib:.2f} KiB; its image is {image_kib:.0f} KiB, "
              f"ratio {image_kib / max(added_kib, 0.01):.0f}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
