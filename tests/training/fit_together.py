"""One of several that fit the tiny recipe together, each a process of its own.

TF_CONFIG says which worker it is; DEVICES, a number, cuts this machine's processor into so many
instead; POISON is a step after which the critic is no number, once; HOLD is a step before which it
waits to be killed. A checkpoint after every step; at the end OUT holds the weights as this worker
has them. An expected failure is one line on stderr, exit status 1, as the command line does.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from gan808.errors import Gan808Error
from tests.training.tiny_recipe import TINY
from training.dataset import Dataset
from training.distribute import join
from training.trainer import FitOptions, Trainer


def fit(dataset: Path, run: Path, steps: int, out: Path) -> None:
    """What the process does."""
    try:
        _fit(dataset, run, steps, out)
    except Gan808Error as error:
        sys.stderr.write(f"gan808: {error}\n")
        sys.stderr.flush()
        os._exit(1)  # as the command line leaves: TensorFlow's threads may wait for the dead


def _fit(dataset: Path, run: Path, steps: int, out: Path) -> None:
    devices = join(parts())
    options = FitOptions(steps=steps, checkpoint_s=0.0, samples_s=1e9)
    trainer = Trainer(Dataset(dataset), TINY, run, options, devices)
    say(f"at step {trainer.step}, {devices.name}")
    disturb(trainer, int(os.environ.get("POISON", "0")), int(os.environ.get("HOLD", "0")))
    trainer.fit(lambda now: say(now.said) if now.said else None)
    models = (trainer.steps.generator, trainer.steps.critic, trainer.steps.averaged)
    np.savez(out, *[array for model in models for array in model.get_weights()])


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def parts() -> list[str] | None:
    """This machine's processor in parts, where DEVICES asks for it."""
    n = int(os.environ.get("DEVICES", "0"))
    if not n:
        return None
    logical = [tf.config.LogicalDeviceConfiguration()] * n
    tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], logical)
    return [f"CPU:{i}" for i in range(n)]


def disturb(trainer: Trainer, poisoned: int, held: int) -> None:
    """What an update that overflows does to the critic; and a worker that hangs."""
    run, kernel = trainer.steps.run, trainer.steps.critic.trainable_variables[0]

    def disturbed(step: int, *rest: Any) -> dict[str, float]:
        while held and step + 1 == held:
            time.sleep(0.1)
        results = run(step, *rest)
        if step + 1 == poisoned and not trainer.recovery.branch:
            kernel.assign(np.full(kernel.shape, np.nan, np.float32))
        return results

    trainer.steps.run = disturbed  # type: ignore[method-assign]
