"""Sounds a second on one core, from latent to finished and classified, against two other ways.

    python benchmarks/render.py            (--recipe house or paper for one of them)
    python benchmarks/render.py --kits KIT BEFORE    class by class, trained kits of two geometries

- "original": the way of the notebook GAN-808 comes from: generator one sound at a time, mel bands
  of n_fft 2024 back by the pseudo-inverse, 60 rounds of librosa's Griffin-Lim. It neither finishes
  nor classifies.
- "librosa": what one would write today: Keras `predict`, one sound at a time and, for comparison,
  eight; the bands interpolated; `librosa.griffinlim` with its own 32 rounds. Not finished or
  classified either.

The networks have the recipe's full size and random numbers, which take as long as trained ones.
All run in one process on one thread, in turn; processor time is counted, so that other programs
disturb little; medians. Then the error: real drums go through the image and back both ways; the
spectral convergence with the recording is taken with a transform neither inverts (1024/64).
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.update(  # before NumPy and TensorFlow
    TF_CPP_MIN_LOG_LEVEL="3", OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1",
    TF_NUM_INTRAOP_THREADS="1", TF_NUM_INTEROP_THREADS="1",
)

import librosa
import numpy as np
import soundfile

from benchmarks.support.kits import CLASS, write_random_kit
from gan808.sound.kit.kit import Kit, load_kit
from gan808.sound.latent import Point, latent_of
from gan808.sound.recording import onset_first
from gan808.sound.renderer import Renderer
from gan808.sound.sound import BATCH
from gan808.sound.spectral.geometry import GEOMETRIES, Geometry
from gan808.sound.spectral.griffin_lim import magnitudes, make_reconstructor
from gan808.sound.spectral.spectrogram import (
    CLIP_SIGMAS,
    Moments,
    denormalise,
    log_image,
    normalise,
    place,
    stft,
)
from training.kit_weights import load_networks

RATE_HZ = 48_000
ORIGINAL_N_FFT, ORIGINAL_ROUNDS = 2024, 60
ROUNDS = 40
SONIC_PI = Path("/usr/share/sonic-pi/samples")
DRUMS = ("bd_", "sn_", "drum_")
MOST_DRUMS = 48
Way = Callable[[int], Any]


def ours(kit: Kit) -> Way:
    """BATCH finished and classified sounds of the renderer."""
    renderer = Renderer(kit, RATE_HZ, threads=1, griffin_lim_rounds=ROUNDS)
    return ours_of(renderer, CLASS)


def ours_of(renderer: Renderer, class_name: str) -> Way:
    """BATCH finished and classified sounds of a class."""
    return lambda turn: renderer.render(
        [class_name] * BATCH, range(turn * BATCH, (turn + 1) * BATCH))


def latents(kit: Kit, turn: int) -> np.ndarray:
    """Those of the renderer's sounds of that turn."""
    seeds = range(turn * BATCH, (turn + 1) * BATCH)
    return np.stack([latent_of(Point(seed), kit.manifest.network) for seed in seeds])


def original(kit: Kit, generator: Any) -> Way:
    """One sound."""
    geometry = kit.geometry
    moments, _ = kit.statistics()
    mel = librosa.filters.mel(sr=geometry.sample_rate_hz, n_fft=ORIGINAL_N_FFT,
                              n_mels=geometry.n_bands)
    inverse = np.linalg.pinv(mel).astype(np.float32)
    label = np.zeros(1, np.int32)

    def one(turn: int) -> np.ndarray:
        image = np.asarray(generator([latents(kit, turn)[:1], label], training=False))[0, ..., 0]
        power = np.maximum(inverse @ np.exp(denormalise(image, moments)), 0.0)
        return librosa.griffinlim(power, n_iter=ORIGINAL_ROUNDS, hop_length=geometry.hop,
                                  n_fft=ORIGINAL_N_FFT)

    return one


def straightforward(kit: Kit, generator: Any, n: int) -> Way:
    """n sounds, predicted at once, inverted one by one."""
    moments, _ = kit.statistics()
    labels = np.zeros(n, np.int32)

    def some(turn: int) -> list[np.ndarray]:
        images = generator.predict([latents(kit, turn)[:n], labels], verbose=0)[..., 0]
        return [by_librosa(magnitudes(image, kit.geometry, moments), kit.geometry)
                for image in images]

    return some


def by_librosa(target: np.ndarray, geometry: Geometry) -> np.ndarray:
    """librosa's way back from magnitudes (n_bins, n_frames), as it comes."""
    return librosa.griffinlim(target, hop_length=geometry.hop, n_fft=geometry.n_fft,
                              length=geometry.hop * (target.shape[1] - 1), random_state=808)


def milliseconds(way: Way, turn: int, sounds: int) -> float:
    """Processor time a sound."""
    began_s = time.process_time()
    way(turn)
    return (time.process_time() - began_s) / sounds * 1e3


