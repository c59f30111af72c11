"""Noise comes back to averaged columns, tones stay still, a stream is one sound."""

import numpy as np
import pytest
from scipy import signal

from gan808.sound.spectral.fluctuation import fluctuation, noise_share
from gan808.sound.spectral.geometry import HOUSE, HOUSE_UNIFORM
from gan808.sound.spectral.griffin_lim import magnitudes, make_inverter
from gan808.sound.spectral.spectrogram import log_image, normalise, place, stft
from tests.sound.test_spectrogram import wide_moments

RATE_HZ = HOUSE.sample_rate_hz
TIME_S = np.arange(2 * RATE_HZ) / RATE_HZ
FLAT = np.zeros((HOUSE.n_bins, 128), np.float32)


def noise(seed=0):
    audio = np.random.default_rng(seed).standard_normal(len(TIME_S)) * np.exp(-TIME_S / 0.8)
    return (audio / np.abs(audio).max()).astype(np.float32)


def there_and_back(audio, streams=None, geometry=HOUSE):
    moments = wide_moments(geometry)
    image = normalise(log_image(place(audio, geometry), geometry), moments)
    return make_inverter(geometry, moments)(image[None, ..., None], streams)[0]


def trembling(audio):
    """Deviation of the level from its decay between 0.3 and 1.2 s, dB."""
    level = np.square(audio[: 60 * 882].reshape(60, 882)).mean(axis=1)[15:]
    decibels, k = 10 * np.log10(level + 1e-12), np.arange(45)
    return (decibels - np.polyval(np.polyfit(k, decibels, 2), k)).std()


def jitter(audio):
    """How much log magnitudes of neighbouring frames differ where noise is loud, nepers."""
    log = np.log(np.abs(stft(audio, HOUSE.n_fft, HOUSE.hop))[100:160] + 1e-3)
    return (log[1:-1] - 0.5 * (log[2:] + log[:-2]))[:, 20:400].std()


def test_factors_are_one_at_the_attack_and_have_mean_one_and_rayleighs_deviation_after_it():
    factors = fluctuation(FLAT, HOUSE, HOUSE.n_frames, 5)
    assert (factors[:, :64] == 1.0).all()
    late = factors[2:-2, 200:]
    assert late.mean() == pytest.approx(1.0, abs=0.02)
    assert late.std() == pytest.approx(np.sqrt(4 / np.pi - 1), abs=0.02)


def test_fewer_frames_have_the_same_factors_and_another_stream_has_others():
    whole, part = (fluctuation(FLAT, HOUSE, n, 5) for n in (416, 160))
    np.testing.assert_array_equal(whole[:, :160], part)
    other = fluctuation(FLAT, HOUSE, 160, 6)
    assert np.abs(other - part)[2:-2, 150].mean() > 0.2


def test_long_noise_keeps_most_of_its_jitter():
    """Laid flat over its frames it keeps two fifths; the two thirds here are what the rounds leave
    of three quarters."""
    audio = noise()
    assert jitter(there_and_back(audio)) > 0.66 * jitter(place(audio, HOUSE))


@pytest.mark.parametrize("hz", [55.0, 110.0, 1000.0])
def test_a_ringing_tone_does_not_tremble(hz):
    tone = (np.sin(2 * np.pi * hz * TIME_S) * np.exp(-TIME_S / 0.6)).astype(np.float32)
    assert trembling(there_and_back(tone)[512:]) < trembling(tone) + 0.2


def test_a_tone_in_noise_is_told_from_it():
    tone = np.sin(2 * np.pi * 1000 * TIME_S).astype(np.float32)
    share = noise_share(np.log(np.abs(stft(tone, 1024, 256)) + 0.5).T[:, 50:60])
    assert (share[22:25] == 0.0).all()  # 1000 Hz lies in bin 23
    assert (share[40:] == 1.0).all()


def test_a_sound_is_inverted_over_as_many_frames_as_it_has_above_its_floor():
    moments = wide_moments(HOUSE)
    for seconds, n_frames in ((0.05, 32), (0.3, 64), (1.0, 192), (2.4, 416)):
        audio = noise()[: int(seconds * RATE_HZ)] if seconds < 2 else np.tile(noise(), 2)
        image = normalise(log_image(place(audio, HOUSE), HOUSE), moments)
        assert magnitudes(image, HOUSE, moments).shape == (HOUSE.n_bins, n_frames)


