"""Fitting a generator and a critic to a dataset: the loop, its progress, its interruptions.

A step is a function of its number, the run's seed and how often the run was rolled back: batches,
latents and augmentation are drawn from the three. So a run that was killed goes on from its last
checkpoint to the same losses. divergence.py notices what goes wrong; it is undone here.
"""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from gan808.errors import TrainingError
from gan808.sound.kit.kit import Kit

from . import checkpoint
from .dataset import Dataset
from .distribute import TrainingDevices, check_divides
from .divergence import FLOORS, WASSERSTEIN_FLOORS, DivergenceLimits, Recovery, Watch, diversity_of
from .journal import TrainingJournal
from .networks import build_critic, build_generator
from .objectives import draw
from .precision import built_in
from .recipes import Recipe
from .samples import SampleMaker
from .scoring import SHARE_OF_TIME, HeldOutScore, Scorer, can_score, images_of
from .steps import make_steps
from .transfer import begin_from

DECAY_FROM = 0.6  # of the run: from here the learning rate falls
WARM_UP_STEPS = 200  # of a run that begins from a kit: its optimisers know nothing yet
TRANSFER_RATE = 0.5  # of the recipe's learning rate: what is there must not be lost
FIRST_SAMPLES = 0.1  # of the time from samples to samples: when the first of a command are due
LOOKED_AT = 8  # images of each class behind a look at diversity


@dataclass(frozen=True)
class FitOptions:
    """hours or steps ends the run; both count what came before a resumption. start: the kit whose
    networks a new run begins from. learning_rate: at its peak; None is the recipe's, or
    TRANSFER_RATE of it when a kit is begun from. checkpoint_s, samples_s, score_s: how often a
    checkpoint, samples and a held-out score are due. limits: when a step has gone wrong."""

    hours: float | None = None
    steps: int | None = None
    seed: int = 808
    checkpoint_s: float = 180.0
    samples_s: float = 600.0
    score_s: float = 120.0
    start: Kit | None = None
    learning_rate: float | None = None
    limits: DivergenceLimits = field(default_factory=DivergenceLimits)


@dataclass(frozen=True)
class Progress:
    """What a progress bar shows after each step. said: a line for the user, seldom."""

    step: int
    elapsed_s: float
    fraction: float
    losses: dict[str, float]
    said: str = ""


