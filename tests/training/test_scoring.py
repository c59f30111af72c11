"""The score by held-out sounds, and the checkpoint and the kit that are chosen by it."""

import csv
import json

import numpy as np
import pytest

from gan808.errors import TrainingError
from tests.training.tiny_recipe import TINY, write_drums
from training import checkpoint, export, scoring
from training.corpus.folder import FolderSource
from training.dataset import Dataset, PrepareOptions, prepare
from training.scoring import HeldOutScore, Scorer, can_score
from training.trainer import FitOptions, Trainer


@pytest.fixture(scope="module")
def held_out(tmp_path_factory):
    """A dataset of which half is held out."""
    folder = tmp_path_factory.mktemp("held_out")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training.corpus.split.HELD_OUT", 0.5)
        patch.setattr("training.corpus.split.MOST", 0.5)
        prepare([FolderSource(write_drums(folder / "drums", each=56))], folder / "dataset",
                TINY.geometry, PrepareOptions(variants_to=20))
    return Dataset(folder / "dataset")


class Copies:
    """A generator that gives back images of a dataset, of a class as asked or of another."""

    def __init__(self, dataset, *, swapped=False, flat=False):
        self._dataset, self._swapped, self._flat = dataset, swapped, flat
        self._random = np.random.default_rng(5)

    def __call__(self, inputs, training):
        _, labels = inputs
        wanted = 1 - labels if self._swapped else labels
        pools = [np.flatnonzero((self._dataset.labels == i) & ~self._dataset.held_out)
                 for i in (0, 1)]
        chosen = [self._dataset.image(self._random.choice(pools[label])) for label in wanted]
        images = np.stack(chosen)[..., None]
        return np.full_like(images, -0.5) if self._flat else images


def test_real_sounds_score_better_than_the_wrong_class_and_than_one_sound(held_out):
    assert can_score(held_out)
    scorer = Scorer(held_out, TINY.spec)
    real, swapped, flat = (scorer.score(Copies(held_out, **how))
                           for how in ({}, {"swapped": True}, {"flat": True}))
    assert real.class_accuracy > 0.9 > swapped.class_accuracy
    assert real.score < swapped.score
    assert real.frechet_distance < flat.frechet_distance
    assert real.training_distance < flat.training_distance
    assert scorer.cost_s > 0
    broken = scorer.score(lambda inputs, training: np.full((len(inputs[1]), 64, 64, 1), np.nan))
    assert broken.score == float("inf")


def test_too_little_held_out_is_not_scored(dataset):
    assert not can_score(dataset)


def scripted(monkeypatch, scores):
    """Held-out scores as given, one after the other."""
    left = iter(scores)
    monkeypatch.setattr(scoring.Scorer, "score", lambda self, generator: HeldOutScore(
        value := next(left), value, 1.0, 2.0, 1.0, 1.0))


def test_the_best_is_kept_and_exported(held_out, tmp_path, monkeypatch):
    """Scored after every step: 5, 3, 4, at the end 6. The kit is made of step 2; --last of 3."""
    scripted(monkeypatch, [5.0, 3.0, 4.0, 6.0])
    monkeypatch.setattr("training.trainer.SHARE_OF_TIME", 1e9)
    options = FitOptions(steps=3, samples_s=1e9, score_s=0.0)
    trainer = Trainer(held_out, TINY, tmp_path, options)
    weights = {}

    def remember(now):
        weights[now.step] = [w.copy() for w in trainer.steps.averaged.get_weights()]

    trainer.fit(remember)
    with (tmp_path / "scores.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(int(r["step"]), float(r["score"])) for r in rows] == [(1, 5), (2, 3), (3, 4), (3, 6)]
    best = export.chosen_checkpoint(tmp_path)
    state = checkpoint.read_state(best)
    assert (best.name, state["step"], state["score"]["score"]) == ("best", 2, 3.0)
    assert export.chosen_checkpoint(tmp_path, last=True).name == "step-00000003"
    from safetensors.numpy import load_file

    arrays = load_file(best / "averaged.safetensors")
    for i, array in enumerate(weights[2]):
        np.testing.assert_array_equal(arrays[f"{i:03d}"].reshape(array.shape), array)

    scripted(monkeypatch, [3.5, 2.5, 4.0])
    Trainer(held_out, TINY, tmp_path, FitOptions(steps=5, samples_s=1e9, score_s=0.0)).fit()
    assert checkpoint.read_state(export.chosen_checkpoint(tmp_path))["step"] == 5


def test_a_kit_says_what_it_was_made_of(held_out, tmp_path):
    """Settings and all: in kit.toml, and the kit renders with them."""
    from gan808.sound.renderer import Renderer
    from training.settings import with_settings

    recipe = with_settings(TINY, ["spec.multipliers=[1,1,1,2]", "spec.class_embedding=5",
                                  "batch=8", "attack_columns=16"])
    Trainer(held_out, recipe, tmp_path / "run", FitOptions(steps=1, samples_s=1e9)).fit()
    said = []
    kit = export.export(tmp_path / "run", held_out, tmp_path / "kits" / "mine",
                        export.ExportOptions("mine"), said.append)
    assert said[0].startswith("step 1, the best by held-out sounds (distance ")
    assert kit.manifest.network == recipe.spec
    renderer = Renderer(kit, kit.geometry.sample_rate_hz)
    first, again, other = renderer.render(["kick"] * 3, [1, 1, 2])
    np.testing.assert_array_equal(first.audio, again.audio)
    assert not np.array_equal(first.audio, other.audio)
    alone, = renderer.render(["kick"], [1])
    assert (alone.realness, alone.confidence) == (first.realness, first.confidence)
    other_recipe = json.loads((tmp_path / "run/checkpoints/best/state.json").read_text())["recipe"]
    assert other_recipe["spec"]["class_embedding"] == 5
    with pytest.raises(TrainingError,
                       match="recipe tiny with .*spec.class_embedding=5.*--set the same"):
        Trainer(held_out, TINY, tmp_path / "run", FitOptions(steps=2))
