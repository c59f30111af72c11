"""Gain and delay of images as if the audio had been changed, in uniform and in warped time."""

import numpy as np
import pytest

from gan808.sound.spectral.geometry import HOUSE, HOUSE_UNIFORM
from gan808.sound.spectral.spectrogram import log_image, normalise, place
from tests.sound.test_spectrogram import snare, wide_moments
from training.augment import MAX_SHIFT_FRAMES, Augment

BOTH = pytest.mark.parametrize("geometry", [HOUSE_UNIFORM, HOUSE], ids=["uniform", "warped"])


def image_of(audio, geometry):
    return normalise(log_image(audio, geometry), wide_moments(geometry))[None, ..., None]


def augmented(image, geometry, gain_nepers, shift):
    augment = Augment(geometry, wide_moments(geometry))
    return np.asarray(augment(image, np.float32([gain_nepers]), np.int32(shift)))


@BOTH
def test_a_delay_of_the_image_is_that_of_the_audio(geometry):
    """To the frame where columns are frames, on average where they are wider."""
    placed = place(snare(geometry), geometry)
    for shift in range(MAX_SHIFT_FRAMES + 1):
        late = np.concatenate([np.zeros(shift * geometry.hop, np.float32), placed])
        wanted = image_of(late[: len(placed)], geometry)
        got = augmented(image_of(placed, geometry), geometry, 0.0, shift)
        np.testing.assert_allclose(got[:, :, :60], wanted[:, :, :60], atol=1e-5)
        assert np.abs(got - wanted).mean() < 0.005


@BOTH
def test_a_gain_raises_what_sounds_and_leaves_silence(geometry):
    image = image_of(0.2 * place(snare(geometry), geometry), geometry)
    louder = augmented(image, geometry, 0.5, 0)
    scale = 3.0 * wide_moments(geometry).deviation[0]
    np.testing.assert_allclose(louder[0, 4, 5], image[0, 4, 5] + 0.5 / scale, atol=1e-5)
    quiet = augmented(image, geometry, -50.0, 2)
    np.testing.assert_allclose(quiet, image.min(), atol=1e-6)
