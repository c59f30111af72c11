"""Patterns: those that ship are sound, one's own are checked, and writing loses nothing."""

from __future__ import annotations

import math
import re
import shlex
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gan808.errors import ConfigError
from gan808.instrument.addresses import decode
from gan808.sequencer.notation import write_row
from gan808.sequencer.patterns import OFF, SILENCE, VELOCITIES, Pattern, parse_pattern
from gan808.sequencer.steps import REST, Step
from gan808.sound.kit.slots import TR808
from gan808.storage.pattern_files import (
    find_own_pattern,
    find_pattern,
    pattern_names,
    pattern_source,
    save_pattern,
)

CODES = [slot.code for slot in TR808]
GOOD = 'name = "x"\n[steps]\nBD = "X... x... | o... g..."\n'
ROW = 'name = "x"\n[steps]\nBD = "X..."\n'
FULL = """name = "x"
[steps]
BD = "X.x. oog"
CH = "xxx"
[chance]
BD = "..5. ..9"
CH = 0.25
[ratchet]
BD = "2... .4."
[nudge]
BD = "l.E. e.L"
CH = { 2 = -0.03, 3 = 0.5 }
[velocity]
BD = { 3 = 0.9 }
"""


def unrolled(row: tuple[Step, ...], steps: int) -> list[Step]:
    return [row[place % len(row)] for place in range(steps)]


class TestShipped:
    @pytest.mark.parametrize("name", pattern_names())
    def test_they_are_music(self, name: str) -> None:
        pattern = find_pattern(name)
        assert pattern.name == name
        assert pattern.description
        assert set(pattern.rows) <= set(CODES)
        assert pattern.rows["BD"][0].velocity > 0, "the one is where the kick is"
        used = {step.velocity for row in pattern.rows.values() for step in row}
        assert {VELOCITIES["X"], VELOCITIES["x"], VELOCITIES["g"]} <= used, "accents and ghosts"
        closed, opened = pattern.rows.get("CH"), pattern.rows.get("OH")
        if closed and opened:
            whole = math.lcm(len(closed), len(opened))
            pairs = zip(unrolled(closed, whole), unrolled(opened, whole), strict=True)
            assert not any(c.sounds and o.sounds for c, o in pairs), "one pair of hats"

    def test_there_are_enough_and_the_default_is_one_of_them(self) -> None:
        names = pattern_names()
        assert {"808", "electro", "house", "boom-bap", "bossa", "techno", "half-time", "trap",
                "dembow", "footwork", "lo-fi"} <= set(names)
        assert len(names) >= 18
        assert len({find_pattern(name).description for name in names}) == len(names)

    def test_the_new_means_are_used(self) -> None:
        steps = [step for name in pattern_names() for row in find_pattern(name).rows.values()
                 for step in row]
        assert sum(step.ratchet > 1 for step in steps) >= 10
        assert sum(step.chance < 1 for step in steps) >= 30
        assert any(step.nudge < 0 for step in steps)
        assert any(step.nudge > 0 for step in steps)
        assert len(set(map(len, find_pattern("polymeter").rows.values()))) == 4

    def test_they_are_printed_as_they_are_written(self) -> None:
        text = pattern_source("house")
        assert text.startswith("# Four on the floor")
        assert parse_pattern(text, "house") == find_pattern("house")


