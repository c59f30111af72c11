"""Intervals hold what they promise."""

import numpy as np
import pytest

from training.intervals import around, bootstrap, drawn, resampled, share


def test_a_bootstrap_interval_holds_the_truth_as_often_as_it_says():
    """Of 200 samples of a known mean about 95% of the intervals hold it: at least 90%, which 200
    fair draws miss once in a thousand times; and not all, or they would be too wide."""
    random = np.random.default_rng(1)
    held = 0
    for _ in range(200):
        sample = random.exponential(1.0, 60)

        def once(generator, sample=sample):
            return float(sample[generator.integers(60, size=60)].mean())

        figure, _ = bootstrap(float(sample.mean()), once)
        held += figure.low <= 1.0 <= figure.high
    assert 180 <= held < 200


def test_runs_are_seeded_and_common_to_figures():
    first = bootstrap(0.0, lambda random: float(random.random()), 20)[1]
    again = bootstrap(5.0, lambda random: float(random.random()), 20)[1]
    assert (first == again).all()
    assert len(np.unique(first)) == 20


def test_resamples_that_are_biased_are_laid_around_the_value():
    figure = around(1.0, np.array([4.0, 5.0, 6.0]))
    assert figure.value == 1.0
    assert (figure.low, figure.high) == pytest.approx((0.05, 1.95))


def test_wilsons_interval_has_width_at_the_ends():
    whole = share(50, 50)
    assert (whole.value, whole.high) == pytest.approx((1.0, 1.0))
    assert whole.low == pytest.approx(0.9287, abs=1e-3)  # 1 / (1 + z^2 / n)
    half = share(50, 100)
    assert (half.low, half.high) == pytest.approx((0.4038, 0.5962), abs=1e-3)
    assert np.isnan(share(0, 0).value)


def test_resamples_and_draws_keep_the_classes():
    labels = np.array([0] * 5 + [2] * 3)
    random = np.random.default_rng(2)
    assert np.bincount(labels[resampled(labels, random)]).tolist() == [5, 0, 3]
    few = drawn(labels, {0: 4, 2: 9, 7: 2}, random)
    assert np.bincount(labels[few]).tolist() == [4, 0, 3]
    assert len(set(few.tolist())) == 7
    assert len(drawn(labels, {2: 9}, random, again=True)) == 9