class Trouble(TrainingError):
    """A step that must be undone; its message says why. sudden: the step before was good."""

    def __init__(self, why: str, *, sudden: bool) -> None:
        super().__init__(why)
        self.sudden = sudden


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
    """One run in one folder: RUN/checkpoints and what journal.py writes."""

    def __init__(
        self, dataset: Dataset, recipe: Recipe, run: Path, options: FitOptions,
        devices: TrainingDevices | None = None,
    ) -> None:
        if dataset.geometry != recipe.geometry:
            raise TrainingError(
                f"{dataset.folder}: prepared with another geometry than recipe {recipe.name}'s; "
                f"prepare it again with --recipe {recipe.name}"
            )
        if options.hours is None and options.steps is None:
            raise TrainingError("how long to train is missing: give --hours or --steps")
        self.recipe, self.run, self.options = recipe, run, options
        self.devices = devices or TrainingDevices()
        check_divides(recipe.batch, self.devices)
        self.step = 0
        self.elapsed_s = 0.0
        self.best_score: float | None = None
        self.origin: dict[str, Any] | None = None  # the kit that the run began from
        self.new_classes: tuple[str, ...] = ()  # that this kit did not have
        self.peak_rate = options.learning_rate or recipe.learning_rate
        self.rate = self.peak_rate
        self.recovery = Recovery()
        self.saved = self.proven = 0  # steps of the last checkpoint, and of the last that held
        found = checkpoint.checkpoints(run)
        if found:
            checkpoint.check_recipe(found[-1], checkpoint.read_state(found[-1]), recipe)
            moments = checkpoint.read_moments(found[-1])
        elif options.start is not None and options.start.geometry == recipe.geometry:
            moments = options.start.statistics()[0]
        else:
            moments = dataset.moments
        self.dataset = dataset.normalised_by(moments)
        self.watch = self._new_watch(None)
        keras.utils.set_random_seed(options.seed)
        with self.devices.scope():
            self._build(found[-1] if found else None)

    def _build(self, found: Path | None) -> None:
        recipe, start = self.recipe, self.options.start
        with built_in(recipe.precision):
            n_classes = len(self.dataset.classes)
            generator = build_generator(recipe.spec, recipe.geometry, n_classes)
            critic = build_critic(recipe.spec, recipe.geometry, n_classes, recipe.attack_columns)
        if start is not None and found is None:
            self._begin(start, generator, critic)
        self.steps = make_steps(recipe, generator, critic, self.dataset.moments)
        if found is not None:
            self._resume(found)

    def _new_watch(self, state: dict[str, Any] | None) -> Watch:
        floors = FLOORS if self.recipe.loss == "relativistic" else WASSERSTEIN_FLOORS
        return Watch(self.options.limits, state, floors)

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
        self.options = replace(self.options, seed=int(state["seed"]))
        self.recovery = Recovery(**state.get("recovery", {}))
        self.watch = self._new_watch(state.get("watch"))
        self.best_score = state.get("best_score")
        self.saved, self.proven = self.step, int(state.get("proven", self.step))

    @property
    def fraction(self) -> float:
        """How much of the run is done, 0..1."""
        shares = []
        if self.options.hours is not None:
            shares.append(self.elapsed_s / (3600 * self.options.hours))
        if self.options.steps is not None:
            shares.append(self.step / self.options.steps)
        return min(1.0, max(shares))

    @property
    def played(self) -> keras.Model:
        """The generator that a kit would have: the averaged one where the recipe averages."""
        return self.steps.averaged if self.recipe.average else self.steps.generator

    def sizes_bytes(self) -> tuple[int, int]:
        """How large a checkpoint is, and a kit's weights (float16), in bytes."""
        return checkpoint.size_of(self.steps), 2 * sum(
            model.count_params() for model in (self.played, self.steps.critic))

    def _state(self) -> dict[str, Any]:
        return {
            "step": self.step, "elapsed_s": self.elapsed_s, "seed": self.options.seed,
            "origin": self.origin, "peak_rate": self.peak_rate,
            "classes": self.dataset.classes, "dataset": str(self.dataset.folder.resolve()),
            "recovery": asdict(self.recovery), "watch": self.watch.to_dict(),
            "best_score": self.best_score, "proven": self.proven,
        }

    def save(self) -> None:
        """Write a checkpoint of now, if this is the chief and there is something to go back to:
        weights that are not finite are told of by the next step."""
        if self.devices.is_chief and checkpoint.is_finite(self.steps):
            checkpoint.save(self.run, self.steps, self._state(), keep=self.proven)
            self.saved = self.step

    def save_best(self, score: HeldOutScore) -> None:
        """Keep what a kit needs of now, in the place of what scored worse."""
        checkpoint.save_best(self.run, self.steps, self._state() | {"score": score.to_dict()})

    def one_step(self) -> dict[str, float]:
        """Run the next step and count it. Raises Trouble when it went wrong."""
        branch = self.recovery.branch
        random = np.random.default_rng([self.options.seed, self.step] + [branch] * (branch > 0))
        n_batches = self.recipe.critic_steps if self.recipe.penalty == "wgan_gp" else 1
        batches = [self.dataset.batch(self.recipe.batch, random) for _ in range(n_batches)]
        rate = self.peak_rate * rate_share(self.recipe, self.fraction) * self.recovery.rate_factor
        if self.origin is not None:
            rate *= min(1.0, (self.step + 1) / WARM_UP_STEPS)
        self.rate = rate
        results = self.steps.run(self.step, rate, batches, random)
        self.step += 1
        if (why := self.watch.trouble(results)) is not None:
            sudden = not all(math.isfinite(value) for value in results.values())
            raise Trouble(why, sudden=sudden)
        if self.watch.looks(self.step):
            if (why := self.watch.collapse(self._diversity())) is not None:
                raise Trouble(why, sudden=False)
            self.proven = self.saved
        self.recovery.passed(self.step)
        return results

    def _diversity(self) -> float:
        """Of the generator's images of fixed latents, as a share of training images'."""
        random = np.random.default_rng(self.options.seed)
        n = LOOKED_AT * len(self.dataset.classes)
        real, label = self.dataset.batch(n, random)
        latents = draw(self.recipe, real, label, random).latent
        made = diversity_of(images_of(self.steps.generator, latents, label), label)
        share = made / max(diversity_of(real[..., 0], label), 1e-6)
        return self.devices.from_chief(share)  # rounding must not part the workers

    def _roll_back(self, trouble: Trouble, journal: TrainingJournal) -> str:
        """Go back to an earlier checkpoint and draw other batches from there; the line for the
        user.

        The last checkpoint is tried first where a single step went wrong. Where the trouble came
        slowly, or comes again, it is the last checkpoint whose sounds were found diverse. Raises
        TrainingError when the run has failed too often.
        """
        failed_at, recovery, why = self.step, self.recovery, str(trouble)
        if not recovery.failed(failed_at):
            journal.event(failed_at, "gave_up", why)
            raise TrainingError(
                f"step {failed_at}: {why}; {recovery.failures} times in a row, so the run has "
                f"stopped. The last good checkpoint is kept in {self.run / 'checkpoints'}: go on "
                f"with --learning-rate below {self.rate:.2g}, or look at the sounds"
            )
        near = trouble.sudden and recovery.failures == 1
        step = int(self.devices.from_chief(self.saved if near else self.proven))
        target = checkpoint.folder_of(self.run, step)
        state = checkpoint.load(target, self.steps)
        self.step = self.saved = self.proven = step
        self.watch = self._new_watch(state.get("watch"))
        if self.devices.is_chief:
            checkpoint.rewind(self.run, target, {
                "recovery": asdict(recovery), "elapsed_s": self.elapsed_s,
                "best_score": self.best_score, "proven": step,
            })
        lowered = recovery.rate_factor < 1.0
        rate = f", learning rate times {recovery.rate_factor:g}" if lowered else ""
        said = f"step {failed_at}: {why}; back to step {step}, other batches{rate}"
        journal.event(failed_at, "rolled_back", f"{why}; to step {step}, branch "
                                                f"{recovery.branch}{rate}")
        journal.rewound(step)
        return said

    def fit(self, progress: Callable[[Progress], None] = lambda _: None) -> None:
        """Train until hours or steps are reached. Raises Interrupted after a requested stop,
        TrainingError on a run that cannot be kept stable, a worker that has gone or a disk that
        is full."""
        journal = TrainingJournal(self.run, writes=self.devices.is_chief, step=self.step)
        journal.event(self.step, "resumed" if self.step else "begun", self.devices.name)
        with self.devices.watched(), self.devices.scope(), stop_requests() as asked:
            self._check_together()
            if not checkpoint.checkpoints(self.run):
                self.save()  # what a run that fails early goes back to
            try:
                self._loop(journal, asked, progress)
            finally:
                journal.close()

    def _check_together(self) -> None:
        step = int(self.devices.from_chief(float(self.step)))
        if step != self.step:
            raise TrainingError(
                f"{self.run}: the chief is at step {step}, this worker at {self.step}; --run "
                "must be one folder that all machines share, or a copy of the chief's"
            )

    def _loop(
        self, journal: TrainingJournal, asked: threading.Event, progress: Callable[[Progress], None]
    ) -> None:
        timers = Timers(self)
        while self.fraction < 1.0:
            begun = time.monotonic()
            said = ""
            try:
                results = self.one_step()
            except Trouble as trouble:
                said = self._roll_back(trouble, journal)
                results = {}
            self.elapsed_s += time.monotonic() - begun
            if results:
                journal.losses(self.step, self.elapsed_s, results, self.rate)
            progress(Progress(self.step, self.elapsed_s, self.fraction, results, said))
            self.elapsed_s, stop = self.devices.together(self.elapsed_s, asked.is_set())
            if stop:
                self.save()
                raise Interrupted(f"stopped at step {self.step}; the same command goes on")
            if self.devices.is_chief and not said:
                timers.look(journal)
        if self.devices.is_chief:
            timers.finish(journal)


