"""Usable recordings, cleaned and in one file on disk, so that memory does not grow with them.

A spool is a folder: audio.i16 (all sounds, one after the other) and index.jsonl (a line for each
recording met, kept or skipped). Both only grow; a preparation that was killed goes on behind the
last whole line. Written by one thread, read by many.
"""

from __future__ import annotations

import itertools
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from gan808.errors import CorpusError
from gan808.sound.recording import onset_first
from gan808.sound.spectral.geometry import Geometry
from gan808.toml_json import from_json

from ..parallel import in_order
from .classes import ALIASES
from .duplicates import one_of_each
from .recording import Recording, Skipped, Source, Spooled
from .split import choose_held_out

SHORTEST_S = 0.003
MAX_CLASSES = 16
FULL_SCALE = 32767
SAMPLE_BYTES = 2
ALONE = "alone in its class"
NO_ROOM = f"a kit has {MAX_CLASSES} classes, left out"


def clean(audio: np.ndarray, sample_rate_hz: int, geometry: Geometry) -> np.ndarray:
    """Mono sound at the geometry's rate, onset first, peak 1, at most twice as long as an image: a
    pitched-up copy needs more than the window. Raises CorpusError with a reason."""
    moved = onset_first(audio, sample_rate_hz, geometry.sample_rate_hz)
    if moved is None:
        raise CorpusError("silent")
    if len(moved) < SHORTEST_S * geometry.sample_rate_hz:
        raise CorpusError(f"shorter than {SHORTEST_S * 1000:.0f} ms")
    return moved[: 2 * geometry.n_samples]


class Spool:
    """The spool in FOLDER, opened to be filled and then read."""

    def __init__(self, folder: Path) -> None:
        self._audio_path, self._index_path = folder / "audio.i16", folder / "index.jsonl"

    def fill(
        self, sources: Sequence[Source], geometry: Geometry, skipped: Skipped,
        progress: Callable[[int], None],
    ) -> tuple[list[Spooled], tuple[str, ...]]:
        """Read the sources' recordings but those of an earlier run; the usable ones, one of each,
        their split settled, and the names of their classes.

        progress is called with the number met. Raises CorpusError when nothing is usable.
        """
        sounds = self._earlier(skipped)
        n_met = self._n_met
        recordings = itertools.chain.from_iterable(
            source.recordings(skipped) for source in sources)
        with self._audio_path.open("ab") as audio, self._index_path.open("a") as index:
            audio.truncate(SAMPLE_BYTES * sum(sound.n_samples for sound in sounds))
            self._append(audio.write, index.write, _cleaned(recordings, n_met, geometry), sounds,
                         skipped, lambda n: progress(n_met + n), (audio.flush, index.flush))
        unlike = one_of_each(sounds, self.audio, geometry.sample_rate_hz, skipped)
        kept, classes = select(unlike, skipped)
        return choose_held_out(kept), classes

    def _append(
        self, write_audio: Callable[[bytes], object], write_line: Callable[[str], object],
        cleaned: Iterable[tuple[Recording, np.ndarray | str]], sounds: list[Spooled],
        skipped: Skipped, progress: Callable[[int], None],
        flushes: tuple[Callable[[], None], ...],
    ) -> None:
        end = sounds[-1].start + sounds[-1].n_samples if sounds else 0
        for n, (recording, audio) in enumerate(cleaned, start=1):
            if isinstance(audio, str):
                skipped.add(recording.origin, audio)
                line: dict[str, object] = {"skipped": recording.origin, "why": audio}
            else:
                write_audio(np.round(audio * FULL_SCALE).astype("<i2").tobytes())
                sounds.append(Spooled(end, len(audio), recording.class_name, recording.origin,
                                      recording.pack, collection_of(recording)))
                end += len(audio)
                line = {"samples": len(audio), "class": recording.class_name,
                        "origin": recording.origin, "pack": recording.pack,
                        "collection": collection_of(recording)}
            flushes[0]()  # the samples before the line that speaks of them
            write_line(json.dumps(line) + "\n")
            flushes[1]()
            progress(n)

    def _earlier(self, skipped: Skipped) -> list[Spooled]:
        """What an earlier run left, whole lines only; the rest is cut off."""
        sounds: list[Spooled] = []
        self._n_met, whole_bytes, start = 0, 0, 0
        there = self._audio_path.stat().st_size // SAMPLE_BYTES if self._audio_path.exists() else 0
        lines = self._index_path.read_bytes().splitlines(True) if self._index_path.exists() else []
        for line in lines:
            try:
                entry = from_json(line)
            except ValueError:
                break
            if "skipped" in entry:
                skipped.add(entry["skipped"], entry["why"])
            elif start + entry["samples"] > there:
                break
            else:
                sounds.append(Spooled(start, entry["samples"], entry["class"], entry["origin"],
                                      entry["pack"], entry["collection"]))
                start += entry["samples"]
            self._n_met, whole_bytes = self._n_met + 1, whole_bytes + len(line)
        if lines:
            os.truncate(self._index_path, whole_bytes)
        return sounds

    def audio(self, sound: Spooled) -> np.ndarray:
        """float32, shape (n_samples,), peak 1. Any thread."""
        # Read, not mapped: mapped pages would count as this process's memory.
        samples = np.fromfile(self._audio_path, "<i2", count=sound.n_samples,
                              offset=sound.start * SAMPLE_BYTES)
        return np.asarray(samples, np.float32) / FULL_SCALE

    def remove(self) -> None:
        """Delete the files."""
        self._audio_path.unlink()
        self._index_path.unlink()


def _cleaned(
    recordings: Iterable[Recording], n_skip: int, geometry: Geometry
) -> Iterable[tuple[Recording, np.ndarray | str]]:
    """Every recording after the first n_skip with its clean sound, or why there is none."""

    def one(recording: Recording) -> tuple[Recording, np.ndarray | str]:
        try:
            audio, sample_rate_hz = recording.read()
            return recording, clean(audio, sample_rate_hz, geometry)
        except (CorpusError, OSError) as error:
            return recording, str(error)

    return in_order(one, itertools.islice(recordings, n_skip, None))


def collection_of(recording: Recording) -> str:
    """Whose sound it is."""
    return recording.collection or recording.origin.split("/", 1)[0]


def select(
    sounds: list[Spooled], skipped: Skipped
) -> tuple[list[Spooled], tuple[str, ...]]:
    """Drop classes of one sound, and of more than fit a kit those that no name is known for, the
    smallest first. Raises CorpusError when none are left."""
    counts = Counter(sound.class_name for sound in sounds)
    enough = [name for name in sorted(counts) if counts[name] >= 2]
    if not enough:
        why = "; ".join(f"{n} {reason}" for reason, n in skipped.reasons().items()) or "no files"
        raise CorpusError(f"nothing usable to train on ({why})")
    classes = sorted(sorted(enough, key=lambda n: (n not in ALIASES, -counts[n]))[:MAX_CLASSES])
    for sound in sounds:
        if counts[sound.class_name] < 2:
            skipped.add(sound.origin, ALONE)
        elif sound.class_name not in classes:
            skipped.add(sound.origin, f"{NO_ROOM}: {sound.class_name}")
    return [sound for sound in sounds if sound.class_name in classes], tuple(classes)
