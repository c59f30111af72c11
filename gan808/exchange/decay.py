"""A slot's decay as part of its samples. Pure functions; any thread.

Samplers have envelopes, but no two mean the same by their times and curves, and some formats have
none: a sample that falls by itself sounds alike in all of them.
"""

from __future__ import annotations

import math

import numpy as np

from gan808.engine.kernels.mixing import SILENT_ENVELOPE
from gan808.engine.kernels.voices import decay_factor


def decayed(
    audio: np.ndarray, decay: float, sample_rate_hz: int, tune_semitones: float = 0.0
) -> np.ndarray:
    """Audio, float32 (n,) or (n, 2), under the engine's envelope for decay 0..1, and as long as
    that is heard; 1 leaves it as it is. tune_semitones: what it will be played at."""
    factor = decay_factor.py_func(decay, sample_rate_hz)
    if factor >= 1.0:
        return audio
    # The envelope falls by the time that is heard; a tuned sample goes faster or slower.
    frames_heard = 2.0 ** (-tune_semitones / 12)
    end = math.ceil(math.log(SILENT_ENVELOPE) / math.log(factor) / frames_heard)
    cut = audio[:end]
    envelope = factor ** (np.arange(len(cut)) * frames_heard)
    shaped = cut * (envelope if cut.ndim == 1 else envelope[:, None])
    return np.asarray(shaped, dtype=np.float32)
