"""What goes wrong in a run is noticed, undone, told; what cannot work ends in one line."""
import csv

import numpy as np
import pytest

from gan808.errors import TrainingError
from tests.training.tiny_recipe import TINY
from training import checkpoint
from training.divergence import (
    WASSERSTEIN_FLOORS,
    DivergenceLimits,
    Recovery,
    Watch,
    diversity_of,
)
from training.trainer import FitOptions, Trainer

QUIET = {"samples_s": 1e9, "checkpoint_s": 0.0}


def healthy(n, **changes):
    """n steps of a run as they come."""
    random = np.random.default_rng(808)
    for _ in range(n):
        yield {"critic": random.uniform(0.2, 0.7), "generator": random.uniform(0.8, 2.0),
               "norm_critic": random.lognormal(1.0, 0.5), "margin": 1.0, **changes}


def events_of(run):
    with (run / "events.csv").open(newline="") as file:
        return [(row["event"], int(row["step"]), row["detail"]) for row in csv.DictReader(file)]


def losses_of(run):
    with (run / "losses.csv").open(newline="") as file:
        return {(int(r["step"]), r["name"]): float(r["value"]) for r in csv.DictReader(file)}


def test_a_healthy_run_and_its_spikes_are_left_alone():
    watch = Watch(DivergenceLimits())
    for i, results in enumerate(healthy(600)):
        if i % 50 == 49:
            results["norm_critic"] *= 100
        assert watch.trouble(results) is None


def test_an_explosion_is_noticed_when_it_lasts():
    watch = Watch(DivergenceLimits())
    for results in healthy(100):
        watch.trouble(results)
    said = [watch.trouble(results | {"norm_critic": 1e4}) for results in healthy(5)]
    assert said[:4] == [None] * 4
    assert said[4].startswith("norm_critic has exploded (1e+04")


def test_a_loss_that_is_not_finite_is_noticed_at_once():
    said = Watch(DivergenceLimits()).trouble({"critic": 0.5, "generator": float("nan")})
    assert said == "a loss is not finite (generator nan)"


def test_a_wasserstein_loss_may_grow_from_nothing():
    """It is a distance: 0 at first, tens after a hundred steps."""
    watch = Watch(DivergenceLimits(), None, WASSERSTEIN_FLOORS)
    for step in range(300):
        assert watch.trouble({"critic": -min(80.0, 0.01 * step**1.5)}) is None


def test_a_critic_that_nothing_can_be_learned_from_is_noticed():
    watch = Watch(DivergenceLimits(saturated_steps=20))
    said = [watch.trouble(r) for r in healthy(20, critic=1e-5, margin=12.0)]
    assert said[:19] == [None] * 19
    assert "told every pair apart for 20 steps (margin 12.0)" in said[19]


def test_diversity_is_the_distance_within_classes():
    """Standard normal images lie sqrt(2) apart in each pixel, whatever their classes' means."""
    random = np.random.default_rng(1)
    labels = np.repeat([0, 1], 200)
    images = random.standard_normal((400, 8, 8)) + 5.0 * labels[:, None, None]
    assert diversity_of(images, labels) == pytest.approx(np.sqrt(2), rel=0.02)
    assert diversity_of(np.repeat(images[:1], 4, axis=0), np.zeros(4)) == pytest.approx(0, abs=1e-9)


def test_a_generator_that_was_never_diverse_has_not_collapsed():
    watch = Watch(DivergenceLimits())
    assert watch.collapse(0.01) is None
    assert watch.collapse(0.4) is None
    assert "one: 2.0% of real ones' diversity, it was 40%" in watch.collapse(0.02)


def test_what_is_known_survives_a_checkpoint():
    watch = Watch(DivergenceLimits())
    for results in healthy(100):
        watch.trouble(results)
    other = Watch(DivergenceLimits(), watch.to_dict())
    for results in healthy(5, norm_critic=1e4):
        assert other.trouble(results) == watch.trouble(results)


def test_rates_fall_when_the_same_place_fails_again_and_there_is_an_end():
    recovery = Recovery()
    assert recovery.failed(100)
    assert (recovery.branch, recovery.rate_factor) == (1, 1.0)
    assert recovery.failed(105)
    assert (recovery.branch, recovery.rate_factor) == (2, 0.5)
    recovery.passed(105 + Recovery.PAST + 1)
    assert recovery.failed(2000)
    assert (recovery.branch, recovery.rate_factor) == (3, 0.5)
    assert [recovery.failed(2001) for _ in range(4)] == [True, True, True, False]


