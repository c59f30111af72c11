"""Sound files as people have them, decoded: the one reader of training, matching and loading.

libsndfile reads most, what it does not PyAV may (compressed_files.py). Any thread.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from io import RawIOBase
from pathlib import Path

import numpy as np
import soundfile

from gan808.errors import AudioFileError
from gan808.sound.compressed_files import (
    KINDS,
    decode,
    not_decoded,
    require_header,
    require_rate,
)

# The common ones first. RAW says neither rate nor width.
SUFFIXES = tuple(dict.fromkeys((
    ".wav", ".flac", ".aif", ".aiff", ".ogg", ".mp3", ".aifc", ".oga", ".opus", ".snd", ".wave",
    *(f".{name.lower()}" for name in soundfile.available_formats() if name != "RAW"), *KINDS)))
UNFILLED = 0xFFFFFFFF  # a size by which libsndfile reads to the end


def not_read(path: Path) -> str:
    """Why a file of that suffix is not tried, or nothing."""
    suffix = path.suffix.lower()
    if suffix in KINDS:
        return not_decoded(suffix)
    return "" if suffix in SUFFIXES else "not audio"


def read_audio(path: Path, most_s: float, *, cut: bool = False) -> tuple[np.ndarray, int]:
    """Decode a file: float32 (n, channels), all finite, and its rate in Hz.

    Of what lasts longer than most_s, its beginning where `cut`. Raises AudioFileError, a few words
    without the file's name, also where not `cut` and it lasts longer.
    """
    if path.suffix.lower() in KINDS:
        audio, rate_hz = decode(path, most_s, cut=cut)
    else:
        with _opened(path, most_s, cut) as sound:
            rate_hz = int(sound.samplerate)
            audio = sound.read(int(most_s * rate_hz), dtype="float32", always_2d=True)
    if not np.isfinite(audio).all():
        raise AudioFileError("holds values that are not finite")
    return audio, rate_hz


def check_header(path: Path, most_s: float) -> None:
    """Look at a file without decoding it. Raises AudioFileError as read_audio would by what the
    header says."""
    if path.suffix.lower() in KINDS:
        require_header(path, most_s)
    else:
        with _opened(path, most_s):
            pass


@contextmanager
def _opened(path: Path, most_s: float, cut: bool = False) -> Iterator[soundfile.SoundFile]:
    """A file by libsndfile. Raises AudioFileError, whatever the body meets in it too."""
    try:
        with path.open("rb", buffering=0) as file, soundfile.SoundFile(
                _filled_in(file), closefd=False) as sound:
            if sound.frames == 0:
                raise AudioFileError("empty")
            require_rate(sound.samplerate)
            if not cut and sound.frames > most_s * sound.samplerate:
                raise AudioFileError(f"longer than {most_s:.0f} s")
            yield sound
    except soundfile.LibsndfileError as error:
        raise AudioFileError("empty" if path.stat().st_size == 0 else "corrupt") from error
    except OSError as error:
        raise AudioFileError(f"cannot be read ({error.strerror or error})") from error


def _filled_in(file: RawIOBase) -> int | _Copy:
    """The file's number, by which libsndfile reads names of any bytes without asking Python, or,
    where a recorder that was cut off left the size of a WAV's samples at 0, a copy whose size is
    all there is."""
    head = _read(file, 12)
    place = 12
    if head[:4] == b"RIFF" and head[8:] == b"WAVE":
        while len(chunk := _read(file, 8)) == 8:
            kind, size = struct.unpack("<4sI", chunk)
            if kind == b"data":
                if size == 0 and _read(file, 1):
                    file.seek(0)
                    content = bytearray(file.readall())
                    content[place + 4 : place + 8] = struct.pack("<I", UNFILLED)
                    content[4:8] = struct.pack("<I", UNFILLED)
                    return _Copy(content)
                break
            place += 8 + size + size % 2
            file.seek(place)
    file.seek(0)
    return file.fileno()


def _read(file: RawIOBase, n_bytes: int) -> bytes:
    return file.read(n_bytes) or b""


class _Copy(io.BytesIO):
    """A file in memory, in which whoever seeks before its beginning is at its beginning: an
    exception in libsndfile's callback would be printed and nothing else."""

    def seek(self, offset: int, whence: int = 0) -> int:
        try:
            return super().seek(offset, whence)
        except ValueError:
            return super().seek(0)
