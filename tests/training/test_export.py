"""What a kit accepts: a quantile of its training sounds, and what stands in for it; and how wide
its latents are."""

from dataclasses import replace

import numpy as np
import pytest

from gan808.sound.kit.manifest import KitManifest, Thresholds
from gan808.sound.renderer import quantile_of
from tests.fakes import fake_sound
from tests.training.tiny_recipe import TINY
from training.export import DROPPED, LEAST_ACCEPTED, choose_thresholds, widen
from training.networks import build_generator

ROW = np.linspace(-1.0, 1.0, 65, dtype=np.float32)


def made(class_name, scores):
    return [replace(fake_sound(class_name, n), realness=quantile_of(float(score), ROW))
            for n, score in enumerate(scores)]


def test_a_generator_as_good_as_the_training_set_is_held_to_it():
    """The threshold is the realness of the training set's 5th percentile: what lies above it is
    accepted, what lies below is not."""
    sounds = made("kick", np.linspace(-1.25, 1.0, 41))
    chosen = choose_thresholds({"kick": sounds}, ROW[None])
    assert chosen.quantile == {"kick": "training 0.05"}
    score = -1.0 + 0.05 * 2.0
    assert chosen.realness["kick"] == pytest.approx(quantile_of(score, ROW), abs=1e-6)
    passed = np.mean([sound.realness >= chosen.realness["kick"] for sound in sounds])
    assert LEAST_ACCEPTED <= passed < 1.0


@pytest.mark.parametrize(("share", "offset"), [(0.02, -0.94), (0.01, -0.975)])
def test_less_will_do_where_too_little_passes(share, offset):
    sounds = made("kick", np.linspace(offset, offset + 0.01, 40))
    assert choose_thresholds({"kick": sounds}, ROW[None]).quantile == {"kick": f"training {share}"}


def test_a_critic_that_tells_all_apart_leaves_the_worst_of_what_is_made():
    sounds = made("tom", np.linspace(-4.0, -2.0, 40))
    sounds += [fake_sound("snare", 99)]  # heard as another class: not this one's
    chosen = choose_thresholds({"tom": sounds, "kick": []}, np.stack([ROW, ROW]))
    assert chosen.quantile == {"tom": f"generated {DROPPED:g}"}
    passed = np.mean([sound.realness >= chosen.realness["tom"] for sound in sounds[:40]])
    assert passed == pytest.approx(1.0 - DROPPED, abs=0.03)


def test_kits_that_do_not_name_their_quantiles_still_load():
    assert Thresholds.model_validate({"confidence": 0.5, "realness": {"kick": 0.1}}).quantile == {}
    assert KitManifest.model_fields["thresholds"].default.quantile == {}


def test_a_wider_generator_makes_of_a_latent_what_it_made_of_one_as_much_longer():
    generator = build_generator(TINY.spec, TINY.geometry, 3)
    latent = np.random.default_rng(3).standard_normal((6, TINY.spec.latent_size)).astype("float32")
    label = np.arange(6, dtype=np.int32) % 3
    wanted = generator.predict_on_batch([1.5 * latent, label])
    before = generator.predict_on_batch([latent, label])
    widen(generator, TINY, 1.5)
    after = generator.predict_on_batch([latent, label])
    np.testing.assert_allclose(after, wanted, atol=1e-5)
    assert np.abs(after - before).max() > 0.01