def poisoned(trainer, at, poison):
    """The trainer, with something done to its networks after step `at` of the first branch."""
    run = trainer.steps.run

    def poisonous(step, *rest):
        results = run(step, *rest)
        if step + 1 == at and trainer.recovery.branch == 0:
            poison(trainer.steps)
        return results

    trainer.steps.run = poisonous
    return trainer


def not_a_number(steps):
    steps.critic.trainable_variables[0].assign(
        np.full(steps.critic.trainable_variables[0].shape, np.nan, np.float32))


def one_sound(steps):
    """The generator forgets its latents."""
    kernel = next(v for v in steps.generator.trainable_variables if v.path == "in/kernel")
    kernel.assign(np.zeros(kernel.shape, np.float32))


@pytest.mark.usefixtures("graphs")
def test_nan_is_rolled_back_told_and_resumed_to_the_same_losses(dataset, tmp_path):
    """The critic is poisoned after step 4. The run goes back, draws other batches and ends; one
    that is stopped after the rollback and started again ends with the same losses."""
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    said = []
    options = FitOptions(steps=8, **QUIET)
    poisoned(Trainer(dataset, TINY, whole, options), 4, not_a_number).fit(
        lambda now: said.append(now.said))
    (told,) = [line for line in said if line]
    assert told.startswith("step 5: a loss is not finite (")
    assert told.endswith("; back to step 3, other batches")  # that of step 4 was not written
    assert [event for event, _, _ in events_of(whole)] == ["begun", "rolled_back", "done"]
    assert "to step 3, branch 1" in events_of(whole)[1][2]

    def stop(now):
        if now.said:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        poisoned(Trainer(dataset, TINY, broken, options), 4, not_a_number).fit(stop)
    resumed = Trainer(dataset, TINY, broken, options)
    assert resumed.recovery.branch == 1
    resumed.fit()
    expected, got = losses_of(whole), losses_of(broken)
    assert expected.keys() == got.keys()
    for key, value in expected.items():
        assert got[key] == pytest.approx(value, rel=1e-3, abs=1e-4), key


@pytest.mark.usefixtures("graphs")
def test_a_collapse_goes_back_beyond_it(dataset, tmp_path):
    """The generator forgets its latents at step 5; the look at step 6 sees it. The checkpoint of
    step 5 has it already: the run goes back to the one that the look at step 4 has proven."""
    said = []
    options = FitOptions(steps=9, limits=DivergenceLimits(look_every=2, collapsed=1e-3), **QUIET)
    trainer = poisoned(Trainer(dataset, TINY, tmp_path, options), 5, one_sound)
    trainer.fit(lambda now: said.append(now.said))
    (told,) = [line for line in said if line]
    assert "the sounds of a class have become one: 0.0%" in told
    assert told.startswith("step 6: ")
    assert told.endswith("; back to step 3, other batches")
    assert trainer.step == 9
    names = [path.name for path in checkpoint.checkpoints(tmp_path)]
    assert names[-1] == "step-00000009"


@pytest.mark.usefixtures("graphs")
def test_what_cannot_work_ends_in_one_line_and_leaves_the_good_checkpoint(dataset, tmp_path):
    """A rate of 1e4: whatever the batches, and at half the rate and less, it fails."""
    options = FitOptions(steps=400, learning_rate=1e4, **{**QUIET, "checkpoint_s": 1e9})
    trainer = Trainer(dataset, TINY, tmp_path, options)
    said = []
    with pytest.raises(TrainingError, match="5 times in a row.*--learning-rate below") as error:
        trainer.fit(lambda now: said.append(now.said))
    assert "\n" not in str(error.value)
    told = [line for line in said if line]
    assert ["times 0.5" in line for line in told] == [False, True, False, False]
    assert told[-1].endswith("learning rate times 0.125")
    assert [event for event, _, _ in events_of(tmp_path)][-1] == "gave_up"
    assert [p.name for p in checkpoint.checkpoints(tmp_path)] == ["step-00000000"]
    for array in (v.numpy() for v in Trainer(dataset, TINY, tmp_path, options)
                  .steps.generator.variables):
        assert np.isfinite(array).all()
