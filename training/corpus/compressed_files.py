"""Sound that libsndfile does not read, AAC and WMA above all, through PyAV (the extra `av`)."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np

from gan808.errors import CorpusError

# What kind of sound a file of that suffix holds, as people name it.
KINDS = {".m4a": "AAC", ".aac": "AAC", ".mp4": "AAC", ".wma": "WMA", ".ape": "APE",
         ".mka": "Matroska", ".webm": "WebM", ".wv": "WavPack"}


def not_decoded(suffix: str) -> str:
    """Why a file of a suffix of KINDS is not tried, and what to do; nothing where it is."""
    if importlib.util.find_spec("av") is not None:
        return ""
    return (f"{KINDS[suffix]} is not read: pip install 'gan808[av]', or convert it to WAV or FLAC, "
            "as with ffmpeg")


def decode(path: Path, most_s: float) -> tuple[np.ndarray, int]:
    """The first stream of sound of a file of at most so many seconds: float32 (n, channels), and
    its rate in Hz. Raises CorpusError with a reason of a few words."""
    import av

    try:
        with av.open(str(path), metadata_errors="replace") as container:
            if not container.streams.audio:
                raise CorpusError("holds no sound")
            return _samples(container, most_s)
    except (OSError, ValueError) as error:  # av.FFmpegError is one of these
        raise CorpusError("empty" if path.stat().st_size == 0 else "corrupt") from error


def _samples(container: Any, most_s: float) -> tuple[np.ndarray, int]:
    import av

    rate = container.streams.audio[0].rate
    to_float = av.AudioResampler(format="fltp")  # layout and rate stay
    parts: list[np.ndarray] = []
    left = int(most_s * rate)
    for packed in container.decode(audio=0):
        for frame in to_float.resample(packed):
            parts.append(frame.to_ndarray().T)
            left -= len(parts[-1])
        if left < 0:
            raise CorpusError(f"longer than {most_s:.0f} s")
    if not parts:
        raise CorpusError("empty")
    return np.concatenate(parts), rate
