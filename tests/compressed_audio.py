"""Files of AAC, WMA and the like, written by PyAV."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest


def write_compressed(path: Path, audio: np.ndarray, codec: str, rate: int = 44100) -> Path:
    """Mono samples (n,) as a file whose two channels hold them. Skips the test without PyAV."""
    av = pytest.importorskip("av")
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout="stereo", bit_rate=192_000)
        frame = av.AudioFrame.from_ndarray(
            np.repeat(audio[None].astype(np.float32), 2, axis=0), format="fltp", layout="stereo")
        frame.sample_rate = rate
        for part in (frame, None):
            container.mux(stream.encode(part))
    return path
