"""The gradients of a step on JAX, for a machine without TensorFlow (KERAS_BACKEND=jax).

Every update is one jitted function of the state that returns the new state; the Keras variables
are given the new values after each, so that checkpoints and samples read them as ever.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import keras
from jax import numpy as jnp

from gan808.sound.spectral.spectrogram import Moments

from .objectives import Batch, Judge
from .precision import in_float32
from .recipes import Recipe
from .steps import Report, Steps

Weights = list[Any]
State = tuple[Weights, Weights, Weights, Weights]  # generator, critic, and their optimizers


def _norm(gradients: Weights) -> Any:
    return jnp.sqrt(sum(jnp.sum(jnp.square(gradient)) for gradient in gradients))


class JaxSteps(Steps):
    """One device: JAX's own sharding is left to whoever needs more."""

    def __init__(
        self, recipe: Recipe, generator: keras.Model, critic: keras.Model, moments: Moments
    ) -> None:
        super().__init__(recipe, generator, critic, moments)
        self._precise_critic = in_float32(critic)
        self._updates = {
            update.__name__: jax.jit(update)
            for update in (self._joint, self._regularise, self._critic, self._generator)
        }
        self._towards = jax.jit(
            lambda average, now, decay: jax.tree.map(
                lambda a, b: decay * a + (1.0 - decay) * b, average, now
            )
        )

    def joint(self, batch: Batch) -> Report:
        return self._update("_joint", batch)

    def regularise(self, batch: Batch) -> Report:
        return self._update("_regularise", batch)

    def critic_step(self, batch: Batch) -> Report:
        return self._update("_critic", batch)

    def generator_step(self, batch: Batch) -> Report:
        return self._update("_generator", batch)

    def average(self, decay: float) -> None:
        average, now = ([v.value for v in model.trainable_variables]
                        for model in (self.averaged, self.generator))
        new = self._towards(average, now, decay)
        for variable, value in zip(self.averaged.trainable_variables, new, strict=True):
            variable.assign(value)

    def _variables(self) -> tuple[list[Any], ...]:
        return (self.generator.trainable_variables, self.critic.trainable_variables,
                self.generator_optimizer.variables, self.critic_optimizer.variables)

    def _update(self, name: str, batch: Batch) -> Report:
        groups = self._variables()
        state = tuple([variable.value for variable in group] for group in groups)
        new_state, report = self._updates[name](state, batch)
        for group, values in zip(groups, new_state, strict=True):
            for variable, value in zip(group, values, strict=True):
                variable.assign(value)
        return dict(report)

    def _generate(self, weights: Weights) -> Callable[[Any, Any], Any]:
        def generate(latent: Any, label: Any) -> Any:
            return self.generator.stateless_call(weights, [], [latent, label], training=True)[0]

        return generate

    @staticmethod
    def _judge(model: keras.Model, weights: Weights) -> Judge:
        def judge(images: Any) -> tuple[Any, Any]:
            realness, heard = model.stateless_call(weights, [], images, training=True)[0]
            return realness, heard

        return judge

    def _apply_critic(self, state: State, gradients: Weights) -> State:
        generator, critic, generator_optimizer, critic_optimizer = state
        critic, critic_optimizer = self.critic_optimizer.stateless_apply(
            critic_optimizer, gradients, critic
        )
        return generator, critic, generator_optimizer, critic_optimizer

    def _apply_generator(self, state: State, gradients: Weights) -> State:
        generator, critic, generator_optimizer, critic_optimizer = state
        generator, generator_optimizer = self.generator_optimizer.stateless_apply(
            generator_optimizer, gradients, generator
        )
        return generator, critic, generator_optimizer, critic_optimizer

    def _joint(self, state: State, batch: Batch) -> tuple[State, Report]:
        def totals(generator: Weights, critic: Weights) -> tuple[tuple[Any, Any], Report]:
            judge = self._judge(self.critic, critic)
            of_critic, of_generator, report = self.objectives.joint(
                self._generate(generator), judge, batch
            )
            return (of_critic, of_generator), report

        (of_critic, of_generator), pull, report = jax.vjp(
            totals, state[0], state[1], has_aux=True
        )
        one, zero = jnp.ones_like(of_critic), jnp.zeros_like(of_generator)
        critic_gradients = pull((one, zero))[1]
        generator_gradients = pull((zero, one))[0]
        report |= {"norm_critic": _norm(critic_gradients),
                   "norm_generator": _norm(generator_gradients)}
        state = self._apply_critic(state, critic_gradients)
        return self._apply_generator(state, generator_gradients), report

    def _score_gradient(self, critic: Weights, points: Any, label: Any) -> Any:
        judge = self._judge(self._precise_critic, critic)
        return jax.grad(lambda x: self.objectives.total_score(judge, x, label))(points)

    def _regularise(self, state: State, batch: Batch) -> tuple[State, Report]:
        points, label = self.objectives.regularised_points(self._generate(state[0]), batch)

        def weighted(critic: Weights) -> tuple[Any, Any]:
            return self.objectives.regularisation(self._score_gradient(critic, points, label))

        gradients, penalty = jax.grad(weighted, has_aux=True)(state[1])
        report = {"penalty": penalty, "norm_penalty": _norm(gradients)}
        return self._apply_critic(state, gradients), report

    def _critic(self, state: State, batch: Batch) -> tuple[State, Report]:
        real, fake, between = self.objectives.points_between(self._generate(state[0]), batch)

        def total(critic: Weights) -> tuple[Any, Report]:
            gradient = self._score_gradient(critic, between, batch.label)
            judge = self._judge(self.critic, critic)
            return self.objectives.critic(judge, real, fake, batch.label, gradient)

        gradients, report = jax.grad(total, has_aux=True)(state[1])
        report |= {"norm_critic": _norm(gradients)}
        return self._apply_critic(state, gradients), report

    def _generator(self, state: State, batch: Batch) -> tuple[State, Report]:
        def total(generator: Weights) -> tuple[Any, Report]:
            judge = self._judge(self.critic, state[1])
            return self.objectives.generator(self._generate(generator), judge, batch)

        gradients, report = jax.grad(total, has_aux=True)(state[0])
        report |= {"norm_generator": _norm(gradients)}
        return self._apply_generator(state, gradients), report
