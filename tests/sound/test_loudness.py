"""Loudness is BS.1770's, and the shipped kit's sounds are in the balance that it names."""

from pathlib import Path

import numpy as np
import pytest

from gan808.sound.kit.kit import load_kit
from gan808.sound.kit.manifest import Loudness
from gan808.sound.loudness import balance_gain, k_weighting, momentary_lkfs
from gan808.sound.renderer import Renderer

KITS = Path(__file__).parents[2] / "kits"
SHIPPED = KITS / "gan808"


@pytest.mark.parametrize("rate_hz", [44100, 48000, 96000])
def test_a_full_scale_sine_of_997_hz_is_at_minus_3_01_lkfs(rate_hz: int) -> None:
    sine = np.sin(2 * np.pi * 997 * np.arange(rate_hz) / rate_hz)
    assert momentary_lkfs(sine, rate_hz) == pytest.approx(-3.01, abs=0.02)


def test_the_coefficients_at_48_khz_are_the_standards() -> None:
    assert k_weighting(48000) == pytest.approx(np.array([
        [1.53512485958697, -2.69169618940638, 1.19839281085285,
         1.0, -1.69065929318241, 0.73248077421585],
        [1.0, -2.0, 1.0, 1.0, -1.99004745483398, 0.99007225036621]]), abs=1e-7)


def test_a_short_hit_is_measured_in_a_window_of_400_ms() -> None:
    burst = np.sin(2 * np.pi * 997 * np.arange(4800) / 48000)
    assert momentary_lkfs(burst, 48000) == pytest.approx(-3.01 - 6.02, abs=0.1)


def test_gain_keeps_peaks_below_full_scale_and_silence_as_it_is() -> None:
    click = np.zeros(1000, np.float32)
    click[10] = 0.5
    assert 0.5 * balance_gain(click, 44100, 0.0) == pytest.approx(0.95)
    assert balance_gain(np.zeros(10, np.float32), 44100, -20.0) == 1.0


def test_a_user_moves_one_class_and_the_others_stay() -> None:
    moved = Loudness(relative={"snare": 4.0})
    assert moved.target_lkfs("snare") == moved.kick_lkfs + 4.0
    assert moved.target_lkfs("tom") == Loudness().target_lkfs("tom")


@pytest.mark.parametrize("folder", sorted(KITS.iterdir()), ids=lambda folder: folder.name)
def test_every_factory_sound_of_a_shipped_kit_is_within_1_lu_of_its_target(folder: Path) -> None:
    kit = load_kit(folder)
    for sound in kit.factory_sounds(kit.geometry.sample_rate_hz):
        target = kit.manifest.loudness.target_lkfs(sound.class_asked)
        found = momentary_lkfs(sound.audio, sound.sample_rate_hz)
        assert found == pytest.approx(target, abs=0.5), sound.class_asked


def test_rendered_sounds_of_the_shipped_kit_are_within_1_lu_of_their_targets() -> None:
    kit = load_kit(SHIPPED)
    asked = ["kick", "rimshot", "open_hat", "closed_hat"]
    for sound in Renderer(kit, 44100).render(asked, [1, 2, 3, 4]):
        target = kit.manifest.loudness.target_lkfs(sound.class_asked)
        assert momentary_lkfs(sound.audio, 44100) == pytest.approx(target, abs=0.5)
