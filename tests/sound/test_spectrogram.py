"""The way from audio to image, and Griffin-Lim's way back."""

import librosa
import numpy as np
import pytest

from gan808.sound.spectral.geometry import HOUSE, PAPER
from gan808.sound.spectral.griffin_lim import make_inverter
from gan808.sound.spectral.spectrogram import (
    CLIP_SIGMAS,
    Moments,
    denormalise,
    log_image,
    normalise,
    place,
    stft,
)


def snare(geometry, seed=0):
    """Noise and a body under one decay, onset first: float32, peak 1."""
    random = np.random.default_rng(seed)
    t = np.arange(int(0.3 * geometry.sample_rate_hz)) / geometry.sample_rate_hz
    audio = random.standard_normal(len(t)) * np.exp(-t / 0.05)
    audio += 2 * np.sin(2 * np.pi * 190 * t) * np.exp(-t / 0.08)
    return (audio / np.abs(audio).max()).astype(np.float32)


def wide_moments(geometry):
    """Moments that clip nothing between the floor and full scale."""
    low = np.log(geometry.magnitude_floor)
    high = np.log(geometry.n_fft)
    mean = np.full(geometry.n_bands, (low + high) / 2, dtype=np.float32)
    deviation = np.full(geometry.n_bands, (high - low) / (2 * CLIP_SIGMAS), dtype=np.float32)
    return Moments(mean, deviation)


def convergence(audio, geometry, target):
    """Spectral convergence: relative distance of magnitudes (Sturmel and Daudet 2011)."""
    now = np.abs(stft(audio, geometry.n_fft, geometry.hop))
    return np.linalg.norm(now - target) / np.linalg.norm(target)


def test_stft_is_the_textbook_one():
    audio = snare(HOUSE)
    ours = stft(audio, HOUSE.n_fft, HOUSE.hop)
    theirs = librosa.stft(
        audio, n_fft=HOUSE.n_fft, hop_length=HOUSE.hop, center=True, pad_mode="constant"
    ).T
    np.testing.assert_allclose(ours, theirs, atol=1e-3)


def test_place_puts_the_onset_at_the_lead_and_fades_what_it_cuts():
    long = np.ones(HOUSE.n_samples, dtype=np.float32)
    placed = place(long, HOUSE)
    assert placed.shape == (HOUSE.n_samples,)
    assert not placed[: HOUSE.lead_samples].any()
    assert placed[HOUSE.lead_samples] == 1.0
    assert placed[-1] == 0.0


def test_normalise_has_an_inverse_inside_three_deviations():
    random = np.random.default_rng(1)
    moments = Moments(np.full(8, -2.0, np.float32), np.full(8, 1.5, np.float32))
    image = random.uniform(-6, 2, (8, 10)).astype(np.float32)
    np.testing.assert_allclose(denormalise(normalise(image, moments), moments), image, atol=1e-5)
    assert np.abs(normalise(image * 100, moments)).max() == 1.0


@pytest.mark.parametrize("geometry", [HOUSE, PAPER], ids=["house", "paper"])
def test_griffin_lim_converges(geometry):
    """More rounds come nearer, and 32 reach what fast Griffin-Lim is known to reach on drums:
    the target has passed through bands and the floor, so zero is out of reach."""
    moments = wide_moments(geometry)
    placed = place(snare(geometry), geometry)
    image = normalise(log_image(placed, geometry), moments)[None, ..., None]
    target = np.abs(stft(placed, geometry.n_fft, geometry.hop))
    reached = [
        convergence(np.asarray(make_inverter(geometry, moments, rounds=n)(image))[0], geometry,
                    target)
        for n in (1, 32)
    ]
    assert reached[1] < 0.25
    assert reached[1] < 0.6 * reached[0]


def test_the_attack_survives_the_way_there_and_back():
    """A click at the onset comes back within half a millisecond of its place: uncentred frames
    would lose it."""
    moments = wide_moments(HOUSE)
    click = np.exp(-np.arange(2000) / 200).astype(np.float32)
    image = normalise(log_image(place(click, HOUSE), HOUSE), moments)[None, ..., None]
    back = np.asarray(make_inverter(HOUSE, moments)(image))[0]
    assert abs(int(np.abs(back).argmax()) - HOUSE.lead_samples) <= 22
    before = np.abs(back[: HOUSE.lead_samples - HOUSE.hop]).max()
    assert before < 0.2 * np.abs(back).max()


def test_overlap_add_is_the_inverse_of_framing():
    """Frames of the right phase come back as the audio they were cut from: one round starts from
    a fixed phase, so the check is of the gain alone."""
    from gan808.sound.spectral.griffin_lim import overlap_gain
    from gan808.sound.spectral.spectrogram import hann

    gain = overlap_gain(HOUSE)
    window = hann(HOUSE.n_fft).astype(np.float64) ** 2
    total = np.zeros(len(gain))
    for i in range(HOUSE.n_frames):
        total[i * HOUSE.hop : i * HOUSE.hop + HOUSE.n_fft] += window
    inside = slice(HOUSE.n_fft // 2, -HOUSE.n_fft // 2)
    np.testing.assert_allclose((total * gain)[inside], 1.0, rtol=1e-5)
    np.testing.assert_allclose(gain[HOUSE.n_fft : -HOUSE.n_fft], 1 / 1.5, rtol=1e-5)


def test_inversion_is_deterministic():
    moments = wide_moments(HOUSE)
    image = normalise(log_image(place(snare(HOUSE), HOUSE), HOUSE), moments)[None, ..., None]
    first, second = (np.asarray(make_inverter(HOUSE, moments, rounds=4)(image)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
