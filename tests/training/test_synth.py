"""Synthesised drum-machine voices: repeatable, without end, and each what its class is."""

import numpy as np
import pytest

from gan808.errors import CorpusError
from training.corpus.recording import Skipped
from training.corpus.synth import PEAK, SAMPLE_RATE_HZ, VOICES, SynthSource, parse_synth, synthesise

EACH = 12


def centroid_hz(audio: np.ndarray) -> float:
    """Mean frequency of the power."""
    power = np.abs(np.fft.rfft(audio)) ** 2
    return float((power * np.fft.rfftfreq(len(audio), 1 / SAMPLE_RATE_HZ)).sum() / power.sum())


def length_s(audio: np.ndarray) -> float:
    """Until 99% of the energy is over."""
    energy = np.cumsum(audio.astype(np.float64) ** 2)
    return float(np.searchsorted(energy, 0.99 * energy[-1]) / SAMPLE_RATE_HZ)


@pytest.fixture(scope="module")
def sounds() -> dict[str, list[np.ndarray]]:
    return {name: [synthesise(name, i) for i in range(EACH)] for name in VOICES}


def median(sounds, measure):
    return {name: float(np.median([measure(s) for s in all_])) for name, all_ in sounds.items()}


def test_every_sound_is_finite_levelled_and_ends_in_silence(sounds):
    for all_ in sounds.values():
        for audio in all_:
            assert audio.dtype == np.float32
            assert np.abs(audio).max() == pytest.approx(PEAK, rel=1e-5)
            assert np.abs(audio[-32:]).max() < 0.1
            assert 0.02 < len(audio) / SAMPLE_RATE_HZ < 2.65


def test_a_number_is_the_same_sound_again_and_no_two_are_alike(sounds):
    for name, all_ in sounds.items():
        np.testing.assert_array_equal(all_[3], synthesise(name, 3))
        assert len({audio.tobytes() for audio in all_}) == EACH
    assert not np.array_equal(synthesise("kick", 0, seed=1)[:500], sounds["kick"][0][:500])


def test_voices_lie_where_the_machines_have_them(sounds):
    """In pitch and length the order that every drummer knows."""
    bright, long = median(sounds, centroid_hz), median(sounds, length_s)
    rising = ["kick", "tom", "conga", "claves", "closed_hat"]
    assert [bright[name] for name in rising] == sorted(bright[name] for name in rising)
    assert bright["kick"] < 120
    assert 1700 < bright["claves"] < 3400
    assert min(bright[name] for name in ("closed_hat", "open_hat", "shaker")) > 5000
    assert long["closed_hat"] < long["open_hat"] < long["cymbal"]
    assert long["rimshot"] < 0.05 < long["cowbell"]


def test_a_clap_is_several_strokes():
    audio = synthesise("clap", 0)
    smooth = np.convolve(np.abs(audio[:2500]), np.ones(60) / 60, "same")
    peaks = [i for i in range(200, 2300) if smooth[i] == smooth[i - 150 : i + 150].max()]
    assert len(peaks) >= 3


def test_a_source_is_balanced_in_every_part_and_made_where_it_is_read():
    recordings = list(SynthSource(3).recordings(Skipped()))
    assert len(recordings) == 3 * len(VOICES)
    assert {r.class_name for r in recordings[: len(VOICES)]} == set(VOICES)
    audio, rate_hz = recordings[0].read()
    assert rate_hz == SAMPLE_RATE_HZ
    np.testing.assert_array_equal(audio, synthesise(recordings[0].class_name, 0))


def test_how_it_is_asked_for():
    plain, seeded = parse_synth("synth:500"), parse_synth("synth:20:7")
    assert plain is not None
    assert (plain.each, plain.seed) == (500, 808)
    assert seeded is not None
    assert (seeded.each, seeded.seed) == (20, 7)
    assert parse_synth("drums/synth") is None
    for text in ("synth:", "synth:lots", "synth:1:2:3", "synth:0"):
        with pytest.raises(CorpusError, match="synth:"):
            parse_synth(text)
