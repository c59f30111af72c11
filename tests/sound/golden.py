"""Twelve sounds of the shipped kit as hashes, by family of processors, in golden.toml beside this.

    python -m tests.sound.golden            what this machine renders, and whether that is known
    python -m tests.sound.golden --write    adds this machine's family, or what it renders now

A family is what may differ in a sound's last bits: the processor that numba compiles for and the
one that the matrix products of NumPy are written for. Write a known family anew only when sounds
are meant to change, and raise `RENDER` in gan808/sound/sound.py with it; another kit begins anew.
"""

from __future__ import annotations

import hashlib
import platform
import sys
import tomllib
from pathlib import Path

import llvmlite.binding as llvm
import numba
import numpy as np
import threadpoolctl
import tomlkit

from gan808.sound.kit.kit import MANIFEST, WEIGHTS, load_kit
from gan808.sound.renderer import Renderer
from gan808.sound.sound import RENDER

FILE = Path(__file__).with_suffix(".toml")
KIT = Path(__file__).parents[2] / "kits" / "gan808"
RATE_HZ, SEED, DIGITS = 48_000, 808, 16


def family() -> str:
    """The name of this machine's family, such as "x86_64 znver4 SkylakeX"."""
    blas = next((str(pool.get("architecture")) for pool in threadpoolctl.threadpool_info()
                 if "numpy" in str(pool["filepath"])), "")
    compiled_for = numba.config.CPU_NAME or llvm.get_host_cpu_name()
    return " ".join((platform.machine(), compiled_for, blas)).strip()


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