def compare(kit: Kit, repeats: int) -> None:
    """Runs all ways in turn and prints the medians and their ratios to the renderer."""
    generator, _ = load_networks(kit)
    own = ours(kit)
    rivals = {
        "original": (original(kit, generator), 1),
        "librosa": (straightforward(kit, generator, 1), 1),
        f"librosa, predicted {BATCH} at a time": (straightforward(kit, generator, BATCH), BATCH),
    }
    for way in (own, *(way for way, _ in rivals.values())):
        way(0)
    rows = [[milliseconds(own, turn, BATCH),
             *(milliseconds(way, turn, n) for way, n in rivals.values())]
            for turn in range(1, repeats + 1)]
    own_ms = statistics.median(row[0] for row in rows)
    print(f"{kit.name}: {own_ms:.1f} ms a sound, {1e3 / own_ms:.0f} sounds a second of one core")
    for i, name in enumerate(rivals, 1):
        rival_ms = statistics.median(row[i] for row in rows)
        ratio = statistics.median(row[i] / row[0] for row in rows)
        print(f"  {name}: {rival_ms:.0f} ms a sound, ratio {ratio:.1f}")


def drums(geometry: Geometry) -> list[np.ndarray]:
    """Placed recordings: the default kit's factory sounds and, where installed, Sonic Pi's."""
    factory = Path(__file__).resolve().parents[1] / "kits" / "gan808" / "factory"
    files = [path for path in sorted(SONIC_PI.glob("*.flac")) if path.name.startswith(DRUMS)]
    print(f"  drums: {len(files)} recordings of Sonic Pi", end="")
    made = sorted(factory.glob("*.flac"))[:: max(1, 60 // (MOST_DRUMS - len(files)))]
    print(f", {len(made)} factory sounds")
    placed = []
    for path in [*files, *made]:
        audio, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
        moved = onset_first(audio.mean(axis=1), rate_hz, geometry.sample_rate_hz)
        if moved is not None:
            placed.append(place(moved, geometry))
    return placed


def _filled(audio: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Followed by silence up to the length of another."""
    return np.pad(audio, (0, len(like) - len(audio)))


def by_class(kit: Kit, before: Kit, repeats: int) -> None:
    """Prints what each class of a kit costs, against a kit of uniform time whose sounds are its
    own, and the mean over sixteen slots."""
    rows: dict[str, tuple[float, float]] = {}
    ways = [Renderer(each, RATE_HZ, threads=1, griffin_lim_rounds=ROUNDS) for each in (kit, before)]
    for name in kit.classes:
        if name not in before.classes:
            continue
        took: list[list[float]] = [[], []]
        for turn in range(repeats + 1):
            for times, renderer in zip(took, ways, strict=True):
                times.append(milliseconds(ours_of(renderer, name), turn, BATCH))
        own_ms, before_ms = (statistics.median(times[1:]) for times in took)
        rows[name] = own_ms, before_ms
        print(f"  {name}: {1e3 / own_ms:.0f} a second, ratio to {before.name} "
              f"{before_ms / own_ms:.2f}")
    slots = [rows[slot.class_name] for slot in kit.slots if slot.class_name in rows]
    own_ms, before_ms = np.mean(slots, axis=0)
    print(f"  mean over {len(slots)} slots: {1e3 / own_ms:.0f} a second, ratio "
          f"{before_ms / own_ms:.2f}")


def errors(geometry: Geometry) -> None:
    """Prints the mean error of both ways back, on the same magnitudes."""
    low, high = np.log(geometry.magnitude_floor), np.log(geometry.n_fft)
    middle = np.full(geometry.n_bands, (low + high) / 2, np.float32)
    wide = np.full(geometry.n_bands, (high - low) / (2 * CLIP_SIGMAS), np.float32)
    moments = Moments(middle, wide)  # clips nothing: the error is of the way back
    reconstruct = make_reconstructor(geometry, rounds=ROUNDS)
    found: list[list[float]] = []
    for audio in drums(geometry):
        image = normalise(log_image(audio, geometry), moments)
        target = magnitudes(image, geometry, moments)
        truth = np.abs(stft(audio, 1024, 64))
        found.append([
            float(np.linalg.norm(np.abs(stft(_filled(back, audio), 1024, 64)) - truth)
                  / np.linalg.norm(truth))
            for back in (reconstruct(target), by_librosa(target, geometry).astype(np.float32))
        ])
    own, theirs = np.mean(found, axis=0)
    print(f"  error against the recording (1024/64): {own:.3f}, librosa's {theirs:.3f}")


def main() -> None:
    """Compares one recipe or both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipe", choices=sorted(GEOMETRIES), action="append")
    parser.add_argument("--width", type=int, help="d of the networks; default: the recipe's")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--kits", type=Path, nargs=2, metavar=("KIT", "BEFORE"),
                        help="instead: a kit's classes, each against another kit's")
    arguments = parser.parse_args()
    if arguments.kits:
        kit, before = (load_kit(folder) for folder in arguments.kits)
        by_class(kit, before, arguments.repeats)
        return
    with tempfile.TemporaryDirectory() as folder:
        for recipe in arguments.recipe or ("paper", "house"):
            path = write_random_kit(Path(folder) / recipe, recipe, width=arguments.width)
            compare(load_kit(path), arguments.repeats)
            errors(GEOMETRIES[recipe])


if __name__ == "__main__":
    main()
