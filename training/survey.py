"""What a preparation would take, told before anything is decoded."""

from __future__ import annotations

import math
import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from gan808.sound.spectral.geometry import Geometry

from .corpus.audio_files import fault
from .corpus.classes import ALIASES
from .corpus.recording import Recording, Skipped, Source, Spooled
from .corpus.split import choose_held_out
from .corpus.spool import collection_of, select
from .corpus.synth import is_synthesised
from .dataset import PrepareOptions, all_jobs
from .parallel import in_order

IMAGES_A_CORE_S = 15.0  # decoding and drawing, about
BYTES_A_VALUE = 2  # float16
FOLDERS_NAMED = 6  # of a class, the largest


@dataclass(frozen=True)
class ClassPlan:
    """What there is of a class: folders, the largest first, with their number of sounds; recordings
    and synthesised voices; pitched copies that are to be made; what is held out."""

    name: str
    folders: tuple[tuple[str, int], ...]
    recordings: int
    voices: int
    copies: int
    held_out: int

    def line(self) -> str:
        """For people."""
        strange = "" if self.name in ALIASES else " (a name of its own)"
        voices = f" + {self.voices} synthesised" if self.voices else ""
        copies = f" (+ {self.copies} pitched copies)" if self.copies else ""
        named = ", ".join(f"{folder} {n}" for folder, n in self.folders[:FOLDERS_NAMED])
        more = f" and {len(self.folders) - FOLDERS_NAMED} more" if len(
            self.folders) > FOLDERS_NAMED else ""
        return (f"{self.name}{strange}: {self.recordings} recordings{voices}{copies}, "
                f"{self.held_out} held out; of {named}{more}")


def survey(
    sources: Sequence[Source], options: PrepareOptions, skipped: Skipped
) -> list[ClassPlan]:
    """The classes in order; what is not taken is added to skipped. Of each file the header is read;
    silence, damage behind it and the same sound in another file are found only when decoding.
    Raises CorpusError when nothing is left."""
    recordings = _with_headers(
        [each for source in sources for each in source.recordings(skipped)], skipped)
    sounds, classes = select([_spooled(each) for each in recordings], skipped)
    split = choose_held_out(sounds)
    images = Counter(job.sound.class_name for job in all_jobs(split, options))
    folders: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for sound in split:
        folders[sound.class_name][_folder(sound.origin)] += 1
    plans = []
    for name in classes:
        mine = [s for s in split if s.class_name == name]
        voices = sum(is_synthesised(s.origin) for s in mine)
        plans.append(ClassPlan(
            name, tuple(folders[name].most_common()), len(mine) - voices, voices,
            images[name] - len(mine), sum(s.held_out for s in mine)))
    return plans


def _with_headers(recordings: Sequence[Recording], skipped: Skipped) -> list[Recording]:
    """Those whose file's header says nothing against them; of several in one file the hits are
    known."""
    times = Counter(recording.path for recording in recordings)
    kept = []
    for recording, why in in_order(lambda each: (each, _fault(each, times)), recordings):
        if why:
            skipped.add(recording.origin, why)
        else:
            kept.append(recording)
    return kept


def _fault(recording: Recording, times: Mapping[Path | None, int]) -> str:
    path = recording.path
    return fault(path) if path is not None and times[path] == 1 else ""


def _spooled(recording: Recording) -> Spooled:
    return Spooled(0, 0, recording.class_name, recording.origin, recording.pack,
                   collection_of(recording))


def _folder(origin: str) -> str:
    return "synthesised" if is_synthesised(origin) else str(PurePosixPath(origin).parent)


def lines(plans: Sequence[ClassPlan], geometry: Geometry) -> Iterator[str]:
    """The survey for people: a line for each class, then the sums."""
    for plan in plans:
        yield plan.line()
    n_images = sum(p.recordings + p.voices + p.copies for p in plans)
    n_bytes = n_images * math.prod(geometry.image_shape) * BYTES_A_VALUE
    minutes = n_images / IMAGES_A_CORE_S / (os.cpu_count() or 1) / 60
    yield (f"{n_images} images of {len(plans)} classes: {n_bytes / 2**20:.0f} MiB, prepared in "
           f"about {max(minutes, 1):.0f} min; a kit takes hours of training or 20,000 steps and "
           "more")
