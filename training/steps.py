"""One training step: which updates it takes and in which order, whatever the backend.

The relativistic recipe updates critic and generator from one forward pass; the paper's takes
its critic steps first, each on a batch of its own. What takes gradients is the thin layer below:
tensorflow_steps.py, or jax_steps.py where KERAS_BACKEND=jax.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import keras
import numpy as np

from gan808.errors import TrainingError
from gan808.sound.spectral.spectrogram import Moments

from .backend import BACKENDS
from .objectives import Batch, Objectives, draw
from .recipes import Recipe

Report = dict[str, Any]


class Steps(ABC):
    """Owns the networks and optimizers of one run.

    Attributes: generator, critic, averaged (the generator whose weights are averaged),
    generator_optimizer, critic_optimizer, moments (by which the images are normalised).
    """

    def __init__(
        self, recipe: Recipe, generator: keras.Model, critic: keras.Model, moments: Moments
    ) -> None:
        self.recipe, self.moments = recipe, moments
        self.generator, self.critic = generator, critic
        self.averaged = keras.models.clone_model(generator)
        self.averaged.set_weights(generator.get_weights())
        self.objectives = Objectives.of(recipe, moments)
        rates = {"beta_1": recipe.beta_1, "beta_2": recipe.beta_2}
        self.generator_optimizer = keras.optimizers.Adam(recipe.learning_rate, **rates)
        self.critic_optimizer = keras.optimizers.Adam(recipe.learning_rate, **rates)
        self.generator_optimizer.build(generator.trainable_variables)
        self.critic_optimizer.build(critic.trainable_variables)

    def run(
        self, step: int, rate: float, batches: list[tuple[np.ndarray, np.ndarray]],
        random: np.random.Generator,
    ) -> dict[str, float]:
        """One generator step with what critic steps belong to it.

        batches: critic_steps pairs of images (batch, bands, frames, 1) and labels (batch,).
        random draws latents, gains and shifts, so that a step is a function of its number.
        Returns the losses, and the norms of the gradients, as floats.
        """
        self.generator_optimizer.learning_rate.assign(rate)
        self.critic_optimizer.learning_rate.assign(rate)
        report: Report = {}
        if self.recipe.penalty == "r1_r2":
            if step % self.recipe.penalty_every == 0:
                report |= self.regularise(draw(self.recipe, *batches[0], random))
            report |= self.joint(draw(self.recipe, *batches[0], random))
        else:
            for batch in batches:
                report |= self.critic_step(draw(self.recipe, *batch, random))
            report |= self.generator_step(draw(self.recipe, *batches[-1], random))
        if self.recipe.average:
            half_life = min(self.recipe.average_most, 1 + self.recipe.average * step)
            self.average(0.5 ** (1 / half_life))
        return {name: float(value) for name, value in report.items()}

    @abstractmethod
    def joint(self, batch: Batch) -> Report:
        """Update critic and generator from one forward pass."""

    @abstractmethod
    def regularise(self, batch: Batch) -> Report:
        """Update the critic by R1 and R2 alone."""

    @abstractmethod
    def critic_step(self, batch: Batch) -> Report:
        """The paper's update of the critic, gradient penalty included."""

    @abstractmethod
    def generator_step(self, batch: Batch) -> Report:
        """The paper's update of the generator."""

    @abstractmethod
    def average(self, decay: float) -> None:
        """averaged = decay * averaged + (1 - decay) * generator."""


def make_steps(
    recipe: Recipe, generator: keras.Model, critic: keras.Model, moments: Moments
) -> Steps:
    """Steps of the backend that Keras runs on. Raises TrainingError for one without."""
    if keras.backend.backend() not in BACKENDS:
        raise TrainingError(f"training runs on {' or '.join(BACKENDS)}, not on "
                            f"{keras.backend.backend()}")
    if keras.backend.backend() == "jax":
        from .jax_steps import JaxSteps

        return JaxSteps(recipe, generator, critic, moments)
    from .tensorflow_steps import TensorFlowSteps

    return TensorFlowSteps(recipe, generator, critic, moments)