class Timers:
    """What the chief does every so often: checkpoints, samples, held-out scores."""

    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer
        recipe, dataset = trainer.recipe, trainer.dataset
        self._maker = SampleMaker(recipe.spec, recipe.geometry, dataset.moments, dataset.classes)
        self._scores = can_score(dataset)
        self._scorer: Scorer | None = None  # made when first needed: fitting its judge takes a bit
        self._saved = self._scored = time.monotonic()
        # The first samples come soon: who has just begun a run wants to hear that it begins well.
        self._sampled = self._saved - (1.0 - FIRST_SAMPLES) * trainer.options.samples_s

    def look(self, journal: TrainingJournal) -> None:
        """Do what is due."""
        options = self._trainer.options
        if time.monotonic() - self._saved >= options.checkpoint_s:
            self._trainer.save()
            self._saved = time.monotonic()
        if time.monotonic() - self._sampled >= options.samples_s:
            journal.samples(self._trainer.step, self._maker, self._trainer.played)
            self._sampled = time.monotonic()
        cost_s = self._scorer.cost_s if self._scorer else 0.0
        least = max(options.score_s, cost_s / SHARE_OF_TIME)
        if self._scores and time.monotonic() - self._scored >= least:
            self._score(journal)
            self._scored = time.monotonic()

    def finish(self, journal: TrainingJournal) -> None:
        """All of it, at the end of a run."""
        if self._scores:
            self._score(journal)
        self._trainer.save()
        journal.samples(self._trainer.step, self._maker, self._trainer.played)
        journal.event(self._trainer.step, "done")

    def _score(self, journal: TrainingJournal) -> None:
        trainer = self._trainer
        if self._scorer is None:
            self._scorer = Scorer(trainer.dataset, trainer.recipe.spec)
        score = self._scorer.score(trainer.played)
        journal.score(trainer.step, trainer.elapsed_s, score)
        if score.score < (math.inf if trainer.best_score is None else trainer.best_score):
            trainer.best_score = score.score
            trainer.save_best(score)
