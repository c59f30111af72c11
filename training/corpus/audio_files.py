"""The sound files of a folder: found, and decoded one at a time."""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile

from gan808.errors import CorpusError
from gan808.sound.recording import mono

from .compressed_files import KINDS, decode, not_decoded
from .hits import SEVERAL, onsets

# RAW says neither rate nor width.
AUDIO_SUFFIXES = {f".{name.lower()}" for name in soundfile.available_formats() if name != "RAW"} | {
    ".aif", ".aifc", ".oga", ".opus", ".snd", ".wave",
}
MAX_SECONDS = 30.0  # longer files are loops and songs, not drum sounds
LONGEST_SPLIT_S = 600.0  # of a take that is cut into its hits
UNFILLED = 0xFFFFFFFF  # a size by which libsndfile reads to the end
MACOS_DEBRIS = "__MACOSX"


def readable(name: object) -> str:
    """A path as text that can be written anywhere: bytes that are no UTF-8, as ZIP files of old
    leave them, as \\xNN."""
    return os.fsencode(str(name)).decode("utf-8", "backslashreplace")


def not_read(path: Path) -> str:
    """Why a file of that suffix is not tried, or nothing."""
    suffix = path.suffix.lower()
    if suffix in AUDIO_SUFFIXES:
        return ""
    return not_decoded(suffix) if suffix in KINDS else "not audio"


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
        compressed = path.suffix.lower() in KINDS
        audio, rate = decode(path, most_s) if compressed else _read(path, most_s)
    except OSError as error:
        raise CorpusError(f"cannot be read ({error.strerror or error})") from error
    if not np.isfinite(audio).all():
        raise CorpusError("not finite")
    return mono(audio), rate


def _read(path: Path, most_s: float) -> tuple[np.ndarray, int]:
    """What libsndfile makes of a file: float32 (n, channels), and its rate in Hz. Raises
    CorpusError and OSError."""
    try:
        with path.open("rb") as file, soundfile.SoundFile(_filled_in(file)) as sound:
            if sound.frames == 0:
                raise CorpusError("empty")
            if sound.frames > most_s * sound.samplerate:
                raise CorpusError(f"longer than {most_s:.0f} s")
            return sound.read(dtype="float32", always_2d=True), sound.samplerate
    except soundfile.LibsndfileError as error:
        raise CorpusError("empty" if path.stat().st_size == 0 else "corrupt") from error


def _filled_in(file: BinaryIO) -> BinaryIO:
    """The file, or, where a recorder that was cut off left the size of a WAV's samples at 0, a copy
    whose size is all there is."""
    head = file.read(12)
    place = 12
    if head[:4] == b"RIFF" and head[8:] == b"WAVE":
        while len(chunk := file.read(8)) == 8:
            kind, size = struct.unpack("<4sI", chunk)
            if kind == b"data":
                if size == 0 and file.read(1):
                    file.seek(0)
                    content = bytearray(file.read())
                    content[place + 4 : place + 8] = struct.pack("<I", UNFILLED)
                    content[4:8] = struct.pack("<I", UNFILLED)
                    return io.BytesIO(content)
                break
            place += 8 + size + size % 2
            file.seek(place)
    file.seek(0)
    return file
