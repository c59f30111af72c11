"""Sizes of networks that are refused, and latents that never change."""

import hashlib

import numpy as np
import pytest

from gan808.errors import KitError
from gan808.sound.network.spec import HOUSE_SPEC, PAPER_SPEC, NetworkSpec, latent_from_seed


@pytest.mark.parametrize(
    ("spec", "digest"),
    [
        (HOUSE_SPEC, "b787fbdf70871120"),
        (PAPER_SPEC, "e57e529954b25518"),
    ],
    ids=["house", "paper"],
)
def test_a_seed_names_the_same_latent_for_ever(spec, digest):
    """Sounds are known by their seeds: a change here would rename every sound ever kept."""
    latents = np.stack([latent_from_seed(seed, spec) for seed in (0, 1, 2**31 - 1)])
    rounded = np.round(latents.astype(np.float64), 5) + 0.0
    assert hashlib.sha256(rounded.tobytes()).hexdigest()[:16] == digest


def test_latents_have_the_distribution_of_the_recipe():
    normal = np.concatenate([latent_from_seed(seed, HOUSE_SPEC) for seed in range(200)])
    uniform = np.concatenate([latent_from_seed(seed, PAPER_SPEC) for seed in range(200)])
    assert abs(normal.mean()) < 0.03
    assert normal.std() == pytest.approx(1.0, abs=0.03)
    assert uniform.min() == pytest.approx(-1.0, abs=1e-3)
    assert uniform.max() == pytest.approx(1.0, abs=1e-3)


def test_sizes_that_do_not_fit_or_would_fill_memory_are_refused():
    values = HOUSE_SPEC.to_dict()
    with pytest.raises(KitError, match="do not divide"):
        NetworkSpec(**{**values, "multipliers": (1, 2, 4)})
    with pytest.raises(KitError, match="width 100000"):
        NetworkSpec(**{**values, "width": 100000})
