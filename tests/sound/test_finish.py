"""Finishing: onset, fades, level. And what is measured of the result."""

import numpy as np
import pytest

from gan808.sound import finish
from gan808.sound.descriptors import describe
from gan808.sound.spectral.geometry import HOUSE, HOUSE_UNIFORM

RATE = HOUSE.sample_rate_hz


def raw(tail_s=0.1, hz=220.0, late=0, offset=0.0):
    """What Griffin-Lim gives: pre-echo in the lead, then a decaying tone."""
    audio = np.zeros(HOUSE.n_samples)
    start = HOUSE.lead_samples + late
    t = np.arange(HOUSE.n_samples - start) / RATE
    audio[start:] = np.sin(2 * np.pi * hz * t) * np.exp(-t / tail_s) + offset * np.exp(-t / tail_s)
    random = np.random.default_rng(2)
    audio[start - 200 : start] += 0.02 * random.standard_normal(200)
    return audio.astype(np.float32)


def test_the_attack_is_within_a_millisecond_of_the_first_sample():
    audio = finish.finish(raw(hz=2000.0), HOUSE)
    loud = np.abs(audio) > 0.5 * np.abs(audio).max()
    assert loud.argmax() < 0.0015 * RATE


def test_a_sound_that_begins_late_is_followed():
    early, late = (finish.finish(raw(hz=2000.0, late=n), HOUSE) for n in (0, 2000))
    loud = [int((np.abs(a) > 0.5 * np.abs(a).max()).argmax()) for a in (early, late)]
    assert abs(loud[0] - loud[1]) <= finish.ATTACK_SAMPLES + 200  # its pre-echo comes along


@pytest.mark.parametrize("tail_s", [0.003, 0.05, 10.0])
def test_it_begins_and_ends_in_silence(tail_s):
    audio = finish.finish(raw(tail_s), HOUSE)
    assert audio[0] == 0.0
    assert abs(audio[-1]) < 1e-6
    assert np.abs(np.diff(audio[-400:])).max() < 0.02


def test_a_short_sound_is_cut_where_it_ends():
    audio = finish.finish(raw(0.01), HOUSE)
    assert len(audio) < 0.11 * RATE  # -60 dB of a 10 ms decay is 69 ms, then the fade


def fade_s(audio):
    """From where a steady tone first falls below nine tenths of its level to the end."""
    level = np.abs(audio[: len(audio) // 441 * 441]).reshape(-1, 441).max(axis=1)
    return 0.01 * (len(level) - np.flatnonzero(level > 0.9 * np.median(level))[-1])


def test_what_still_rings_at_the_images_end_fades_over_a_quarter_of_a_second():
    """The raised cosine is above nine tenths for the first fifth of its time."""
    ringing = finish.finish(raw(1e6), HOUSE)
    assert len(ringing) == pytest.approx(2.397 * RATE, abs=100)
    assert fade_s(ringing) == pytest.approx(0.8 * 0.25, abs=0.03)
    before = finish.finish(raw(1e6)[: HOUSE_UNIFORM.n_samples], HOUSE_UNIFORM)
    assert fade_s(before) == pytest.approx(0.8 * 0.12, abs=0.03)


def test_what_ended_before_keeps_its_own_end():
    """At 0.72 s, where images ended before, nothing happens; zeros after the end are no sound."""
    audio = raw(1e6)
    audio[RATE:] = 0.0
    ended = finish.finish(audio, HOUSE)
    assert len(ended) < 1.02 * RATE
    assert fade_s(ended) < 0.03


def test_the_level_is_loudness_unless_the_peak_forbids():
    long = finish.finish(raw(10.0), HOUSE)
    assert describe(long, RATE).loudness_db == pytest.approx(finish.LOUDNESS_DB, abs=0.3)
    short = finish.finish(raw(0.002, hz=3000.0), HOUSE)
    assert np.abs(short).max() == pytest.approx(finish.PEAK, abs=1e-3)
    assert describe(short, RATE).loudness_db < finish.LOUDNESS_DB


def test_a_constant_offset_is_removed():
    audio = finish.finish(raw(10.0, offset=0.5), HOUSE)
    assert abs(audio[RATE // 5 :].mean()) < 0.01 * np.abs(audio).max()


def test_silence_and_nonsense_pass_through_for_the_rejection():
    silent = finish.finish(np.zeros(HOUSE.n_samples, np.float32), HOUSE)
    assert not silent.any()
    broken = finish.finish(np.full(HOUSE.n_samples, np.nan, np.float32), HOUSE)
    assert np.isnan(broken).all()


@pytest.mark.parametrize("hz", [60.0, 440.0, 2500.0])
def test_pitch_and_brightness_of_a_tone_are_its_frequency(hz):
    t = np.arange(RATE // 2) / RATE
    tone = (0.5 * np.sin(2 * np.pi * hz * t)).astype(np.float32)
    heard = describe(tone, RATE)
    assert heard.pitch_hz == pytest.approx(hz, rel=0.03)
    assert heard.brightness_hz == pytest.approx(hz, rel=0.05)
    assert heard.loudness_db == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.1)
    assert heard.length_s == pytest.approx(0.5, abs=0.01)


def test_length_is_the_time_to_fall_forty_decibels():
    t = np.arange(RATE) / RATE
    audio = (np.sin(2 * np.pi * 500 * t) * np.exp(-t / 0.05)).astype(np.float32)
    assert describe(audio, RATE).length_s == pytest.approx(0.05 * np.log(100), abs=0.011)


def test_the_body_gives_the_pitch_not_the_noise():
    t = np.arange(RATE // 4) / RATE
    noise = np.random.default_rng(3).standard_normal(len(t))
    snare = 0.3 * noise * np.exp(-t / 0.05) + np.sin(2 * np.pi * 180 * t) * np.exp(-t / 0.1)
    assert describe(snare.astype(np.float32), RATE).pitch_hz == pytest.approx(180, rel=0.05)


def test_silence_is_described():
    assert describe(np.zeros(100, np.float32), RATE).loudness_db == -120.0
