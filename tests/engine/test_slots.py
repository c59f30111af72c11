"""Each slot alone besides the mix: only it, all of it, and nothing of the mix changes."""

from __future__ import annotations

import numpy as np
import pytest

from gan808.engine.engine import Engine, Port, SlotParameter
from gan808.engine.layout import SLOTS
from gan808.engine.slot_buffers import SlotBuffers
from tests.engine.rig import BLOCKS, CENTRE, drum, load, new_engine, render
from tests.engine.test_mixing import busy_scene

FRAMES = 6000


def scene(seed: int = 1) -> tuple[Engine, Port]:
    """More hits than there are voices, with every command, a choke group and a stereo sound."""
    engine, port = new_engine(voices=12)
    load(engine, 9, np.stack([drum(40, 5000), drum(41, 5000)], axis=1))
    busy_scene(engine, port, seed, FRAMES)
    for frame in range(100, FRAMES, 900):
        port.trigger(9, 0.7, frame, tune_semitones=2.5)
    return engine, port


def by_slot(engine: Engine, frames: int, block: int) -> tuple[np.ndarray, np.ndarray]:
    """The next frames: the mix, float32 (frames, 2), and each slot, float32 (SLOTS, 2, frames)."""
    buffers, mix, slots = SlotBuffers(block), [], []
    for first in range(0, frames, block):
        out = np.zeros((min(block, frames - first), 2), np.float32)
        buffers.audio[:] = np.nan
        engine.process(out, buffers)
        assert np.isnan(buffers.audio[:, :, len(out):]).all()
        mix.append(out)
        slots.append(buffers.audio[:, :, :len(out)].copy())
    return np.concatenate(mix), np.concatenate(slots, axis=2)


def test_the_mix_is_the_same_to_the_bit() -> None:
    alone = render(scene()[0], FRAMES, 128)
    mix, slots = by_slot(scene()[0], FRAMES, 128)
    assert mix.tobytes() == alone.tobytes()
    assert np.abs(slots).max() > 0.3


@pytest.mark.parametrize("block", BLOCKS)
def test_the_slots_are_the_same_to_the_bit_at_any_block_size(block: int) -> None:
    _, whole = by_slot(scene()[0], FRAMES, FRAMES)
    _, cut = by_slot(scene()[0], FRAMES, block)
    assert cut.tobytes() == whole.tobytes()


def test_the_slots_together_are_the_mix_before_volume_and_limiter() -> None:
    """As quiet as the limiter does nothing: then a sum of sixteen floats is all that differs."""
    random = np.random.default_rng(3)
    engine, port = new_engine(voices=12)
    for slot in range(SLOTS):
        load(engine, slot, drum(slot) if slot % 2 else np.stack([drum(slot), drum(30)], axis=1))
        port.set_slot(slot, SlotParameter.CHOKE, slot // 6)
        for frame in random.integers(0, FRAMES, 8).tolist():
            port.trigger(slot, 1.0, frame, gain=0.1, pan=random.uniform(-1, 1), tune_semitones=3.0)
            port.set_slot(slot, SlotParameter.PAN, random.uniform(-1, 1), frame + 50)
    mix, slots = by_slot(engine, FRAMES, 128)
    assert engine.stats().stolen_voices > 0
    assert 0.05 < np.abs(mix).max() < 0.8
    assert slots.sum(axis=0).T.ravel() == pytest.approx(mix.ravel(), abs=2e-7)


def test_master_volume_and_limiter_are_the_mixs_alone() -> None:
    loud = np.full(2000, 0.9, np.float32)
    heard = []
    for master in (1.0, 0.1):
        engine, port = new_engine()
        port.set_master(master)
        for slot in (0, 1):
            load(engine, slot, loud)
            port.trigger(slot, 1.0, 500)
        heard.append(by_slot(engine, 1000, 128))
    (mix, slots), (quiet, same) = heard
    assert slots.tobytes() == same.tobytes()
    assert slots[:2, :, 500:] == pytest.approx(0.9 * CENTRE, abs=1e-6)
    assert np.abs(mix).max() < 1.0 < 2 * 0.9 * CENTRE
    assert np.abs(quiet).max() == pytest.approx(0.2 * 0.9 * CENTRE, abs=1e-6)


def test_a_slot_carries_its_own_hits_and_no_others() -> None:
    engine, port = new_engine()
    for slot in range(SLOTS):
        load(engine, slot, [0.5, 0.0])
        port.trigger(slot, 1.0, 10 * slot + 3)
    _, slots = by_slot(engine, 200, 64)
    for slot in range(SLOTS):
        for side in range(2):
            assert np.flatnonzero(slots[slot, side]).tolist() == [10 * slot + 3]


def test_buffers_of_a_block_are_let_alone_in_the_next() -> None:
    engine, port = new_engine()
    load(engine, 0, drum(1))
    buffers = SlotBuffers(64)
    port.trigger(0, 1.0)
    engine.process(np.zeros((64, 2), np.float32), buffers)
    before = buffers.audio.copy()
    assert before.any()
    render(engine, 64)
    assert buffers.audio.tobytes() == before.tobytes()
    with pytest.raises(ValueError, match="slots hold 64 frames, the block has 65"):
        engine.process(np.zeros((65, 2), np.float32), buffers)
