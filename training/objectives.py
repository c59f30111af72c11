"""What a step minimises, for both recipes and on every backend: keras.ops only, no gradients.

The layer below (tensorflow_steps.py, jax_steps.py) hands in the networks as functions, takes the
gradients and applies them. `generate` maps latents (batch, latent_size) and labels (batch,) to
images (batch, bands, frames, 1); `judge` maps images to realness and class logits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from keras import ops

from gan808.sound.spectral.spectrogram import Moments

from . import losses
from .augment import MAX_GAIN_DB, MAX_SHIFT_FRAMES, Augment
from .networks import realness_of
from .recipes import Recipe

NEPERS_PER_DB = float(np.log(10) / 20)

Generate = Callable[[Any, Any], Any]
Judge = Callable[[Any], tuple[Any, Any]]


class Batch(NamedTuple):
    """What one update sees. real float32 (batch, bands, frames, 1); label int32 (batch,); latent
    float32 (batch, latent_size); gain_nepers float32 (batch,); shift_frames int32, one for each
    row and all alike; mix float32 (batch,), where between real and generated the paper's penalty
    looks."""

    real: Any
    label: Any
    latent: Any
    gain_nepers: Any
    shift_frames: Any
    mix: Any


def draw(
    recipe: Recipe, images: np.ndarray, label: np.ndarray, random: np.random.Generator
) -> Batch:
    """A batch of dataset images with all that is random about its update."""
    n = len(label)
    shape = (n, recipe.spec.latent_size)
    if recipe.spec.latent_distribution == "uniform":
        latent = random.uniform(-1.0, 1.0, shape)
    else:
        latent = random.standard_normal(shape)
    gain = random.uniform(-MAX_GAIN_DB, MAX_GAIN_DB, n) * NEPERS_PER_DB
    shift = np.full(n, random.integers(0, MAX_SHIFT_FRAMES + 1), np.int32)
    mix = random.uniform(size=n)
    return Batch(images, label.astype(np.int32), latent.astype(np.float32),
                 gain.astype(np.float32), shift, mix.astype(np.float32))


@dataclass(frozen=True)
class Objectives:
    """The totals of a recipe; each method is a function of its arguments."""

    recipe: Recipe
    augment: Augment | None

    @classmethod
    def of(cls, recipe: Recipe, moments: Moments) -> Objectives:
        return cls(recipe, Augment(recipe.geometry, moments) if recipe.augment else None)

    def seen(self, images: Any, batch: Batch) -> Any:
        """Images as the critic sees them, augmented where the recipe does."""
        if self.augment is None:
            return images
        return self.augment(images, batch.gain_nepers, batch.shift_frames[0])

    def _scores(self, judge: Judge, real: Any, fake: Any, label: Any) -> tuple[Any, Any, Any, Any]:
        """Realness of real and generated, class logits of real and generated, in one pass."""
        realness, heard = judge(ops.concatenate([real, fake], 0))
        score = realness_of(realness, ops.concatenate([label, label], 0))
        n = ops.shape(label)[0]
        return score[:n], score[n:], heard[:n], heard[n:]

    def joint(
        self, generate: Generate, judge: Judge, batch: Batch
    ) -> tuple[Any, Any, dict[str, Any]]:
        """The critic's total, the generator's total and what to report: one forward pass."""
        recipe, label = self.recipe, batch.label
        real = self.seen(batch.real, batch)
        fake = self.seen(generate(batch.latent, label), batch)
        score_real, score_fake, heard_real, heard_fake = self._scores(judge, real, fake, label)
        critic = losses.relativistic_critic(score_real, score_fake)
        generator = losses.relativistic_generator(score_real, score_fake)
        class_real = losses.class_loss(heard_real, label)
        class_fake = losses.class_loss(heard_fake, label)
        report = {"critic": critic, "generator": generator, "class_real": class_real,
                  "class_fake": class_fake, "margin": ops.mean(score_real - score_fake)}
        return (critic + recipe.class_weight_critic * class_real,
                generator + recipe.class_weight_generator * class_fake, report)

    def regularised_points(self, generate: Generate, batch: Batch) -> tuple[Any, Any]:
        """Where R1 and R2 look: images, real first, and their labels. Half the batch: the
        estimate is good enough and the cost half."""
        n = batch.label.shape[0] // 2
        half = Batch(*(part[:n] for part in batch))
        fake = generate(half.latent, half.label)
        points = ops.concatenate([self.seen(half.real, half), self.seen(fake, half)], 0)
        return points, ops.concatenate([half.label, half.label], 0)

    def regularisation(self, gradient: Any) -> tuple[Any, Any]:
        """R1 + R2 of the scores' gradient at those points: weighted up for the steps without it
        (lazy regularisation, Karras et al. 2020), and as it is."""
        n = gradient.shape[0] // 2
        penalty = losses.zero_centred_penalty(gradient[:n])
        penalty = penalty + losses.zero_centred_penalty(gradient[n:])
        return self.recipe.penalty_weight * self.recipe.penalty_every * penalty, penalty

    def total_score(self, judge: Judge, images: Any, label: Any) -> Any:
        """Sum of realness: its gradient by the images is each sample's own."""
        realness, _ = judge(images)
        return ops.sum(realness_of(realness, label))

    def points_between(self, generate: Generate, batch: Batch) -> tuple[Any, Any, Any]:
        """Real, generated, and a random point on the line between each pair (WGAN-GP)."""
        real = self.seen(batch.real, batch)
        fake = self.seen(generate(batch.latent, batch.label), batch)
        return real, fake, real + ops.reshape(batch.mix, (-1, 1, 1, 1)) * (fake - real)

    def critic(
        self, judge: Judge, real: Any, fake: Any, label: Any, gradient_between: Any
    ) -> tuple[Any, dict[str, Any]]:
        """The paper's critic: total and report."""
        score_real, score_fake, heard_real, _ = self._scores(judge, real, fake, label)
        critic = losses.wasserstein_critic(score_real, score_fake)
        penalty = losses.gradient_penalty(gradient_between)
        class_real = losses.class_loss(heard_real, label)
        total = critic + self.recipe.penalty_weight * penalty
        total = total + self.recipe.class_weight_critic * class_real
        return total, {"critic": critic, "penalty": penalty, "class_real": class_real}

    def generator(
        self, generate: Generate, judge: Judge, batch: Batch
    ) -> tuple[Any, dict[str, Any]]:
        """The paper's generator: total and report."""
        fake = self.seen(generate(batch.latent, batch.label), batch)
        realness, heard = judge(fake)
        score = realness_of(realness, batch.label)
        generator = losses.wasserstein_generator(score, score)
        class_fake = losses.class_loss(heard, batch.label)
        total = generator + self.recipe.class_weight_generator * class_fake
        return total, {"generator": generator, "class_fake": class_fake}
