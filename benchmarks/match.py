"""How near `gan808 match` comes to real recordings, against another checkout of GAN-808.

    python benchmarks/match.py FOLDER [--count 40] [--kit gan808] [--checkout PATH]

FOLDER holds recordings in folders named as the kit's classes. Of each class as many are taken,
evenly from its list; each is looked for in its class with the command's own defaults, 128 seeds and
300 steps. With --checkout the same is done with the code at that path, in a process of its own
before this one. Distances are those of `gan808 match`, in dB; time is that of the processor.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
SEEDS, STEPS = 128, 300
RATE_HZ = 44_100
SUFFIXES = {".wav", ".flac", ".ogg"}


def chosen(folder: Path, classes: list[str], count: int) -> list[Path]:
    """Recordings, as many of each class as of the others, evenly from its sorted list."""
    there = {name: sorted(p for p in (folder / name).glob("*") if p.suffix in SUFFIXES)
             for name in classes}
    there = {name: paths for name, paths in there.items() if paths}
    found: list[Path] = []
    for i, paths in enumerate(there.values()):
        n = (count * (i + 1)) // len(there) - (count * i) // len(there)
        found += [paths[len(paths) * k // n] for k in range(min(n, len(paths)))]
    return found


def matched(folder: Path, kit_folder: Path, count: int) -> list[dict[str, object]]:
    """A row a recording: distances of the nearest seed and of the refined sound, and the time."""
    from gan808.sound.kit.kit import load_kit
    from gan808.sound.match import Matcher, read_target
    from gan808.sound.renderer import Renderer

    kit = load_kit(kit_folder)
    renderer = Renderer(kit, RATE_HZ, threads=1)
    rows = []
    for path in chosen(folder, list(kit.classes), count):
        began_s = time.process_time()
        target = read_target(path, kit.geometry)
        found = Matcher(renderer, target).match([path.parent.name], seeds=SEEDS, steps=STEPS)
        rows.append({"recording": f"{path.parent.name}/{path.name}", "seed": found.nearest_db,
                     "refined": min(found.refined_db, found.nearest_db),
                     "seconds": time.process_time() - began_s})
        print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return rows


def told(rows: list[dict[str, object]], name: str) -> list[float]:
    return [float(row[name]) for row in rows]  # type: ignore[arg-type]


def elsewhere(checkout: Path, arguments: list[str]) -> list[dict[str, object]]:
    """The rows of this program with another checkout's code."""
    result = subprocess.run(
        [sys.executable, __file__, *arguments, "--rows"], check=True, stdout=subprocess.PIPE,
        text=True, env={**os.environ, "GAN808_BENCHMARKED": str(checkout)})
    return json.loads(result.stdout.splitlines()[-1])


def main() -> None:
    """Matches, and prints medians and how often which came nearer."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kit", type=Path, default=HERE / "kits" / "gan808")
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--checkout", type=Path, help="code to compare with")
    parser.add_argument("--rows", action="store_true", help="print the rows as JSON, no more")
    asked = parser.parse_args()
    arguments = [str(asked.folder), "--kit", str(asked.kit), "--count", str(asked.count)]
    before = elsewhere(asked.checkout.resolve(), arguments) if asked.checkout else []
    now = matched(asked.folder, asked.kit, asked.count)
    if asked.rows:
        print(json.dumps(now))
        return
    for name, rows in (("now", now), ("before", before)):
        if rows:
            medians = [statistics.median(told(rows, k)) for k in ("seed", "refined", "seconds")]
            print("{}: nearest seed {:.2f} dB, refined {:.2f} dB, {:.1f} s".format(name, *medians)
                  + f" (medians of {len(rows)}); refined, mean "
                  f"{statistics.mean(told(rows, 'refined')):.3f} dB")
    if before:
        apart = [a - b for a, b in zip(told(now, "refined"), told(before, "refined"), strict=True)]
        print(f"now - before: mean {statistics.mean(apart):+.3f} dB, median "
              f"{statistics.median(apart):+.3f}, nearer now {sum(d < 0 for d in apart)} of "
              f"{len(apart)}, worst {max(apart):+.2f}, best {min(apart):+.2f}")


sys.path.insert(0, os.environ.get("GAN808_BENCHMARKED", str(HERE)))

if __name__ == "__main__":
    main()
