"""Stereo sounds in the engine: left to the left, right to the right, two cells that live as one."""

from __future__ import annotations

import numpy as np
import pytest

from gan808.engine.engine import Engine, SlotParameter
from tests.engine.rig import BLOCKS, CENTRE, drum, load, new_engine, render


def wide(seed: int, frames: int = 6000) -> np.ndarray:
    """Two different drums, float32 (frames, 2)."""
    return np.stack([drum(seed, frames), drum(seed + 1, frames)], axis=1)


def test_channels_go_to_their_sides_and_equal_ones_sound_as_mono_does() -> None:
    engine, port = new_engine()
    sound = wide(1)
    load(engine, 0, sound)
    port.trigger(0, 1.0)
    np.testing.assert_allclose(render(engine, 6000), sound * CENTRE, atol=1e-6)
    outputs = []
    for audio in (sound[:, 0], sound[:, [0, 0]]):
        engine, port = new_engine()
        load(engine, 0, audio)
        port.set_slot(0, SlotParameter.DECAY, 0.6)
        port.trigger(0, 0.8, 5, pan=0.3, tune_semitones=3.0)
        port.set_slot(0, SlotParameter.PAN, -0.7, 700)
        port.stop(0, 3000)
        outputs.append(render(engine, 6000, 128).tobytes())
    assert outputs[0] == outputs[1]


def test_pan_balances_a_stereo_sound() -> None:
    engine, port = new_engine()
    load(engine, 0, wide(3))
    port.trigger(0, 1.0, pan=-1.0)
    out = render(engine, 6000)
    np.testing.assert_allclose(out[:, 0], wide(3)[:, 0], atol=1e-6)
    assert np.abs(out[:, 1]).max() < 1e-6


def scene(block: int | None) -> np.ndarray:
    """Stereo and mono hits, tuned, decaying, gliding, choked, stolen and stopped."""
    engine, port = new_engine(voices=6)
    for slot in range(4):
        load(engine, slot, wide(slot, 5000) if slot % 2 else drum(slot, 5000))
    port.set_slot(1, SlotParameter.DECAY, 0.3)
    port.set_slot(2, SlotParameter.CHOKE, 1)
    port.set_slot(3, SlotParameter.CHOKE, 1)
    random = np.random.default_rng(4)
    for number in range(40):
        port.trigger(number % 4, 0.7, int(random.integers(0, 5000)), pan=random.uniform(-1, 1),
                     tune_semitones=random.choice([0.0, 5.5]))
        port.set_slot(number % 4, SlotParameter.PAN, random.uniform(-1, 1),
                      int(random.integers(0, 5000)))
    port.stop(frame=4000)
    audio = render(engine, 6000, block)
    assert engine.stats().stolen_voices > 0
    return audio


@pytest.mark.parametrize("block", BLOCKS)
def test_stereo_is_the_same_to_the_bit_at_any_block_size(block: int) -> None:
    assert scene(block).tobytes() == scene(None).tobytes()


def test_a_right_channel_lives_as_long_as_its_sound() -> None:
    """Two cells are taken and both come back: not before the last voice has ended."""
    engine, port = new_engine()
    before = engine.free_cells()
    load(engine, 0, wide(5, 500))
    render(engine, 64)
    assert engine.free_cells() == before - 2
    port.trigger(0, 1.0)
    render(engine, 64)
    load(engine, 0, drum(9, 500))
    render(engine, 64)
    assert engine.free_cells() == before - 3
    render(engine, 1000)
    assert engine.free_cells() == before - 1
    cell = engine.write_sound(wide(6, 500))
    assert cell is not None
    assert engine.free_cells() == before - 3
    engine.discard(cell)
    assert engine.free_cells() == before - 1


def test_a_sound_without_room_for_its_right_channel_takes_nothing() -> None:
    engine = Engine(48_000, cells=3)
    load(engine, 0, drum(1, 100))
    load(engine, 1, drum(2, 100))
    render(engine, 64)
    assert engine.write_sound(wide(3, 100)) is None
    assert engine.free_cells() == 1
    assert engine.write_sound(drum(3, 100)) is not None


def test_cells_used_again_forget_their_right_channel() -> None:
    """A mono sound in a cell that was stereo before plays alone."""
    engine, port = new_engine(cells=2)
    load(engine, 0, wide(1, 100))
    render(engine, 64)
    assert port.assign(0, -1)
    render(engine, 64)
    mono = drum(7, 100)
    for _ in range(2):
        load(engine, 0, mono)
    port.trigger(0, 1.0)
    np.testing.assert_allclose(
        render(engine, 100), np.stack([mono, mono], axis=1) * CENTRE, atol=1e-6)


@pytest.mark.parametrize("audio", [np.zeros((4, 3)), np.zeros((0, 2)), np.full((4, 2), np.nan)])
def test_what_is_no_sound_is_refused(audio: np.ndarray) -> None:
    engine, _ = new_engine()
    with pytest.raises(ValueError, match=r"\(n, 2\)"):
        engine.write_sound(audio.astype(np.float32))
