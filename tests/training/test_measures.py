"""The measures, by values that are known."""

import numpy as np
import pytest

from training.measures import (
    coverage,
    cubic_kernel,
    density,
    frechet_distance,
    inception_score,
    inside,
    kernel_distance,
    nearest,
    spread,
)


def kernel_between(a, b):
    return kernel_distance(cubic_kernel(a, a), cubic_kernel(b, b), cubic_kernel(a, b))


def test_frechet_distance_of_gaussians_is_known():
    random = np.random.default_rng(1)
    a = random.standard_normal((20000, 3))
    assert frechet_distance(a, a) == pytest.approx(0.0, abs=1e-6)
    assert frechet_distance(a, a + np.array([2.0, 0.0, 0.0])) == pytest.approx(4.0, abs=1e-6)
    assert frechet_distance(a, 3 * a) == pytest.approx(3 * (3 - 1) ** 2, rel=0.1)


def test_frechet_distance_of_correlated_gaussians_is_the_formulas():
    """Against the trace of the matrix root as it is written, by other means than ours."""
    from scipy.linalg import sqrtm

    random = np.random.default_rng(2)
    a = random.standard_normal((500, 4)) @ random.standard_normal((4, 4))
    b = random.standard_normal((400, 4)) @ random.standard_normal((4, 4)) + 1.0
    cov_a, cov_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    mean = a.mean(axis=0) - b.mean(axis=0)
    expected = mean @ mean + np.trace(cov_a + cov_b - 2 * np.real(sqrtm(cov_a @ cov_b)))
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-6)


def test_kernel_distance_of_equal_distributions_is_zero_on_average():
    """The estimate is unbiased: over many draws its mean lies within three standard errors of 0,
    some are negative, and it sees a shift that is small beside them."""
    random = np.random.default_rng(3)
    values = [kernel_between(random.standard_normal((60, 4)), random.standard_normal((60, 4)))
              for _ in range(300)]
    assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(len(values))
    assert min(values) < 0 < max(values)
    moved = [kernel_between(random.standard_normal((60, 4)), random.standard_normal((60, 4)) + 0.7)
             for _ in range(50)]
    assert np.mean(moved) > 3 * np.std(values)


def test_kernel_distance_has_the_value_of_its_definition():
    a, b = np.array([[1.0], [2.0]]), np.array([[0.0], [3.0]])
    # within a: (1*2 + 1)^3 = 27; within b: 1; across: 1, 64, 1, 343 on average 102.25
    assert kernel_between(a, b) == pytest.approx(27 + 1 - 2 * 102.25)


def test_inception_score_runs_from_one_to_the_number_of_classes():
    assert inception_score(np.full((10, 4), 0.25)) == pytest.approx(1.0)
    assert inception_score(np.eye(4)) == pytest.approx(4.0)
    lopsided = np.eye(2)[[0, 0, 0, 1]]
    assert inception_score(lopsided) < 2.0
    assert inception_score(lopsided, np.array([1, 1, 1, 3.0])) == pytest.approx(2.0)


def test_coverage_and_density_of_equal_sets_are_high_of_distant_ones_nothing():
    random = np.random.default_rng(4)
    real, fresh = random.standard_normal((400, 5)), random.standard_normal((400, 5))
    same = inside(real, real)
    assert coverage(same) == 1.0
    assert density(inside(real, fresh)) == pytest.approx(1.0, abs=0.1)  # Naeem et al., section 3.3
    # Their expected coverage of equal distributions: 1 - (1/2)^k for equal, large n.
    assert coverage(inside(real, fresh)) == pytest.approx(1 - 0.5**5, abs=0.03)
    apart = inside(real, fresh + 100.0)
    assert coverage(apart) == density(apart) == 0.0


def test_coverage_sees_a_mode_that_is_missing():
    random = np.random.default_rng(5)
    real = np.concatenate([random.standard_normal((100, 3)), random.standard_normal((100, 3)) + 50])
    one_mode = random.standard_normal((200, 3))
    assert 0.4 < coverage(inside(real, one_mode)) <= 0.5


def test_spread_and_nearest_are_plain_distances():
    points = np.array([[0.0, 0.0], [3.0, 4.0], [0.0, 0.0]])
    assert spread(points) == pytest.approx((5 + 0 + 5) / 3)
    known = np.array([[0.0, 1.0], [3.0, 4.0]])
    assert nearest(points, known, chunk=2) == pytest.approx([1.0, 0.0, 1.0])