class TestReading:
    def test_signs_are_velocities(self) -> None:
        row = parse_pattern(GOOD, "test").rows["BD"]
        assert [row[i].velocity for i in (0, 4, 8, 12, 1)] == [1.0, 0.78, 0.55, 0.32, 0.0]

    def test_every_table_adds_to_the_steps(self) -> None:
        rows = parse_pattern(FULL, "test").rows
        assert rows["BD"] == (
            Step(1.0, ratchet=2, nudge=0.1), REST, Step(0.9, chance=0.5, nudge=-0.25), REST,
            Step(0.55, nudge=-0.1), Step(0.55, ratchet=4), Step(0.32, chance=0.9, nudge=0.25))
        assert rows["CH"] == (Step(0.78, 0.25), Step(0.78, 0.25, nudge=-0.03),
                              Step(0.78, 0.25, nudge=0.5))

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("name = ", "not valid TOML"),
            ("tempo_bpm = " + "9" * 5000, "not valid TOML"),
            (ROW + "[nudge]\nBD = { 0001000 = 0.1 }", "step '0001000'"),
            ('name = "x"', r"\[steps\] is missing"),
            ('name = "x"\nsteps = 1', r"steps = 1: it is a table: \[steps\]"),
            ('[steps]\nBD = "X... X... X... X..."', "name = None"),
            ('name = "x"\n[steps]\nBD = " | "', "BD has 0 steps; give 1 to 64"),
            ('name = "x"\n[steps]\nBD = "' + "x" * 65 + '"', "BD has 65 steps; give 1 to 64"),
            ('name = "x"\n[steps]\nBD = "X... X..?"', "BD: step 8: '\\?' is no step; steps are X"),
            ('name = "x"\n[steps]\nBD = 5', "BD = 5"),
            ('name = "x"\ntempo_bpm = 1000\n[steps]\nBD = "X..."', "from 20 to 400"),
            ('name = "x"\nswing = true\n[steps]\nBD = "X..."', "swing = True"),
            ('name = "x"\nfeel = 1\n[steps]\nBD = "X..."', "feel is unknown"),
            (ROW + '[chance]\nSD = "5..."', r"\[chance\] SD: there is no"),
            (ROW + '[chance]\nBD = "5."', "2 signs under 4 steps"),
            (ROW + '[chance]\nBD = "..5."', "3: 5 stands under a rest"),
            (ROW + '[chance]\nBD = "l..."', "1: 'l': give 1 to 9, tenths"),
            (ROW + '[ratchet]\nBD = "9..."', "'9': give 2 to 8 hits"),
            (ROW + '[nudge]\nBD = "x..."', "give e E early, l L late"),
            (ROW + '[nudge]\nBD = { 5 = 0.1 }', "'5': the row has steps 1 to 4"),
            (ROW + '[nudge]\nBD = { x = 0.1 }', "step 'x'"),
            (ROW + '[nudge]\nBD = { 1 = 0.6 }',
             "step 1 = 0.6: give a number from -0.5 to 0.5"),
            (ROW + '[ratchet]\nBD = 2.5', "give a whole number from 1"),
            (ROW + '[velocity]\nBD = "x..."', "give values by step"),
            (ROW + '[condition]\nBD = { 1 = "3:2" }', "step 1 = '3:2': give fill, !fill, first"),
            (ROW + '[condition]\nBD = { 1 = "1:17" }', "up to 16"),
            (ROW + '[condition]\nBD = "x..."', "f fill, n not in a fill"),
            (ROW + '[tune_semitones]\nBD = { 1 = 25 }', "from -24 to 24"),
            (ROW + '[velocity]\nBD = { 1 = true }', "from 0 to 1"),
        ],
    )
    def test_broken_files_are_refused_by_name(self, tmp_path: Path, text: str, why: str) -> None:
        path = tmp_path / "mine.toml"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError, match=why) as caught:
            find_pattern(str(path))
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)

    @given(st.text(max_size=200))
    def test_any_text_is_a_pattern_or_refused_in_one_line(self, text: str) -> None:
        try:
            parse_pattern(f'name = "x"\n{text}', "test")
        except ConfigError as error:
            assert len(str(error).splitlines()) <= 1


share = st.floats(0, 1, allow_subnormal=False)
steps = st.builds(Step, share, share, st.integers(1, 8), st.floats(-0.5, 0.5))
plain = st.builds(
    Step, st.sampled_from(sorted(VELOCITIES.values())), st.sampled_from([1.0, 0.5, 0.1]),
    st.sampled_from([1, 2, 8]), st.sampled_from([0.0, 0.1, -0.25]), st.sampled_from([0.0, -7.5]),
    st.sampled_from([0.0, 0.25]), st.sampled_from(["", "fill", "!first", "2:3"]),
    st.sampled_from([1.0, 0.0, 0.3]))
patterns = st.builds(
    Pattern,
    st.text(min_size=1, max_size=10).filter(lambda t: t.isprintable()),
    st.floats(20, 400), share,
    st.text(max_size=20).filter(lambda t: "\ud800" not in t and t.isprintable()),
    st.dictionaries(
        st.sampled_from([*CODES, "my drum", "ü\"x"]),
        st.lists(steps | plain, min_size=1, max_size=64).map(tuple), max_size=4))


class TestWriting:
    @settings(max_examples=40, deadline=None)
    @given(patterns)
    def test_what_is_written_is_read_again(self, pattern: Pattern) -> None:
        assert parse_pattern(pattern.to_toml(), "test") == pattern

    @pytest.mark.parametrize("name", [*pattern_names(), OFF])
    def test_those_that_ship_come_back_whole(self, name: str) -> None:
        pattern = find_pattern(name)
        assert parse_pattern(pattern.to_toml(), name) == pattern

    def test_it_is_written_to_be_read(self) -> None:
        rows = {"BD": (Step(1.0), REST, Step(0.78, 0.5), REST) * 5, "CH": (Step(0.6, ratchet=3),)}
        assert Pattern("mine", 97.5, 0.25, 'say "hi"', rows).to_toml() == """name = "mine"
description = "say \\"hi\\""
tempo_bpm = 97.5
swing = 0.25

[steps]
#     1... 2... 3... 4...
BD = "X.x. X.x. X.x. X.x.  | X.x."
CH = "o"

[velocity]
CH = {1 = 0.6}

[chance]
BD = "..5. ..5. ..5. ..5.  | ..5."

[ratchet]
CH = "3"
"""

    def test_a_hit_never_becomes_a_rest(self) -> None:
        assert write_row((Step(0.01), REST)) == "g."


