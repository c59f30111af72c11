"""Light augmentation of real and generated images alike (Zhao et al. 2020), in keras.ops.

Differentiable, so the generator learns through it and does not learn to imitate it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

from gan808.sound.spectral.geometry import Geometry
from gan808.sound.spectral.spectrogram import CLIP_SIGMAS, Moments, normalise

MAX_SHIFT_FRAMES = 3
MAX_GAIN_DB = 6.0


class Augment:
    """Gain and delay of normalised images, as if the audio had been changed."""

    def __init__(self, geometry: Geometry, moments: Moments) -> None:
        floor = np.full((geometry.n_bands, 1), np.log(geometry.magnitude_floor), np.float32)
        self._silence = normalise(floor, moments)[None, :, :, None]  # (1, bands, 1, 1)
        self._per_neper = (1.0 / (CLIP_SIGMAS * moments.deviation))[None, :, None, None]
        self._delays = _delays(geometry)  # (MAX_SHIFT_FRAMES + 1, columns, columns)

    def __call__(self, images: Any, gain_nepers: Any, shift_frames: Any) -> Any:
        """images: (batch, bands, columns, 1). gain_nepers: (batch,), natural log of the gain.
        shift_frames: int scalar in 0..MAX_SHIFT_FRAMES, the delay of the whole batch."""
        gain = ops.reshape(gain_nepers, (-1, 1, 1, 1)) * self._per_neper
        louder = ops.clip(ops.maximum(images + gain, self._silence), -1.0, 1.0)
        above = ops.squeeze(louder - self._silence, -1)  # of silence nothing need be known
        delay = ops.take(self._delays, shift_frames, axis=0)
        return ops.expand_dims(ops.matmul(above, delay), -1) + self._silence


def _delays(geometry: Geometry) -> np.ndarray:
    """Matrices that delay the columns of an image by 0..MAX_SHIFT_FRAMES frames, silence coming
    in: float32 (MAX_SHIFT_FRAMES + 1, columns, columns)."""
    centres = geometry.column_centres
    wanted = centres - np.arange(MAX_SHIFT_FRAMES + 1)[:, None]
    rows = [[np.interp(places, centres, row, left=0.0) for row in np.eye(len(centres))]
            for places in wanted]
    return np.asarray(rows, np.float32)
