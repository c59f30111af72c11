"""The judge: what it is fitted to, that it keeps, and that it can tell classes."""

import numpy as np
import pytest

from tests.training.tiny_recipe import TINY, write_drums
from training import judge as judge_module
from training.corpus.folder import FolderSource
from training.dataset import Dataset, PrepareOptions, prepare
from training.judge import Judge, describe, judge_of


def test_features_tell_where_the_energy_is_and_how_it_varies():
    images = np.full((4, 64, 128), -3.0, dtype=np.float32)
    images[1, :8] = 2.0
    images[2, 56:] = 2.0
    images[3, ::2] = -1.0
    images[3, 1::2] = -5.0  # lines: the same on average as a smooth one
    points = describe(images)
    assert len(np.unique(points.round(3), axis=0)) == 4
    assert np.isfinite(describe(images[..., :32])).all()


def test_it_recognises_what_it_was_fitted_for_by_sounds_it_never_heard():
    random = np.random.default_rng(1)
    centres = 2 * random.standard_normal((3, 40))
    labels = np.repeat(np.arange(3), 60)
    judge = Judge.fitted((centres[labels] + random.standard_normal((180, 40))).astype(np.float32),
                         labels, 3)
    fresh = judge.place((centres[labels] + random.standard_normal((180, 40))).astype(np.float32))
    probability = judge.probability(fresh)
    assert probability.sum(axis=1) == pytest.approx(1.0)
    assert (probability.argmax(axis=1) == labels).mean() > 0.95


@pytest.mark.parametrize("n_classes", [1, 2])
def test_few_classes_are_judged_too(n_classes):
    random = np.random.default_rng(2)
    labels = np.arange(40) % n_classes
    features = (random.standard_normal((40, 6)) + 5 * labels[:, None]).astype(np.float32)
    judge = Judge.fitted(features, labels, n_classes)
    probability = judge.probability(judge.place(features))
    assert probability.shape == (40, n_classes)
    assert (probability.argmax(axis=1) == labels).all()


@pytest.fixture
def tones(tmp_path):
    prepare([FolderSource(write_drums(tmp_path / "drums", each=10))], tmp_path / "set",
            TINY.geometry, PrepareOptions(variants_to=20))
    return Dataset(tmp_path / "set")


def test_it_is_kept_beside_the_dataset_and_fitted_again_when_damaged(tones, monkeypatch):
    first = judge_of(tones)
    path, = tones.folder.glob("judge-*.safetensors")
    with monkeypatch.context() as patch:
        patch.setattr(Judge, "fitted", lambda *_: pytest.fail("fitted again"))
        kept = judge_of(tones)
    images = tones.log_images(np.arange(4))
    assert kept.points(images) == pytest.approx(first.points(images))
    path.write_bytes(path.read_bytes()[:100])
    again = judge_of(tones)
    assert again.points(images) == pytest.approx(first.points(images))


def test_it_never_sees_what_is_held_out(tones):
    held = np.flatnonzero(tones.held_out)
    assert len(held)
    assert not set(judge_module._fitting_part(tones).tolist()) & set(held.tolist())


def test_a_dataset_that_cannot_be_written_is_judged_all_the_same(tones, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(judge_module, "save_file", full)
    assert judge_of(tones).n_classes == 2
    assert not list(tones.folder.glob("judge-*"))


def test_what_lies_below_its_range_is_silence_to_it(tones):
    judge = judge_of(tones)
    image = tones.log_images(np.arange(1))
    floor = float(judge.arrays["floor"][0])
    faint = np.where(image < floor, floor - 5.0, image)
    assert judge.points(faint) == pytest.approx(judge.points(image))


def test_a_faint_tail_where_training_sounds_are_silent_does_not_outweigh_all_else():
    """Their level there varies by hundredths of a neper; a tail of one neper, nearly as quiet, must
    not lie further off than another drum."""
    random = np.random.default_rng(3)
    images = random.normal(0.0, 1.0, (60, 1, 1)) * np.ones((1, 24, 128)) - 1.0
    images = images.astype(np.float32) + random.normal(0.0, 0.5, (60, 24, 128)).astype(np.float32)
    images[:, :, 64:] = -4.0
    images[0, :, 64:] = -3.95
    judge = Judge.fitted(describe(images), np.arange(60) % 2, 2)
    tail = images[1:2].copy()
    tail[:, 12:, 96:] = -3.0
    middle, tailed = judge.points(images), judge.points(tail)
    others = np.linalg.norm(middle[1] - middle[2:], axis=1)
    assert np.linalg.norm(tailed[0] - middle[1]) < np.median(others)
