"""The sound files of a folder: found, and decoded one at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from gan808.errors import AudioFileError, CorpusError
from gan808.sound.audio_files import check_header, read_audio
from gan808.sound.recording import mono

from .hits import SEVERAL, onsets

MAX_SECONDS = 30.0  # longer files are loops and songs, not drum sounds
LONGEST_SPLIT_S = 600.0  # of a take that is cut into its hits
MACOS_DEBRIS = "__MACOSX"


def readable(name: object) -> str:
    """A path as text that can be written anywhere: bytes that are no UTF-8, as ZIP files of old
    leave them, as \\xNN."""
    return os.fsencode(str(name)).decode("utf-8", "backslashreplace")


def walk(root: Path, unusable: Callable[[Path, str], None]) -> Iterator[Path]:
    """Every file below root, in order of their paths. Folders behind links are entered, each once;
    hidden ones are not. What cannot be entered or is no file is told."""
    seen: set[tuple[int, int]] = set()

    def failed(error: OSError) -> None:
        unusable(Path(error.filename), f"cannot be read ({error.strerror})")

    found = []
    for folder, below, names in os.walk(root, onerror=failed, followlinks=True):
        stat = Path(folder).stat()
        if (key := (stat.st_dev, stat.st_ino)) in seen:
            below.clear()
            continue
        seen.add(key)
        below[:] = sorted(n for n in below if not n.startswith(".") and n != MACOS_DEBRIS)
        found += [Path(folder, name) for name in names if not name.startswith(".")]
    for path in sorted(found):
        if path.is_file():
            yield path
        else:
            unusable(path, "not a file")


def read_hit(path: Path) -> tuple[np.ndarray, int]:
    """As read_mono. Raises CorpusError for what holds several hits, too."""
    audio, rate = read_mono(path)
    if len(onsets(audio, rate)) >= SEVERAL:
        raise CorpusError("several hits (gan808 prepare --split takes each)")
    return audio, rate


def read_part(path: Path, start: int, end: int | None) -> tuple[np.ndarray, int]:
    """As read_mono, of the samples from start to before end."""
    audio, rate = read_mono(path, LONGEST_SPLIT_S)
    return audio[start:end], rate


def read_mono(path: Path, most_s: float = MAX_SECONDS) -> tuple[np.ndarray, int]:
    """Decode an audio file of at most so many seconds: float32, shape (n,), one channel of it; and
    its rate in Hz.

    Raises CorpusError with a reason of a few words.
    """
    try:
        audio, rate = read_audio(path, most_s)
    except AudioFileError as error:
        raise CorpusError(str(error)) from error
    return mono(audio), rate


def fault(path: Path) -> str:
    """What a file's header already says against it, in a few words, or nothing."""
    try:
        check_header(path, MAX_SECONDS)
    except AudioFileError as error:
        return str(error)
    return ""
