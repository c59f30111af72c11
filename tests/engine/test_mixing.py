"""What the kernel computes: gains, pan, tune, decay, limiter, and the same at any block size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gan808.engine.engine import ALL_SLOTS, Engine, Port, SlotParameter
from tests.engine.rig import BLOCKS, CENTRE, RATE_HZ, drum, load, new_engine, render, sine


def busy_scene(engine: Engine, port: Port, seed: int, frames: int) -> None:
    """Every kind of command, at seeded frames, more hits than there are voices."""
    random = np.random.default_rng(seed)
    for slot in range(8):
        load(engine, slot, drum(slot, int(random.integers(500, 9000))))
    spare = [engine.write_sound(drum(100 + index)) for index in range(4)]
    port.set_slot(6, SlotParameter.CHOKE, 1)
    port.set_slot(7, SlotParameter.CHOKE, 1)
    ranges = {SlotParameter.LEVEL: (0, 1), SlotParameter.TUNE: (-24, 24),
              SlotParameter.DECAY: (0.2, 1.2), SlotParameter.PAN: (-1, 1),
              SlotParameter.MUTE: (0, 1)}
    for _ in range(150):
        slot, frame = int(random.integers(0, 8)), int(random.integers(0, frames))
        port.trigger(slot, random.uniform(0.1, 1), frame, gain=random.uniform(0.5, 2),
                     pan=random.uniform(-1, 1), tune_semitones=random.choice([0, 0, 7.3]),
                     decay=random.choice([1.0, 1.0, 0.7]))
    for parameter, (low, high) in ranges.items():
        for _ in range(6):
            port.set_slot(int(random.integers(0, 8)), parameter, random.uniform(low, high),
                          int(random.integers(0, frames)))
    for cell in spare:
        assert cell is not None
        port.assign(int(random.integers(0, 8)), cell, int(random.integers(0, frames)))
    port.stop(ALL_SLOTS, frames // 2)
    port.stop(3, frames // 3)
    port.release(2, frames // 4)
    port.set_master(0.4, frames // 5)


def busy_render(block: int | None, seed: int = 1, frames: int = 6000) -> np.ndarray:
    engine, port = new_engine(voices=12)
    busy_scene(engine, port, seed, frames)
    audio = render(engine, frames, block)
    assert engine.stats().stolen_voices > 0
    assert engine.stats().dropped_commands == 0
    return audio


@pytest.mark.parametrize("block", BLOCKS)
def test_output_is_the_same_to_the_bit_at_any_block_size(block: int) -> None:
    whole = busy_render(None)
    assert np.abs(whole).max() > 0.3
    assert busy_render(block).tobytes() == whole.tobytes()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), block=st.integers(1, 1500))
def test_any_scene_is_the_same_at_any_block_size(seed: int, block: int) -> None:
    whole = busy_render(None, seed, 3000)
    assert busy_render(block, seed, 3000).tobytes() == whole.tobytes()


def test_a_hit_begins_at_its_very_frame() -> None:
    engine, port = new_engine()
    load(engine, 0, [0.5, 0.25])
    for frame in (3, 127, 128, 129, 1000):
        port.trigger(0, 1.0, frame)
    audio = render(engine, 1200, 128)
    assert np.flatnonzero(audio[:, 0]).tolist() == [3, 4, 127, 128, 129, 130, 1000, 1001]
    assert audio[3] == pytest.approx([0.5 * CENTRE] * 2, rel=1e-6)
    # 128 holds the second sample of one hit and the first of the next.
    assert audio[128, 0] == pytest.approx(0.75 * CENTRE, rel=1e-6)


def test_settings_act_before_triggers_of_their_frame_across_ports() -> None:
    engine, port = new_engine()
    load(engine, 0, [0.5, 0.0])
    other = engine.port("other")
    cell = engine.write_sound(np.array([0.25, 0.0], np.float32))
    assert cell is not None
    port.trigger(0, 1.0, 100)
    other.set_slot(0, SlotParameter.PAN, -1.0, 100)
    other.assign(0, cell, 100)
    audio = render(engine, 200)
    assert audio[100] == pytest.approx([0.25, 0.0], abs=1e-7)


def test_triggers_and_stops_keep_their_order() -> None:
    engine, port = new_engine()
    load(engine, 0, sine(4800))
    port.stop(0, 10)
    port.trigger(0, 1.0, 10)
    assert np.abs(render(engine, 2000)[1000:]).max() > 0.3
    port.trigger(0, 1.0)
    port.stop(0)
    render(engine, 300)
    assert np.abs(render(engine, 100)).max() == 0


@pytest.mark.parametrize("pan", np.linspace(-1, 1, 9))
def test_pan_keeps_the_power_and_goes_where_it_says(pan: float) -> None:
    engine, port = new_engine()
    load(engine, 0, [0.6, 0.0])
    port.set_slot(0, SlotParameter.PAN, pan)
    port.trigger(0, 1.0)
    left, right = render(engine, 4)[0].astype(float)
    assert left**2 + right**2 == pytest.approx(0.36, rel=1e-5)
    assert np.arctan2(right, left) == pytest.approx((pan + 1) * np.pi / 4, abs=1e-5)


def test_a_hits_own_pan_adds_to_the_slots_and_stops_at_the_side() -> None:
    engine, port = new_engine()
    load(engine, 0, [0.5, 0.0])
    port.set_slot(0, SlotParameter.PAN, 0.75)
    port.trigger(0, 1.0, pan=0.75)
    assert render(engine, 4)[0] == pytest.approx([0, 0.5], abs=1e-7)


@pytest.mark.parametrize("velocity", [0.0, 0.1, 0.5, 1.0])
def test_velocity_gain_and_level_multiply(velocity: float) -> None:
    engine, port = new_engine()
    load(engine, 0, [0.5, 0.0])
    port.set_slot(0, SlotParameter.LEVEL, 0.5)
    port.trigger(0, velocity, gain=1.5)
    expected = 0.5 * 0.5 * 1.5 * velocity**1.5 * CENTRE
    assert render(engine, 2)[0, 0] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("semitones", [-24.0, -7.0, 3.0, 12.0])
def test_tune_moves_the_frequency_by_its_semitones(semitones: float) -> None:
    engine, port = new_engine()
    load(engine, 0, sine(72_000, 440.0))
    port.set_slot(0, SlotParameter.TUNE, semitones / 2)
    port.trigger(0, 1.0, tune_semitones=semitones / 2)
    frames = 32_768
    spectrum = np.abs(np.fft.rfft(render(engine, frames)[:, 0] * np.hanning(frames), 1 << 17))
    peak_hz = spectrum.argmax() * RATE_HZ / (1 << 17)
    assert peak_hz == pytest.approx(440 * 2 ** (semitones / 12), abs=RATE_HZ / (1 << 17))


def test_interpolation_follows_a_sine() -> None:
    engine, port = new_engine()
    load(engine, 0, sine(4800, 500.0))
    port.trigger(0, 1.0, tune_semitones=5.0)
    ratio = 2 ** (5 / 12)
    expected = 0.5 * CENTRE * np.sin(2 * np.pi * 500 * ratio * np.arange(3000) / RATE_HZ)
    # 500 Hz at 48 kHz: the error of third-order interpolation is of the order (w/2)^4, w = 0.065.
    assert render(engine, 3000)[:, 0] == pytest.approx(expected, abs=2e-5)


@pytest.mark.parametrize(("decay", "fall_s"), [(0.0, 0.03), (0.5, 0.3), (0.8, 1.1943)])
def test_decay_falls_sixty_decibels_in_its_time(decay: float, fall_s: float) -> None:
    engine, port = new_engine()
    load(engine, 0, np.full(70_000, 0.5, np.float32))
    port.set_slot(0, SlotParameter.DECAY, decay)
    port.trigger(0, 1.0)
    at = round(fall_s * RATE_HZ)
    audio = render(engine, at + 1)[:, 0]
    assert audio[at] == pytest.approx(0.5 * CENTRE * 1e-3, rel=0.01)


@pytest.mark.parametrize(("slots", "hits"), [(0.5, 0.5), (1.0, 0.25), (0.25, 1.0)])
def test_a_hits_decay_is_times_its_slots_and_of_that_hit_alone(slots: float, hits: float) -> None:
    engine, port = new_engine()
    load(engine, 0, np.full(70_000, 0.5, np.float32))
    port.set_slot(0, SlotParameter.DECAY, slots)
    port.trigger(0, 1.0, decay=hits)
    port.trigger(0, 1.0, 60_000)
    audio = render(engine, 60_001)[:, 0]
    at = round(0.03 * 100 ** 0.25 * RATE_HZ)
    assert audio[at] == pytest.approx(0.5 * CENTRE * 1e-3, rel=0.01)
    assert audio[60_000] == pytest.approx(0.5 * CENTRE)


def test_full_decay_leaves_the_sound_as_it_is() -> None:
    engine, port = new_engine()
    sound = drum(3)
    load(engine, 0, sound)
    port.trigger(0, 1.0)
    audio = render(engine, sound.size + 10)
    assert audio[:sound.size, 0] == pytest.approx(sound * CENTRE, abs=1e-6)
    assert not audio[sound.size:].any()


def test_below_the_threshold_the_limiter_changes_nothing() -> None:
    engine, port = new_engine()
    load(engine, 0, sine(4800, height=0.79))
    port.set_slot(0, SlotParameter.PAN, -1.0)
    port.trigger(0, 1.0)
    assert np.array_equal(render(engine, 4800)[:, 0], sine(4800, height=0.79))


@pytest.mark.parametrize("seed", range(4))
def test_a_pile_up_never_exceeds_full_scale(seed: int) -> None:
    engine, port = new_engine(voices=64)
    for slot in range(16):
        load(engine, slot, np.clip(drum(seed, 9600) * 10, -1, 1))
        for hit in range(4):
            port.trigger(slot, 1.0, hit * 5, gain=4.0)
    audio = render(engine, 9600)
    assert np.isfinite(audio).all()
    assert 0.95 < np.abs(audio).max() <= 1.0
    assert engine.stats().peak == np.abs(audio).max()
    render(engine, 48_000)
    engine.stats()
    render(engine, 10)
    assert engine.stats().peak < 1e-3


def test_the_master_scales_everything() -> None:
    engine, port = new_engine()
    load(engine, 0, np.full(4800, 0.5, np.float32))
    port.set_master(0.5)
    port.trigger(0, 1.0, 1000)
    audio = render(engine, 2000)
    assert audio[1500, 0] == pytest.approx(0.25 * CENTRE, rel=1e-5)


def test_values_out_of_range_are_clipped_and_nonsense_stays_silent() -> None:
    engine, port = new_engine()
    load(engine, 0, [0.5, 0.0])
    port.set_slot(0, SlotParameter.LEVEL, 9.0)
    port.set_slot(0, SlotParameter.PAN, -7.0)
    port.trigger(0, 3.0, 10)
    port.trigger(0, float("nan"), 20)
    port.trigger(0, 1.0, 30, gain=float("nan"), pan=float("nan"), tune_semitones=float("nan"))
    audio = render(engine, 100)
    assert np.isfinite(audio).all()
    assert audio[10] == pytest.approx([0.5, 0.0], abs=1e-7)
    assert not audio[20:].any()


def test_an_empty_slot_and_an_unknown_slot_make_no_sound() -> None:
    engine, port = new_engine()
    assert port.trigger(5, 1.0)
    assert port.trigger(99, 1.0)
    assert not render(engine, 500).any()
    assert engine.stats().dropped_commands == 1


def test_process_refuses_what_is_not_stereo_float32() -> None:
    engine, _ = new_engine()
    strided = np.zeros((8, 4), np.float32)[:, ::2]
    for out in (np.zeros((8, 1), np.float32), np.zeros((8, 2)), strided):
        with pytest.raises(ValueError, match="float32"):
            engine.process(out)
