"""Nothing clicks: the largest jump between samples is measured against what a fade can cause.

The sounds are plateaus and low sines, on which any cut stands out. A linear fade of n frames from
height h steps by at most h / n a frame.
"""

from __future__ import annotations

import numpy as np
import pytest

from gan808.engine.engine import NO_CELL, SlotParameter
from gan808.engine.layout import (
    CHOKE_FADE_S,
    RAMP_S,
    RELEASE_FADE_S,
    STEAL_FADE_S,
    VOICES_PER_SLOT,
)
from tests.engine.rig import CENTRE, RATE_HZ, largest_step, load, new_engine, plateau, render, sine

HEIGHT = 0.3
ROUNDING = 1e-6
# The plateau's own edges rise 0.3 in 10 ms.
EDGE = HEIGHT / 479


def bound(fade_s: float, voices: int = 1) -> float:
    """The largest step a fade of so many voices may cause, one edge of a new sound included."""
    fade = HEIGHT * CENTRE / round(fade_s * RATE_HZ)
    return voices * fade + 2 * EDGE + ROUNDING


def test_the_measure_sees_a_click() -> None:
    audio = np.repeat(plateau(4800, HEIGHT)[:, None], 2, axis=1)
    assert largest_step(audio) < 0.001
    audio[2000:] = 0
    assert largest_step(audio) > 100 * bound(CHOKE_FADE_S) / CENTRE / 2


@pytest.mark.parametrize("what", ["stop", "stop_all", "release", "choke", "mute", "level", "pan"])
def test_ending_or_changing_a_sounding_voice_does_not_click(what: str) -> None:
    engine, port = new_engine()
    load(engine, 0, plateau(9600, HEIGHT))
    load(engine, 1, plateau(9600, HEIGHT))
    port.set_slot(0, SlotParameter.CHOKE, 2)
    port.set_slot(1, SlotParameter.CHOKE, 2)
    port.trigger(0, 1.0)
    at, fades = 3001, CHOKE_FADE_S
    if what == "stop":
        port.stop(0, at)
    elif what == "stop_all":
        port.stop(frame=at)
    elif what == "release":
        port.release(0, at)
        fades = RELEASE_FADE_S
    elif what == "choke":
        port.trigger(1, 1.0, at)
    else:
        parameter = SlotParameter[what.upper()]
        port.set_slot(0, parameter, {"mute": 1.0, "level": 0.1, "pan": -1.0}[what], at)
        fades = RAMP_S
    audio = render(engine, 9600, 100)
    assert audio[at - 1, 0] == pytest.approx(HEIGHT * CENTRE, rel=1e-5)
    assert largest_step(audio) < bound(fades)
    after = audio[at + round(fades * RATE_HZ) + 1]
    expected = {"choke": None, "level": [0.1 * HEIGHT * CENTRE] * 2, "pan": [HEIGHT, 0]}
    if expected.get(what, [0, 0]) is not None:
        assert after == pytest.approx(expected.get(what, [0, 0]), abs=1e-6)


def test_choke_is_silent_after_its_fade_and_spares_its_own_slot() -> None:
    engine, port = new_engine()
    load(engine, 0, plateau(9600, HEIGHT))
    load(engine, 1, [0.0, 0.0])
    for slot in (0, 1):
        port.set_slot(slot, SlotParameter.CHOKE, 1)
    port.trigger(0, 1.0)
    port.trigger(0, 1.0, 500)
    assert np.abs(render(engine, 2000)[1500:]).min() == pytest.approx(2 * HEIGHT * CENTRE, rel=1e-5)
    port.trigger(1, 1.0)
    audio = render(engine, 1000)
    assert np.abs(audio[:200]).min() > 0
    assert not audio[round(CHOKE_FADE_S * RATE_HZ):].any()


def test_unmuting_brings_a_voice_back_without_a_click() -> None:
    engine, port = new_engine()
    load(engine, 0, plateau(9600, HEIGHT))
    port.trigger(0, 1.0)
    port.set_slot(0, SlotParameter.MUTE, 1, 2000)
    # While still gliding down, so that a glide starts from the middle of another.
    port.set_slot(0, SlotParameter.MUTE, 0, 2100)
    audio = render(engine, 9600, 64)
    assert audio[2100, 0] < 0.7 * HEIGHT * CENTRE
    assert audio[2400, 0] == pytest.approx(HEIGHT * CENTRE, rel=1e-5)
    assert largest_step(audio) < bound(RAMP_S)


