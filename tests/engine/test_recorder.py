"""What the callback writes of itself: enough to play the same samples again, and never a wait."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gan808.engine.engine import Engine, Port, SlotParameter
from gan808.engine.layout import (
    COMMAND_ASSIGN,
    JOURNAL_COMMANDS,
    SLOT_CHANNELS,
    SLOT_TAPE_FRAMES,
    TAPE_FRAMES,
)
from gan808.engine.recorder import Journal, State
from gan808.engine.slot_buffers import SlotBuffers
from gan808.errors import Gan808Error
from tests.engine.rig import BLOCKS, drum, new_engine, render

SOUNDS = [drum(seed, 3000 + 700 * seed) for seed in range(5)]
SOUNDS.append(np.stack([drum(20, 5000), drum(21, 5000)], axis=1))
VOICES = 10


def player(random: np.random.Generator, engine: Engine, port: Port) -> None:
    """A handful of commands of every kind, some for now, some ahead, some late."""
    for _ in range(int(random.integers(0, 6))):
        slot, frame = int(random.integers(0, len(SOUNDS))), engine.frames
        due = int(random.choice([0, frame + random.integers(0, 900), max(0, frame - 50)]))
        kind = random.integers(0, 12)
        if kind < 7:
            port.trigger(slot, random.uniform(0.1, 1), due, gain=random.uniform(0.5, 2),
                         pan=random.uniform(-1, 1), tune_semitones=random.choice([0, 0, 5.5]),
                         decay=random.choice([1.0, 1.0, 0.6]))
        elif kind < 9:
            parameter = random.choice(list(SlotParameter)[:4])
            port.set_slot(slot, SlotParameter(parameter), random.uniform(0.2, 1), due)
        elif kind == 9:
            port.set_master(random.uniform(0.3, 1), due)
        elif kind == 10:
            port.stop(slot, due)
        else:
            swap(engine, port, slot, int(random.integers(0, len(SOUNDS))), due)


def swap(engine: Engine, port: Port, slot: int, number: int, frame: int = 0) -> None:
    """A sound whose mark is its number from 1."""
    cell = engine.write_sound(SOUNDS[number])
    if cell is not None:
        assert port.assign(slot, cell, frame, mark=number + 1)


def blocks_of(random: np.random.Generator, engine: Engine, port: Port, count: int) -> np.ndarray:
    """So many blocks of odd sizes, commands before each."""
    played = []
    for _ in range(count):
        player(random, engine, port)
        played.append(render(engine, int(random.integers(1, 400))))
    return np.concatenate(played)


def recorded(seed: int) -> tuple[np.ndarray, State, np.ndarray, Journal]:
    """A recording that begins in the middle of a performance: audio, state, commands."""
    random = np.random.default_rng(seed)
    engine, port = new_engine(voices=VOICES, cells=64)
    for slot in range(len(SOUNDS)):
        swap(engine, port, slot, slot)
    blocks_of(random, engine, port, 20)
    engine.journal.ask(True)
    audio = blocks_of(random, engine, port, 40)
    engine.journal.ask(False)
    taken, commands = engine.journal.frames(), engine.journal.commands()
    blocks_of(random, engine, port, 3)
    assert engine.journal.answered
    assert taken.tobytes() == audio.tobytes()
    assert engine.journal.ended_frame - engine.journal.began_frame == len(audio)
    return audio, engine.journal.state(), commands, engine.journal


def replayed(state: State, commands: np.ndarray, frames: int, block: int | None) -> np.ndarray:
    engine, port = new_engine(voices=VOICES, cells=256)
    cells = {number + 1: engine.write_sound(sound) for number, sound in enumerate(SOUNDS)}
    assert None not in cells.values()
    engine.restore(state, cells)  # type: ignore[arg-type]
    for command in commands:
        row = command.tolist()
        if row[2] == COMMAND_ASSIGN:
            swap(engine, port, row[3], row[5] - 1, row[0])
        else:
            assert port._push(row)
    return render(engine, frames, block)


@pytest.mark.parametrize("block", BLOCKS)
def test_the_journal_gives_the_same_samples_at_any_block_size(block: int) -> None:
    audio, state, commands, journal = recorded(seed=3)
    assert np.abs(audio).max() > 0.3
    assert len(state["voices"]) > 3
    assert journal.losses.frames == journal.losses.commands == 0
    assert replayed(state, commands, len(audio), block).tobytes() == audio.tobytes()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_any_performance_comes_back(seed: int) -> None:
    audio, state, commands, _ = recorded(seed)
    assert replayed(state, commands, len(audio), 97).tobytes() == audio.tobytes()


def test_without_the_first_state_it_would_differ() -> None:
    """The state matters: voices that sound on, the limiter, glides. Else the tests above are
    blind."""
    audio, state, commands, _ = recorded(seed=3)
    without = copy.deepcopy(state) | {"voices": []}
    assert replayed(without, commands, len(audio), None).tobytes() != audio.tobytes()


def test_a_recording_changes_nothing_of_the_sound() -> None:
    random = [np.random.default_rng(8) for _ in range(2)]
    heard = []
    for record in (False, True):
        engine, port = new_engine(voices=VOICES)
        for slot in range(len(SOUNDS)):
            swap(engine, port, slot, slot)
        if record:
            engine.journal.ask(True)
        heard.append(blocks_of(random[record], engine, port, 30))
    assert heard[0].tobytes() == heard[1].tobytes()


def test_what_is_not_recorded_is_not_written() -> None:
    engine, port = new_engine()
    swap(engine, port, 0, 0)
    port.trigger(0, 1.0)
    render(engine, 500)
    assert len(engine.journal.frames()) == len(engine.journal.commands()) == 0


def played_by_slot(engine: Engine, frames: int) -> np.ndarray:
    """The next frames as a tape by slot has them, float32 (frames, 2 + SLOT_CHANNELS)."""
    out, buffers = np.zeros((frames, 2), np.float32), SlotBuffers(frames)
    engine.process(out, buffers)
    return np.hstack([out, buffers.audio.reshape(SLOT_CHANNELS, frames).T])


def test_a_tape_by_slot_has_each_slot_beside_the_mix() -> None:
    """Whether an output wants them too or not; and the next recording may be of the mix alone."""
    random = np.random.default_rng(5)
    engine, port = new_engine(voices=VOICES)
    for slot in range(len(SOUNDS)):
        swap(engine, port, slot, slot)
    engine.journal.ask(True, by_slot=True)
    heard = []
    for _ in range(20):
        player(random, engine, port)
        heard.append(played_by_slot(engine, int(random.integers(1, 3000))))
    taped = engine.journal.frames()
    assert taped.tobytes() == np.concatenate(heard).tobytes()
    assert len([1 for column in taped.T if column.any()]) == 2 + 2 * len(SOUNDS)
    port.trigger(0, 1.0)
    mix = render(engine, 500)
    taped = engine.journal.frames()
    assert taped[:, :2].tobytes() == mix.tobytes()
    assert taped[:, 2:].any()
    engine.journal.ask(False)
    render(engine, 10)
    engine.journal.ask(True)
    mix = render(engine, 500)
    assert engine.journal.frames().tobytes() == mix.tobytes()


def test_a_tape_by_slot_that_is_full_loses_all_of_a_frame() -> None:
    engine, port = new_engine()
    swap(engine, port, 0, 0)
    engine.journal.ask(True, by_slot=True)
    block = SLOT_TAPE_FRAMES // 4
    for _ in range(5):  # a block more than there is room for
        port.trigger(0, 1.0)
        render(engine, block)
    assert engine.journal.frames().shape == (SLOT_TAPE_FRAMES, 2 + SLOT_CHANNELS)
    port.trigger(0, 1.0)
    last = played_by_slot(engine, block)
    then = engine.journal.frames()
    assert not then[:block].any()
    assert then[block:].tobytes() == last.tobytes()
    assert engine.journal.losses.frames == block


def test_a_reader_that_is_too_slow_loses_what_is_counted_and_no_more() -> None:
    """The tape fills, sounds go by, the reader returns: what it missed is silence in its place."""
    engine, port = new_engine()
    swap(engine, port, 0, 0)
    engine.journal.ask(True)
    blocks = []
    block = TAPE_FRAMES // 16
    for _ in range(19):  # three blocks more than there is room for
        port.trigger(0, 1.0)
        blocks.append(render(engine, block))
    first = engine.journal.frames()
    port.trigger(0, 1.0)
    blocks.append(render(engine, block))
    then = engine.journal.frames()
    assert len(first) == TAPE_FRAMES
    assert len(then) == 4 * block
    assert engine.journal.losses.frames == 3 * block
    for lost in (16, 17, 18):
        blocks[lost][:] = 0.0
    assert np.concatenate([first, then]).tobytes() == np.concatenate(blocks).tobytes()


def test_what_is_lost_at_the_very_end_is_counted_too() -> None:
    engine, _ = new_engine()
    engine.journal.ask(True)
    for _ in range(17):
        render(engine, TAPE_FRAMES // 16)
    engine.journal.ask(False)
    render(engine, 1)
    engine.journal.frames()
    assert len(engine.journal.rest(engine.journal.ended_frame)) == TAPE_FRAMES // 16
    assert engine.journal.losses.frames == TAPE_FRAMES // 16


def test_commands_beyond_the_journal_are_counted() -> None:
    engine, port = new_engine()
    engine.journal.ask(True)
    blocks = JOURNAL_COMMANDS // 1000 + 1
    for _ in range(blocks):
        for _ in range(1000):
            assert port.stop()
        render(engine, 1)
    assert engine.journal.losses.commands == 1000 * blocks - JOURNAL_COMMANDS
    assert len(engine.journal.commands()) == JOURNAL_COMMANDS


def test_one_recording_after_the_other_begins_anew() -> None:
    engine, port = new_engine()
    swap(engine, port, 0, 0)
    for _ in range(2):
        engine.journal.ask(True)
        port.trigger(0, 1.0)
        audio = render(engine, 600)
        engine.journal.ask(False)
        port.trigger(0, 0.5)
        render(engine, 300)
        assert engine.journal.frames().tobytes() == audio.tobytes()
        assert len(engine.journal.commands()) in (1, 2)  # the first has the assignment too


@pytest.mark.parametrize(("path", "value"), [
    (("voices", "position"), -1), (("voices", "position"), 1 << 60), (("voices", "slot"), 99),
    (("voices", "index"), 1 << 20), (("voices", "step"), 0), (("voices", "mark"), 77),
    (("voices", "envelope_frame"), 33), (("voices", "decay_table"), [9.0] * 32),
    (("voices", "length_frames"), 0), (("voices", "left"), float("nan")),
    (("slots", "choke"), 1 << 40), (("frame",), -1), (("master",), "loud"), (("starts",), None),
])
def test_a_state_that_no_recording_holds_is_refused(path: tuple[str, ...], value: object) -> None:
    _, state, _, _ = recorded(seed=3)
    damaged = copy.deepcopy(state)
    place = damaged[path[0]][0] if len(path) > 1 else damaged
    place[path[-1]] = value
    with pytest.raises(Gan808Error, match="damaged"):
        replayed(damaged, np.zeros(0), 10, None)


def test_a_gap_told_while_the_tape_is_read_is_in_its_place() -> None:
    """The callback runs between any two readings of the indices."""
    for moment in range(4):
        engine, port = new_engine()
        swap(engine, port, 0, 0)
        engine.journal.ask(True)
        played, taken = [], []
        for _ in range(TAPE_FRAMES // 1000 + 2):  # more than the tape holds
            port.trigger(0, 1.0)
            played.append(render(engine, 1000))
        taken.append(engine.journal.frames())
        lost = slice(len(taken[0]), sum(map(len, played)))
        really, readings = engine.journal._load, iter(range(100))

        def load(address: int, *, moment: int = moment, engine: Engine = engine,
                 played: list[np.ndarray] = played, port: Port = port) -> int:
            if next(readings) == moment:  # noqa: B023
                port.trigger(0, 1.0)
                played.append(render(engine, 500))
            return int(really(address))  # noqa: B023

        engine.journal._load = load
        taken.append(engine.journal.frames())
        engine.journal._load = really
        taken.append(engine.journal.frames())
        audio = np.concatenate(played)
        assert np.abs(audio[lost]).max() > 0.1
        audio[lost] = 0.0
        assert np.concatenate(taken).tobytes() == audio.tobytes(), moment
        assert engine.journal.losses.frames == lost.stop - lost.start
