"""Time tags to monotonic time, and the schedule of what waits."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from gan808.control.osc.clients import SHARES
from gan808.control.osc.times import (
    LOST_FRAMES,
    TAGS,
    TREMBLE_FRAMES,
    Schedule,
    TagFrames,
    WallClock,
)


class Clocks:
    """A wall clock and a monotonic clock that the test moves."""

    def __init__(self, jitter_s: float = 0.0) -> None:
        self.now_s = 1000.0
        self.wall_ahead_s = 1.8e9
        self._noise = itertools.cycle([0.0, jitter_s, 0.3 * jitter_s])

    def wall(self) -> float:
        return self.now_s + self.wall_ahead_s + next(self._noise)

    def monotonic(self) -> float:
        return self.now_s


def test_equal_steps_stay_equal_whatever_the_readings() -> None:
    clocks = Clocks(jitter_s=40e-6)
    wall = WallClock(clocks.wall, clocks.monotonic)
    mapped = []
    for beat in range(50):
        clocks.now_s += 0.125
        mapped.append(wall.monotonic_at(1.8e9 + 2000 + 0.125 * beat))
    steps = [b - a for a, b in itertools.pairwise(mapped)]
    # 1e-6 s: a double holds seconds since 1970 to 0.24 microseconds.
    assert steps == pytest.approx([0.125] * 49, abs=1e-6)


def test_setting_the_wall_clock_is_followed() -> None:
    clocks = Clocks()
    wall = WallClock(clocks.wall, clocks.monotonic)
    assert wall.monotonic_at(1.8e9 + 1001) == pytest.approx(1001, abs=1e-6)
    clocks.wall_ahead_s += 60.0
    assert wall.monotonic_at(1.8e9 + 1061) == pytest.approx(1001, abs=1e-6)


def test_the_schedule_runs_in_order_of_time_then_arrival() -> None:
    schedule, done = Schedule(10), []
    for at_s, name in ((3.0, "c"), (1.0, "a"), (2.0, "b1"), (2.0, "b2")):
        assert schedule.put(at_s, lambda name=name: done.append(name))
    assert schedule.wait_s(0.25, 5.0) == pytest.approx(0.75)
    schedule.run_due(0.5)
    assert done == []
    schedule.run_due(2.0)
    assert done == ["a", "b1", "b2"]
    assert schedule.wait_s(2.0, 0.1) == 0.1
    assert schedule.wait_s(9.0, 0.1) == 0.0


def test_a_full_schedule_says_so() -> None:
    schedule = Schedule(2)
    assert [schedule.put(1.0, lambda: None) for _ in range(3)] == [True, True, False]
    schedule.run_due(1.0)
    assert schedule.put(1.0, lambda: None)


def test_who_has_filled_its_share_leaves_the_others_theirs() -> None:
    schedule = Schedule(2)
    kept = [schedule.put(1.0, lambda: None, owner) for owner in "aaabbbccdde"]
    assert kept == [True, True, False, True, True, False, True, True, True, True, False]
    assert len(schedule) == 2 * SHARES


class Trembling:
    """An engine's clock of 48 kHz that is off by what the test says."""

    off = 0.0

    def frame_now(self) -> int:
        raise AssertionError("nobody asks")

    def frame_at(self, monotonic_s: float) -> int:
        return max(0, round(monotonic_s * 48_000 + self.off))

    def time_at(self, frame: int) -> float:
        raise AssertionError("nobody asks")


class TestTagFrames:
    """Time tags to frames, by a clock that trembles, drifts and jumps."""

    def test_a_tag_has_one_frame_whatever_the_clock_says_later(self) -> None:
        clock = Trembling()
        tags = TagFrames(clock, 48_000)
        first = tags.frame_at(100.0)
        clock.off = 5000.0
        assert tags.frame_at(100.0) == first
        for number in range(TAGS):
            tags.frame_at(200.0 + number)
        assert tags.frame_at(100.0) == first + 5000, "forgotten after so many others"

    def test_a_clock_that_trembles_moves_no_tag(self) -> None:
        clock, random = Trembling(), np.random.default_rng(808)
        tags = TagFrames(clock, 48_000)
        begin_s = 1_234.567_89  # on no frame: rounding must not tremble either
        frames = []
        for step in range(500):
            clock.off = random.uniform(-TREMBLE_FRAMES / 2 + 1, TREMBLE_FRAMES / 2 - 1)
            frames.append(tags.frame_at(begin_s + 0.125 * step))
        assert set(np.diff(frames)) == {6000}

    def test_drift_is_followed_a_frame_at_a_time(self) -> None:
        clock = Trembling()
        tags = TagFrames(clock, 48_000)
        off = []
        for step in range(1000):
            at_s = 50.0 + 0.125 * step
            clock.off = 0.3 * step  # 50 parts in a million
            off.append(tags.frame_at(at_s) - clock.frame_at(at_s))
        assert np.abs(off).max() <= TREMBLE_FRAMES + 1
        assert np.abs(np.diff([frame + 0.3 * step for step, frame in enumerate(off)])).max() < 2.0

    def test_a_lost_period_is_taken_at_once(self) -> None:
        clock = Trembling()
        tags = TagFrames(clock, 48_000)
        tags.frame_at(10.0)
        clock.off = LOST_FRAMES + 1.0
        assert tags.frame_at(11.0) == 11 * 48_000 + LOST_FRAMES + 1

    def test_before_the_stream_is_its_first_frame(self) -> None:
        clock = Trembling()
        clock.off = -1e9
        assert TagFrames(clock, 48_000).frame_at(3.0) == 1
