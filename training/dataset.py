"""Recordings to shards of log-magnitude images on disk, and balanced batches back from them.

A dataset is a folder: dataset.json (geometry, classes, counts), labels.npy, held_out.npy,
moments.npz, origins.txt, skipped.txt and shard-*.npy (float16 log images, mapped, never loaded
whole). It is written beside its name and renamed when complete.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import re
import shutil
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr

from gan808.errors import CorpusError, TrainingError
from gan808.sound.geometry import Geometry
from gan808.sound.recording import SILENT_PEAK, onset_first
from gan808.sound.spectrogram import Moments, log_image, normalise, place
from training.corpus.recording import Recording, Skipped, Source

FORMAT_VERSION = 1
SHARD_ITEMS = 256
SHORTEST_S = 0.003
MAX_CLASSES = 16
MAX_SEMITONES = 4.0
HELD_OUT = 0.1


@dataclass(frozen=True)
class PrepareOptions:
    """variants_to: every class is filled to about this many images with pitched copies of its
    training sounds (2 to 12 a sound, up to 4 semitones either way); 0 adds none."""

    variants_to: int = 300
    seed: int = 808


def clean(recording: Recording, geometry: Geometry) -> np.ndarray:
    """Mono sound at the geometry's rate, onset first, peak 1. Raises CorpusError with a reason."""
    audio = onset_first(recording.audio, recording.sample_rate_hz, geometry.sample_rate_hz)
    if audio is None:
        raise CorpusError("silent")
    if len(audio) < SHORTEST_S * geometry.sample_rate_hz:
        raise CorpusError(f"shorter than {SHORTEST_S * 1000:.0f} ms")
    return audio


def is_held_out(pack: str) -> bool:
    """Whether a pack is kept from training: by a hash of its name, so that it never changes."""
    return hashlib.sha256(pack.encode()).digest()[0] < 256 * HELD_OUT


@dataclass(frozen=True, eq=False)
class _Clean:
    audio: np.ndarray
    class_name: str
    origin: str
    held_out: bool


def _usable(
    sources: Sequence[Source], geometry: Geometry, skipped: Skipped
) -> Iterator[_Clean]:
    for source in sources:
        for recording in source.recordings(skipped):
            try:
                audio = clean(recording, geometry)
            except CorpusError as error:
                skipped.add(recording.origin, str(error))
                continue
            room = 2 * geometry.n_samples  # a pitched-up copy needs more than the window
            yield _Clean(audio[:room], recording.class_name, recording.origin,
                         is_held_out(recording.pack))


def _select(sounds: list[_Clean], skipped: Skipped) -> tuple[list[_Clean], tuple[str, ...]]:
    """Drop classes of one sound; make sure every class has a training sound."""
    counts = Counter(sound.class_name for sound in sounds)
    kept = []
    for sound in sounds:
        if counts[sound.class_name] < 2:
            skipped.add(sound.origin, "alone in its class")
        else:
            kept.append(sound)
    classes = tuple(sorted({sound.class_name for sound in kept}))
    if not classes:
        why = "; ".join(f"{n} {reason}" for reason, n in skipped.reasons().items()) or "no files"
        raise CorpusError(f"nothing usable to train on ({why})")
    if len(classes) > MAX_CLASSES:
        raise CorpusError(
            f"{len(classes)} classes found, at most {MAX_CLASSES} fit a kit: {', '.join(classes)}"
        )
    training = Counter(sound.class_name for sound in kept if not sound.held_out)
    whole = [
        _Clean(s.audio, s.class_name, s.origin, s.held_out and training[s.class_name] > 0)
        for s in kept
    ]
    return whole, classes


def _pitched(sound: _Clean, semitones: float) -> _Clean:
    if semitones == 0.0:
        return sound
    ratio = 2.0 ** (semitones / 12.0)
    audio = soxr.resample(sound.audio, ratio, 1.0).astype(np.float32)
    audio /= max(np.abs(audio).max(), SILENT_PEAK)
    return _Clean(audio, sound.class_name, f"{sound.origin} {semitones:+.1f} st", sound.held_out)


def is_variant(origin: str) -> bool:
    """Whether an origin names a pitched copy."""
    return re.search(r" [+-]\d+\.\d st$", origin) is not None


