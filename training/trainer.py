"""Fitting a generator and a critic to a dataset: the loop, its progress, its interruptions.

A step is a function of its number and the run's seed (batches, latents and augmentation are drawn
from both), so a run that was killed goes on from its last checkpoint to the same losses.
"""

from __future__ import annotations

import csv
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from gan808.errors import TrainingError
from gan808.sound.kit import Kit
from gan808.sound.networks import build_critic, build_generator
from training import checkpoint
from training.dataset import Dataset
from training.precision import built_in
from training.recipes import Recipe
from training.samples import SampleMaker
from training.steps import make_steps
from training.transfer import begin_from

DECAY_FROM = 0.6  # of the run: from here the learning rate falls
WARM_UP_STEPS = 200  # of a run that begins from a kit: its optimisers know nothing yet
TRANSFER_RATE = 0.5  # of the recipe's learning rate: what is there must not be lost


@dataclass(frozen=True)
class FitOptions:
    """hours or steps ends the run; both count what came before a resumption. start: the kit whose
    networks a new run begins from. learning_rate: at its peak; None is the recipe's, or
    TRANSFER_RATE of it when a kit is begun from."""

    hours: float | None = None
    steps: int | None = None
    seed: int = 808
    checkpoint_s: float = 180.0
    samples_s: float = 600.0
    start: Kit | None = None
    learning_rate: float | None = None


@dataclass(frozen=True)
class Progress:
    """What a progress bar shows after each step."""

    step: int
    elapsed_s: float
    fraction: float
    losses: dict[str, float]


class Interrupted(TrainingError):
    """Asked to stop (Ctrl-C, SIGTERM); the checkpoint was written."""


def rate_share(recipe: Recipe, fraction: float) -> float:
    """Of the peak learning rate: 1, then a cosine fall to recipe.final_rate at the run's end."""
    if fraction <= DECAY_FROM:
        return 1.0
    phase = min((fraction - DECAY_FROM) / (1.0 - DECAY_FROM), 1.0)
    return recipe.final_rate + (1.0 - recipe.final_rate) * 0.5 * (1 + math.cos(math.pi * phase))


