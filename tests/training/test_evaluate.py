"""The judge, by value."""

import numpy as np
import pytest

from training.evaluate import Judge, embed, frechet_distance, inception_score


def test_frechet_distance_of_gaussians_is_known():
    random = np.random.default_rng(1)
    a = random.standard_normal((20000, 3))
    assert frechet_distance(a, a) == pytest.approx(0.0, abs=1e-6)
    assert frechet_distance(a, a + np.array([2.0, 0.0, 0.0])) == pytest.approx(4.0, abs=1e-6)
    assert frechet_distance(a, 3 * a) == pytest.approx(3 * (3 - 1) ** 2, rel=0.1)


def test_inception_score_runs_from_one_to_the_number_of_classes():
    assert inception_score(np.full((10, 4), 0.25)) == pytest.approx(1.0)
    assert inception_score(np.eye(4)) == pytest.approx(4.0)


def test_embeddings_tell_where_the_energy_is():
    images = np.full((3, 64, 128), -6.0, dtype=np.float32)
    images[1, :8] = 2.0
    images[2, 56:] = 2.0
    points = embed(images)
    assert points.shape[0] == 3
    assert len(np.unique(points.round(3), axis=0)) == 3


def test_the_judge_prefers_the_real_thing():
    random = np.random.default_rng(2)
    centres = 4 * random.standard_normal((3, 40))
    labels = np.repeat(np.arange(3), 60)
    judge = Judge(centres[labels] + random.standard_normal((180, 40)), labels)
    fresh = judge.score(centres[labels] + random.standard_normal((180, 40)), labels)
    worse = judge.score(0.3 * centres[labels] + random.standard_normal((180, 40)), labels)
    copied = judge.score(centres[labels] * 1.0, labels)
    assert fresh.class_accuracy > 0.95
    assert worse.frechet_distance > 2 * fresh.frechet_distance
    assert worse.inception_score < fresh.inception_score
    assert copied.spread < 0.2 * fresh.spread
