"""A kit's networks taught to work with other moments, so that a run can go on from them.

    python -m training.renormalise KIT DATASET --out FOLDER [--steps 1500] [--seed 808]

A kit keeps the moments of the sounds it first learned from. Where these clip what a later dataset
holds, what is clipped can never be learned. This makes a kit of the same networks for the dataset's
moments: new networks learn, by regression, to make the images that the old ones make, and to judge
them as the old ones judge. No sound gets better by it; `gan808 fit DATASET --from FOLDER` is what
comes next. The kit it writes has no factory sounds.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from gan808.errors import Gan808Error, TrainingError
from gan808.sound.kit.kit import Kit, load_kit, save_kit
from gan808.sound.spectral.spectrogram import Moments, denormalise, normalise

from .dataset import Dataset
from .kit_weights import load_networks, weights_of
from .networks import build_critic, build_generator
from .precision import built_in
from .recipes import HOUSE_RECIPE

BATCH = 32
LEARNING_RATE = 1e-3  # at first; falls to nothing on a cosine
NEAR_ONE = 0.97  # what tanh is inverted up to
REPORTS = 10  # lines a network

Batch = tuple[tuple[Any, ...] | Any, tuple[Any, ...] | Any]


def renormalised(images: np.ndarray, old: Moments, new: Moments) -> np.ndarray:
    """Images normalised by the old moments, float32 (n, n_bands, n_frames, 1), by the new ones."""
    return normalise(denormalise(images[..., 0], old), new)[..., None]


@dataclass(frozen=True, eq=False)
class Pair:
    """What teaches and what learns: the same network for the old moments and for the new."""

    teacher: keras.Model
    pupil: keras.Model


class Lessons:
    """Batches to learn from, without end: latents and classes at random, images of the dataset."""

    def __init__(self, kit: Kit, dataset: Dataset, seed: int) -> None:
        self.old, self.new = kit.statistics()[0], dataset.moments
        self._kit, self._dataset = kit, dataset.normalised_by(self.old)
        self._random = np.random.default_rng(seed)

    def asked(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Latents float32 (n, latent_size) and classes int32 (n,)."""
        spec = self._kit.manifest.network
        if spec.latent_distribution == "uniform":
            latent = self._random.uniform(-1.0, 1.0, (n, spec.latent_size))
        else:
            latent = self._random.standard_normal((n, spec.latent_size))
        label = self._random.integers(0, len(self._kit.classes), n)
        return latent.astype(np.float32), label.astype(np.int32)

    def images(self, generator: keras.Model) -> Iterator[Batch]:
        """(latents, classes), and what the old generator makes of them, in the new moments."""
        while True:
            asked = self.asked(BATCH)
            made = np.asarray(generator.predict_on_batch(list(asked)))
            yield asked, renormalised(made, self.old, self.new)

    def opinions(self, generator: keras.Model, critic: keras.Model) -> Iterator[Batch]:
        """Images in the new moments, half of them generated; and what the old critic says."""
        while True:
            made = np.asarray(generator.predict_on_batch(list(self.asked(BATCH // 2))))
            real, _ = self._dataset.batch(BATCH - BATCH // 2, self._random)
            seen = np.concatenate([made, real])
            told = tuple(np.asarray(x) for x in critic.predict_on_batch(seen))
            yield renormalised(seen, self.old, self.new), told


def begin(pair: Pair, lessons: Lessons) -> None:
    """Give a new generator the old one's weights. Its last layer is scaled by the straight line
    that best fits what goes into its tanh."""
    pair.pupil.set_weights(pair.teacher.get_weights())
    made = np.asarray(pair.teacher.predict_on_batch(list(lessons.asked(4 * BATCH))))
    wanted = renormalised(made, lessons.old, lessons.new)
    inside = (np.abs(made) < NEAR_ONE) & (np.abs(wanted) < NEAR_ONE)
    slope, offset = np.polyfit(np.arctanh(made[inside]), np.arctanh(wanted[inside]), 1)
    kernel, bias = _last(pair.pupil).get_weights()
    _last(pair.pupil).set_weights([kernel * slope, bias * slope + offset])


def _last(generator: keras.Model) -> Any:
    """Its last layer with weights."""
    return [layer for layer in generator.layers if layer.weights][-1]


class Lines(keras.callbacks.Callback):
    """Prints the mean squared error every so often."""

    def __init__(self, name: str, steps: int) -> None:
        super().__init__()
        self._name, self._steps, self._every = name, steps, max(1, steps // REPORTS)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if (batch + 1) % self._every == 0:
            sys.stdout.write(f"{self._name}: step {batch + 1} of {self._steps}, mean squared "
                             f"error {(logs or {}).get('loss', math.nan):.4g}\n")
            sys.stdout.flush()


def teach(pupil: keras.Model, lessons: Iterator[Batch], steps: int) -> None:
    """Regression by Adam."""
    rate = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, steps)
    pupil.compile(optimizer=keras.optimizers.Adam(rate, beta_2=0.99), loss="mse")
    pupil.fit(lessons, steps_per_epoch=steps, epochs=1, verbose=0, shuffle=False,
              callbacks=[Lines(pupil.name, steps)])


def renormalise(kit: Kit, dataset: Dataset, out: Path, steps: int, seed: int = 808) -> Kit:
    """Write the kit `out`: of `kit`, for the dataset's moments. Raises TrainingError when they
    do not belong together, KitError when the disk is full."""
    manifest = kit.manifest
    if kit.geometry != dataset.geometry or kit.classes != dataset.classes:
        raise TrainingError(f"{dataset.folder}: has another geometry or other classes than "
                            f"{kit.folder}")
    keras.utils.set_random_seed(seed)
    sizes = (manifest.network, kit.geometry, len(kit.classes))
    with built_in(HOUSE_RECIPE.precision):
        new_generator, new_critic = build_generator(*sizes), build_critic(*sizes)
    generator, critic = load_networks(kit)
    lessons = Lessons(kit, dataset, seed)
    begin(Pair(generator, new_generator), lessons)
    teach(new_generator, lessons.images(generator), steps)
    new_critic.set_weights(critic.get_weights())
    teach(new_critic, lessons.opinions(generator, critic), steps)
    save_kit(out, manifest.model_copy(update={"name": out.name, "factory": ()}), dataset.moments,
             kit.statistics()[1], weights_of(new_generator, new_critic), {})
    return load_kit(out)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("kit", type=Path)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="folder of the kit it writes")
    parser.add_argument("--steps", type=int, default=1500, help="for each of the two networks")
    parser.add_argument("--seed", type=int, default=808)
    given = parser.parse_args()
    kit = renormalise(load_kit(given.kit), Dataset(given.dataset), given.out, given.steps,
                      given.seed)
    sys.stdout.write(f"{kit.folder}: fit goes on from it with --from {kit.folder}\n")


if __name__ == "__main__":
    try:
        main()
    except Gan808Error as error:
        sys.exit(f"gan808: {error}")
