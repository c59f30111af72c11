"""How loud a kit's factory sounds are for its kick: python -m benchmarks.balance [KIT FOLDER].

Momentary maximum (BS.1770-4), LU relative to the median kick: median, spread (highest less
lowest), the kit's target, and the two tables of defaults, measured from FluidR3."""

import sys
from pathlib import Path

import numpy as np

from gan808.sound.kit.kit import load_kit
from gan808.sound.loudness import RELATIVE_LU, momentary_lkfs


def main(folder: Path) -> None:
    kit = load_kit(folder)
    found: dict[str, list[float]] = {name: [] for name in kit.classes}
    for sound in kit.factory_sounds(kit.geometry.sample_rate_hz):
        n_channels = 1 if sound.audio.ndim == 1 else sound.audio.shape[1]
        loudness = momentary_lkfs(sound.audio, sound.sample_rate_hz)
        found[sound.class_asked].append(loudness - 10 * float(np.log10(n_channels)))
    target = kit.manifest.loudness
    kick = float(np.median(found["kick"])) if found.get("kick") else target.kick_lkfs
    print(f"{'class':<12}{'median':>8}{'spread':>8}{'target':>8}{'machine':>9}{'acoustic':>10}")
    for name, values in found.items():
        if values:
            wanted = target.target_lkfs(name) - target.kick_lkfs
            machine, acoustic = (RELATIVE_LU[b].get(name, np.nan) for b in ("machine", "acoustic"))
            print(f"{name:<12}{np.median(values) - kick:8.1f}{max(values) - min(values):8.1f}"
                  f"{wanted:8.1f}{machine:9.1f}{acoustic:10.1f}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "kits/gan808"))
