"""The score on the sequencer: chance, ratchets, nudges, rows of any length, bars that vary, fills,
and edits while it plays. Frames are exact; no test waits."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gan808.errors import ConfigError
from gan808.sequencer.clock import TempoLine
from gan808.sequencer.patterns import Pattern
from gan808.sequencer.score import Score
from gan808.sequencer.steps import REST, Step
from gan808.storage.pattern_files import find_pattern, pattern_names
from tests.sequencer.test_sequencer import CODES, Rig, ideal

STEP = 6000  # frames at 48 kHz and 120 BPM
BAR = 16 * STEP


def one(step: Step, at: int = 0, length: int = 16) -> tuple[Step, ...]:
    """A row of rests with one step."""
    return (REST,) * at + (step,) + (REST,) * (length - at - 1)


def heard(pattern: Pattern, frames: int, **more) -> list[tuple[int, int, float]]:
    """(frame, slot, velocity) of everything in so many frames, in the order it was sent."""
    rig = Rig(pattern, **more)
    rig.sequencer.play(0)
    rig.sequencer.advance(frames)
    return [(c.frame, c.slot, c.value) for c in rig.engine.commands]


def frames_of(pattern: Pattern, frames: int, **more) -> list[int]:
    return [frame for frame, _, _ in heard(pattern, frames, **more)]


class TestPlaces:
    @pytest.mark.parametrize("count", range(1, 9))
    def test_a_ratchet_divides_its_step(self, count) -> None:
        pattern = Pattern("x", 120, rows={"BD": one(Step(1.0, ratchet=count), 4)})
        assert frames_of(pattern, BAR) == [round(4 * STEP + Fraction(n * STEP, count))
                                           for n in range(count)]

    def test_a_ratchet_ends_where_the_swung_next_step_begins(self) -> None:
        row = {"BD": (Step(1.0, ratchet=2), Step(1.0, ratchet=2), REST, REST)}
        assert frames_of(Pattern("x", 120, 1.0, rows=row), 4 * STEP) == [
            0, 4500, 9000, 10500]

    @pytest.mark.parametrize("nudge", [-0.5, -0.25, -0.1, 0.1, 0.3, 0.5])
    def test_a_nudge_moves_a_step_both_ways(self, nudge) -> None:
        pattern = Pattern("x", 120, rows={"BD": one(Step(1.0, nudge=nudge), 4)})
        assert frames_of(pattern, BAR) == [round((4 + nudge) * STEP)]

    def test_early_hits_come_before_what_is_written_before_them(self) -> None:
        rows = {"BD": one(Step(1.0, nudge=-0.5), 4), "SD": one(Step(0.5, nudge=0.4), 3)}
        assert heard(Pattern("x", 120, rows=rows), BAR) == [
            (round(3.4 * STEP), 1, 0.5), (round(3.5 * STEP), 0, 1.0)]
        rows = {"BD": one(Step(1.0, nudge=-0.5), 4), "SD": one(Step(0.5, nudge=0.5), 3),
                "CH": one(Step(0.7, ratchet=4), 3)}
        frames = frames_of(Pattern("x", 120, rows=rows), BAR)
        assert frames == sorted(frames)

    def test_what_is_early_before_the_start_sounds_at_the_start(self) -> None:
        pattern = Pattern("x", 120, rows={"BD": one(Step(1.0, nudge=-0.2))})
        rig = Rig(pattern)
        rig.sequencer.play(1000)
        rig.sequencer.advance(1000 + BAR)
        assert rig.frames() == [1000, 1000 + BAR - 1200]

    def test_rows_go_round_each_by_itself(self) -> None:
        rows = {"BD": one(Step(1.0), 0, 16), "CB": one(Step(0.5), 0, 12),
                "RS": one(Step(0.2), 0, 5)}
        played = heard(Pattern("x", 120, rows=rows), 240 * STEP)
        for slot, length in ((0, 16), (CODES.index("CB"), 12), (CODES.index("RS"), 5)):
            assert [f for f, s, _ in played if s == slot] == list(range(0, 240 * STEP,
                                                                        length * STEP))

    @pytest.mark.parametrize("length", [1, 3, 7, 24, 64])
    def test_bars_have_sixteen_steps_whatever_the_rows(self, length) -> None:
        rig = Rig(Pattern("x", 120, rows={"BD": one(Step(1.0), 0, length)}))
        rig.sequencer.play(0)
        rig.sequencer.advance(1)
        assert rig.sequencer.next_frame("bar", 1) == BAR
        rig.sequencer.set_pattern(Pattern("y", 120, rows={"SD": one(Step(1.0), 0, 3)}))
        rig.sequencer.advance(2 * BAR)
        assert rig.frames(1) == list(range(BAR, 2 * BAR, 3 * STEP))
        assert all(frame < BAR for frame in rig.frames(0))


class TestConditions:
    @pytest.mark.parametrize(("condition", "length", "repeats"), [
        ("", 16, [0, 1, 2, 3, 4, 5]), ("1:2", 16, [0, 2, 4]), ("2:2", 16, [1, 3, 5]),
        ("2:3", 16, [1, 4]), ("first", 16, [0]), ("!first", 16, [1, 2, 3, 4, 5]),
        ("1:2", 5, [0, 2, 4, 6, 8, 10, 12, 14, 16, 18]), ("fill", 16, []),
        ("!fill", 16, [0, 1, 2, 3, 4, 5])])
    @pytest.mark.parametrize("density", [0.0, -0.1])
    def test_a_step_sounds_when_its_own_row_has_come_round_so_often(
        self, condition, length, repeats, density
    ) -> None:
        rig = Rig(Pattern("x", 120, rows={"BD": one(Step(1.0, condition=condition), 0, length)}))
        rig.sequencer.with_score(lambda score: score.set_density(density))
        rig.sequencer.play(0)
        rig.sequencer.advance(6 * BAR)
        assert rig.frames() == [length * STEP * n for n in repeats]

    def test_fill_steps_are_the_fill_of_their_pattern(self) -> None:
        """Every second bar: the pattern's own step instead of one that is made up."""
        rows = {"BD": one(Step(1.0), 0), "SD": one(Step(0.7, condition="fill"), 12),
                "CH": one(Step(0.3, condition="!fill"), 4)}
        played = heard(Pattern("x", 120, rows=rows), 4 * BAR, fills=2)
        slot = {code: CODES.index(code) for code in rows}
        expected = [(BAR * bar, slot["BD"], 1.0) for bar in range(4)]
        expected += [(BAR * bar + 4 * STEP, slot["CH"], 0.3) for bar in (0, 2)]
        expected += [(BAR * bar + 12 * STEP, slot["SD"], 0.7) for bar in (1, 3)]
        assert sorted(played) == sorted(expected)

    def test_a_pattern_that_takes_over_counts_from_its_own_beginning(self) -> None:
        rig = Rig(Pattern("x", 120, rows={"BD": one(Step(1.0))}))
        rig.sequencer.play(0)
        rig.sequencer.advance(1)
        rig.sequencer.set_pattern(Pattern("y", 120, rows={"SD": one(Step(1.0, condition="first"))}))
        rig.sequencer.advance(4 * BAR)
        assert rig.frames(1) == [BAR]