def test_what_follows_the_end_is_silence():
    back = there_and_back(noise()[: RATE_HZ // 5])
    assert back.shape == (HOUSE.n_samples,)
    assert np.abs(back[RATE_HZ // 2 :]).max() < 1e-3 * np.abs(back).max()


def test_equal_images_and_streams_give_equal_audio_in_any_company_and_other_streams_do_not():
    moments = wide_moments(HOUSE)
    placed = np.stack([place(noise(seed), HOUSE) for seed in range(3)])
    images = normalise(log_image(placed, HOUSE), moments)[..., None]
    invert = make_inverter(HOUSE, moments, rounds=4)
    together = invert(images, [7, 8, 9])
    assert together[1].tobytes() == invert(images[1:2], [8])[0].tobytes()
    assert together[1].tobytes() == invert(images[::-1], [9, 8, 7])[1].tobytes()
    assert together[1].tobytes() != invert(images[1:2], [7])[0].tobytes()
    assert invert(images)[2].tobytes() == invert(images[2:])[0].tobytes()


def test_an_image_of_a_part_is_that_of_the_whole_with_its_silence():
    """The silence after the end is not transformed: its columns are the floor's all the same."""
    audio = noise()[: RATE_HZ // 3]
    placed = place(audio, HOUSE)
    plain = np.abs(stft(placed, HOUSE.n_fft, HOUSE.hop)) @ HOUSE.to_bands
    whole = np.log(plain.T @ HOUSE.to_columns + HOUSE.magnitude_floor)
    np.testing.assert_allclose(log_image(placed, HOUSE), whole, atol=1e-4)
    both = log_image(np.stack([placed, 0 * placed]), HOUSE)
    np.testing.assert_array_equal(both[0], log_image(placed, HOUSE))
    np.testing.assert_allclose(both[1], np.log(HOUSE.magnitude_floor), rtol=1e-6)


def test_the_uniform_geometry_is_inverted_and_seen_as_before_the_warp():
    """The formulas of the kits of before, spelt out: seen to the bit, inverted but for the order in
    which a matrix product adds."""
    geometry, moments = HOUSE_UNIFORM, wide_moments(HOUSE_UNIFORM)
    placed = place(noise(), geometry)
    assert (np.diff(placed[-int(0.02 * RATE_HZ) - 400 :][:380]) != 0).any()
    bands = np.abs(stft(placed, 1024, 256)) @ geometry.to_bands
    seen = np.asarray(np.log(np.swapaxes(bands, -1, -2) + geometry.magnitude_floor), np.float32)
    np.testing.assert_array_equal(log_image(placed, geometry), seen)
    image = normalise(seen, moments)
    scaled = image * (3.0 * moments.deviation[:, None]) + moments.mean[:, None]
    floor = np.float32(np.log(geometry.magnitude_floor))
    bins = np.exp(np.maximum(geometry.from_bands.T @ scaled, floor))
    wanted = bins - np.float32(geometry.magnitude_floor)
    for stream in (0, 5):
        found = magnitudes(image, geometry, moments, stream)
        np.testing.assert_allclose(found, wanted, rtol=2e-5, atol=1e-6)


def test_a_cymbal_of_two_seconds_keeps_its_spectrum_over_time():
    """Levels in eight bands and eighths of a second differ by less than 1.5 dB on average."""
    sos = signal.butter(2, 3000, "highpass", fs=RATE_HZ, output="sos")
    audio = signal.sosfilt(sos, noise()).astype(np.float32)
    audio /= np.abs(audio).max()

    def levels(sound):
        log = np.abs(stft(sound, HOUSE.n_fft, HOUSE.hop))[: 8 * 40, 80:512] ** 2
        return 10 * np.log10(log.reshape(8, 40, 8, 54).mean(axis=(1, 3)) + 1e-3)

    assert np.abs(levels(there_and_back(audio)) - levels(place(audio, HOUSE))).mean() < 1.5