def test_a_swap_does_not_click_and_the_old_voice_finishes_on_its_sound() -> None:
    engine, port = new_engine()
    first, second = plateau(9600, HEIGHT), np.zeros(9600, np.float32)
    load(engine, 0, first)
    cell = engine.write_sound(second)
    assert cell is not None
    port.trigger(0, 1.0)
    port.assign(0, cell, 3001)
    port.trigger(0, 1.0, 5000)
    port.assign(0, NO_CELL, 6000)
    audio = render(engine, 9600, 64)
    assert audio[:, 0] == pytest.approx(first * CENTRE, abs=1e-6)
    assert largest_step(audio) < EDGE


def test_stealing_fades_the_quietest_and_counts_it() -> None:
    engine, port = new_engine(voices=4)
    for slot in range(5):
        load(engine, slot, plateau(9600, HEIGHT))
    port.set_slot(2, SlotParameter.LEVEL, 0.2)
    for slot in range(5):
        port.set_slot(slot, SlotParameter.PAN, -1)
        port.trigger(slot, 1.0, 700 * slot)
    audio = render(engine, 5000, 33)
    stats = engine.stats()
    assert (stats.stolen_voices, stats.voices) == (1, 4)
    # All but the quiet one: four plateaus, none of them cut.
    left = audio[4000, 0]
    raw = 4 * HEIGHT
    over = (raw - 0.8) / 0.2
    assert left == pytest.approx(0.8 + 0.2 * over / (1 + over), rel=1e-4)
    assert largest_step(audio) < bound(STEAL_FADE_S) / CENTRE


def test_of_equals_the_oldest_is_stolen() -> None:
    engine, port = new_engine(voices=2)
    for slot, height in enumerate((0.1, 0.11, 0.12)):
        load(engine, slot, np.full(9600, height, np.float32))
        port.set_slot(slot, SlotParameter.PAN, -1)
    for slot in range(3):
        port.trigger(slot, 1.0, 10)
    assert render(engine, 1000)[900, 0] == pytest.approx(0.11 + 0.12, rel=1e-5)


def test_a_fast_roll_keeps_four_voices_of_a_slot_and_does_not_click() -> None:
    engine, port = new_engine()
    load(engine, 0, sine(9600, 60.0, 0.15))
    for hit in range(20):
        port.trigger(0, 1.0, hit * 333)
    audio = render(engine, 333 * 20, 50)
    own_step = 0.15 * CENTRE * 2 * np.pi * 60 / RATE_HZ
    fade_step = 0.15 * CENTRE / round(STEAL_FADE_S * RATE_HZ)
    assert largest_step(audio) < (VOICES_PER_SLOT + 1) * own_step + fade_step + ROUNDING
    assert engine.stats().voices == VOICES_PER_SLOT
    assert engine.stats().stolen_voices == 0


def test_the_master_glides() -> None:
    engine, port = new_engine()
    load(engine, 0, plateau(9600, HEIGHT))
    port.trigger(0, 1.0)
    port.set_master(0.0, 3000)
    audio = render(engine, 6000, 77)
    assert audio[3000, 0] == pytest.approx(HEIGHT * CENTRE, rel=1e-5)
    assert not audio[3000 + round(RAMP_S * RATE_HZ):].any()
    assert largest_step(audio) < bound(RAMP_S)


def test_too_many_hits_at_once_are_dropped_rather_than_cut() -> None:
    engine, port = new_engine(voices=4)
    for slot in range(16):
        load(engine, slot, plateau(9600, 0.01))
    for hit in range(300):
        port.trigger(hit % 16, 1.0, 100)
    render(engine, 200)
    assert engine.stats().dropped_commands == 300 - (4 + 64)


def test_a_sound_too_long_for_its_cell_ends_in_a_fade() -> None:
    engine, port = new_engine()
    load(engine, 0, np.full(128_000, HEIGHT, np.float32))
    port.trigger(0, 1.0)
    audio = render(engine, 123_000)
    assert not audio[120_000:].any()
    assert audio[119_000, 0] == pytest.approx(HEIGHT * CENTRE, rel=1e-5)
    assert largest_step(audio[1:]) < HEIGHT * CENTRE / 470
