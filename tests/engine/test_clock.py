"""Time to frames and back: the loop against a jittery, drifting device, and offline."""

from __future__ import annotations

import time

import numpy as np
import pytest

from gan808.engine.clock import EngineClock
from gan808.engine.kernel_api import routines
from gan808.engine.kernels.callback import follow_clock
from gan808.engine.kernels.clock_source import clock_source
from gan808.engine.layout import allocate_memory
from tests.engine.rig import RATE_HZ, new_engine, render

BLOCK = 128


def test_the_clock_behind_time_monotonic_is_found() -> None:
    address, identifier = clock_source()
    assert address != 0
    assert time.monotonic() <= time.clock_gettime(identifier) <= time.monotonic()


def test_before_the_first_block_the_frame_is_zero() -> None:
    engine, _ = new_engine()
    assert engine.clock.frame_now() == 0
    engine.set_live(True)
    assert engine.clock.frame_now() == 0


def test_offline_the_clock_counts_frames() -> None:
    engine, _ = new_engine()
    began_s = time.monotonic()
    render(engine, 1234, 100)
    now, in_a_second_s = engine.clock.frame_now(), engine.clock.time_at(1234 + RATE_HZ)
    passed_s = time.monotonic() - began_s
    assert 1234 - 1 <= now <= 1234 + passed_s * RATE_HZ + 1
    assert began_s - 0.001 <= in_a_second_s - 1 <= began_s + passed_s + 0.001


def simulated(rate_hz: float, jitter_s: float, blocks: int, seed: int) -> tuple[EngineClock, float]:
    """A clock after so many blocks of a device of that true rate; and its largest error in s."""
    memory = allocate_memory()
    record = memory[0]
    record["sample_rate_hz"], record["live"], record["clock_address"] = RATE_HZ, 1, 1
    clock = EngineClock(memory, routines().read_clock)
    random = np.random.default_rng(seed)
    worst_s = 0.0
    for block in range(blocks):
        due_s = 1000.0 + block * BLOCK / rate_hz
        record["frame"] = block * BLOCK
        follow_clock(record, due_s + random.uniform(0, jitter_s), BLOCK, False)
        if block > blocks // 2:
            at_s = due_s + BLOCK / rate_hz / 2
            exact = block * BLOCK + BLOCK / 2
            worst_s = max(worst_s, abs(clock.frame_at(at_s) - exact) / rate_hz)
    return clock, worst_s


def test_the_loop_smooths_jitter() -> None:
    jitter_s = 0.002
    _, worst_s = simulated(RATE_HZ, jitter_s, 4000, 1)
    # The mean of the jitter remains as an offset, a tenth of it as noise.
    assert worst_s < jitter_s / 2 + jitter_s / 8


def test_the_loop_learns_the_true_rate() -> None:
    clock, worst_s = simulated(RATE_HZ * 1.0005, 0.0, 4000, 2)
    assert worst_s < 0.00005
    second_s = clock.time_at(10**6 + RATE_HZ) - clock.time_at(10**6)
    assert second_s == pytest.approx(1 / 1.0005, rel=1e-5)


def test_there_and_back_is_the_same_frame() -> None:
    clock, _ = simulated(44_050.0, 0.001, 2000, 3)
    for frame in (0, 1, 250_000, 10**7):
        assert clock.frame_at(clock.time_at(frame)) == frame


def test_after_a_gap_it_starts_anew() -> None:
    memory = allocate_memory()
    record = memory[0]
    record["sample_rate_hz"], record["live"], record["clock_address"] = RATE_HZ, 1, 1
    clock, time_s = EngineClock(memory, routines().read_clock), 1000.0
    for block in range(4):
        time_s += BLOCK / RATE_HZ + (0.1 if block == 3 else 0.0)
        record["frame"] = block * BLOCK
        follow_clock(record, time_s, BLOCK, False)
    assert clock.frame_at(time_s) == 3 * BLOCK
