"""The early engine's memory is an engine's: the same sound, and counted as the engine counts."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from gan808.config import Settings
from gan808.early import making
from gan808.early.image import Image, Unfit
from gan808.early.memory import EarlyEngine
from gan808.early.slots import FirstSlot
from gan808.engine import native
from gan808.engine.engine import Engine, SlotParameter
from gan808.engine.routines import KERNEL_SOURCES

RATE_HZ = 48_000
VOLUME = 0.7
CELLS = 32
SETTINGS = Settings().replace({"engine": {"cells": CELLS}})
VALUES = {"level": 0.9, "tune": 3.0, "decay": 0.6, "pan": -0.3, "mute": 0, "choke": 1, "gate": 0}
CODES = {"level": SlotParameter.LEVEL, "tune": SlotParameter.TUNE, "decay": SlotParameter.DECAY,
         "pan": SlotParameter.PAN, "mute": SlotParameter.MUTE, "choke": SlotParameter.CHOKE}


@cache
def sounds() -> list[NDArray[np.float32]]:
    random = np.random.default_rng(808)
    mono = random.uniform(-0.5, 0.5, 6000).astype(np.float32)
    stereo = random.uniform(-0.5, 0.5, (5000, 2)).astype(np.float32)
    return [mono, stereo]


def first_slots() -> list[FirstSlot]:
    mono, stereo = sounds()
    return [FirstSlot(VALUES, 1, mono.tobytes()), FirstSlot(VALUES | {"mute": 1}),
            FirstSlot(VALUES | {"pan": 0.5}, 2, stereo.tobytes()),
            FirstSlot(VALUES | {"mute": 1}, 1, mono.tobytes())]


def early_engine(slots: list[FirstSlot]) -> EarlyEngine:
    blob = making.Blob()
    facts = {"engine": making._engine(SETTINGS, RATE_HZ, blob)}
    image = Image(facts, memoryview(bytes(blob.content)))
    return EarlyEngine(image, native.addresses("kernel", KERNEL_SOURCES), VOLUME, slots)


def ordinary_engine() -> Engine:
    engine = Engine(RATE_HZ, cells=CELLS)
    port = engine.port("machine")
    port.set_master(VOLUME)
    for index, slot in enumerate(first_slots()):
        for name, code in CODES.items():
            port.set_slot(index, code, slot.values[name])
        if slot.channels:
            cell = engine.write_sound(sounds()[slot.channels - 1])
            assert cell is not None
            port.assign(index, cell)
    return engine


def mixed(engine: Engine, frames: int) -> NDArray[np.float32]:
    out = np.zeros((frames, 2), np.float32)
    engine.process(out)
    return out


def test_it_sounds_as_an_engine_that_was_told_the_same() -> None:
    """To the bit, mono and stereo, a muted slot too, once the ordinary one's volume has glided."""
    early = early_engine(first_slots())
    adopted = Engine(RATE_HZ, cells=CELLS, early=early)
    ordinary = ordinary_engine()
    for engine in (adopted, ordinary):
        assert not mixed(engine, 1024).any()
    for slot in (0, 1, 2, 3):
        early.trigger(slot, 0.6)
        ordinary.port("midi").trigger(slot, 0.6)
    heard = mixed(adopted, 8192)
    assert heard.any()
    np.testing.assert_array_equal(heard, mixed(ordinary, 8192))


def test_its_ring_is_gone_on_with() -> None:
    """Commands of before the handover and of after it, each once and in order."""
    early = early_engine(first_slots())
    engine = Engine(RATE_HZ, cells=CELLS, early=early)
    early.trigger(0, 1.0)
    early.stop()
    early.hand_over()
    port = engine.port("midi")
    for _ in range(3):
        assert port.trigger(2, 0.5)
    mixed(engine, 64)
    assert engine.stats().voices == 4  # the one that was stopped fades
    mixed(engine, 1024)
    assert engine.stats().voices == 3


def test_a_full_ring_is_counted_and_told() -> None:
    early = early_engine(first_slots())
    engine = Engine(RATE_HZ, cells=CELLS, early=early)
    for _ in range(1030):
        early.trigger(1, 0.5)  # a slot without a sound
    early.hand_over()
    early.hand_over()
    assert engine.stats().dropped_commands == 6


def test_its_cells_are_held_until_their_slots_have_others() -> None:
    early = early_engine(first_slots())
    engine = Engine(RATE_HZ, cells=CELLS, early=early)
    used = [cell for pair in early.cells for cell in pair if cell is not None]
    assert used == [0, 1, 2, 3]
    assert engine.free_cells() == CELLS - 4
    early.trigger(2, 0.5)
    mixed(engine, 64)
    port = engine.port("machine")
    for slot in (0, 2, 3):
        cell = engine.write_sound(sounds()[0])
        assert cell is not None
        assert cell not in used
        port.assign(slot, cell)
    mixed(engine, 64)
    assert engine.free_cells() == CELLS - 3 - 2  # both channels of the stereo sound still sound
    mixed(engine, 8192)
    assert engine.free_cells() == CELLS - 3


def test_another_engine_is_refused() -> None:
    with pytest.raises(ValueError, match="another engine"):
        Engine(RATE_HZ, cells=CELLS + 1, early=early_engine(first_slots()))


@pytest.mark.parametrize("frames", [0, 120_001])
def test_a_sound_without_room_is_refused(frames: int) -> None:
    audio = np.zeros(frames, np.float32).tobytes()
    with pytest.raises(Unfit):
        early_engine([FirstSlot(VALUES, 1, audio)])


def test_more_sounds_than_cells_are_refused() -> None:
    audio = np.zeros((10, 2), np.float32).tobytes()
    with pytest.raises(Unfit):
        early_engine([FirstSlot(VALUES, 2, audio)] * (CELLS // 2 + 1))
