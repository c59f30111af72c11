"""One of several that fit the tiny recipe together, run as a program: DATASET RUN STEPS OUT.

TF_CONFIG says which worker it is; DEVICES, a number, cuts this machine's processor into so many
instead; POISON is a step after which the critic is no number, once. A checkpoint after every step;
at the end OUT.npz holds the weights as this worker has them. An expected failure is printed as one
line, exit status 1, as the command line does.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from gan808.errors import Gan808Error
from tests.training.tiny_recipe import TINY
from training.dataset import Dataset
from training.distribute import join
from training.trainer import FitOptions, Trainer


def devices() -> list[str] | None:
    """This machine's processor in parts, where DEVICES asks for it."""
    n = int(os.environ.get("DEVICES", "0"))
    if not n:
        return None
    parts = [tf.config.LogicalDeviceConfiguration()] * n
    tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], parts)
    return [f"CPU:{i}" for i in range(n)]


def poison(trainer: Trainer, at: int) -> None:
    """What an update that overflows does to the critic."""
    run, kernel = trainer.steps.run, trainer.steps.critic.trainable_variables[0]

    def poisonous(step: int, *rest: Any) -> dict[str, float]:
        results = run(step, *rest)
        if step + 1 == at and not trainer.recovery.branch:
            kernel.assign(np.full(kernel.shape, np.nan, np.float32))
        return results

    trainer.steps.run = poisonous  # type: ignore[method-assign]


def main(dataset: str, run: str, steps: str, out: str) -> None:
    crew = join(devices())
    options = FitOptions(steps=int(steps), checkpoint_s=0.0, samples_s=1e9)
    trainer = Trainer(Dataset(Path(dataset)), TINY, Path(run), options, crew)
    sys.stdout.write(f"at step {trainer.step}, {crew.name}\n")
    sys.stdout.flush()
    poison(trainer, int(os.environ.get("POISON", "0")))
    trainer.fit(lambda now: sys.stdout.write(f"{now.said}\n" if now.said else ""))
    models = (trainer.steps.generator, trainer.steps.critic, trainer.steps.averaged)
    np.savez(out, *[array for model in models for array in model.get_weights()])


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Gan808Error as error:
        sys.stderr.write(f"gan808: {error}\n")
        sys.stderr.flush()
        os._exit(1)  # as the command line leaves: TensorFlow's threads may wait for the dead
