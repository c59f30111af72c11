"""One of each sound is kept: the same under another name is not, a neighbour is."""

import numpy as np
import pytest

from tests.tiny_kit import GEOMETRY, drum
from training.corpus.duplicates import ALIKE_DB, SAME, STEP_DB, levels, one_of_each
from training.corpus.recording import Skipped, Spooled
from training.corpus.synth import SAMPLE_RATE_HZ, VOICES, synthesise

RATE_HZ = GEOMETRY.sample_rate_hz


def apart_db(a, b, rate_hz=RATE_HZ):
    difference = levels(a, rate_hz).astype(int) - levels(b, rate_hz)
    return STEP_DB * np.abs(difference).max()


def test_the_same_sound_again_is_left_out_and_named():
    """Louder, of fewer bits, in another class: only the last is another sound."""
    sound, other = drum("kick", 0), drum("kick", 5)
    rounded = np.round(sound * 2000) / 2000
    audio = {"a": sound, "b": 0.5 * sound, "c": rounded.astype(np.float32), "d": other, "e": sound}
    classes = {"e": "snare"}
    spooled = [Spooled(0, 1, classes.get(name, "kick"), name, name) for name in audio]
    skipped = Skipped()
    kept = one_of_each(spooled, lambda s: audio[s.origin], RATE_HZ, skipped)
    assert [sound.origin for sound in kept] == ["a", "d", "e"]
    assert skipped.entries == [("b", f"{SAME}: a"), ("c", f"{SAME}: a")]


@pytest.mark.parametrize("change", ["a semitone", "another decay", "a second stroke"])
def test_a_neighbour_is_another_sound(change):
    t = np.arange(int(0.3 * RATE_HZ)) / RATE_HZ

    def tone(hz, decay_s):
        return (np.sin(2 * np.pi * hz * t) * np.exp(-t / decay_s)).astype(np.float32)

    sound = tone(180.0, 0.08)
    changed = {
        "a semitone": tone(180.0 * 2 ** (1 / 12), 0.08),
        "another decay": tone(180.0, 0.1),
        "a second stroke": sound + np.roll(0.3 * sound, RATE_HZ // 10),
    }[change]
    assert apart_db(sound, changed) > ALIKE_DB


def test_no_two_synthesised_voices_are_the_same():
    for name in VOICES:
        found = [levels(synthesise(name, i, 808), SAMPLE_RATE_HZ).astype(int) for i in range(12)]
        nearest = min(np.abs(a - b).max() for i, a in enumerate(found) for b in found[:i])
        assert nearest * STEP_DB > ALIKE_DB, name


def test_many_sounds_of_a_class_are_compared():
    """More than there was room for at first."""
    sounds = [Spooled(0, 1, "kick", str(i), str(i)) for i in range(150)]
    random = np.random.default_rng(4)
    noises = [random.standard_normal(800).astype(np.float32) for _ in range(75)]
    kept = one_of_each(sounds, lambda s: noises[int(s.origin) % 75], RATE_HZ, Skipped())
    assert [int(s.origin) for s in kept] == list(range(75))
