"""A user's file as a sound: what is kept of it, what is cut, how loud it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gan808.errors import ConfigError, RenderError
from gan808.sound.file_sound import file_sound
from gan808.sound.kit.kit import Kit, load_kit
from gan808.sound.loudness import momentary_lkfs
from gan808.sound.renderer import audio_fault
from gan808.sound.sound import Sound, parse_file_id

RATE_HZ = 48_000


@pytest.fixture(scope="module")
def kit(tiny_kit: Path) -> Kit:
    return load_kit(tiny_kit)


def hit(seconds: float = 0.4, hz: float = 200.0, rate_hz: int = RATE_HZ) -> np.ndarray:
    t = np.arange(int(seconds * rate_hz)) / rate_hz
    return (0.3 * np.cos(2 * np.pi * hz * t) * np.exp(-t / 0.05)).astype(np.float32)


def loaded(kit: Kit, audio: np.ndarray, class_name: str = "snare", rate_hz: int = RATE_HZ,
           longest_s: float = 2.5) -> Sound:
    return file_sound(audio.reshape(len(audio), -1), rate_hz, "hit.wav", kit, class_name, RATE_HZ,
                      longest_s)


def test_its_attack_is_at_once_and_as_it_was(kit: Kit) -> None:
    silence = np.zeros(9000, np.float32)
    sound = loaded(kit, np.concatenate([silence, hit(), silence]))
    first = np.abs(sound.audio) > 0
    preroll = int(first.argmax())
    assert preroll < 0.001 * RATE_HZ
    gain = sound.audio[preroll] / hit()[0]
    np.testing.assert_allclose(sound.audio[preroll:preroll + 2000], gain * hit()[:2000], atol=1e-6)
    assert len(sound.audio) < len(hit()) + 1000, "silence after it is cut too"
    assert audio_fault(sound.audio) in (None, "click"), "its first sample is its own attack"
    assert abs(sound.audio[-1]) < 1e-4


@pytest.mark.parametrize("class_name", ["snare", "closed_hat"])
def test_it_is_as_loud_as_its_class_in_the_kit(kit: Kit, class_name: str) -> None:
    sound = loaded(kit, hit(), class_name)
    wanted = kit.manifest.loudness.target_lkfs(class_name)
    assert momentary_lkfs(sound.audio, RATE_HZ) == pytest.approx(wanted, abs=0.3)
    assert (sound.class_asked, sound.confidence) == (class_name, 0.0)


def test_stereo_stays_stereo_and_two_equal_channels_are_mono(kit: Kit) -> None:
    one, other = hit(), hit(hz=333.0)
    assert loaded(kit, np.stack([one, other], axis=1)).audio.shape[1] == 2
    assert loaded(kit, np.stack([one, -one], axis=1)).audio.shape[1] == 2
    assert loaded(kit, np.stack([one, one], axis=1)).audio.ndim == 1
    assert loaded(kit, np.stack([one, 0.1 * one, other], axis=1)).audio.ndim == 1
    assert loaded(kit, np.stack([one, other], axis=1)).width == 0.0


def test_another_rate_is_brought_to_the_players(kit: Kit) -> None:
    sound = loaded(kit, hit(rate_hz=96_000), rate_hz=96_000)
    assert sound.sample_rate_hz == RATE_HZ
    assert len(sound.audio) == pytest.approx(len(loaded(kit, hit()).audio), abs=5)
    assert sound.descriptors.pitch_hz == pytest.approx(200.0, rel=0.1)


def test_what_is_too_long_ends_in_a_fade(kit: Kit) -> None:
    drone = np.full(3 * RATE_HZ, 0.5, np.float32) * np.cos(np.arange(3 * RATE_HZ) / 20)
    audio = loaded(kit, drone.astype(np.float32), longest_s=1.0).audio
    assert len(audio) == RATE_HZ
    assert np.abs(audio[-480:]).max() < 0.02 * np.abs(audio).max()


def test_its_id_says_what_it_held(kit: Kit) -> None:
    sound, again, other = loaded(kit, hit()), loaded(kit, hit()), loaded(kit, hit(hz=201.0))
    assert sound.id == again.id != other.id
    file = parse_file_id(sound.id)
    assert file is not None
    assert (file.kit, file.class_name, file.name) == ("tiny", "snare", "hit.wav")
    assert parse_file_id("tiny/snare/17") is None
    assert sound.file_stem().startswith("tiny-snare-hit-")
    with pytest.raises(ConfigError, match="hit.wav is a file"):
        _ = sound.point


@pytest.mark.parametrize("audio", [np.zeros(1000, np.float32), np.zeros(0, np.float32)])
def test_silence_is_refused(kit: Kit, audio: np.ndarray) -> None:
    with pytest.raises(RenderError, match="is silent"):
        file_sound(audio.reshape(-1, 1), RATE_HZ, "hit.wav", kit, "snare", RATE_HZ, 2.5)