def _with_variants(
    sounds: list[_Clean], options: PrepareOptions
) -> Iterator[Callable[[], _Clean]]:
    counts = Counter(s.class_name for s in sounds if not s.held_out)
    random = np.random.default_rng(options.seed)
    for sound in sounds:
        yield functools.partial(_pitched, sound, 0.0)
        if sound.held_out or not options.variants_to:
            continue
        copies = -(-options.variants_to // counts[sound.class_name]) - 1
        for _ in range(min(max(copies, 1), 11)):
            semitones = float(random.uniform(-MAX_SEMITONES, MAX_SEMITONES))
            yield functools.partial(_pitched, sound, semitones)


def prepare(
    sources: Sequence[Source],
    out: Path,
    geometry: Geometry,
    options: PrepareOptions | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Skipped:
    """Write the dataset folder `out` from the sources; returns what was skipped and why.

    progress is called with the number of images written. Raises CorpusError when nothing is
    usable, TrainingError when the folder cannot be written.
    """
    skipped = Skipped()
    sounds, classes = _select(list(_usable(sources, geometry, skipped)), skipped)
    partial = out.with_name(out.name + ".partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        jobs = _with_variants(sounds, options or PrepareOptions())
        _write(partial, _images(jobs, geometry), classes, geometry, progress)
        lines = [f"{where}\t{why}" for where, why in skipped.entries]
        (partial / "skipped.txt").write_text("\n".join(lines) + "\n" if lines else "")
        shutil.rmtree(out, ignore_errors=True)
        partial.rename(out)
    except OSError as error:
        raise TrainingError(f"{out}: cannot write the dataset ({error})") from error
    return skipped


def _images(
    jobs: Iterable[Callable[[], _Clean]], geometry: Geometry
) -> Iterator[tuple[_Clean, np.ndarray]]:
    """Images in order, computed on all cores; at most a few dozen in flight."""

    def one(job: Callable[[], _Clean]) -> tuple[_Clean, np.ndarray]:
        sound = job()
        return sound, log_image(place(sound.audio, geometry), geometry)

    pending: deque[Future[tuple[_Clean, np.ndarray]]] = deque()
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for job in jobs:
            pending.append(pool.submit(one, job))
            if len(pending) >= 32:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


def _write(
    folder: Path,
    images: Iterator[tuple[_Clean, np.ndarray]],
    classes: tuple[str, ...],
    geometry: Geometry,
    progress: Callable[[int], None],
) -> None:
    labels: list[int] = []
    held_out: list[bool] = []
    total = np.zeros(geometry.n_bands)
    squares = np.zeros(geometry.n_bands)
    n_training = 0
    shard: list[np.ndarray] = []
    n_shards = 0
    with (folder / "origins.txt").open("w") as origins:
        for sound, image in images:
            labels.append(classes.index(sound.class_name))
            held_out.append(sound.held_out)
            origins.write(sound.origin.replace("\n", " ") + "\n")
            if not sound.held_out:
                n_training += 1
                total += image.mean(axis=1)
                squares += (image.astype(np.float64) ** 2).mean(axis=1)
            shard.append(image.astype(np.float16))
            if len(shard) == SHARD_ITEMS:
                np.save(folder / f"shard-{n_shards:05d}.npy", np.stack(shard))
                n_shards, shard = n_shards + 1, []
            progress(len(labels))
    if shard:
        np.save(folder / f"shard-{n_shards:05d}.npy", np.stack(shard))
    mean = total / n_training
    deviation = np.sqrt(np.maximum(squares / n_training - mean**2, 1e-4))
    np.savez(folder / "moments.npz", mean=mean.astype(np.float32),
             deviation=deviation.astype(np.float32))
    np.save(folder / "labels.npy", np.asarray(labels, dtype=np.int16))
    np.save(folder / "held_out.npy", np.asarray(held_out))
    counts = Counter(classes[label] for label in labels)
    (folder / "dataset.json").write_text(json.dumps({
        "format_version": FORMAT_VERSION, "geometry": geometry.to_dict(), "classes": classes,
        "count": len(labels), "held_out": int(sum(held_out)), "per_class": counts,
    }, indent=1))


class Dataset:
    """A prepared dataset, memory-mapped.

    Attributes: geometry, classes, moments, labels int16 (n,), held_out bool (n,), origins.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            index = json.loads((folder / "dataset.json").read_text())
            if index["format_version"] != FORMAT_VERSION:
                raise TrainingError(
                    f"{folder}: dataset format {index['format_version']}, this program reads "
                    f"{FORMAT_VERSION}; prepare it again"
                )
            self.geometry = Geometry(**index["geometry"])
            self.classes: tuple[str, ...] = tuple(index["classes"])
            self.labels = np.load(folder / "labels.npy", allow_pickle=False)
            self.held_out = np.load(folder / "held_out.npy", allow_pickle=False)
            with np.load(folder / "moments.npz", allow_pickle=False) as moments:
                self.moments = Moments(moments["mean"], moments["deviation"])
            self.origins = (folder / "origins.txt").read_text().splitlines()
            paths = sorted(folder.glob("shard-*.npy"))
            self._shards = [np.load(p, mmap_mode="r", allow_pickle=False) for p in paths]
        except FileNotFoundError as error:
            raise TrainingError(
                f"{folder}: not a dataset ({Path(error.filename).name} is missing); "
                "make one with `gan808 prepare`"
            ) from error
        except (KeyError, ValueError) as error:
            raise TrainingError(f"{folder}: damaged dataset ({error}); prepare it again") from error
        if sum(len(shard) for shard in self._shards) != len(self.labels):
            raise TrainingError(f"{folder}: damaged dataset (shards are missing); prepare it again")
        self._training = [
            np.flatnonzero((self.labels == label) & ~self.held_out)
            for label in range(len(self.classes))
        ]

    def __len__(self) -> int:
        return len(self.labels)

    def image(self, index: int) -> np.ndarray:
        """Normalised image, float32, shape (n_bands, n_frames)."""
        shard, row = divmod(int(index), SHARD_ITEMS)
        return normalise(self._shards[shard][row].astype(np.float32), self.moments)

    def batch(self, size: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Training images with classes drawn evenly: float32 (size, n_bands, n_frames, 1) and
        int32 (size,)."""
        labels = random.integers(0, len(self.classes), size)
        chosen = [random.choice(self._training[label]) for label in labels]
        images = np.stack([self.image(i) for i in chosen])
        return images[..., None], labels.astype(np.int32)
