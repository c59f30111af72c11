"""Recipes: the paper's to the letter, changes by --set, and what old checkpoints say."""

import json
import re
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path

import pytest
import typer

from gan808.cli.main import app
from gan808.errors import TrainingError
from gan808.sound.spectral.geometry import PAPER
from tests.test_documents import shell_lines
from training.divergence import DivergenceLimits, Recovery
from training.evaluate import MIN_HELD_OUT
from training.networks import build_critic, build_generator
from training.recipes import HOUSE_RECIPE, PAPER_RECIPE
from training.scoring import SHARE_OF_TIME
from training.settings import differences, recipe_from, title, with_settings
from training.trainer import FitOptions

N_CLASSES = 12


def test_the_paper_is_to_the_letter():
    """Donahue et al. 2018 (arXiv 1802.04208): the table of hyperparameters, and section 3.2."""
    recipe, spec = PAPER_RECIPE, PAPER_RECIPE.spec
    assert (spec.width, spec.latent_size, spec.latent_distribution) == (64, 100, "uniform")
    assert (recipe.batch, recipe.loss, recipe.penalty) == (64, "wasserstein", "wgan_gp")
    assert (recipe.penalty_weight, recipe.critic_steps) == (10.0, 5)
    assert (recipe.learning_rate, recipe.beta_1, recipe.beta_2) == (1e-4, 0.5, 0.9)
    assert (recipe.average, recipe.final_rate, recipe.augment) == (0.0, 1.0, False)
    assert (PAPER.sample_rate_hz, PAPER.n_fft, PAPER.hop) == (16000, 256, 128)
    assert (PAPER.n_bands, PAPER.n_frames) == (128, 128)


def test_the_papers_networks_are_its_tables_with_the_class_added():
    """Tables 4 and 5: 256d from the latent, then transposed convolutions 5 by 5 of stride 2 to 8d,
    4d, 2d, d and 1; the critic the other way, d to 16d, to one number. Beside them: a one-hot class
    joins the latent, and the critic's second head."""
    d, sizes = 64, (PAPER_RECIPE.spec, PAPER, N_CLASSES)
    generator, critic = build_generator(*sizes), build_critic(*sizes)
    shapes = {v.path: tuple(v.shape) for v in [*generator.variables, *critic.variables]}
    assert shapes["in/kernel"] == (100 + N_CLASSES, 256 * d)
    channels = [16 * d, 8 * d, 4 * d, 2 * d, d, 1]
    for i, (into, out) in enumerate(pairwise(channels)):
        assert shapes[f"up{i}/kernel"] == (5, 5, out, into)
    for i, (into, out) in enumerate(pairwise(channels[::-1])):
        assert shapes[f"down{i}/kernel"] == (5, 5, into, out)
    assert shapes["realness/kernel"] == (256 * d, 1)
    assert shapes["heard/kernel"] == (256 * d, N_CLASSES)
    assert len(shapes) == 2 * (1 + 5 + 5 + 2)
    strides = {tuple(layer.strides) for model in (generator, critic) for layer in model.layers
               if layer.name.startswith(("up", "down"))}
    assert strides == {(2, 2)}
    slopes = {layer.negative_slope for layer in critic.layers if hasattr(layer, "negative_slope")}
    assert slopes == {0.2}


def test_a_setting_changes_what_it_names_and_nothing_else():
    recipe = with_settings(HOUSE_RECIPE, ["batch=16", "spec.width=24", "average=0.06",
                                          "spec.multipliers=[1, 2, 4, 8]", "augment=false"])
    assert (recipe.batch, recipe.spec.width, recipe.average) == (16, 24, 0.06)
    assert recipe.spec.multipliers == (1, 2, 4, 8)
    assert differences(recipe, HOUSE_RECIPE) == [
        "batch=16", "augment=false", "average=0.06", "spec.width=24",
        "spec.multipliers=[1, 2, 4, 8]",
    ]
    assert title(recipe).startswith("house (batch=16, augment=false, ")
    assert title(HOUSE_RECIPE) == "house"
    assert with_settings(HOUSE_RECIPE, []) is HOUSE_RECIPE


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("batch", "takes KEY=VALUE"),
        ("size=3", "KEY one of .*batch.*spec.width"),
        ("geometry.hop=3", "KEY one of"),
        ("batch=many", "--set batch=many: batch: .*integer"),
        ("batch=0", "batch 0: at least 2"),
        ("penalty=none", "penalty: .*wgan_gp"),
        ("spec.patch=3", "patch 3 and 4 layers do not divide"),
        ("spec.texture=true", "KEY one of"),
        ("attack_columns=999", "attack_columns 999: 0 to 128"),
    ],
)
def test_a_wrong_setting_is_one_line(setting, said):
    with pytest.raises(TrainingError, match=said) as error:
        with_settings(HOUSE_RECIPE, [setting])
    assert "\n" not in str(error.value)


def test_a_recipe_of_before_is_todays_where_it_had_nothing_that_is_gone():
    stored = json.loads(json.dumps(asdict(HOUSE_RECIPE)))
    assert recipe_from(stored, "run") == HOUSE_RECIPE
    off = {"low_blocks": 0, "texture": False, "minibatch_deviation": False}
    before = stored | {"cutout": 0.0, "spec": stored["spec"] | off}
    assert recipe_from(before, "run") == HOUSE_RECIPE
    for change, said in (
        ({"spec": before["spec"] | {"low_blocks": 2}}, "run: network: low_blocks 2: layers that"),
        ({"cutout": 0.5}, "run: its recipe has cutout, .*another version"),
        ({"sparkle": 1}, "run: its recipe has sparkle"),
    ):
        with pytest.raises(TrainingError, match=said) as error:
            recipe_from(before | change, "run")
        assert "\n" not in str(error.value)


PAGE = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf-8")


def test_the_page_on_training_names_settings_and_options_that_there_are():
    settings = re.findall(r"^\| `([^`]+=[^`]+)` \|", PAGE, re.MULTILINE)
    assert len(settings) == 4
    for setting in settings:
        assert with_settings(HOUSE_RECIPE, [setting]) != HOUSE_RECIPE
    commands = [line for line in shell_lines(PAGE) if line[0] == "gan808"]
    assert {words[1] for words in commands} == {"train", "sort", "prepare", "fit", "export"}
    known = typer.main.get_command(app).commands
    for _, name, *words in commands:
        options = {option for parameter in known[name].params for option in parameter.opts}
        assert {word for word in words if word.startswith("-")} <= options


def test_the_page_on_training_tells_the_programs_numbers():
    limits, options = DivergenceLimits(), FitOptions(hours=1)
    assert (limits.exploded, limits.saturated_steps, Recovery.MOST) == (30, 300, 5)
    assert (options.checkpoint_s, options.samples_s, options.score_s) == (180, 600, 120)
    assert (SHARE_OF_TIME, MIN_HELD_OUT) == (0.02, 24)
    for said in ("thirty times above", "for 300 steps", "five failures", "three minutes",
                 "every ten minutes", "every two minutes but at most 2%", "fewer than 24"):
        assert said in re.sub(r"\s+", " ", PAGE), said
