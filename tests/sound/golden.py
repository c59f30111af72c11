"""Twelve sounds of the shipped kit as hashes, by family of processors, in golden.toml beside this.

    python -m tests.sound.golden            what this machine renders, and whether that is known
    python -m tests.sound.golden --write    adds this machine's family, or what it renders now

A family is what differs in a sound's last bits: whether the processor multiplies and adds in one,
as NumPy and ONNX Runtime do where it can. Write a known family anew only when sounds are meant to
change, and raise `RENDER` in gan808/sound/sound.py with it; another kit begins anew.
"""

from __future__ import annotations

import hashlib
import platform
import sys
import tomllib
from pathlib import Path

import numpy as np
import tomlkit
from numpy._core._multiarray_umath import __cpu_features__

from gan808.sound.kit.kit import MANIFEST, WEIGHTS, load_kit
from gan808.sound.renderer import Renderer
from gan808.sound.sound import RENDER

FILE = Path(__file__).with_suffix(".toml")
KIT = Path(__file__).parents[2] / "kits" / "gan808"
RATE_HZ, SEED, DIGITS = 48_000, 808, 16


def family() -> str:
    """The name of this machine's family, such as "x86_64 with FMA"."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return platform.machine()
    # What NumPy chose, not what the processor has: NPY_DISABLE_CPU_FEATURES is heard.
    fused = __cpu_features__.get("X86_V3", __cpu_features__.get("FMA3"))
    return f"x86_64 {'with' if fused else 'without'} FMA"


def kit_mark() -> str:
    """What tells one shipped kit from another: its numbers, not its factory sounds."""
    digest = hashlib.sha256((KIT / WEIGHTS).read_bytes())
    manifest = tomllib.loads((KIT / MANIFEST).read_text(encoding="utf-8"))
    for part in ("geometry", "network", "loudness"):
        digest.update(repr(sorted(manifest.get(part, {}).items())).encode())
    return digest.hexdigest()[:DIGITS]


def rendered(threads: int = 1) -> dict[str, np.ndarray]:
    """One sound of each class at 48 kHz, by class: float32 (n,)."""
    kit = load_kit(KIT)
    sounds = Renderer(kit, RATE_HZ, threads=threads).render(kit.classes, [SEED] * len(kit.classes))
    return {sound.class_asked: sound.audio for sound in sounds}


def hashes() -> dict[str, str]:
    """The same as hashes."""
    return {name: hashlib.sha256(np.ascontiguousarray(audio, "<f4").tobytes()).hexdigest()[:DIGITS]
            for name, audio in rendered().items()}


def known() -> dict[str, dict[str, str]]:
    """Hashes by class, by family, of the present kit and renderer; empty when they are others'."""
    content = tomllib.loads(FILE.read_text(encoding="utf-8"))
    same = (content["kit"], content["render"]) == (kit_mark(), RENDER)
    return dict(content["family"]) if same else {}


def main() -> None:
    """The command."""
    found, families = hashes(), known()
    before = families.get(family())
    said = "not known" if before is None else "as known" if before == found else "CHANGED"
    sys.stdout.write(f"{family()}: {said}\n")
    for name, value in found.items():
        sys.stdout.write(f"{name:<12} {value}\n")
    if "--write" in sys.argv[1:]:
        families[family()] = found
        FILE.write_text(tomlkit.dumps(
            {"kit": kit_mark(), "render": RENDER, "family": families}), encoding="utf-8")


if __name__ == "__main__":
    main()
