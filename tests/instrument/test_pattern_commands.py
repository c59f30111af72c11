"""Patterns over OSC: every row sets, answers and tells whoever listens; saving and going back."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gan808.errors import ConfigError
from gan808.instrument.events import ParameterChanged
from gan808.instrument.parameter import Argument, Kind
from gan808.instrument.parameters import TABLE
from gan808.sequencer.patterns import Pattern, parse_pattern
from gan808.sequencer.steps import REST, Step
from tests.fakes import FakeKit
from tests.instrument.rig import BAR, Rig

STEP = BAR // 16
TWO = Pattern("test", 120.0, rows={"BD": (1.0, 0.0, 0.78, 0.0) * 4, "SD": (0.0,) * 4 + (1.0,) * 4})


def told(rig: Rig) -> list[tuple[str, tuple]]:
    """What clients heard since the last time asked."""
    events = [(e.address, e.values) for e in rig.of_type(ParameterChanged)]
    rig.events.clear()
    return events


@pytest.fixture
def rig() -> Rig:
    made = Rig(pattern=TWO)
    made.run(128)
    made.events.clear()
    return made


class TestSteps:
    @pytest.mark.parametrize(("name", "value", "plain"), [
        ("step", 0.5, 0.0), ("chance", 0.25, 1.0), ("ratchet", 3, 1), ("nudge", -0.125, 0.0),
        ("tune", -7.5, 0.0), ("pan", 0.5, 0.0), ("decay", 0.5, 1.0),
        ("condition", "2:3", "")])
    def test_each_field_is_set_and_read(self, rig, name, value, plain) -> None:
        assert rig.ask(f"/seq/{name}", "BD", 4) == ("BD", 4, plain)
        assert rig.ask(f"/seq/{name}", 1, 4, value) == ("BD", 4, value)
        assert told(rig) == [(f"/seq/{name}", ("BD", 4, value))]
        assert rig.ask(f"/seq/{name}", "BD", 4) == ("BD", 4, value)

    def test_what_is_set_is_heard_on_its_frame(self, rig) -> None:
        rig.ask("/seq/step", "CP", 9, 0.5)
        rig.ask("/seq/ratchet", "CP", 9, 2)
        rig.ask("/seq/nudge", "CP", 9, 0.25)
        rig.run(BAR)
        clap = rig.machine.codes.index("CP")
        assert [hit.frame for hit in rig.engine.hits if hit.slot == clap] == [
            round(8.25 * STEP), round(8.75 * STEP)]

    def test_a_steps_tune_pan_and_decay_are_its_hits(self, rig) -> None:
        rig.ask("/seq/step", "CP", 9, 0.5)
        rig.ask("/seq/tune", "CP", 9, -5.0)
        rig.ask("/seq/pan", "CP", 9, 0.25)
        rig.ask("/seq/decay", "CP", 9, 0.5)
        rig.run(BAR)
        clap = rig.machine.codes.index("CP")
        sent = [c for c in rig.engine.commands if c.name == "trigger" and c.slot == clap]
        assert [(hit.tune_semitones, hit.pan, hit.decay) for hit in sent] == [(-5.0, 0.25, 0.5)]

    @pytest.mark.parametrize(("address", "arguments", "why"), [
        ("/seq/condition", ("BD", 1, "3:2"), "give fill, !fill, first"),
        ("/seq/chance", ("BD", 17, 0.5), "step 17: the row has steps 1 to 16"),
        ("/seq/chance", ("SD", 9), "steps 1 to 8"),
        ("/seq/length", ("BD", 3, 4), "takes s [i]"),
        ("/seq/row", ("BD", "x?"), "BD: step 2: '?' is no step"),
        ("/seq/row", ("BD", ""), "0 steps; give 1 to 64"),
        ("/seq/euclid", ("BD", 9, 8), "hits 9: more than the 8 steps"),
        ("/seq/pattern", ("nowhere",), "no such pattern"),
    ])
    def test_what_cannot_be_is_refused_and_changes_nothing(self, rig, address, arguments, why):
        before = rig.machine.sequencer.edited
        try:
            said = rig.refusal(address, *arguments)
        except ConfigError as error:  # before it reached the machine
            said = str(error)
        assert why in said
        assert rig.machine.sequencer.edited == before
        assert told(rig) == []


class TestRows:
    def test_a_row_has_its_own_length(self, rig) -> None:
        assert rig.ask("/seq/length", "BD") == ("BD", 16)
        assert rig.ask("/seq/length", "BD", 6) == ("BD", 6)
        assert told(rig) == [("/seq/length", ("BD", 6)), ("/seq/row", ("BD", "X.x. X."))]
        rig.run(BAR)
        assert [h.frame // STEP for h in rig.engine.hits if h.slot == 0][:6] == [0, 2, 4, 6, 8, 10]
        assert rig.ask("/seq/length", "BD", 8) == ("BD", 8)
        assert rig.ask("/seq/row", "BD") == ("BD", "X.x. X.X."), "it goes on as it went round"

    def test_a_row_is_written_as_in_a_file(self, rig) -> None:
        assert rig.ask("/seq/row", "CH", "x.o. xX | g") == ("CH", "x.o. xXg")
        assert told(rig) == [("/seq/row", ("CH", "x.o. xXg"))]
        assert len(rig.machine.sequencer.edited.rows["CH"]) == 7

    def test_clear_one_or_all(self, rig) -> None:
        rig.ask("/seq/clear", "BD")
        assert told(rig) == [("/seq/row", ("BD", ".... .... .... ...."))]
        assert rig.machine.sequencer.used_slots() == [1]
        rig.ask("/seq/clear")
        assert told(rig) == [("/seq/row", ("SD", ".... ...."))]
        assert rig.machine.sequencer.used_slots() == []

    def test_euclid(self, rig) -> None:
        rig.ask("/seq/euclid", "RS", 3, 8)
        assert told(rig) == [("/seq/row", ("RS", "X..x ..x."))]
        rig.ask("/seq/euclid", "RS", 5, 8, 1)
        assert rig.ask("/seq/row", "RS") == ("RS", ".X.x x.xx")
        rig.ask("/seq/euclid", "SD", 2)
        assert rig.ask("/seq/row", "SD") == ("SD", "X... x..."), "as long as the row is"


class TestVariation:
    def test_mutations_tell_their_rows_and_original_takes_them_back(self, rig) -> None:
        rig.ask("/seq/mutate", 1.0)
        changed = dict(values for address, values in told(rig) if address == "/seq/row")
        assert changed
        assert set(changed) <= {"BD", "SD"}
        rig.ask("/seq/original")
        assert {code for _, (code, _) in told(rig)} == set(changed)
        assert rig.machine.sequencer.edited == TWO

    @pytest.mark.parametrize(("address", "value"), [
        ("/seq/density", -0.5), ("/seq/vary", 0.25), ("/seq/fills", 4)])
    def test_values_are_set_read_and_told(self, rig, address, value) -> None:
        assert rig.ask(address) == (0,)
        assert rig.ask(address, value) == (value,)
        assert told(rig) == [(address, (value,))]
        assert rig.ask(address) == (value,)

    def test_the_settings_reach_the_sequencer(self) -> None:
        made = Rig(sequencer={"pattern": "test", "vary": 0.5, "fills": 8})
        assert (made.ask("/seq/vary"), made.ask("/seq/fills")) == ((0.5,), (8,))

    def test_a_fill_changes_the_end_of_the_next_bar(self, rig) -> None:
        rig.run(BAR // 2)
        rig.ask("/seq/fill")
        rig.run(3 * BAR)

        def ends(bar: int) -> list[tuple[int, int, float]]:
            return [(h.frame % BAR, h.slot, h.velocity) for h in rig.engine.hits
                    if bar * BAR + 12 * STEP <= h.frame < (bar + 1) * BAR]

        assert ends(0) == ends(2) != ends(1)

    def test_the_same_seed_is_the_same_performance(self) -> None:
        def performance(seed: int) -> list:
            made = Rig(pattern=TWO, renderer={"seed": seed},
                       sequencer={"pattern": "test", "vary": 0.7, "fills": 2})
            made.send("/seq/mutate", 0.5)
            made.send("/seq/row", "CH", "xxxx xxxx xxxx xxxx")
            for step in range(1, 17):
                made.send("/seq/chance", "CH", step, 0.5)
            made.run(8 * BAR)
            return [(h.frame, h.slot, h.velocity) for h in made.engine.hits]

        assert performance(1) == performance(1) != performance(2)


ROWS = [row for row in TABLE if row.address.startswith("/seq/") and row.kind is not Kind.EVENT
        and row.address not in ("/seq/play", "/seq/stop", "/seq/sync", "/seq/save")]
TEXTS = {"slot": ("BD", "SD", "CH", "OH", "3", "16"), "signs": ("x.o", "X..g X", "", "?", "x" * 65),
         "pattern": ("808", "off", "nowhere"),
         "song": ("off", "nowhere"),
         "condition": ("", "fill", "!first", "2:3", "3:2", "x")}


def values(argument: Argument) -> st.SearchStrategy:
    """Values of an argument, in range or a little beside it."""
    if argument.type == "s":
        return st.sampled_from(TEXTS.get(argument.name, argument.choices))
    assert argument.minimum is not None
    assert argument.maximum is not None
    if argument.type == "i":
        return st.integers(int(argument.minimum) - 1, int(argument.maximum) + 1)
    return st.floats(argument.minimum - 0.1, argument.maximum + 0.1)


@st.composite
def messages(draw: st.DrawFn) -> tuple[str, list]:
    """A message of the sequencer's part of the table."""
    row = draw(st.sampled_from(ROWS))
    arguments = row.arguments[:draw(st.integers(0, len(row.arguments)))]
    return row.address, [draw(values(argument)) for argument in arguments]


