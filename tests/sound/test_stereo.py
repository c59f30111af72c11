"""Sounds with a width: named, rendered, started together, levelled alike, judged as one."""

from dataclasses import replace

import numpy as np
import pytest
import soundfile

from gan808.errors import ConfigError
from gan808.sound.finish import loudest_rms
from gan808.sound.kit.kit import load_kit, to_rate
from gan808.sound.latent import MOST_STEPS, Near, Point, latent_of, parse_point
from gan808.sound.loudness import PEAK, momentary_lkfs
from gan808.sound.network.spec import HOUSE_SPEC
from gan808.sound.renderer import Renderer
from gan808.sound.stereo import joined
from gan808.storage.kit_saving import save_sounds_as_kit
from gan808.storage.library import Library
from tests.fakes import fake_sound
from tests.tiny_kit import write_tiny_kit

RATE_HZ = 44100


@pytest.fixture(scope="module")
def renderer(tmp_path_factory):
    kit = load_kit(write_tiny_kit(tmp_path_factory.mktemp("kits") / "tiny", confidence=0.5))
    return Renderer(kit, RATE_HZ, griffin_lim_rounds=4)


def test_a_width_is_part_of_the_name_and_goes_along():
    point = parse_point("17+w@0.3")
    assert (point.seed, point.width, point.trail) == (17, 0.3, "+w@0.3")
    assert str(point.near(4, 0.1).towards(99, 0.25)) == "17+4@0.1~99@0.25+w@0.3"
    assert str(point.towards(99, 1.0)) == "99+w@0.3"
    assert point.widened(0.0) == Point(17)
    for bad in ("17+w@1.2", "17+w@0.3+w@0.3", "17+w@0.3+4@0.1", "17+w"):
        with pytest.raises(ConfigError, match="names no sound|width"):
            parse_point(bad)


@pytest.mark.parametrize("width", [0.1, 0.5, 1.0])
def test_right_is_as_far_from_left_as_the_width_says(width):
    left, right = (latent_of(p, HOUSE_SPEC) for p in Point(17).widened(width).channels)
    np.testing.assert_array_equal(left, latent_of(Point(17), HOUSE_SPEC))
    cosine = left @ right / (np.linalg.norm(left) * np.linalg.norm(right))
    assert cosine == pytest.approx(np.cos(width * np.pi / 2), abs=1e-5)
    assert np.linalg.norm(right) == pytest.approx(np.linalg.norm(left), rel=1e-5)
    other = latent_of(Point(18).widened(width).channels[1], HOUSE_SPEC)
    assert abs(other @ right) < 0.9 * np.linalg.norm(right) ** 2


def test_the_longest_way_can_still_be_widened():
    point = Point(1, tuple(Near(n, 0.1) for n in range(MOST_STEPS))).widened(0.5)
    assert len(point.channels) == 2


def test_a_stereo_sound_is_recalled_by_its_id_and_left_is_the_plain_one(renderer):
    wide, plain = renderer.render(["snare", "snare"], [parse_point("5+w@0.4"), 5])
    again = renderer.render(["snare"], [wide.point])[0]
    assert wide.id == "tiny/snare/5+w@0.4"
    assert wide.width == 0.4
    assert wide.audio.shape[1] == 2
    np.testing.assert_array_equal(again.audio, wide.audio)
    left, right = wide.channels
    n = len(plain.audio)
    gain = left[:n] @ plain.audio / (plain.audio @ plain.audio)
    power_db = 10 * np.log10(2)  # of two channels that count as one
    together = momentary_lkfs(wide.audio, RATE_HZ) - power_db
    peak_bound = np.abs(wide.audio).max() == pytest.approx(PEAK)
    assert peak_bound or together == pytest.approx(momentary_lkfs(plain.audio, RATE_HZ), abs=0.1)
    np.testing.assert_allclose(left[:n], gain * plain.audio, atol=1e-6)
    assert np.abs(left - right).max() > 0.01
    assert wide.confidence <= plain.confidence
    assert wide.realness <= plain.realness


