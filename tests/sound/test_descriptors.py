"""Length, brightness, pitch and loudness, held against librosa's and against what was put in."""

import librosa
import numpy as np
import pytest

from gan808.sound.descriptors import LOUDEST_S, describe

RATE_HZ = 44100
SEMITONE = 2 ** (1 / 12)


def tom(pitch_hz, *, fall_s=0.12, noise=0.15, glide=1.3, seed=0):
    """A drum: a sine that falls in pitch by `glide` in its first 40 ms, and a burst of noise."""
    time_s = np.arange(int(0.6 * RATE_HZ)) / RATE_HZ
    frequency_hz = pitch_hz * (1 + (glide - 1) * np.exp(-time_s / 0.02))
    body = np.sin(2 * np.pi * np.cumsum(frequency_hz) / RATE_HZ) * np.exp(-time_s / fall_s)
    burst = np.random.default_rng(seed).standard_normal(len(time_s)) * np.exp(-time_s / 0.01)
    return (0.5 * body + noise * burst).astype(np.float32)


def yin_hz(audio):
    """librosa's pitch over the loud part."""
    pitch_hz = librosa.yin(audio[: RATE_HZ // 4], fmin=40, fmax=1500, sr=RATE_HZ,
                           frame_length=4096)
    return float(np.median(pitch_hz))


@pytest.mark.parametrize("seed", range(3))
def test_brightness_is_librosas_centroid_of_the_power_spectrum(seed):
    audio = tom(100 * (seed + 1), noise=0.3, seed=seed)
    n_fft = 1 << int(np.ceil(np.log2(len(audio))))
    power = np.abs(np.fft.rfft(audio, n_fft)) ** 2
    theirs = librosa.feature.spectral_centroid(
        S=power[:, None], freq=np.fft.rfftfreq(n_fft, 1 / RATE_HZ))
    assert describe(audio, RATE_HZ).brightness_hz == pytest.approx(float(theirs[0, 0]), rel=1e-4)


@pytest.mark.parametrize("pitch_hz", [70.0, 200.0, 500.0])
def test_loudness_is_librosas_rms_of_the_loudest_moment(pitch_hz):
    """Their frames are looked for at every sample, ours every 5 ms: up to 0.3 dB apart."""
    audio = tom(pitch_hz)
    n = round(LOUDEST_S * RATE_HZ)
    theirs = librosa.feature.rms(y=audio, frame_length=n, hop_length=1, center=False).max()
    ours_db = describe(audio, RATE_HZ).loudness_db
    assert ours_db == pytest.approx(20 * np.log10(theirs), abs=0.3)


@pytest.mark.parametrize("pitch_hz", [60.0, 90.0, 150.0, 240.0, 400.0, 800.0])
def test_pitch_is_the_drums_own_and_librosas(pitch_hz):
    audio = tom(pitch_hz)
    heard_hz = describe(audio, RATE_HZ).pitch_hz
    assert pitch_hz / SEMITONE**2 < heard_hz < pitch_hz * SEMITONE**2
    assert abs(np.log2(heard_hz / yin_hz(audio))) < 2 / 12


def test_toms_are_told_low_from_high_whatever_their_noise():
    random = np.random.default_rng(808)
    pitches_hz = 60 * SEMITONE ** (3 * np.arange(12))
    heard = [describe(tom(p, noise=random.uniform(0, 0.4), fall_s=random.uniform(0.06, 0.2),
                          seed=int(p)), RATE_HZ).pitch_hz for p in pitches_hz]
    assert heard == sorted(heard)


def test_length_is_how_long_it_takes_to_fall_40_db():
    time_s = np.arange(RATE_HZ) / RATE_HZ
    for fall_s in (0.02, 0.1):
        audio = (np.sin(2 * np.pi * 300 * time_s) * np.exp(-time_s / fall_s)).astype(np.float32)
        expected_s = fall_s * np.log(100)
        assert describe(audio, RATE_HZ).length_s == pytest.approx(expected_s, abs=0.012)


def test_silence_has_nothing():
    silence = describe(np.zeros(1000, np.float32), RATE_HZ)
    assert (silence.length_s, silence.brightness_hz, silence.pitch_hz) == (0.0, 0.0, 0.0)
    assert silence.loudness_db == -120.0