@contextmanager
def stop_requests() -> Iterator[threading.Event]:
    """SIGINT and SIGTERM set the event instead of raising in the middle of a step."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    old = {s: signal.signal(s, lambda *_: asked.set()) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for signum, handler in old.items():
            signal.signal(signum, handler)


class Trainer:
    """One run in one folder: RUN/checkpoints, RUN/samples, RUN/losses.csv."""

    def __init__(self, dataset: Dataset, recipe: Recipe, run: Path, options: FitOptions) -> None:
        if dataset.geometry != recipe.geometry:
            raise TrainingError(
                f"{dataset.folder}: prepared with another geometry than recipe {recipe.name}'s; "
                f"prepare it again with --recipe {recipe.name}"
            )
        if options.hours is None and options.steps is None:
            raise TrainingError("how long to train is missing: give --hours or --steps")
        self.recipe, self.run, self.options = recipe, run, options
        self.step = 0
        self.elapsed_s = 0.0
        self.origin: dict[str, Any] | None = None  # the kit that the run began from
        self.new_classes: tuple[str, ...] = ()  # that this kit did not have
        self.peak_rate = options.learning_rate or recipe.learning_rate
        found = checkpoint.checkpoints(run)
        if found:
            moments = checkpoint.read_moments(found[-1])
        elif options.start is not None:
            moments = options.start.statistics()[0]
        else:
            moments = dataset.moments
        self.dataset = dataset.normalised_by(moments)
        keras.utils.set_random_seed(options.seed)
        with built_in(recipe.precision):
            n_classes = len(dataset.classes)
            generator = build_generator(recipe.spec, recipe.geometry, n_classes)
            critic = build_critic(recipe.spec, recipe.geometry, n_classes)
        if options.start is not None and not found:
            self._begin(options.start, generator, critic)
        self.steps = make_steps(recipe, generator, critic, moments)
        if found:
            self._resume(found[-1])

    def _begin(self, kit: Kit, generator: keras.Model, critic: keras.Model) -> None:
        self.new_classes = begin_from(kit, self.recipe, self.dataset.classes, generator, critic)
        self.origin = {
            "kit": kit.name, "steps": kit.manifest.training_steps,
            "hours": kit.manifest.training_hours,
            "provenance": [entry.model_dump() for entry in kit.manifest.provenance],
        }
        if self.options.learning_rate is None:
            self.peak_rate *= TRANSFER_RATE

    def _resume(self, folder: Path) -> None:
        state = checkpoint.load(folder, self.steps)
        self.origin = state["origin"]
        begun_from, start = self.origin and self.origin["kit"], self.options.start
        if start is not None and start.name != begun_from:
            raise TrainingError(
                f"{folder}: this run began from {begun_from or 'nothing'}, not from kit "
                f"{start.name}; give --run another folder, or leave out --from to go on"
            )
        if self.options.learning_rate is None:
            self.peak_rate = float(state["peak_rate"])
        if tuple(state["classes"]) != self.dataset.classes:
            raise TrainingError(
                f"{folder}: trained on classes {', '.join(state['classes'])}, the dataset has "
                f"{', '.join(self.dataset.classes)}; give --run another folder"
            )
        self.step, self.elapsed_s = int(state["step"]), float(state["elapsed_s"])
        self.options = FitOptions(**{**self.options.__dict__, "seed": int(state["seed"])})

    @property
    def fraction(self) -> float:
        """How much of the run is done, 0..1."""
        shares = []
        if self.options.hours is not None:
            shares.append(self.elapsed_s / (3600 * self.options.hours))
        if self.options.steps is not None:
            shares.append(self.step / self.options.steps)
        return min(1.0, max(shares))

    def save(self) -> Path:
        """Write a checkpoint of now."""
        return checkpoint.save(self.run, self.steps, {
            "step": self.step, "elapsed_s": self.elapsed_s, "seed": self.options.seed,
            "origin": self.origin, "peak_rate": self.peak_rate,
            "classes": self.dataset.classes, "dataset": str(self.dataset.folder.resolve()),
        })

    def one_step(self) -> dict[str, float]:
        """Run the next step and count it. Raises TrainingError when a loss is not finite."""
        random = np.random.default_rng([self.options.seed, self.step])
        n_batches = self.recipe.critic_steps if self.recipe.penalty == "wgan_gp" else 1
        batches = [self.dataset.batch(self.recipe.batch, random) for _ in range(n_batches)]
        rate = self.peak_rate * rate_share(self.recipe, self.fraction)
        if self.origin is not None:
            rate *= min(1.0, (self.step + 1) / WARM_UP_STEPS)
        results = self.steps.run(self.step, rate, batches, random)
        if not all(math.isfinite(value) for value in results.values()):
            raise TrainingError(
                f"step {self.step}: a loss is not finite ({results}); the last checkpoint is good: "
                "start again to go on from it"
            )
        self.step += 1
        return results

    def fit(self, progress: Callable[[Progress], None] = lambda _: None) -> None:
        """Train until hours or steps are reached. Raises Interrupted after a requested stop,
        TrainingError on losses that are not finite or a disk that is full."""
        spec, geometry = self.recipe.spec, self.recipe.geometry
        maker = SampleMaker(spec, geometry, self.dataset.moments, self.dataset.classes)
        saved = sampled = time.monotonic()
        with stop_requests() as asked:
            while self.fraction < 1.0:
                begun = time.monotonic()
                results = self.one_step()
                now = time.monotonic()
                self.elapsed_s += now - begun
                self._log(results)
                progress(Progress(self.step, self.elapsed_s, self.fraction, results))
                if asked.is_set():
                    self.save()
                    raise Interrupted(f"stopped at step {self.step}; the same command goes on")
                if now - saved >= self.options.checkpoint_s:
                    self.save()
                    saved = time.monotonic()
                if now - sampled >= self.options.samples_s:
                    self._sample(maker)
                    sampled = time.monotonic()
            self.save()
            self._sample(maker)

    def _sample(self, maker: SampleMaker) -> None:
        model = self.steps.averaged if self.recipe.average else self.steps.generator
        try:
            maker.write(model, self.run / "samples", f"step-{self.step:08d}")
        except OSError as error:
            raise TrainingError(f"{self.run / 'samples'}: cannot write ({error})") from error

    def _log(self, results: dict[str, Any]) -> None:
        path = self.run / "losses.csv"
        try:
            self.run.mkdir(parents=True, exist_ok=True)
            new = not path.exists()
            with path.open("a", newline="") as file:
                writer = csv.writer(file)
                if new:
                    writer.writerow(["step", "elapsed_s", "name", "value"])
                for name, value in results.items():
                    writer.writerow([self.step, f"{self.elapsed_s:.1f}", name, f"{value:.6g}"])
        except OSError as error:
            raise TrainingError(f"{path}: cannot write ({error.strerror})") from error
