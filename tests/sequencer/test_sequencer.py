"""Steps fall on their frames, whatever the chunks, tempo and swing. No test waits."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gan808.errors import ConfigError
from gan808.sequencer.clock import TempoLine
from gan808.sequencer.patterns import SILENCE, Pattern
from gan808.sequencer.sequencer import Sequencer
from gan808.sound.kit.slots import TR808
from gan808.storage.pattern_files import find_pattern
from tests.fakes import FakeEngine

CODES = tuple(slot.code for slot in TR808)
EVERY_STEP = Pattern("every", rows={"BD": (1.0,) * 16})


class Beats:
    """A listener that writes everything down."""

    def __init__(self) -> None:
        self.beats: list[tuple[int, int, int]] = []
        self.hits: list[tuple[int, int]] = []

    def on_beat(self, index: int, frame: int, next_frame: int) -> None:
        self.beats.append((index, frame, next_frame))

    def on_hit(self, slot: int, frame: int) -> None:
        self.hits.append((slot, frame))


class Rig:
    def __init__(self, pattern: Pattern = EVERY_STEP, rate_hz: int = 48000, **more) -> None:
        self.engine = FakeEngine(rate_hz)
        self.engine.ring_commands = 10**6
        self.listener = Beats()
        self.sequencer = Sequencer(
            pattern, CODES, self.engine.port("sequencer"), rate_hz, listener=self.listener, **more)

    def frames(self, slot: int = 0) -> list[int]:
        return [c.frame for c in self.engine.commands if c.slot == slot]


def ideal(step: int, rate_hz: int, bpm: float, swing: float) -> Fraction:
    """The frame of a step in exact arithmetic."""
    per_step = Fraction(rate_hz) * 60 / Fraction(bpm) / 4
    return (step + (Fraction(swing) / 2 if step % 2 else 0)) * per_step


@settings(max_examples=60, deadline=None)
@given(
    rate_hz=st.sampled_from([22050, 44100, 48000, 96000]),
    bpm=st.floats(20, 400),
    swing=st.floats(0, 1),
    start=st.integers(0, 10**7),
    chunks=st.lists(st.integers(1, 30000), min_size=1, max_size=200),
)
def test_every_step_is_within_one_frame_and_in_order(rate_hz, bpm, swing, start, chunks) -> None:
    rig = Rig(rate_hz=rate_hz, tempo_bpm=bpm, swing=swing)
    rig.sequencer.play(start)
    until = start
    for chunk in chunks:
        before = len(rig.frames())
        rig.sequencer.advance(until + chunk)
        assert all(until <= frame < until + chunk for frame in rig.frames()[before:])
        until += chunk
    frames = rig.frames()
    expected = [start + ideal(step, rate_hz, bpm, swing) for step in range(len(frames) + 1)]
    assert all(abs(f - e) <= 1 for f, e in zip(frames, expected, strict=False))
    assert frames == sorted(set(frames))
    assert expected[-1] >= until - 1, "a step is missing"


@settings(max_examples=30, deadline=None)
@given(st.floats(20, 400), st.floats(0, 1), st.lists(st.integers(1, 20000), max_size=60))
def test_chunks_make_no_difference(bpm, swing, chunks) -> None:
    pieces, whole = (Rig(find_pattern("808"), tempo_bpm=bpm, swing=swing) for _ in range(2))
    until = 0
    for rig in (pieces, whole):
        rig.sequencer.play(0)
    for chunk in chunks:
        until += chunk
        pieces.sequencer.advance(until)
    whole.sequencer.advance(until)
    assert pieces.engine.commands == whole.engine.commands
    assert pieces.listener.beats == whole.listener.beats


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(20, 400), st.floats(0, 1), st.integers(1, 50000)),
                min_size=1, max_size=20))
def test_tempo_and_swing_changes_lose_no_step_and_never_go_back(changes) -> None:
    rig = Rig(Pattern("count", rows={"BD": tuple((i + 1) / 16 for i in range(16))}))
    rig.sequencer.play(0)
    until = 0
    for bpm, swing, chunk in changes:
        rig.sequencer.set_tempo(bpm)
        rig.sequencer.set_swing(swing)
        until += chunk
        already = len(rig.frames())
        rig.sequencer.advance(until)
        assert all(until - chunk <= frame < until for frame in rig.frames()[already:])
    velocities = [c.value for c in rig.engine.commands]
    assert velocities == [(i % 16 + 1) / 16 for i in range(len(velocities))]
    assert rig.frames() == sorted(rig.frames())


def test_a_tempo_change_goes_on_from_the_same_point() -> None:
    rig = Rig(tempo_bpm=120)
    rig.sequencer.play(0)
    rig.sequencer.advance(6000 * 4 + 3000)  # a step is 6000 frames; this is half way to step 5
    rig.sequencer.set_tempo(60)
    rig.sequencer.advance(10**5)
    assert rig.frames()[:7] == [0, 6000, 12000, 18000, 24000, 27000 + 6000, 27000 + 18000]


def test_swing_delays_every_second_step_by_up_to_half_a_step() -> None:
    rig = Rig(tempo_bpm=120, swing=1.0)
    rig.sequencer.play(0)
    rig.sequencer.advance(24001)
    assert rig.frames() == [0, 9000, 12000, 21000, 24000]


def test_beats_are_told_with_their_end() -> None:
    rig = Rig(tempo_bpm=120)
    rig.sequencer.play(1000)
    rig.sequencer.advance(73001)
    assert rig.listener.beats == [(0, 1000, 25000), (1, 25000, 49000), (2, 49000, 73000),
                                  (3, 73000, 97000)]


def test_beats_count_even_in_silence() -> None:
    rig = Rig(SILENCE, tempo_bpm=120)
    rig.sequencer.play(0)
    rig.sequencer.advance(96001)
    assert len(rig.listener.beats) == 5
    assert rig.engine.commands == []


def test_a_pattern_changes_at_the_bar_and_brings_its_tempo() -> None:
    other = Pattern("other", tempo_bpm=60, rows={"SD": (0.5,) * 16})
    rig = Rig(tempo_bpm=None)
    rig.sequencer.play(0)
    rig.sequencer.advance(30000)
    rig.sequencer.set_pattern(other)
    assert rig.sequencer.pattern is other
    rig.sequencer.advance(96000 + 24001)
    assert len(rig.frames(0)) == 16
    assert rig.frames(1) == [96000, 108000, 120000]


def test_a_tempo_of_ones_own_outlives_the_pattern() -> None:
    rig = Rig(tempo_bpm=240)
    rig.sequencer.set_pattern(Pattern("other", tempo_bpm=60, swing=0.5, rows={"SD": (0.5,) * 16}))
    assert (rig.sequencer.tempo_bpm, rig.sequencer.swing) == (240, 0.5)


def test_two_bar_patterns_play_both_bars() -> None:
    rows = {"BD": (1.0,) + (0.0,) * 31, "SD": (0.0,) * 16 + (1.0,) + (0.0,) * 15}
    rig = Rig(Pattern("two", tempo_bpm=120, rows=rows))
    rig.sequencer.play(0)
    rig.sequencer.advance(96000 * 4)
    assert (rig.frames(0), rig.frames(1)) == ([0, 192000], [96000, 288000])


def test_stop_and_play_again_begin_at_the_first_step() -> None:
    rig = Rig(Pattern("one", tempo_bpm=120, rows={"BD": (1.0,) + (0.0,) * 15}))
    rig.sequencer.play(0)
    rig.sequencer.advance(20000)
    rig.sequencer.stop()
    rig.sequencer.advance(500000)
    rig.sequencer.play(600000)
    rig.sequencer.advance(600001)
    assert rig.frames() == [0, 600000]


def test_playing_again_takes_back_what_was_scheduled_beyond_it() -> None:
    rig = Rig(tempo_bpm=120)
    rig.sequencer.play(0)
    rig.sequencer.advance(20000)
    rig.sequencer.play(10000)
    rig.sequencer.advance(26001)
    due = [c.frame for c in rig.engine.queued if c.name == "trigger"]
    assert due == [0, 6000, 10000, 16000, 22000]


def test_after_a_sleep_missed_steps_are_left_out() -> None:
    rig = Rig(tempo_bpm=120)
    rig.sequencer.play(0)
    rig.sequencer.advance(60001, not_before=48000)
    assert rig.frames() == [48000, 54000, 60000]
    assert rig.sequencer.skipped_steps == 8


def test_steps_are_edited_from_one() -> None:
    rig = Rig()
    rig.sequencer.set_step(1, 5, velocity=0.7)
    assert rig.sequencer.step(1, 5).velocity == 0.7
    assert rig.sequencer.used_slots() == [0, 1]
    for step in (0, 17, -1):
        with pytest.raises(ConfigError, match="1 to 16"):
            rig.sequencer.set_step(1, step, velocity=0.5)


@pytest.mark.parametrize(("quantise", "frame", "expected"), [
    ("now", 100, 0), ("beat", 0, 24000), ("beat", 24001, 48000), ("bar", 1, 96000),
    ("bar", 96001, 192000), ("beat", 24000, 24000),
])
def test_the_next_open_boundary(quantise, frame, expected) -> None:
    rig = Rig(tempo_bpm=120)
    assert rig.sequencer.next_frame(quantise, frame) == 0, "nothing plays: at once"
    rig.sequencer.play(0)
    rig.sequencer.advance(1)
    assert rig.sequencer.next_frame(quantise, frame) == expected


@given(st.floats(20, 400), st.integers(0, 10**6), st.sampled_from(["beat", "bar"]))
def test_a_boundary_is_where_a_step_falls(bpm, frame, quantise) -> None:
    rig = Rig(tempo_bpm=bpm, swing=0.6)
    rig.sequencer.play(0)
    rig.sequencer.advance(1)
    boundary = rig.sequencer.next_frame(quantise, frame)
    rig.sequencer.advance(boundary + 1)
    assert rig.listener.beats[-1][1] == boundary
    if quantise == "bar":
        assert rig.listener.beats[-1][0] % 4 == 0


def test_a_line_that_is_hours_ahead_is_leapt_to_and_not_walked_along() -> None:
    """A clock that jumps, a machine that slept: silence for what is long past, not a burst."""
    rig = Rig(Pattern("count", rows={"BD": tuple((i + 1) / 16 for i in range(16))}))
    long_past = TempoLine(48000, 120.0, -10.0 * 3600 * 48000)
    rig.sequencer.play_along(long_past, 0.0, 1000)
    rig.sequencer.advance(1000 + 48000)
    assert [c.frame for c in rig.engine.commands] == [6000 * n for n in range(1, 9)]
    assert [round(c.value * 16) - 1 for c in rig.engine.commands] == list(range(1, 9))
    assert len(rig.listener.beats) == 2, "nobody hears of the beats between"


def test_after_hours_without_a_look_the_beat_goes_on_and_so_does_the_pattern_chosen() -> None:
    rig = Rig(tempo_bpm=120)
    rig.sequencer.play(0)
    rig.sequencer.advance(6000)
    rig.sequencer.set_pattern(Pattern("other", rows={"SD": (1.0,) * 16}))
    late = 10 * 3600 * 48000
    rig.sequencer.advance(late + 24001, not_before=late)
    assert rig.frames(0) == [0]
    assert rig.frames(1) == [late, late + 6000, late + 12000, late + 18000, late + 24000]
    assert len(rig.listener.beats) < 10
