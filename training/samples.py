"""Pictures and sounds of fixed latents, so that a run can be watched and heard as it learns."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import soundfile

from gan808.sound.network.spec import NetworkSpec, latent_from_seed
from gan808.sound.spectral.geometry import Geometry
from gan808.sound.spectral.griffin_lim import make_inverter
from gan808.sound.spectral.spectrogram import Moments

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
        images = generator([self._latents, self._labels], training=False)
        audio = np.asarray(self._invert(images))
        peak = np.maximum(np.abs(audio).max(axis=1, keepdims=True), 1e-3)
        level = (0.8 * audio / peak).astype(np.float32)
        picture, sounds = folder / f"{name}.png", folder / f"{name}.wav"
        try:
            save_grid(picture, np.asarray(images)[..., 0], self.classes, PER_CLASS)
            soundfile.write(sounds, level.reshape(-1), self.geometry.sample_rate_hz,
                            subtype="PCM_16")
        except (OSError, soundfile.LibsndfileError):
            picture.unlink(missing_ok=True)
            sounds.unlink(missing_ok=True)
            raise
        first = dict(zip(self.classes, level[::PER_CLASS], strict=True))
        return picture.read_bytes(), first


def save_grid(
    path: Path, images: np.ndarray, rows: tuple[str, ...], per_row: int
) -> None:
    """A picture of normalised images (n, bands, frames), per_row to each named row."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1.3 * per_row + 1, 1.4 * len(rows)))
    axes = figure.subplots(len(rows), per_row, squeeze=False)
    for i, row in enumerate(axes):
        for j, axis in enumerate(row):
            axis.imshow(images[i * per_row + j], origin="lower", aspect="auto", vmin=-1, vmax=1,
                        cmap="magma")
            axis.set_xticks([])
            axis.set_yticks([])
        row[0].set_ylabel(rows[i], rotation=0, ha="right", va="center")
    figure.tight_layout(pad=0.3)
    figure.savefig(path, dpi=60)
