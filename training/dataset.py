"""Recordings to shards of log-magnitude images on disk, and balanced batches back from them.

A dataset is a folder: dataset.json (geometry, classes, counts, credits), labels.npy, held_out.npy,
reported.npy (the half of it that chooses no checkpoint), moments.npz, origins.txt, collections.txt,
skipped.txt and shard-*.npy (float16 log images, mapped, never loaded
whole). It is written beside its name and renamed when complete; what is written of it before is
enough to go on.
"""

from __future__ import annotations

import copy
import json
import re
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import soxr

from gan808 import ownership
from gan808.errors import CorpusError, TrainingError
from gan808.sound.recording import SILENT_PEAK
from gan808.sound.spectral.geometry import Geometry
from gan808.sound.spectral.spectrogram import (
    Moments,
    log_image,
    normalise,
    place,
)
from gan808.toml_json import from_json

from .corpus.recording import Credit, Skipped, Source, Spooled
from .corpus.spool import Spool
from .corpus.synth import is_synthesised
from .drawing import chances
from .moments import PROGRESS, BandSums
from .parallel import in_order

FORMAT_VERSION = 2
SHARD_ITEMS = 256
MAX_SEMITONES = 4.0
MOST_COPIES = 11
PARTIAL_MARK = "preparing.json"
PROGRESS_VERSION = 3  # what another program left half done is begun again
OTHER_OUT = "another --out (or --work)"


@dataclass(frozen=True)
class PrepareOptions:
    """variants_to: every class is filled to about this many images with pitched copies of its
    training recordings (up to MOST_COPIES each, up to MAX_SEMITONES either way); 0 adds none."""

    variants_to: int = 600
    seed: int = 808


@dataclass(frozen=True)
class Job:
    """One image to be made: a sound at so many semitones."""

    sound: Spooled
    semitones: float = 0.0

    @property
    def origin(self) -> str:
        name = _one_line(self.sound.origin)
        return f"{name} {self.semitones:+.1f} st" if self.semitones else name


def _one_line(name: str) -> str:
    return " ".join(name.splitlines())


def _pitched(audio: np.ndarray, semitones: float) -> np.ndarray:
    if semitones == 0.0:
        return audio
    moved = soxr.resample(audio, 2.0 ** (semitones / 12.0), 1.0).astype(np.float32)
    return np.asarray(moved / max(np.abs(moved).max(), SILENT_PEAK), np.float32)


def is_variant(origin: str) -> bool:
    """Whether an origin names a pitched copy."""
    return re.search(r" [+-]\d+\.\d st$", origin) is not None


