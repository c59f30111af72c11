"""What tells a dataset's sources from others: the content of their usable audio.

Where it lies, when it was touched and what else lies beside it does not count. DATASET/sources.json
holds the fingerprint, with size and time of every file, so that only files that were touched are
read again. DATASET/sources.sha256 is that of earlier versions: of paths and times.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile

from gan808 import atomic
from gan808.errors import CorpusError, TrainingError
from gan808.sound.recording import SILENT_PEAK
from gan808.sound.spectral.geometry import Geometry
from gan808.sound.spectral.spectrogram import log_image, place
from gan808.toml_json import from_json

from .corpus.folder import FolderSource
from .corpus.recording import Recording, Skipped, Source
from .corpus.soundfont import SoundFontSource
from .corpus.spool import FULL_SCALE, clean
from .dataset import Dataset, is_variant
from .parallel import in_order

FILE, FILE_BEFORE = "sources.json", "sources.sha256"
VERSION = 2
SAME, MOVED, OTHER = "same", "moved", "other"
# Of these the samples are hashed, which new tags leave as they are. What a decoder makes of the
# others may differ in the last bit from one version to the next: of those the bytes.
LOSSLESS = ("PCM_", "FLOAT", "DOUBLE", "ALAC_")
COMPARED = 48  # sounds by which a dataset of before is known again
NEAR_NEPERS = 0.02  # of an image at float16


@dataclass(frozen=True)
class Fingerprint:
    """content: of usable sounds, by class, and geometry; reading: also of the order in which they
    are read, by which an unfinished preparation goes on. files: by name and place size, time in
    ns and content ("" where it is unusable); other: of sources that are no folders."""

    content: str
    reading: str
    files: Mapping[str, tuple[int, int, str]]
    other: Sequence[str]
    classes: frozenset[str] = field(default_factory=frozenset)

    def write(self, folder: Path) -> None:
        """Into a dataset. Raises OSError."""
        atomic.write_text(folder / FILE, json.dumps({
            "version": VERSION, "content": self.content, "other": list(self.other),
            "files": self.files}))
        (folder / FILE_BEFORE).unlink(missing_ok=True)


@dataclass(frozen=True)
class Stored:
    """What a dataset says of its sources; before: the mark of an older version. All empty where
    there is none."""

    content: str = ""
    other: Sequence[str] = ()
    files: Mapping[str, tuple[int, int, str]] = field(default_factory=dict)
    before: str = ""


def stored_in(folder: Path) -> Stored:
    """Read it; what is not there or damaged is empty."""
    try:
        return Stored(before=(folder / FILE_BEFORE).read_text().strip())
    except (OSError, UnicodeDecodeError):
        pass
    try:
        told = from_json((folder / FILE).read_text())
        if told["version"] != VERSION:
            return Stored()
        files = {str(key): (int(size), int(time_ns), str(content))
                 for key, (size, time_ns, content) in told["files"].items()}
        return Stored(str(told["content"]), [str(each) for each in told["other"]], files)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Stored()


def fingerprint(
    paths: Sequence[Path], sources: Sequence[Source], geometry: Geometry,
    known: Mapping[str, tuple[int, int, str]],
) -> Fingerprint:
    """Of the sources at `paths`. known: files of before; what has their size and time is not read
    again. Reads on all cores. Raises OSError."""
    recordings: list[Recording] = []
    other: list[str] = []
    for path, source in zip(paths, sources, strict=True):
        if isinstance(source, FolderSource):
            recordings.extend(source.recordings(Skipped()))
        elif isinstance(source, SoundFontSource):
            other.append(_bytes_of(path))
        else:
            other.append(str(path))  # synthesised: its name says all
    files = dict(in_order(lambda recording: _file(recording, known), recordings))
    shape = json.dumps(geometry.to_dict())
    contents = [files[_key(recording)][2] for recording in recordings]
    usable = {(r.class_name, r.collection, content)
              for r, content in zip(recordings, contents, strict=True) if content}
    counts = Counter(class_name for class_name, _, _ in usable)
    trained = sorted(" ".join(each) for each in usable if counts[each[0]] > 1)
    reading = [f"{r.origin} {content}" for r, content in zip(recordings, contents, strict=True)]
    return Fingerprint(_digest([shape, *sorted(other), *trained]),
                       _digest([shape, *other, *reading]), files, other, frozenset(counts))


def _digest(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def _bytes_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _key(recording: Recording) -> str:
    key = f"{recording.path} {recording.origin}"
    return key.encode("utf-8", "backslashreplace").decode()


def _file(
    recording: Recording, known: Mapping[str, tuple[int, int, str]]
) -> tuple[str, tuple[int, int, str]]:
    key = _key(recording)
    if recording.path is None:
        return key, (0, 0, _content(recording))
    try:
        stat = recording.path.stat()
    except OSError:
        return key, (0, 0, "")
    before = known.get(key)
    if before is not None and before[:2] == (stat.st_size, stat.st_mtime_ns):
        return key, before
    return key, (stat.st_size, stat.st_mtime_ns, _content(recording))


def _content(recording: Recording) -> str:
    """Of one file; empty when it is unusable."""
    try:
        audio, rate_hz = recording.read()
        if np.abs(audio).max(initial=0.0) < SILENT_PEAK:
            return ""
        if recording.path is not None and not _is_lossless(recording.path):
            return _bytes_of(recording.path)[:32]
    except (CorpusError, OSError):
        return ""
    digest = hashlib.sha256(f"{rate_hz} {len(audio)} ".encode())
    digest.update(np.ascontiguousarray(audio, "<f4").tobytes())
    return digest.hexdigest()[:32]


def _is_lossless(path: Path) -> bool:
    try:
        # By its number: names need be no UTF-8.
        with path.open("rb", buffering=0) as file, soundfile.SoundFile(
                file.fileno(), closefd=False) as sound:
            return sound.subtype.startswith(LOSSLESS)
    except soundfile.LibsndfileError:
        return False


def known_again(
    folder: Path, paths: Sequence[Path], sources: Sequence[Source], geometry: Geometry
) -> tuple[Fingerprint, str]:
    """The sources' fingerprint, and how the dataset FOLDER knows them: SAME, or MOVED for the same
    sounds with other paths or times than a version before has noted, or OTHER. Raises CorpusError
    for a source that cannot be read."""
    stored = stored_in(folder)
    try:
        now = fingerprint(paths, sources, geometry, stored.files)
        if stored.content == now.content or untouched(stored, now):
            return now, SAME
        if not stored.before:
            return now, OTHER
        if mark_of_before(paths, geometry) == stored.before:
            return now, SAME
        return now, MOVED if holds_sounds_of(Dataset(folder), sources, now) else OTHER
    except TrainingError:  # a damaged dataset
        return now, OTHER
    except OSError as error:
        raise CorpusError(f"{error.filename or paths[0]}: cannot be read "
                          f"({error.strerror})") from error


def untouched(stored: Stored, now: Fingerprint) -> bool:
    """Whether no file was added, removed or written since: then the sources are the same whatever
    a newer program takes of them."""
    return bool(stored.content) and dict(stored.files) == dict(now.files) \
        and list(stored.other) == list(now.other)


def mark_of_before(paths: Sequence[Path], geometry: Geometry) -> str:
    """What versions before wrote: it changed with every path, time and stray file."""
    lines = [json.dumps(geometry.to_dict())]
    for root in paths:
        if not root.exists():
            lines.append(str(root))
            continue
        files = sorted(p for p in root.rglob("*") if p.is_file()) if root.is_dir() else [root]
        for path in files:
            stat = path.stat()
            lines.append(f"{path.resolve()}\t{stat.st_size}\t{stat.st_mtime_ns}")
    return _digest(lines)


def holds_sounds_of(dataset: Dataset, sources: Sequence[Source], now: Fingerprint) -> bool:
    """Whether a dataset with a mark of before was made of these sources: by their names, and the
    images of some. Of folders alone; a SoundFont's and synthesised voices are not looked into."""
    folders = [source for source in sources if isinstance(source, FolderSource)]
    if len(folders) < len(sources):
        return False
    usable: defaultdict[str, list[Recording]] = defaultdict(list)
    for source in folders:
        for recording in source.recordings(Skipped()):
            if now.files[_key(recording)][2]:
                usable[" ".join(recording.origin.splitlines())].append(recording)
    images = {origin: i for i, origin in enumerate(dataset.origins) if not is_variant(origin)}
    told = (dataset.folder / "skipped.txt").read_text().splitlines()
    skipped = {line.partition("\t")[0] for line in told}
    if images.keys() - usable.keys() or usable.keys() - images.keys() - skipped:
        return False
    some = np.random.default_rng(808).permutation(sorted(images))[:COMPARED]
    return all(any(_is_image(dataset, images[origin], recording) for recording in usable[origin])
               for origin in some)


def _is_image(dataset: Dataset, index: int, recording: Recording) -> bool:
    geometry = dataset.geometry
    try:
        audio, rate_hz = recording.read()
        kept = np.round(clean(audio, rate_hz, geometry) * FULL_SCALE).astype("<i2")
        sound = np.asarray(kept, np.float32) / FULL_SCALE  # as the spool has it
        image = log_image(place(sound, geometry), geometry)
    except (CorpusError, OSError):
        return False
    there = dataset.log_images(np.asarray([index]))[0]
    return image.shape == there.shape and bool(np.abs(image - there).max() < NEAR_NEPERS)
