"""Sound that libsndfile does not read, AAC and WMA above all, through PyAV (the extra `av`).

Any thread; PyAV is imported when a file needs it.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from gan808.errors import AudioFileError

# What kind of sound a file of that suffix holds, as people name it.
KINDS = {".m4a": "AAC", ".aac": "AAC", ".mp4": "AAC", ".wma": "WMA", ".ape": "APE",
         ".mka": "Matroska", ".webm": "WebM", ".wv": "WavPack"}
# A playlist may name hosts; where FFmpeg takes one for sound, it is not to ask them.
LOCAL = {"protocol_whitelist": "file"}
RATES_HZ = range(1000, 1_000_001)


def not_decoded(suffix: str) -> str:
    """Why a file of a suffix of KINDS is not tried, and what to do; nothing where it is."""
    if importlib.util.find_spec("av") is not None:
        return ""
    return (f"{KINDS[suffix]} is not read: pip install 'gan808[av]', or convert it to WAV or FLAC, "
            "as with ffmpeg")


def decode(path: Path, most_s: float, *, cut: bool = False) -> tuple[np.ndarray, int]:
    """The first stream of sound of a file: float32 (n, channels), and its rate in Hz.

    Of what lasts longer than most_s, its beginning where `cut`. Raises AudioFileError, also where
    not `cut` and it lasts longer.
    """
    with _opened(path) as container:
        return _samples(container, most_s, cut)


def require_header(path: Path, most_s: float) -> None:
    """Look at a file without decoding it. Raises AudioFileError for what is no sound, or lasts
    longer."""
    with _opened(path) as container:
        if container.duration and container.duration > most_s * 1e6:  # in microseconds
            raise AudioFileError(f"longer than {most_s:.0f} s")


def require_rate(rate_hz: int | None) -> None:
    """Raises AudioFileError for a rate that no recording has: the rest of the header is not to be
    believed either."""
    if rate_hz not in RATES_HZ:
        raise AudioFileError(f"damaged: {rate_hz} samples a second")


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """A file with sound in it. Raises AudioFileError, whatever the body meets in it too."""
    if why := not_decoded(path.suffix.lower()):
        raise AudioFileError(why)
    import av

    try:
        with av.open(str(path), metadata_errors="replace", options=LOCAL) as container:
            if not container.streams.audio:
                raise AudioFileError("holds no sound")
            require_rate(container.streams.audio[0].rate)
            yield container
    except PermissionError as error:
        raise AudioFileError(f"cannot be read ({error.strerror})") from error
    except (OSError, ValueError, av.FFmpegError) as error:
        raise AudioFileError("empty" if path.stat().st_size == 0 else "corrupt") from error


def _samples(container: Any, most_s: float, cut: bool) -> tuple[np.ndarray, int]:
    import av

    rate = container.streams.audio[0].rate
    to_float = av.AudioResampler(format="fltp")  # layout and rate stay
    parts: list[np.ndarray] = []
    most = left = int(most_s * rate)
    for packed in container.decode(audio=0):
        for frame in to_float.resample(packed):
            parts.append(frame.to_ndarray().T)
            left -= len(parts[-1])
        if left < 0:
            if not cut:
                raise AudioFileError(f"longer than {most_s:.0f} s")
            break
    if not parts:
        raise AudioFileError("empty")
    return np.concatenate(parts)[:most], rate