@settings(max_examples=60, deadline=None)
@given(st.lists(messages(), max_size=25))
def test_whatever_is_sent_the_beat_goes_on_and_can_be_saved(sent) -> None:
    rig = Rig(pattern=TWO)
    for address, arguments in sent:
        with contextlib.suppress(ConfigError):
            rig.send(address, *arguments)
        rig.run(STEP)
    edited = rig.machine.sequencer.edited
    assert parse_pattern(edited.to_toml(), "saved") == edited
    rig.send("/seq/tempo", 120)
    for address, value in (("/seq/vary", 0.0), ("/seq/fills", 0), ("/seq/density", 0.0)):
        rig.send(address, value)
    rig.send("/seq/row", "BD", "x")
    rig.run(2 * BAR)
    before = len(rig.engine.hits)
    rig.run(BAR)
    assert sum(hit.slot == 0 for hit in rig.engine.hits[before:]) == 16


class TestPatterns:
    def test_another_pattern_is_told_and_known_by_name(self, rig) -> None:
        assert rig.ask("/seq/pattern", "trap") == ("trap",)
        assert told(rig) == [("/seq/pattern", ("trap",))]
        assert rig.ask("/seq/pattern") == ("trap",)
        assert {"test", "trap", "808"} <= set(rig.ask("/seq/patterns"))

    def test_save_keeps_the_edits_under_the_name(self, rig) -> None:
        rig.ask("/seq/step", "BD", 2, 0.63)
        assert rig.ask("/seq/save", "mine") == ("patterns/mine.toml",)
        assert told(rig)[-1] == ("/seq/pattern", ("mine",))
        assert rig.library.patterns["mine"].rows["BD"][1] == Step(0.63)
        rig.ask("/seq/step", "BD", 2, 0.1)
        rig.ask("/seq/original")
        assert rig.ask("/seq/step", "BD", 2) == ("BD", 2, 0.63)
        assert rig.machine.status().pattern == "mine"

    def test_a_kit_of_another_sort_is_edited_by_its_own_codes(self) -> None:
        slots = tuple(type(FakeKit().slots[0])(code, code, "kick", (60 + n,))
                      for n, code in enumerate(("DO", "BA", "KA")))
        made = Rig(kit=FakeKit("fake", slots), pattern=TWO)
        assert made.ask("/seq/step", "KA", 3, 0.5) == ("KA", 3, 0.5)
        assert made.ask("/seq/row", "DO") == ("DO", "X.x. X.x. X.x. X.x.")
        assert list(made.machine.sequencer.edited.rows) == ["DO", "BA", "KA"]
        assert made.machine.sequencer.edited.rows["KA"][2] == Step(0.5)
        assert made.machine.sequencer.edited.rows["KA"][0] == REST
