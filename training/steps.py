"""One training step on TensorFlow: the thin layer below the losses.

The relativistic recipe updates critic and generator from one forward pass; the paper's takes
its critic steps first, each on a batch of its own.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from gan808.sound.networks import realness_of
from gan808.sound.spectrogram import Moments
from training import losses
from training.augment import MAX_GAIN_DB, MAX_SHIFT_FRAMES, Augment
from training.precision import in_float32
from training.recipes import Recipe

NEPERS_PER_DB = float(np.log(10) / 20)


class Steps:
    """Owns the graphs and optimizers of one run.

    Attributes: generator, critic, averaged (the generator whose weights are averaged),
    generator_optimizer, critic_optimizer, moments (by which the images are normalised).
    """

    def __init__(
        self, recipe: Recipe, generator: keras.Model, critic: keras.Model, moments: Moments
    ) -> None:
        self.recipe = recipe
        self.generator = generator
        self.critic = critic
        self._precise_critic = in_float32(critic)
        self.moments = moments
        self.averaged = keras.models.clone_model(generator)
        self.averaged.set_weights(generator.get_weights())
        self._augment = Augment(recipe.geometry, moments) if recipe.augment else None
        rates = {"beta_1": recipe.beta_1, "beta_2": recipe.beta_2}
        self.generator_optimizer = keras.optimizers.Adam(recipe.learning_rate, **rates)
        self.critic_optimizer = keras.optimizers.Adam(recipe.learning_rate, **rates)
        self.generator_optimizer.build(generator.trainable_variables)
        self.critic_optimizer.build(critic.trainable_variables)
        relative = recipe.loss == "relativistic"
        self._critic_loss = losses.relativistic_critic if relative else losses.wasserstein_critic
        self._generator_loss = (
            losses.relativistic_generator if relative else losses.wasserstein_generator
        )
        self._joint = tf.function(self._joint_step)
        self._critic = tf.function(self._critic_step)
        self._generator = tf.function(self._generator_step)
        self._r1_r2 = tf.function(self._r1_r2_step)
        self._average = tf.function(self._average_step)

    def run(
        self, step: int, rate: float, batches: list[tuple[np.ndarray, np.ndarray]],
        random: np.random.Generator,
    ) -> dict[str, float]:
        """One generator step with what critic steps belong to it.

        batches: critic_steps pairs of images (batch, bands, frames, 1) and labels (batch,).
        random draws latents, gains and shifts, so that a step is a function of its number.
        Returns the losses as floats.
        """
        self.generator_optimizer.learning_rate.assign(rate)
        self.critic_optimizer.learning_rate.assign(rate)
        results: dict[str, Any] = {}
        if self.recipe.penalty == "r1_r2":
            if step % self.recipe.penalty_every == 0:
                results |= self._r1_r2(*self._inputs(batches[0], random))
            results |= self._joint(*self._inputs(batches[0], random))
        else:
            for batch in batches:
                mix = tf.constant(random.uniform(size=len(batch[1])).astype(np.float32))
                results |= self._critic(*self._inputs(batch, random), mix)
            results |= self._generator(*self._inputs(batches[-1], random)[1:])
        if self.recipe.average:
            half_life = min(self.recipe.average_most, 1 + self.recipe.average * step)
            decay = 0.5 ** (1 / half_life)
            self._average(tf.constant(decay, tf.float32))
        return {name: float(value) for name, value in results.items()}

    def _inputs(
        self, batch: tuple[np.ndarray, np.ndarray], random: np.random.Generator
    ) -> tuple[Any, ...]:
        images, labels = batch
        spec = self.recipe.spec
        shape = (len(labels), spec.latent_size)
        if spec.latent_distribution == "uniform":
            latents = random.uniform(-1.0, 1.0, shape)
        else:
            latents = random.standard_normal(shape)
        gain = random.uniform(-MAX_GAIN_DB, MAX_GAIN_DB, len(labels)) * NEPERS_PER_DB
        shift = random.integers(0, MAX_SHIFT_FRAMES + 1)
        return (
            tf.constant(images), tf.constant(labels, tf.int32),
            tf.constant(latents.astype(np.float32)), tf.constant(gain.astype(np.float32)),
            tf.constant(shift, tf.int32),
        )

    def _seen(self, images: Any, gain: Any, shift: Any) -> Any:
        return images if self._augment is None else self._augment(images, gain, shift)

    def _joint_step(
        self, real: Any, label: Any, latent: Any, gain: Any, shift: Any
    ) -> dict[str, Any]:
        recipe = self.recipe
        real = self._seen(real, gain, shift)
        n = tf.shape(label)[0]
        with tf.GradientTape(persistent=True) as tape:
            fake = self._seen(self.generator([latent, label], training=True), gain, shift)
            realness, heard = self.critic(tf.concat([real, fake], 0), training=True)
            score = realness_of(realness, tf.concat([label, label], 0))
            critic_loss = self._critic_loss(score[:n], score[n:])
            class_real = losses.class_loss(heard[:n], label)
            class_fake = losses.class_loss(heard[n:], label)
            generator_loss = self._generator_loss(score[:n], score[n:])
            critic_total = critic_loss + recipe.class_weight_critic * class_real
            generator_total = generator_loss + recipe.class_weight_generator * class_fake
        for total, model, optimizer in (
            (critic_total, self.critic, self.critic_optimizer),
            (generator_total, self.generator, self.generator_optimizer),
        ):
            gradients = tape.gradient(total, model.trainable_variables)
            optimizer.apply(gradients, model.trainable_variables)
        del tape
        return {"critic": critic_loss, "generator": generator_loss, "class_real": class_real,
                "class_fake": class_fake, "margin": tf.reduce_mean(score[:n] - score[n:])}

    def _r1_r2_step(
        self, real: Any, label: Any, latent: Any, gain: Any, shift: Any
    ) -> dict[str, Any]:
        """Lazy regularisation (Karras et al. 2020): seldom, and weighted up as much."""
        n = tf.shape(label)[0] // 2  # half the batch: the estimate is good enough, the cost half
        label = label[:n]
        fake = self.generator([latent[:n], label], training=False)
        critic = self._precise_critic
        if critic is not self.critic:
            for copy, now in zip(critic.variables, self.critic.variables, strict=True):
                copy.assign(now)
        seen = self._seen(tf.concat([real[:n], fake], 0), tf.tile(gain[:n], [2]), shift)
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                inner.watch(seen)
                realness, _ = critic(seen, training=True)
                total = tf.reduce_sum(realness_of(realness, tf.tile(label, [2])))
            gradient = inner.gradient(total, seen)
            penalty = losses.zero_centred_penalty(gradient[:n])
            penalty += losses.zero_centred_penalty(gradient[n:])
            weighted = self.recipe.penalty_weight * self.recipe.penalty_every * penalty
        variables = self.critic.trainable_variables
        gradients = outer.gradient(weighted, critic.trainable_variables)
        pairs = [(g, v) for g, v in zip(gradients, variables, strict=True)]
        gradients = [tf.zeros_like(v) if g is None else g for g, v in pairs]
        self.critic_optimizer.apply(gradients, variables)
        return {"penalty": penalty}

    def _critic_step(
        self, real: Any, label: Any, latent: Any, gain: Any, shift: Any, mix: Any
    ) -> dict[str, Any]:
        recipe = self.recipe
        n = tf.shape(label)[0]
        real = self._seen(real, gain, shift)
        fake = self._seen(self.generator([latent, label], training=True), gain, shift)
        between = real + tf.reshape(mix, (-1, 1, 1, 1)) * (fake - real)
        with tf.GradientTape() as outer:
            realness, heard = self.critic(tf.concat([real, fake], 0), training=True)
            score = realness_of(realness, tf.concat([label, label], 0))
            critic_loss = self._critic_loss(score[:n], score[n:])
            class_real = losses.class_loss(heard[:n], label)
            with tf.GradientTape() as inner:
                inner.watch(between)
                realness, _ = self.critic(between, training=True)
                total_score = tf.reduce_sum(realness_of(realness, label))
            penalty = losses.gradient_penalty(inner.gradient(total_score, between))
            total = critic_loss + recipe.penalty_weight * penalty
            total += recipe.class_weight_critic * class_real
        variables = self.critic.trainable_variables
        self.critic_optimizer.apply(outer.gradient(total, variables), variables)
        return {"critic": critic_loss, "penalty": penalty, "class_real": class_real}

    def _generator_step(
        self, label: Any, latent: Any, gain: Any, shift: Any
    ) -> dict[str, Any]:
        with tf.GradientTape() as tape:
            fake = self._seen(self.generator([latent, label], training=True), gain, shift)
            realness, heard = self.critic(fake, training=False)
            score = realness_of(realness, label)
            generator_loss = self._generator_loss(score, score)
            class_fake = losses.class_loss(heard, label)
            total = generator_loss + self.recipe.class_weight_generator * class_fake
        variables = self.generator.trainable_variables
        self.generator_optimizer.apply(tape.gradient(total, variables), variables)
        return {"generator": generator_loss, "class_fake": class_fake}

    def _average_step(self, decay: Any) -> None:
        pairs = zip(self.averaged.variables, self.generator.variables, strict=True)
        for average, now in pairs:
            average.assign(decay * average + (1.0 - decay) * now)
