"""Time tags to monotonic time, and the schedule of what waits."""

from __future__ import annotations

import itertools

import pytest

from gan808.control.osc_clients import SHARES
from gan808.control.osc_times import Schedule, WallClock


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