class TestFiles:
    def test_files_of_ones_own_come_first_by_name(self, tmp_path: Path) -> None:
        (tmp_path / "808.toml").write_text(GOOD, encoding="utf-8")
        (tmp_path / "mine.toml").write_text(GOOD, encoding="utf-8")
        assert find_pattern("808", [tmp_path]).name == "x"
        assert "mine" in pattern_names([tmp_path])
        assert find_pattern(OFF).rows == {}

    @pytest.mark.parametrize("name", ["nowhere", "../808", "", "/etc/passwd", "missing.toml",
                                      "missing.mid", "a\0b", "a\0.toml", "y" * 5000,
                                      "y" * 5000 + ".mid"])
    def test_unknown_names_are_refused(self, name: str, tmp_path: Path) -> None:
        for find in (find_pattern, find_own_pattern):
            with pytest.raises(ConfigError):
                find(name, [tmp_path])

    def test_not_text_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "noise.toml"
        path.write_bytes(b"\xff\xfe\x00")
        with pytest.raises(ConfigError, match="UTF-8"):
            find_pattern(str(path))

    def test_from_the_network_a_path_stays_inside(self, tmp_path: Path) -> None:
        own = tmp_path / "patterns"
        own.mkdir()
        for path in (own / "mine.toml", tmp_path / "secret.toml"):
            path.write_text(GOOD, encoding="utf-8")
        (own / "link.toml").symlink_to(tmp_path / "secret.toml")
        for inside in ("mine", "mine.toml", str(own / "mine.toml"), "./mine.toml"):
            assert find_own_pattern(inside, [own]).name == "x"
        for outside in ("../secret.toml", str(tmp_path / "secret.toml"), "link.toml",
                        "../patterns/../secret.toml"):
            with pytest.raises(ConfigError, match="no such file in"):
                find_own_pattern(outside, [own])
        assert find_pattern(str(tmp_path / "secret.toml"), [own]).name == "x"

    def test_saving_keeps_what_was_there(self, tmp_path: Path) -> None:
        folder = tmp_path / "new"
        first, second = Pattern("a", rows={"BD": (1.0,)}), Pattern("b", rows={"SD": (0.5, 0.0)})
        path = save_pattern(first, "mine", folder)
        assert find_pattern("mine", [folder]) == Pattern("mine", rows=first.rows)
        assert save_pattern(second, "mine.toml", folder) == path
        assert find_pattern("mine", [folder]).rows == second.rows
        assert parse_pattern((folder / "mine.toml~").read_text(), "old").rows == first.rows
        assert pattern_names([folder]) == sorted([*pattern_names(), "mine"])

    @pytest.mark.parametrize("name", ["", "off", "../x", "/x", "a/b", ".x", "x\n", "y" * 81,
                                      "x.mid"])
    def test_a_pattern_is_saved_in_its_folder_or_not_at_all(self, tmp_path: Path, name) -> None:
        with pytest.raises(ConfigError, match="no name for a pattern"):
            save_pattern(SILENCE, name, tmp_path)
        assert list(tmp_path.iterdir()) == []


def test_the_documents_example_is_a_pattern() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "patterns.md").read_text("utf-8")
    example = re.search(r"^```toml\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    assert example is not None
    pattern = parse_pattern(example[1], "docs/patterns.md")
    assert {len(row) for row in pattern.rows.values()} == {32, 16, 10}
    assert pattern.rows["SD"][4] == Step(1.0, nudge=0.06)
    sent = re.findall(r"^oscsend localhost 8808 (\S+) ?(\S*) ?([^#\n]*)", page, re.MULTILINE)
    assert len(sent) > 12
    for address, types, values in sent:
        arguments = shlex.split(values)
        assert len(arguments) == len(types)
        assert decode(address, [value if kind == "s" else float(value) for kind, value in
                                zip(types, arguments, strict=True)], CODES)


def test_rows_find_their_slots_and_a_strange_kit_plays_all_the_same() -> None:
    pattern = find_pattern("house")
    grid = pattern.laid_out(CODES)
    assert grid[0] == pattern.rows["BD"]
    assert len(grid) == 16
    assert grid[CODES.index("CY")] == (REST,)
    assert pattern.laid_out(["BD", "XY"]) == [pattern.rows["BD"], (REST,)]
    strange = pattern.laid_out(["DO", "BA"])
    assert strange[0] == pattern.rows["BD"]
    assert any(step.sounds for step in strange[1])
    edited = pattern.fitted(["DO", "BA"]).with_step("BA", 3, velocity=0.4)
    assert edited.laid_out(["DO", "BA"])[0] == pattern.rows["BD"], "an edit moves no row"


def test_a_new_row_is_as_long_as_the_pattern() -> None:
    pattern = Pattern("x", rows={"BD": (1.0,) * 24}).with_step("SD", 20, velocity=0.5, ratchet=3)
    assert pattern.rows["SD"] == (REST,) * 20 + (Step(0.5, ratchet=3),) + (REST,) * 3