steps = st.builds(Step, st.sampled_from([0.0, 0.5, 1.0]), st.sampled_from([1.0, 0.6]),
                  st.integers(1, 5), st.floats(-0.5, 0.5), st.sampled_from([0.0, -3.5]),
                  st.sampled_from([0.0, 1.0]),
                  st.sampled_from(["", "1:2", "3:4", "fill", "!fill", "first", "!first"]))
rows = st.lists(steps, min_size=1, max_size=20).map(tuple)
patterns = st.builds(Pattern, st.just("any"), st.floats(60, 200), st.floats(0, 1), st.just(""),
                     st.fixed_dictionaries({"BD": rows, "CH": rows}))


class TestAnyPattern:
    @settings(max_examples=40, deadline=None)
    @given(patterns, st.lists(st.integers(1, 20000), min_size=1, max_size=60))
    def test_chunks_make_no_difference(self, pattern, chunks) -> None:
        pieces, whole = Rig(pattern, vary=0.5, fills=3), Rig(pattern, vary=0.5, fills=3)
        until = 0
        for rig in (pieces, whole):
            rig.sequencer.play(0)
        for chunk in chunks:
            before, until = until, until + chunk
            already = len(pieces.engine.commands)
            pieces.sequencer.advance(until)
            assert all(before <= c.frame < until for c in pieces.engine.commands[already:])
        whole.sequencer.advance(until)
        assert pieces.engine.commands == whole.engine.commands
        assert pieces.listener.beats == whole.listener.beats
        assert pieces.listener.hits == whole.listener.hits

    @settings(max_examples=40, deadline=None)
    @given(patterns)
    def test_every_hit_is_on_its_frame(self, pattern) -> None:
        until = 40 * STEP
        played = heard(pattern, until, seed=5)
        expected = []
        for slot, code in ((0, "BD"), (CODES.index("CH"), "CH")):
            for number in range(60):
                step = pattern.rows[code][number % len(pattern.rows[code])]
                if not step.sounds or step.chance < 1 or step.condition:
                    continue
                place = ideal(number, 48000, pattern.tempo_bpm, pattern.swing)
                after = ideal(number + 1, 48000, pattern.tempo_bpm, pattern.swing)
                nudge = Fraction(step.nudge) * Fraction(48000) * 15 / Fraction(pattern.tempo_bpm)
                expected += [(max(place + nudge + n * (after - place) / step.ratchet, 0), slot)
                             for n in range(step.ratchet)]
        frames = Counter((slot, frame) for frame, slot, _ in played)
        for at, slot in expected:
            if at < until - 1:
                near = [f for f in (int(at) - 1, int(at), int(at) + 1, int(at) + 2)
                        if frames[slot, f]]
                assert near, f"slot {slot} is missing at {float(at)}"
                frames[slot, near[0]] -= 1

    @settings(max_examples=30, deadline=None)
    @given(patterns, st.lists(st.tuples(st.floats(20, 400), st.floats(0, 1),
                                        st.integers(1, 50000)), min_size=1, max_size=12))
    def test_tempo_and_swing_changes_lose_no_hit(self, pattern, changes) -> None:
        sure = {code: tuple(Step(s.velocity, 1.0, s.ratchet, s.nudge) for s in row)
                for code, row in pattern.rows.items()}
        rig = Rig(Pattern("sure", 120, rows=sure))
        rig.sequencer.play(0)
        until = 0
        for bpm, swing, chunk in changes:
            rig.sequencer.set_tempo(bpm)
            rig.sequencer.set_swing(swing)
            until += chunk
            rig.sequencer.advance(until)
        frames = [c.frame for c in rig.engine.commands]
        assert frames == sorted(frames), "nothing goes back"
        # Whole rounds of a row: as many hits as it has, whatever the tempo did.
        for slot, code in ((0, "BD"), (CODES.index("CH"), "CH")):
            hits = [s.ratchet for s in sure[code] if s.sounds]
            done = len(rig.frames(slot))
            passed = rig.sequencer._step  # steps worked out, all of them or all but a few hits
            least = sum(hits) * ((passed - 2) // len(sure[code]))
            assert done >= least if hits else done == 0


class TestFollowing:
    def test_nudges_and_ratchets_follow_a_line_from_elsewhere(self) -> None:
        row = (REST, REST, Step(1.0, ratchet=2, nudge=-0.25), REST)
        rig = Rig(Pattern("x", 120, rows={"BD": row}))
        rig.sequencer.play_along(TempoLine(48000, 120, 0.0, 0.0), 0.0, 0)
        rig.sequencer.advance(round(1.8 * STEP))
        assert rig.frames() == [round(1.75 * STEP)]
        # Half the tempo from step 2 on: the second half of the ratchet is twice as far away.
        rig.sequencer.follow(TempoLine(48000, 60, 2.0 * STEP, 2.0))
        rig.sequencer.advance(3 * STEP)
        assert rig.frames() == [round(1.75 * STEP), round(2.5 * STEP)]

    def test_a_jump_forgets_what_was_worked_out(self) -> None:
        rig = Rig(Pattern("x", 120, rows={"BD": (Step(1.0, ratchet=8),)}))
        rig.sequencer.play_along(TempoLine(48000, 120, 0.0, 0.0), 0.0, 0)
        rig.sequencer.advance(10)
        rig.sequencer.play_along(TempoLine(48000, 120, 0.0, 0.0), 32.0, 32 * STEP)
        rig.sequencer.advance(32 * STEP + 10)
        assert rig.frames() == [0, 32 * STEP]

    def test_early_hits_of_the_next_pattern_keep_the_old_tempo(self) -> None:
        rig = Rig(Pattern("x", 120, rows={"SD": (0.5,) * 16}))
        rig.sequencer.play(0)
        rig.sequencer.advance(BAR // 2)
        rig.sequencer.set_pattern(Pattern("y", 60, rows={"BD": one(Step(1.0, nudge=-0.25))}))
        rig.sequencer.advance(BAR + 16 * 2 * STEP)
        assert rig.frames(0) == [BAR - STEP // 4, BAR + round(15.75 * 2 * STEP)]
        assert rig.listener.beats[4][1] == BAR
        assert rig.listener.beats[4][2] == BAR + 8 * STEP


class TestChance:
    def test_it_comes_as_often_as_it_says(self) -> None:
        rows = {"BD": one(Step(1.0, 0.3), 0, 1), "SD": one(Step(1.0, 0.0), 0, 1),
                "CH": one(Step(1.0, 1.0), 0, 1)}
        count = Counter(s for _, s, _ in heard(Pattern("x", 400, rows=rows), 4000 * 1800, seed=808))
        # Binomial: 1200 expected of 4000, deviation 29; four of them.
        assert abs(count[0] - 1200) < 116
        assert (count[1], count[CODES.index("CH")]) == (0, 4000)

    def test_a_seed_is_a_performance_and_an_edit_changes_nothing_else(self) -> None:
        pattern = find_pattern("jungle")
        first, again, other = (heard(pattern, 8 * BAR, seed=seed) for seed in (1, 1, 2))
        assert first == again
        assert first != other
        edited = heard(pattern.with_step("CB", 0, velocity=0.5, chance=0.5), 8 * BAR, seed=1)
        assert [hit for hit in edited if hit[1] != CODES.index("CB")] == first

    def test_bars_differ(self) -> None:
        rows = {"BD": tuple(Step(1.0, 0.5) for _ in range(16))}
        frames = frames_of(Pattern("x", 120, rows=rows), 8 * BAR, seed=3)
        assert len({tuple(f % BAR for f in frames if f // BAR == bar) for bar in range(8)}) == 8


class TestVariation:
    def test_a_bar_varies_and_the_next_is_the_pattern_again(self) -> None:
        pattern = find_pattern("electro")
        plain = heard(pattern, 64 * BAR)
        varied = heard(pattern, 64 * BAR, vary=0.25, seed=808)
        bar = round(BAR * 120 / pattern.tempo_bpm)

        def bars(played) -> list[list]:
            found: list[list] = [[] for _ in range(60)]
            for frame, slot, velocity in played:
                if frame < 60 * bar - 10:
                    found[(frame + 5) // bar].append((round(frame % bar, -2), slot, velocity))
            return found

        changed = [a != b for a, b in zip(bars(plain), bars(varied), strict=True)]
        # Binomial: 15 expected of 60, deviation 3.4; three of them.
        assert 5 <= sum(changed) <= 25
        assert heard(pattern, 64 * BAR, vary=0.25, seed=808) == varied

    def test_every_so_many_bars_end_in_a_fill(self) -> None:
        pattern = find_pattern("house")
        plain, score = Score(pattern, CODES), Score(pattern, CODES, fills=4, seed=1)
        filled = []
        for bar in range(12):
            for each in (plain, score):
                if bar == 0:
                    each.begin(0)
                each.begin_bar(16 * bar)
            steps = range(16 * bar, 16 * bar + 16)
            filled.append(any(list(plain.sounding(s)) != list(score.sounding(s)) for s in steps))
        assert filled == [False, False, False, True] * 3

    def test_a_fill_is_asked_for_now_or_for_the_next_bar(self) -> None:
        pattern = Pattern("x", 120, rows={"BD": (1.0,) + (0.0,) * 15, "CH": (0.5,) * 16})

        def ends(rig: Rig, bar: int) -> bool:
            rig.sequencer.advance((bar + 1) * BAR)
            last = [c for c in rig.engine.commands if bar * BAR + 12 * STEP <= c.frame]
            return [c.value for c in last] != [0.5] * 4

        rig = Rig(pattern)
        rig.sequencer.play(0)
        rig.sequencer.advance(STEP)
        rig.sequencer.with_score(lambda score: score.fill("bar"))
        assert [ends(rig, bar) for bar in range(3)] == [False, True, False]
        rig.sequencer.advance(3 * BAR + 4 * STEP)
        rig.sequencer.with_score(lambda score: score.fill("now"))
        assert [ends(rig, bar) for bar in (3, 4)] == [True, False]

    def test_density_is_heard_from_the_next_step_on(self) -> None:
        rig = Rig(Pattern("x", 120, rows={"BD": (1.0, 0.3) * 8}))
        rig.sequencer.play(0)
        rig.sequencer.advance(4 * STEP)
        rig.sequencer.with_score(lambda score: score.set_density(-1.0))
        rig.sequencer.advance(BAR)
        assert rig.frames() == [0, 6000, 12000, 18000, *range(4 * STEP, BAR, 2 * STEP)]
        rig.sequencer.with_score(lambda score: score.set_density(0.0))
        rig.sequencer.advance(2 * BAR)
        assert len(rig.frames()) == 10 + 16


class TestEdits:
    def test_the_pattern_as_it_stands_can_be_taken_away_and_brought_back(self) -> None:
        pattern = find_pattern("boom-bap")
        rig = Rig(pattern)
        rig.sequencer.set_step(0, 3, velocity=0.6, chance=0.5, ratchet=3, nudge=-0.2)
        edited = rig.sequencer.edited
        assert rig.sequencer.pattern is pattern
        assert edited.rows["BD"][2] == Step(0.6, 0.5, 3, -0.2)
        other = Rig()
        other.sequencer.set_pattern(edited, pattern)
        assert other.sequencer.edited == edited
        other.sequencer.with_score(Score.revert)
        assert other.sequencer.edited == pattern

    def test_edits_go_to_the_pattern_that_was_chosen_last(self) -> None:
        rig = Rig(Pattern("x", 120, rows={"BD": (1.0,) * 16}))
        rig.sequencer.play(0)
        rig.sequencer.advance(1)
        rig.sequencer.set_pattern(Pattern("y", 120, rows={"SD": (0.5,) + (0.0,) * 15}))
        rig.sequencer.set_step(1, 2, velocity=0.7)
        rig.sequencer.advance(2 * BAR)
        assert rig.frames(1) == [BAR, BAR + STEP]
        assert len(rig.frames(0)) == 16

    def test_an_edit_is_heard_at_its_step_and_survives_another_kit(self) -> None:
        rig = Rig(Pattern("x", 120, rows={"BD": (1.0,) + (0.0,) * 15}))
        rig.sequencer.play(0)
        rig.sequencer.advance(2 * STEP)
        rig.sequencer.set_step(0, 5, velocity=0.5)
        rig.sequencer.with_score(lambda score: score.set_codes(("SD", "BD")))
        rig.sequencer.advance(BAR)
        assert [(c.frame, c.slot) for c in rig.engine.commands] == [(0, 0), (4 * STEP, 1)]

    def test_mutations_stay_until_the_original_is_wanted(self) -> None:
        pattern = find_pattern("808")
        rig = Rig(pattern, seed=4)
        rig.sequencer.with_score(lambda score: score.mutate(0.5))
        once = rig.sequencer.edited
        rig.sequencer.with_score(lambda score: score.mutate(0.5))
        assert pattern != once != rig.sequencer.edited
        again = Rig(pattern, seed=4)
        again.sequencer.with_score(lambda score: score.mutate(0.5))
        assert again.sequencer.edited == once
        rig.sequencer.with_score(Score.revert)
        assert rig.sequencer.edited == pattern

    def test_steps_end_where_the_row_does(self) -> None:
        rig = Rig(Pattern("x", rows={"BD": (1.0,) * 16, "SD": (1.0,) * 3}))
        with pytest.raises(ConfigError, match="1 to 3"):
            rig.sequencer.set_step(1, 4, velocity=0.5)
        assert rig.sequencer.step(2, 16) == REST


@pytest.mark.parametrize("name", pattern_names())
def test_every_shipped_pattern_plays_with_everything_on(name) -> None:
    played = heard(find_pattern(name), 8 * BAR, vary=1.0, fills=2, seed=9)
    assert len(played) > 50
    assert all(0 < velocity <= 1 for _, _, velocity in played)
