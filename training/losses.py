"""The losses of both recipes in keras.ops: functions of numbers, no networks, no gradients.

Every function takes per-sample scores, float (batch,), and returns a scalar. The relativistic ones
take (batch, critics) too: the losses of several critics add up.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


def wasserstein_critic(real: Any, fake: Any) -> Any:
    """Critic's side of the Wasserstein distance (Arjovsky et al. 2017)."""
    return ops.mean(fake) - ops.mean(real)


def wasserstein_generator(real: Any, fake: Any) -> Any:
    """Generator's side; real scores take no part."""
    del real
    return -ops.mean(fake)


def relativistic_critic(real: Any, fake: Any) -> Any:
    """Relativistic pairing (Jolicoeur-Martineau 2019): softplus(-(real - fake)), pair by pair."""
    return _mean(ops.softplus(fake - real))


def relativistic_generator(real: Any, fake: Any) -> Any:
    """The mirror image: softplus(-(fake - real))."""
    return _mean(ops.softplus(real - fake))


def _mean(each: Any) -> Any:
    """Over the samples, of the sum over critics."""
    return ops.mean(ops.sum(each, axis=-1) if len(each.shape) == 2 else each)


def gradient_penalty(gradient: Any) -> Any:
    """WGAN-GP (Gulrajani et al. 2017): each sample's own gradient norm is pulled to 1.

    gradient: (batch, bands, frames, 1), of each score by its own image.
    """
    norm = ops.sqrt(ops.sum(ops.square(gradient), axis=(1, 2, 3)) + 1e-12)
    return ops.mean(ops.square(norm - 1.0))


def zero_centred_penalty(gradient: Any) -> Any:
    """R1 or R2 (Mescheder et al. 2018): half the squared gradient norm, averaged over samples."""
    return 0.5 * ops.mean(ops.sum(ops.square(gradient), axis=(1, 2, 3)))


def class_loss(logits: Any, label: Any) -> Any:
    """Auxiliary head's cross-entropy (Odena et al. 2017): logits (batch, classes), int (batch,)."""
    return ops.mean(keras.losses.sparse_categorical_crossentropy(label, logits, from_logits=True))
