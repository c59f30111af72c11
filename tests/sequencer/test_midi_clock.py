"""The loop takes the jitter out of MIDI clock; the clock knows where the song is. No test waits."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gan808.sequencer.midi_clock import LOST_S, TICKS_PER_BEAT, MidiClock, TickLoop

JITTER_S = 0.001


def period_of(bpm: float) -> float:
    return 60.0 / TICKS_PER_BEAT / bpm


def rms(values: list[float]) -> float:
    return math.sqrt(sum(value * value for value in values) / len(values))


@pytest.mark.parametrize("bpm", [40, 90, 120, 174, 300])
def test_a_millisecond_of_jitter_leaves_the_tempo_within_a_tenth(bpm: float) -> None:
    """Gaussian jitter of 1 ms, so some ticks are 4 ms off; the first two bars are for locking."""
    chance, loop, period_s = random.Random(808), TickLoop(period_of(120)), period_of(bpm)
    tempos, phases = [], []
    for tick in range(64 * TICKS_PER_BEAT):
        loop.tick(5.0 + tick * period_s + chance.gauss(0.0, JITTER_S))
        if tick >= 8 * TICKS_PER_BEAT:
            tempos.append(60.0 / TICKS_PER_BEAT / loop.period_s - bpm)
            phases.append(loop.tick_s - 5.0 - tick * period_s)
    assert max(map(abs, tempos)) < 0.1
    assert rms(phases) < 0.0004


def test_it_locks_within_a_beat() -> None:
    loop, period_s = TickLoop(period_of(120)), period_of(93)
    for tick in range(TICKS_PER_BEAT):
        loop.tick(tick * period_s)
    assert loop.period_s == pytest.approx(period_s, rel=1e-6)


@pytest.mark.parametrize(("before", "after"), [(120, 124), (120, 90), (90, 180), (174, 87)])
def test_another_tempo_is_taken_on_within_a_bar(before: float, after: float) -> None:
    chance, loop, time_s = random.Random(808), TickLoop(period_of(120)), 0.0
    for tick in range(300):
        loop.tick(time_s + chance.gauss(0.0, 0.0003))
        time_s += period_of(before if tick < 204 else after)
    assert 60.0 / TICKS_PER_BEAT / loop.period_s == pytest.approx(after, abs=0.3)


def test_a_ramp_is_followed_within_two_milliseconds() -> None:
    chance, loop, time_s, off = random.Random(808), TickLoop(period_of(120)), 0.0, []
    for tick in range(40 * TICKS_PER_BEAT):
        loop.tick(time_s + chance.gauss(0.0, 0.0003))
        if tick > 48:
            off.append(abs(loop.tick_s - time_s))
        time_s += period_of(120.0 + min(20.0, max(0.0, time_s - 3.0)))
    assert max(off) < 0.002


def test_one_late_tick_moves_nothing() -> None:
    loop, period_s = TickLoop(period_of(120)), period_of(120)
    for tick in range(400):
        loop.tick(tick * period_s + (0.015 if tick == 300 else 0.0))
        assert abs(loop.tick_s - tick * period_s) < 0.001
    assert loop.settled == 400


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0.0, 3.0), min_size=1, max_size=80))
def test_any_ticks_give_a_tempo(gaps: list[float]) -> None:
    clock, time_s = MidiClock(), 0.0
    for gap_s in gaps:
        time_s += gap_s
        clock.tick(time_s)
        assert 15.9 < clock.reading.tempo_bpm < 501
        assert math.isfinite(clock.reading.tick_s)


class TestTransport:
    """Where the song is after each message; a tick every 20 ms."""

    def ticked(self, clock: MidiClock, ticks: int) -> MidiClock:
        for _ in range(ticks):
            clock.tick(clock.reading.ticks * 0.02)
        return clock

    def test_a_start_is_the_next_tick(self) -> None:
        clock = self.ticked(MidiClock(), 5)
        clock.start()
        assert not clock.reading.running
        assert clock.tick(0.1), "the sequencer has to look at once"
        assert (clock.reading.running, clock.reading.step) == (True, 0.0)
        assert self.ticked(clock, 12).reading.step == 2.0

    def test_a_stop_is_at_once_and_continue_goes_on_from_there(self) -> None:
        clock = MidiClock()
        clock.start()
        self.ticked(clock, 9)  # ticks 0 to 8 of the song
        clock.stop()
        assert not clock.reading.running
        self.ticked(clock, 100)
        clock.resume()
        self.ticked(clock, 1)
        assert clock.reading.step == pytest.approx(9 / 6)
        assert clock.reading.began == 9

    def test_a_song_position_is_where_continue_begins(self) -> None:
        clock = MidiClock()
        clock.locate(35)
        clock.resume()
        assert self.ticked(clock, 1).reading.step == 35.0

    def test_a_song_position_while_it_runs_is_a_jump(self) -> None:
        clock = MidiClock()
        clock.start()
        changes = self.ticked(clock, 10).reading.changes
        clock.locate(8)
        assert self.ticked(clock, 1).reading.step == 8.0
        assert clock.reading.changes == changes + 1

    def test_start_after_a_song_position_is_from_the_beginning(self) -> None:
        clock = MidiClock()
        clock.locate(35)
        clock.start()
        assert self.ticked(clock, 1).reading.step == 0.0

    def test_continue_while_it_runs_changes_nothing(self) -> None:
        clock = MidiClock()
        clock.start()
        self.ticked(clock, 10)
        clock.resume()
        assert self.ticked(clock, 1).reading.step == pytest.approx(10 / 6)

    def test_a_stop_before_the_first_tick_takes_the_start_back(self) -> None:
        clock = MidiClock()
        clock.start()
        clock.stop()
        assert not self.ticked(clock, 3).reading.running

    def test_a_start_that_begins_the_beat_anew_keeps_the_tempo(self) -> None:
        """The master's ticks jump by half a tick with the start: the first step is on its tick,
        and the tempo known before holds."""
        clock = self.ticked(MidiClock(), 200)
        tempo = clock.reading.tempo_bpm
        clock.start()
        clock.tick(200 * 0.02 + 0.01)
        assert clock.reading.tick_s == 200 * 0.02 + 0.01
        assert clock.reading.tempo_bpm == tempo

    def test_after_a_silence_the_old_ticks_count_no_more(self) -> None:
        clock = self.ticked(MidiClock(), 200)
        clock.tick(10.0 + LOST_S)
        assert (clock.reading.settled, clock.reading.tick_s) == (1, 10.0 + LOST_S)
        assert clock.reading.period_s == pytest.approx(0.02)
