"""A run that begins from a kit: what is taken over, what stays fresh, what is refused."""

from dataclasses import replace

import numpy as np
import pytest

from gan808.errors import TrainingError
from gan808.sound.kit.kit import load_kit
from gan808.sound.network.spec import NetworkSpec
from tests.tiny_kit import CLASSES, GEOMETRY, SPEC, write_tiny_kit
from tests.training.tiny_recipe import TINY, TINY_PAPER
from training.corpus.folder import FolderSource
from training.dataset import Dataset, PrepareOptions, prepare
from training.kit_weights import load_networks
from training.networks import build_critic, build_generator
from training.trainer import TRANSFER_RATE, WARM_UP_STEPS, FitOptions, Trainer
from training.transfer import begin_from


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    return load_kit(write_tiny_kit(tmp_path_factory.mktemp("kits") / "older"))


def values(model):
    return {variable.path: variable.numpy() for variable in model.variables}


def fresh(classes, spec: NetworkSpec = SPEC):
    return build_generator(spec, GEOMETRY, len(classes)), build_critic(spec, GEOMETRY, len(classes))


def test_the_same_classes_begin_from_the_very_weights_of_the_kit(kit):
    generator, critic = fresh(CLASSES)
    assert begin_from(kit, TINY, CLASSES, generator, critic) == ()
    for ours, theirs in zip((generator, critic), load_networks(kit), strict=True):
        for path, value in values(theirs).items():
            np.testing.assert_array_equal(values(ours)[path], value)


def test_other_classes_keep_their_names_rows_and_new_ones_stay_fresh(kit):
    """"tom" is the last class of the kit and the second here; "zap" is new."""
    classes = ("snare", "tom", "zap")
    generator, critic = fresh(classes)
    before = values(generator) | values(critic)
    assert begin_from(kit, TINY, classes, generator, critic) == ("zap",)
    old_generator, old_critic = load_networks(kit)
    old, now = values(old_generator) | values(old_critic), values(generator) | values(critic)
    np.testing.assert_array_equal(now["up0/kernel"], old["up0/kernel"])
    np.testing.assert_array_equal(now["down0/kernel"], old["down0/kernel"])
    tom = CLASSES.index("tom")
    np.testing.assert_array_equal(now["class/embeddings"][1], old["class/embeddings"][tom])
    np.testing.assert_array_equal(now["class/embeddings"][2], before["class/embeddings"][2])
    for head in ("realness/kernel", "heard/kernel"):
        np.testing.assert_array_equal(now[head][:, 1], old[head][:, tom])
        np.testing.assert_array_equal(now[head][:, 2], before[head][:, 2])


def test_a_run_begins_with_the_kits_sound_its_moments_and_a_gentle_rate(kit, dataset, tmp_path):
    """The averaged generator starts there too, and the checkpoint keeps the kit's moments."""
    options = FitOptions(steps=3, start=kit)
    trainer = Trainer(dataset, TINY, tmp_path, options)
    old, _ = load_networks(kit)
    kernel = values(old)["up0/kernel"]
    for model in (trainer.steps.generator, trainer.steps.averaged):
        np.testing.assert_array_equal(values(model)["up0/kernel"], kernel)
    mean = kit.statistics()[0].mean
    np.testing.assert_array_equal(trainer.dataset.moments.mean, mean)
    trainer.one_step()
    rate = float(trainer.steps.generator_optimizer.learning_rate)
    assert rate == pytest.approx(TINY.learning_rate * TRANSFER_RATE / WARM_UP_STEPS)
    trainer.save()
    resumed = Trainer(dataset, TINY, tmp_path, FitOptions(steps=3))
    np.testing.assert_array_equal(resumed.dataset.moments.mean, mean)
    assert resumed.peak_rate == TINY.learning_rate * TRANSFER_RATE
    newer = load_kit(write_tiny_kit(tmp_path / "newer"))
    with pytest.raises(TrainingError, match="began from older, not from kit newer"):
        Trainer(dataset, TINY, tmp_path, replace(options, start=newer))


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        (replace(TINY, spec=replace(SPEC, width=8)), "width 4 instead of 8"),
        (replace(TINY, geometry=replace(GEOMETRY, hop=16)), "hop 32 instead of 16"),
        (TINY_PAPER, "latent_distribution normal instead of uniform.*--from"),
    ],
    ids=["width", "geometry", "recipe"],
)
def test_a_kit_of_another_shape_is_refused_by_name(kit, recipe, said):
    with pytest.raises(TrainingError, match=said) as error:
        begin_from(kit, recipe, CLASSES, *fresh(CLASSES))
    assert "\n" not in str(error.value)


def test_a_kit_of_the_uniform_time_begins_a_run_in_warped_time_by_the_moments_of_its_data(
    kit, drums, tmp_path
):
    """As many columns fit the same weights; what a band holds over a longer time is another."""
    warped = replace(GEOMETRY, n_frames=96, n_columns=64, linear_columns=32)
    recipe = replace(TINY, geometry=warped)
    prepare([FolderSource(drums)], tmp_path / "data", warped, PrepareOptions(0))
    dataset = Dataset(tmp_path / "data")
    trainer = Trainer(dataset, recipe, tmp_path / "run", FitOptions(steps=1, start=kit))
    old, _ = load_networks(kit)
    np.testing.assert_array_equal(
        values(trainer.steps.generator)["up0/kernel"], values(old)["up0/kernel"])
    np.testing.assert_array_equal(trainer.dataset.moments.mean, dataset.moments.mean)
    trainer.one_step()
    narrow = replace(warped, n_columns=32, linear_columns=16)
    with pytest.raises(TrainingError, match="columns 64 instead of 32"):
        begin_from(kit, replace(TINY, geometry=narrow), CLASSES, *fresh(CLASSES))
