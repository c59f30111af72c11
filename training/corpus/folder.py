"""A folder of class folders (drums/clap/*.wav, drums/conga/*.wav), or of files named by class."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from gan808.errors import CorpusError
from training.corpus.classes import class_of, folder_class
from training.corpus.recording import Recording, Skipped

# RAW says neither rate nor width.
AUDIO_SUFFIXES = {f".{name.lower()}" for name in soundfile.available_formats() if name != "RAW"} | {
    ".aif", ".aifc", ".oga", ".opus", ".snd", ".wave",
}
MAX_SECONDS = 30.0  # longer files are loops and songs, not drum sounds


def read_mono(path: Path) -> tuple[np.ndarray, int]:
    """Decode an audio file: float32, shape (n,), channels averaged; and its rate in Hz.

    Raises CorpusError with a reason of a few words.
    """
    try:
        with soundfile.SoundFile(path) as file:
            if file.frames == 0:
                raise CorpusError("empty")
            if file.frames > MAX_SECONDS * file.samplerate:
                raise CorpusError(f"longer than {MAX_SECONDS:.0f} s")
            audio = file.read(dtype="float32", always_2d=True).mean(axis=1)
            rate = file.samplerate
    except soundfile.LibsndfileError as error:
        raise CorpusError("empty" if path.stat().st_size == 0 else "corrupt") from error
    if not np.isfinite(audio).all():
        raise CorpusError("not finite")
    return np.asarray(audio, dtype=np.float32), rate


class FolderSource:
    """Recordings of a folder. The class is the name of the nearest folder below the root that
    holds the file; files directly in the root are classed by their own names."""

    def __init__(self, root: Path) -> None:
        if not root.is_dir():
            raise CorpusError(f"{root}: no such folder")
        self.root = root

    def _class_name(self, path: Path) -> str | None:
        parts = path.relative_to(self.root).parts
        if len(parts) == 1:
            return class_of(path.stem)
        for folder in reversed(parts[:-1]):  # nested packs: the nearest known name wins
            if (known := class_of(folder)) is not None:
                return known
        return class_of(path.stem) if len(parts) > 2 else folder_class(parts[0])

    def _files_by_class(self, skipped: Skipped) -> dict[str, list[Path]]:
        files: dict[str, list[Path]] = defaultdict(list)
        for path in sorted(self.root.rglob("*")):
            if not path.is_file() or path.name.startswith("."):
                continue
            if path.suffix.lower() not in AUDIO_SUFFIXES:
                skipped.add(self._origin(path), "not audio")
                continue
            class_name = self._class_name(path)
            if class_name is None:
                skipped.add(self._origin(path), "no drum class in its name")
            else:
                files[class_name].append(path)
        return files

    def recordings(self, skipped: Skipped) -> Iterator[Recording]:
        for class_name, paths in sorted(self._files_by_class(skipped).items()):
            for path in paths:
                yield Recording(functools.partial(read_mono, path), class_name,
                                self._origin(path), self._pack(path), path)

    def _origin(self, path: Path) -> str:
        return f"{self.root.name}/{path.relative_to(self.root).as_posix()}"

    def _pack(self, path: Path) -> str:
        """The top folder where there is one above the class folder, else the file alone."""
        parts = path.relative_to(self.root).parts
        return f"{self.root.name}/{parts[0]}" if len(parts) > 2 else self._origin(path)