@pytest.mark.parametrize("louder", [0.25, 1.0, 4.0])
def test_a_wide_sound_is_as_loud_as_its_left_alone_was(louder):
    """Far below full scale, so that nothing but the balance decides; whichever side was louder."""
    random = np.random.default_rng(1)
    fall = np.exp(-np.arange(RATE_HZ // 2) / 4000).astype(np.float32)
    left, right = (
        replace(fake_sound("snare", seed), sample_rate_hz=RATE_HZ,
                audio=np.float32(gain) * fall * random.uniform(-1, 1, len(fall)).astype("f4"))
        for seed, gain in ((1, 0.02), (2, 0.02 * louder)))
    wide = joined(left, right, "+w@0.5")
    together = momentary_lkfs(wide.audio, RATE_HZ) - 10 * np.log10(2)
    assert together == pytest.approx(momentary_lkfs(left.audio, RATE_HZ), abs=0.05)
    rms = [loudest_rms(channel, RATE_HZ) for channel in wide.channels]
    assert rms[0] == pytest.approx(rms[1], rel=1e-3)


def test_channels_start_together_and_are_equally_loud(renderer):
    for sound in renderer.render(["kick"] * 4, [Point(n, width=0.8) for n in range(4)]):
        rms = [loudest_rms(channel, RATE_HZ) for channel in sound.channels]
        assert rms[0] == pytest.approx(rms[1], rel=1e-3)
        begins = [int(np.argmax(np.abs(c) > 0.03 * np.abs(c).max())) for c in sound.channels]
        # each channel is cut to its own onset; the fade-in before it takes 32 samples
        assert abs(begins[0] - begins[1]) <= 32


def test_both_channels_must_pass(renderer):
    """The worse opinion counts, and a fault on either side is found."""
    left, right = fake_sound("kick", 1, confidence=0.9), fake_sound("kick", 2, confidence=0.7)
    assert joined(left, right, "+w@0.5").confidence == 0.7
    other = fake_sound("snare", 2, confidence=0.8)
    both = joined(left, other, "+w@0.5")
    assert both.class_heard == "kick"
    assert both.confidence == pytest.approx(0.2)
    assert renderer.rejection(both) in ("click", "unsure", "clipped")
    good = renderer.render(["kick"], [Point(1, width=0.5)])[0]
    for channel in (0, 1):
        spoilt = good.audio.copy()
        spoilt[:, channel] = np.nan
        assert renderer.rejection(joined(*_sides(good, spoilt), good.trail)) == "not_finite"


def _sides(sound, audio):
    return [replace(sound, audio=audio[:, n], trail="") for n in (0, 1)]


def test_an_export_has_two_channels(renderer, tmp_path):
    sound = renderer.render(["kick"], [parse_point("1+w@0.5")])[0]
    path = Library((), (), tmp_path, tmp_path).export(sound, sound.file_stem("_"))
    assert path.name == "tiny_kick_1+w@0.5.wav"
    with soundfile.SoundFile(path) as file:
        assert file.title == "tiny/kick/1+w@0.5"
        np.testing.assert_allclose(file.read(dtype="float32"), sound.audio, atol=2**-22)


def test_a_saved_kit_begins_with_its_stereo_sounds(renderer, tmp_path):
    sound = renderer.render(["kick"], [parse_point("1+w@0.5")])[0]
    folder = save_sounds_as_kit(renderer.kit, [sound], tmp_path, "mine")
    own_hz = renderer.kit.geometry.sample_rate_hz
    back = load_kit(folder).factory_sounds(own_hz)[0]
    assert back.id == "mine/kick/1+w@0.5"
    assert back.width == 0.5
    expected = to_rate(sound.audio, RATE_HZ, own_hz)
    gain = float(np.vdot(back.audio, expected) / np.vdot(expected, expected))
    assert gain == pytest.approx(1.0, abs=0.12)  # within 1 LU; peaks moved by resampling bound it
    np.testing.assert_allclose(back.audio, gain * expected, atol=2**-21)
    assert load_kit(folder).factory_sounds(48000)[0].audio.shape[1] == 2