def all_jobs(sounds: list[Spooled], options: PrepareOptions) -> Iterator[Job]:
    """Every sound, and after a training sound its copies; always the same. Of a class that has
    recordings only these are copied: synthesised voices can be had in any number."""
    there: defaultdict[str, Counter[bool]] = defaultdict(Counter)
    for sound in sounds:
        there[sound.class_name][is_synthesised(sound.origin)] += not sound.held_out
    random = np.random.default_rng(options.seed)
    for sound in sounds:
        yield Job(sound)
        n = there[sound.class_name]
        copied = not (is_synthesised(sound.origin) and n[False])
        if sound.held_out or not copied:
            continue
        same = n[False] or n[True]
        copies = -(-(options.variants_to - same) // same)
        for _ in range(max(0, min(copies, MOST_COPIES))):
            yield Job(sound, float(random.uniform(-MAX_SEMITONES, MAX_SEMITONES)))


def prepare(
    sources: Sequence[Source],
    out: Path,
    geometry: Geometry,
    options: PrepareOptions | None = None,
    progress: Callable[[float | None, str], None] = lambda *_: None,
    mark: str = "",
) -> Skipped:
    """Write the dataset folder `out` from the sources; returns what was skipped and why. A dataset
    that is there is replaced.

    Memory holds a few dozen sounds and an index, whatever their number; all cores work. Killed, or
    stopped by a full disk, the same call goes on where it was if `mark` (what tells these sources
    from others) and the geometry are the same. progress is called with the share done, None while
    it is unknown, and a few words. Raises CorpusError when nothing is usable, TrainingError when
    the folder cannot be written, ConfigError when something that is no dataset is there.
    """
    chosen = options or PrepareOptions()
    out = ownership.followed(out)
    partial = unfinished(out)
    require_free(out)
    skipped = Skipped()
    try:
        options_mark = [PROGRESS_VERSION, mark, geometry.to_dict(), asdict(chosen)]
        _open_partial(partial, json.dumps(options_mark))
        spool = Spool(partial)
        try:
            sounds, classes = spool.fill(
                sources, geometry, skipped, lambda n: progress(None, f"{n} sounds read"))
        except CorpusError:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        _write_images(partial, spool, list(all_jobs(sounds, chosen)), geometry, progress)
        credits = {name: credit for source in sources for name, credit in source.credits().items()}
        _write_index(partial, list(all_jobs(sounds, chosen)), classes, geometry, credits)
        lines = [f"{where}\t{why}" for where, why in skipped.entries]
        (partial / "skipped.txt").write_text("\n".join(lines) + "\n" if lines else "")
        spool.remove()
        (partial / PARTIAL_MARK).unlink()
        (partial / PROGRESS).unlink()
        (partial / ownership.LOCK_HOLDER).unlink(missing_ok=True)
        require_free(out)  # hours may have passed
        ownership.put_in_place(partial, out)
    except OSError as error:
        raise TrainingError(
            f"{out}: cannot write the dataset ({error.strerror or error}); what is there is kept, "
            "the same command goes on from it"
        ) from error
    return skipped


def unfinished(out: Path) -> Path:
    """Where the dataset `out` lies while it is prepared."""
    return out.with_name(out.name + ".partial")


def require_free(out: Path, sources: Sequence[Path] = ()) -> None:
    """Raise ConfigError unless the dataset `out` may be made or replaced: see ownership.py."""
    ownership.require_free(out, ownership.DATASET, OTHER_OUT, sources)
    ownership.require_free(unfinished(out), ownership.UNFINISHED_DATASET, OTHER_OUT, sources)


def _open_partial(partial: Path, mark: str) -> None:
    """The folder of an unfinished preparation: kept when it was of the same, else made anew."""
    path = partial / PARTIAL_MARK
    if not path.is_file() or path.read_text() != mark:
        partial.mkdir(parents=True, exist_ok=True)
        for old in partial.iterdir():
            if old.is_file() and old.name != ownership.LOCK:  # which the caller may hold
                old.unlink()
        ownership.mark(partial, ownership.DATASET)
        path.write_text(mark)


def _write_images(
    folder: Path, spool: Spool, jobs: list[Job], geometry: Geometry,
    progress: Callable[[float | None, str], None],
) -> None:
    """The shards that are missing, and moments.npz."""

    def image_of(job: Job) -> tuple[bool, np.ndarray]:
        audio = _pitched(spool.audio(job.sound), job.semitones)
        return job.sound.held_out, log_image(place(audio, geometry), geometry)

    sums = BandSums(folder, geometry)
    done = min(sums.n_shards * SHARD_ITEMS, len(jobs))
    shard: list[np.ndarray] = []
    for held_out, image in in_order(image_of, jobs[done:]):
        if not held_out:
            sums.add(image)
        shard.append(image.astype(np.float16))
        done += 1
        if len(shard) == SHARD_ITEMS or done == len(jobs):
            np.save(folder / f"shard-{sums.n_shards:05d}.npy", np.stack(shard))
            sums.n_shards, shard = sums.n_shards + 1, []
            sums.save()
        progress(done / len(jobs), f"{done} of {len(jobs)} images")
    moments = sums.moments()
    np.savez(folder / "moments.npz", mean=moments.mean, deviation=moments.deviation)


def _write_index(
    folder: Path, jobs: list[Job], classes: tuple[str, ...], geometry: Geometry,
    credits: Mapping[str, Credit],
) -> None:
    number = {name: i for i, name in enumerate(classes)}
    np.save(folder / "labels.npy",
            np.asarray([number[job.sound.class_name] for job in jobs], dtype=np.int16))
    np.save(folder / "held_out.npy", np.asarray([job.sound.held_out for job in jobs]))
    np.save(folder / "reported.npy", np.asarray([job.sound.reported for job in jobs]))
    with (folder / "origins.txt").open("w") as origins:
        origins.writelines(f"{job.origin}\n" for job in jobs)
    there = dict.fromkeys(_one_line(job.sound.collection) for job in jobs)
    with (folder / "collections.txt").open("w") as collections:
        collections.writelines(f"{_one_line(job.sound.collection)}\n" for job in jobs)
    (folder / "dataset.json").write_text(json.dumps({
        "format_version": FORMAT_VERSION, "geometry": geometry.to_dict(), "classes": classes,
        "count": len(jobs), "held_out": sum(job.sound.held_out for job in jobs),
        "per_class": Counter(job.sound.class_name for job in jobs),
        "credits": {name: asdict(credits[name]) for name in there if name in credits},
    }, indent=1))


@dataclass(frozen=True)
class _Family:
    """The training sounds of a class: where each lies, how many images are made of it, and the
    chance that it or one before it is drawn."""

    first: np.ndarray
    n_images: np.ndarray
    up_to: np.ndarray


class Dataset:
    """A prepared dataset, memory-mapped.

    Attributes: geometry, classes, moments, labels int16 (n,), held_out bool (n,), reported bool
    (n,), the half of held_out that chooses no checkpoint, origins, collections (n,), whose sound
    each is, and credits, by collection.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            index = from_json((folder / "dataset.json").read_text())
            if index["format_version"] != FORMAT_VERSION:
                raise TrainingError(
                    f"{folder}: dataset format {index['format_version']}, this program reads "
                    f"{FORMAT_VERSION}; prepare it again"
                )
            self.geometry = Geometry(**index["geometry"])
            self.classes: tuple[str, ...] = tuple(index["classes"])
            self.labels = np.load(folder / "labels.npy", allow_pickle=False)
            self.held_out = np.load(folder / "held_out.npy", allow_pickle=False)
            self.reported = np.load(folder / "reported.npy", allow_pickle=False)
            self.credits = {name: Credit(**each) for name, each in index["credits"].items()}
            with np.load(folder / "moments.npz", allow_pickle=False) as moments:
                self.moments = Moments(moments["mean"], moments["deviation"])
            self.origins = (folder / "origins.txt").read_text().splitlines()
            self.collections = np.asarray((folder / "collections.txt").read_text().splitlines())
            paths = sorted(folder.glob("shard-*.npy"))
            self._shards = [np.load(p, mmap_mode="r", allow_pickle=False) for p in paths]
        except FileNotFoundError as error:
            raise TrainingError(
                f"{folder}: not a dataset ({Path(error.filename).name} is missing); "
                "make one with `gan808 prepare`"
            ) from error
        except (KeyError, TypeError, ValueError) as error:
            raise TrainingError(f"{folder}: damaged dataset ({error}); prepare it again") from error
        if sum(len(shard) for shard in self._shards) != len(self.labels):
            raise TrainingError(f"{folder}: damaged dataset (shards are missing); prepare it again")
        if not len(self.origins) == len(self.collections) == len(self.labels):
            raise TrainingError(
                f"{folder}: damaged dataset ({len(self.origins)} origins of {len(self.labels)} "
                "images); prepare it again")
        self._training = self._families()

    def _families(self) -> list[_Family]:
        """Of each class: its pitched copies lie behind a sound."""
        copied = np.zeros(len(self.labels), dtype=bool)
        original = ""
        for i, origin in enumerate(self.origins):
            copied[i] = is_variant(origin) and origin.startswith(f"{original} ")
            original = original if copied[i] else origin
        first = np.flatnonzero(~copied)
        size = np.diff(np.append(first, len(copied)))
        of_class = [(self.labels[first] == label) & ~self.held_out[first]
                    for label in range(len(self.classes))]
        return [_Family(first[these], size[these], chances(self.collections[first[these]]).cumsum())
                for these in of_class]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def choosing(self) -> np.ndarray:
        """The half of what is held out by which a checkpoint is chosen, bool (n,)."""
        return np.asarray(self.held_out & ~self.reported)

    def normalised_by(self, moments: Moments) -> Dataset:
        """The same dataset, its images normalised by other moments: those of the kit or checkpoint
        whose networks are to see them."""
        other = copy.copy(self)
        other.moments = moments
        return other

    def image(self, index: int) -> np.ndarray:
        """Normalised image, float32, shape (n_bands, n_frames)."""
        return normalise(self._log_image(index), self.moments)

    def _log_image(self, index: int) -> np.ndarray:
        shard, row = divmod(int(index), SHARD_ITEMS)
        return np.asarray(self._shards[shard][row], dtype=np.float32)

    def log_images(self, indices: np.ndarray) -> np.ndarray:
        """Log-magnitude images as they were measured, float32, shape (n, n_bands, n_frames)."""
        return np.stack([self._log_image(index) for index in indices])

    def batch(self, size: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Training images, float32 (size, n_bands, n_frames, 1), and their classes, int32 (size,).
        Classes are drawn evenly, the sounds of a class by the packs they are of (drawing.py);
        pitched copies share the place of what they were made of, or recordings that have some would
        crowd out what has none."""
        labels = random.integers(0, len(self.classes), size)
        chosen = []
        for label in labels:
            family = self._training[label]
            one = np.searchsorted(family.up_to[:-1], random.random(), side="right")
            chosen.append(family.first[one] + random.integers(family.n_images[one]))
        images = np.stack([self.image(i) for i in chosen])
        return images[..., None], labels.astype(np.int32)
