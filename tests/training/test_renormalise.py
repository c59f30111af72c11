"""A kit's networks for other moments make and judge what they did before."""

import numpy as np
import pytest

from gan808.errors import TrainingError
from gan808.sound.kit.kit import load_kit
from gan808.sound.spectral.spectrogram import Moments, denormalise
from tests.tiny_kit import CLASSES, write_tiny_kit
from tests.training.tiny_recipe import TINY, write_drums
from training.corpus.folder import FolderSource
from training.dataset import Dataset, PrepareOptions, prepare
from training.kit_weights import load_networks
from training.renormalise import renormalise, renormalised

STEPS = 100


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    return load_kit(write_tiny_kit(tmp_path_factory.mktemp("kits") / "older"))


@pytest.fixture(scope="module")
def wide(kit, tmp_path_factory):
    """Images of every class of the kit, in moments twice as wide as the kit's and louder."""
    folder = tmp_path_factory.mktemp("datasets")
    drums = write_drums(folder / "drums", CLASSES, each=4)
    prepare([FolderSource(drums)], folder / "wide", TINY.geometry, PrepareOptions(0))
    old = kit.statistics()[0]
    return Dataset(folder / "wide").normalised_by(Moments(old.mean + 1, 2 * old.deviation))


@pytest.mark.usefixtures("graphs")
def test_new_networks_speak_in_the_new_moments_of_the_same_sounds(kit, wide, tmp_path):
    """Log images of the same latents come fifty times as near as they are without learning
    (measured: three hundred), and the critic's opinions of recordings follow (0.999)."""
    made = renormalise(kit, wide, tmp_path / "newer", STEPS)
    (old, old_critic), (new, new_critic) = load_networks(kit), load_networks(made)
    random = np.random.default_rng(1)
    latent = random.standard_normal((36, kit.manifest.network.latent_size)).astype(np.float32)
    asked = [latent, np.repeat(np.arange(len(CLASSES), dtype=np.int32), 3)]
    before, after = old.predict_on_batch(asked), new.predict_on_batch(asked)
    wanted = denormalise(before[..., 0], kit.statistics()[0])
    unlearned = np.abs(denormalise(before[..., 0], wide.moments) - wanted).mean()
    assert np.abs(denormalise(after[..., 0], wide.moments) - wanted).mean() < 0.02 * unlearned
    np.testing.assert_array_equal(made.statistics()[0].mean, wide.moments.mean)
    recordings, _ = wide.batch(36, np.random.default_rng(2))
    for there, here in zip(
        old_critic.predict_on_batch(renormalised(recordings, wide.moments, kit.statistics()[0])),
        new_critic.predict_on_batch(recordings), strict=True,
    ):
        assert np.corrcoef(there.ravel(), here.ravel())[0, 1] > 0.99


def test_a_dataset_of_other_classes_is_refused_by_name(kit, dataset, tmp_path):
    with pytest.raises(TrainingError, match="other classes than"):
        renormalise(kit, dataset, tmp_path / "newer", 1)
