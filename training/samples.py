"""Pictures and sounds of fixed latents, so that a run can be watched and heard as it learns."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import soundfile

from gan808 import atomic
from gan808.sound.network.spec import NetworkSpec, latent_from_seed
from gan808.sound.spectral.geometry import Geometry
from gan808.sound.spectral.griffin_lim import make_inverter
from gan808.sound.spectral.spectrogram import Moments

from .sample_grid import draw_grid

PER_CLASS = 4


class SampleMaker:
    """Draws the same seeds each time: PER_CLASS of every class."""

    def __init__(
        self, spec: NetworkSpec, geometry: Geometry, moments: Moments, classes: tuple[str, ...]
    ) -> None:
        self.classes = classes
        self.geometry = geometry
        self._labels = np.repeat(np.arange(len(classes)), PER_CLASS).astype(np.int32)
        seeds = range(len(self._labels))
        self._latents = np.stack([latent_from_seed(seed, spec) for seed in seeds])
        self._invert = make_inverter(geometry, moments)

    def write(
        self, generator: keras.Model, folder: Path, name: str
    ) -> tuple[bytes, dict[str, np.ndarray]]:
        """Write FOLDER/NAME.png and FOLDER/NAME.wav: a row a class, left to right, top to bottom.

        Returns the picture, as PNG, and the first sound of each class. Raises OSError or
        soundfile.LibsndfileError when the disk is full; nothing half-written stays.
        """
        folder.mkdir(parents=True, exist_ok=True)
        atomic.sweep([folder])  # what a kill has left of an earlier one
        images = generator([self._latents, self._labels], training=False)
        audio = np.asarray(self._invert(images))
        peak = np.maximum(np.abs(audio).max(axis=1, keepdims=True), 1e-3)
        level = (0.8 * audio / peak).astype(np.float32)
        picture = draw_grid(np.asarray(images)[..., 0], self.classes, PER_CLASS)
        # Who finds the picture finds the sounds: they take their place first.
        with (atomic.replacing_file(folder / f"{name}.png") as unfinished,
              atomic.replacing_file(folder / f"{name}.wav") as sounds):
            unfinished.write_bytes(picture)
            soundfile.write(sounds, level.reshape(-1), self.geometry.sample_rate_hz,
                            subtype="PCM_16", format="WAV")
        return picture, dict(zip(self.classes, level[::PER_CLASS], strict=True))
