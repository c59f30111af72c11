"""Rings, the queue of the future and the arena: what is counted, kept, freed; and real threads."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from gan808.engine import layout
from gan808.engine.engine import NO_CELL, Engine
from tests.engine.rig import CENTRE, RATE_HZ, drum, load, new_engine, render
from tests.interleaving import Work, meet_at_every_instruction


def test_a_full_ring_refuses_and_counts() -> None:
    engine, port = new_engine()
    load(engine, 0, [0.01, 0.0])
    sent = [port.trigger(0, 1.0, 10_000) for _ in range(layout.RING_COMMANDS + 5)]
    assert sent.count(False) == 6
    assert engine.stats().dropped_commands == 6
    render(engine, 16)
    assert port.trigger(0, 1.0, 10_000)


def test_counters_are_read_while_another_thread_takes_its_port() -> None:
    def begin() -> tuple[Work, Work, Work]:
        engine = Engine(RATE_HZ, cells=1, max_sound_s=0.001)
        engine.port("osc")
        return engine.stats, lambda: engine.port("midi"), lambda: None

    assert meet_at_every_instruction((Engine.stats,), begin) > 20


def test_the_queue_of_the_future_is_bounded_and_keeps_time_order() -> None:
    engine, port = new_engine()
    load(engine, 0, [0.1, 0.0])
    render(engine, 1)
    random = np.random.default_rng(5)
    frames = random.permutation(np.arange(10, 10 + layout.QUEUE_COMMANDS + 200))
    for index, frame in enumerate(frames):
        assert port.trigger(0, 1.0, int(frame) * 2 + 1000)
        if index % 1000 == 999:
            render(engine, 1)
    render(engine, 1)
    assert engine.stats().dropped_commands == 200
    audio = render(engine, 12_000, 128)
    first = engine.stats().frames - 12_000
    kept = np.sort(frames[:layout.QUEUE_COMMANDS]) * 2 + 1000
    assert np.array_equal(np.flatnonzero(audio[:, 0]) + first, kept)


def test_late_commands_act_at_once_and_are_counted() -> None:
    engine, port = new_engine()
    load(engine, 0, [0.5, 0.0])
    render(engine, 1000)
    port.trigger(0, 1.0, 999)
    port.trigger(0, 1.0, 0)
    audio = render(engine, 100)
    assert audio[0, 0] == pytest.approx(2 * 0.5 * CENTRE, rel=1e-6)
    assert engine.stats().late_commands == 1


def test_a_port_is_the_same_by_name_and_there_are_eight() -> None:
    engine = Engine(RATE_HZ, cells=4)
    ports = [engine.port(f"port {index}") for index in range(8)]
    assert engine.port("port 3") is ports[3]
    with pytest.raises(ValueError, match="all 8 ports"):
        engine.port("one more")


def test_a_cell_is_free_again_when_nothing_holds_it() -> None:
    engine, port = new_engine(cells=3)
    first = load(engine, 0, drum(1, 2000))
    render(engine, 1)
    assert engine.free_cells() == 2
    port.trigger(0, 1.0)
    render(engine, 100)
    second = load(engine, 0, drum(2, 2000))
    # Assigned away, but a voice still sounds on it.
    render(engine, 100)
    assert engine.free_cells() == 1
    third = engine.write_sound(drum(3))
    assert third not in (None, first, second)
    assert engine.write_sound(drum(4)) is None
    render(engine, 3000)
    assert engine.write_sound(drum(4)) == first


def test_a_queued_assign_holds_its_cell() -> None:
    engine, port = new_engine(cells=2)
    cell = engine.write_sound(drum(1))
    assert cell is not None
    port.assign(0, cell, 5000)
    assert engine.free_cells() == 1
    render(engine, 1000)
    assert engine.free_cells() == 1
    render(engine, 5000)
    port.assign(0, NO_CELL)
    render(engine, 10)
    assert engine.free_cells() == 2


def test_a_cell_on_two_slots_is_held_until_both_let_go() -> None:
    engine, port = new_engine(cells=1)
    cell = load(engine, 0, drum(1))
    port.assign(1, cell)
    port.assign(1, cell)
    port.assign(0, NO_CELL)
    render(engine, 10)
    assert engine.free_cells() == 0
    port.assign(1, NO_CELL)
    render(engine, 10)
    assert engine.free_cells() == 1


def test_a_written_cell_is_kept_until_discarded() -> None:
    engine, _ = new_engine(cells=1)
    cell = engine.write_sound(drum(1))
    assert cell == 0
    assert engine.write_sound(drum(2)) is None
    engine.discard(cell)
    assert engine.write_sound(drum(2)) == 0


def test_a_refused_or_overflowing_assign_does_not_leak_its_cell() -> None:
    engine, port = new_engine(cells=2)
    cell = engine.write_sound(drum(1))
    assert cell is not None
    while port.trigger(0, 1.0, 10**9):
        pass
    assert not port.assign(0, cell)
    assert engine.free_cells() == 1
    engine.discard(cell)
    assert engine.free_cells() == 2
    cell = engine.write_sound(drum(1))
    assert cell is not None
    for _ in range(layout.QUEUE_COMMANDS // layout.RING_COMMANDS):
        render(engine, 1)
        while port.trigger(0, 1.0, 10**9):
            pass
    render(engine, 1)
    assert port.assign(0, cell, 10**9)
    render(engine, 1)
    assert engine.free_cells() == 2


@pytest.mark.parametrize("audio", [
    np.zeros(0, np.float32), np.zeros((2, 3), np.float32), np.array([np.nan], np.float32)])
def test_what_is_no_sound_is_refused(audio: np.ndarray) -> None:
    engine, _ = new_engine(cells=1)
    with pytest.raises(ValueError, match="a sound is"):
        engine.write_sound(audio)
    assert engine.free_cells() == 1


def test_slots_and_cells_that_do_not_exist_are_refused() -> None:
    _, port = new_engine(cells=2)
    for slot, cell in ((16, 0), (-1, 0), (0, 2), (0, -2)):
        with pytest.raises(IndexError):
            port.assign(slot, cell)
    for options in ({"cells": 0}, {"cells": 5000}, {"voices": 0}, {"voices": 1000}):
        with pytest.raises(ValueError, match="must be"):
            Engine(RATE_HZ, **options)


class Renderer(threading.Thread):
    """Runs the callback without the interpreter lock, block after block, until told to stop."""

    def __init__(self, engine: Engine, block: int = 32) -> None:
        super().__init__()
        self.engine, self.block = engine, block
        self.done = threading.Event()

    def run(self) -> None:
        out = np.zeros((self.block, 2), np.float32)
        while not self.done.is_set():
            self.engine.process(out)


def test_rings_lose_repeat_and_tear_nothing_under_stress() -> None:
    """Four producers on four ports against a running callback, each swapping two cells on a slot.

    The callback counts how often each cell was let go: a command lost, repeated or read half
    written would show in the sums.
    """
    swaps, producers = 10_000, 4
    engine, _ = new_engine(cells=2 * producers)
    cells = [engine.write_sound(drum(index, 50)) for index in range(2 * producers)]
    ports = [engine.port(f"producer {index}") for index in range(producers)]

    def produce(index: int) -> None:
        for swap in range(swaps):
            cell = cells[2 * index + swap % 2]
            assert cell is not None
            while not ports[index].assign(index, cell):
                time.sleep(0.0002)

    renderer = Renderer(engine)
    threads = [threading.Thread(target=produce, args=(index,)) for index in range(producers)]
    for thread in [renderer, *threads]:
        thread.start()
    for thread in threads:
        thread.join()
    renderer.done.set()
    renderer.join()
    render(engine, 10)
    released = engine._memory[0]["cell_released"][:2 * producers]
    # The last swap of each left its second cell on the slot.
    assert released.tolist() == [swaps // 2, swaps // 2 - 1] * producers
    assert engine.stats().dropped_commands == sum(port.dropped for port in ports)
    # Rings hold so many commands: this many blocks drained them while they were being filled.
    assert engine.stats().blocks >= swaps // layout.RING_COMMANDS


def test_cells_are_never_overwritten_while_they_sound() -> None:
    """Swaps as fast as cells come free, against a running callback and constant hits."""
    engine, port = new_engine(cells=8)
    renderer = Renderer(engine, 16)
    renderer.start()
    written = 0
    try:
        while written < 500:
            cell = engine.write_sound(np.full(300, 2.0**-10, np.float32))
            if cell is None:
                time.sleep(0.0002)
                continue
            held = engine._memory[0]["cell_voices"][cell]
            assert held == 0
            written += 1
            while not port.assign(written % 4, cell):
                time.sleep(0.0002)
            port.trigger(written % 4, 1.0)
    finally:
        renderer.done.set()
        renderer.join()
    for slot in range(4):
        port.assign(slot, NO_CELL)
    render(engine, 1000)
    assert engine.free_cells() == 8


def test_what_waits_for_a_later_frame_takes_room_until_it_is_due() -> None:
    """A kit that is to come wholly asks for room first: the queue behind the ring counts too."""
    engine, port = new_engine()
    empty = port.room
    for _ in range(layout.QUEUE_COMMANDS // 1000):
        for _ in range(1000):
            assert port.trigger(0, 0.0, 5_000)
        render(engine, 1)
    assert port.room == layout.QUEUE_COMMANDS % 1000
    render(engine, 5_000)
    assert port.room == empty
