"""The gradients of a step on TensorFlow: one graph an update, on one device or many.

Under a tf.distribute strategy every replica takes its rows of the batch and gradients are averaged
over all of them, so a step is the same function of its number on any number of replicas.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from gan808.sound.spectral.spectrogram import Moments

from .objectives import Batch
from .precision import in_float32
from .recipes import Recipe
from .steps import Report, Steps


def _values(model: keras.Model) -> list[Any]:
    return [variable.value for variable in model.trainable_variables]


def _graph_of(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compiled as it stands. AutoGraph would translate loops over tensors, of which there are none,
    and leave what it has written in the system's folder for temporary files when the process ends
    at once, as a command or a killed run does."""
    return tf.function(function, autograph=False)


class TensorFlowSteps(Steps):
    """Made and run inside the scope of the strategy, if there is one."""

    def __init__(
        self, recipe: Recipe, generator: keras.Model, critic: keras.Model, moments: Moments
    ) -> None:
        super().__init__(recipe, generator, critic, moments)
        self._strategy = tf.distribute.get_strategy()
        self._n_replicas = self._strategy.num_replicas_in_sync
        self._precise_critic = in_float32(critic)
        self._joint = self._replicated(self._joint_step)
        self._regularise = self._replicated(self._regularise_step)
        self._critic = self._replicated(self._critic_step)
        self._generator = self._replicated(self._generator_step)
        self._average = _graph_of(self._average_step)

    def joint(self, batch: Batch) -> Report:
        return dict(self._joint(self._spread(batch)))

    def regularise(self, batch: Batch) -> Report:
        return dict(self._regularise(self._spread(batch)))

    def critic_step(self, batch: Batch) -> Report:
        return dict(self._critic(self._spread(batch)))

    def generator_step(self, batch: Batch) -> Report:
        return dict(self._generator(self._spread(batch)))

    def average(self, decay: float) -> None:
        self._average(tf.constant(decay, tf.float32))

    def _spread(self, batch: Batch) -> Any:
        """Every n-th row to each of n replicas: the first halves of the parts, which R1 and R2
        look at, are together the first half of the whole."""
        if self._n_replicas == 1:
            return Batch(*(tf.constant(part) for part in batch))

        def rows(context: Any) -> Batch:
            of = slice(context.replica_id_in_sync_group, None, self._n_replicas)
            return Batch(*(tf.constant(part[of]) for part in batch))

        return self._strategy.experimental_distribute_values_from_function(rows)

    def _replicated(self, update: Callable[[Batch], Report]) -> Callable[[Any], Report]:
        def everywhere(batch: Any) -> Report:
            report = self._strategy.run(update, args=(batch,))
            mean = tf.distribute.ReduceOp.MEAN
            return {name: self._strategy.reduce(mean, value, axis=None)
                    for name, value in report.items()}

        return _graph_of(everywhere)

    def _generate(self, latent: Any, label: Any) -> Any:
        return self.generator([latent, label], training=True)

    def _judge(self, images: Any) -> tuple[Any, Any]:
        return self.critic(images, training=True)

    def _judge_precisely(self, images: Any) -> tuple[Any, Any]:
        """The critic in float32, whatever it computes in otherwise."""
        if self._precise_critic is self.critic:
            return self._judge(images)
        weights = [tf.convert_to_tensor(value) for value in _values(self.critic)]
        outputs, _ = self._precise_critic.stateless_call(weights, [], images, training=True)
        return outputs

    def _apply(
        self, tape: tf.GradientTape, total: Any, model: keras.Model, optimizer: Any
    ) -> Any:
        """Update a model by the gradient of its total over all replicas; returns its norm, of
        this replica's rows."""
        variables = _values(model)
        found = tape.gradient(total, variables, unconnected_gradients="zero")
        gradients = [tf.convert_to_tensor(gradient) for gradient in found]  # embeddings' are sparse
        optimizer.apply([gradient / self._n_replicas for gradient in gradients],
                        model.trainable_variables)
        return tf.linalg.global_norm(gradients)

    def _joint_step(self, batch: Batch) -> Report:
        with tf.GradientTape(persistent=True) as tape:
            critic, generator, report = self.objectives.joint(self._generate, self._judge, batch)
        report["norm_critic"] = self._apply(tape, critic, self.critic, self.critic_optimizer)
        report["norm_generator"] = self._apply(
            tape, generator, self.generator, self.generator_optimizer
        )
        del tape
        return report

    def _regularise_step(self, batch: Batch) -> Report:
        points, label = self.objectives.regularised_points(self._generate, batch)
        with tf.GradientTape() as outer:
            gradient = self._score_gradient(self._judge_precisely, points, label)
            weighted, penalty = self.objectives.regularisation(gradient)
        norm = self._apply(outer, weighted, self.critic, self.critic_optimizer)
        return {"penalty": penalty, "norm_penalty": norm}

    def _score_gradient(self, judge: Any, points: Any, label: Any) -> Any:
        with tf.GradientTape() as inner:
            inner.watch(points)
            total = self.objectives.total_score(judge, points, label)
        return inner.gradient(total, points)

    def _critic_step(self, batch: Batch) -> Report:
        real, fake, between = self.objectives.points_between(self._generate, batch)
        with tf.GradientTape() as outer:
            gradient = self._score_gradient(self._judge_precisely, between, batch.label)
            total, report = self.objectives.critic(self._judge, real, fake, batch.label, gradient)
        report["norm_critic"] = self._apply(outer, total, self.critic, self.critic_optimizer)
        return report

    def _generator_step(self, batch: Batch) -> Report:
        with tf.GradientTape() as tape:
            total, report = self.objectives.generator(self._generate, self._judge, batch)
        report["norm_generator"] = self._apply(
            tape, total, self.generator, self.generator_optimizer
        )
        return report

    def _average_step(self, decay: Any) -> None:
        def towards(average: Any, now: Any) -> None:
            average.assign(decay * average + (1.0 - decay) * now)

        pairs = zip(self.averaged.variables, self.generator.variables, strict=True)
        for average, now in pairs:
            self._strategy.extended.update(average.value, towards, args=(now.value,))
