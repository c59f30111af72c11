"""The table: consistent with itself, strict about values, plain about what it refuses."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gan808.control.reference import controller_table, osc_table
from gan808.errors import ConfigError
from gan808.instrument.controllers import controllers, from_controller
from gan808.instrument.parameter import Kind, validate
from gan808.instrument.parameters import BY_ADDRESS, RESERVED_CC, TABLE

LEVEL = BY_ADDRESS["/slot/SLOT/level"]
PAN = BY_ADDRESS["/slot/SLOT/pan"]
MUTE = BY_ADDRESS["/slot/SLOT/mute"]
NEW = BY_ADDRESS["/slot/SLOT/new"]

DESIGN = """/hello /notify /status /sync /trig /play /stop /evolve /evolve/quantise /evolve/mode
/pool /sound/keep /sound/export /kit/load /kit/list /kit/save /seq/play /seq/stop /seq/tempo
/seq/swing /seq/pattern /seq/step"""
SLOT_DESIGN = """level tune decay pan mute choke lock new similar morph brighter darker longer
shorter higher lower undo info changed"""


def test_every_address_of_the_design_is_there_once() -> None:
    wanted = {*DESIGN.split(), *(f"/slot/SLOT/{name}" for name in SLOT_DESIGN.split())}
    assert wanted <= set(BY_ADDRESS)
    assert len(TABLE) == len(BY_ADDRESS)


def test_controllers_neither_meet_nor_take_a_standard_number() -> None:
    taken = sum(len(row.cc) for row in TABLE)
    assert all(len(row.cc) == (16 if row.per_slot else 1) for row in TABLE if row.cc)
    table = controllers()
    assert len(table) == taken, "two rows share a controller"
    assert table.pop(7)[0].address == "/volume"
    assert not RESERVED_CC & set(table)


def test_defaults_and_help_are_in_order() -> None:
    for row in TABLE:
        assert row.help, row.address
        for argument in row.arguments:
            assert argument.type in ("i", "f", "s")
            if isinstance(argument.default, int | float):
                assert argument.minimum is not None
                assert argument.maximum is not None
                assert argument.minimum <= argument.default <= argument.maximum


@pytest.mark.parametrize(
    ("row", "given_", "expected"),
    [
        (LEVEL, [1], (1.0,)),
        (LEVEL, [], ()),
        (MUTE, [1.0], (1,)),
        (MUTE, [True], (1,)),
        (LEVEL, [1.0000001], (1.0000001,)),
        (NEW, [], ()),
        (NEW, [7], (7,)),
        (BY_ADDRESS["/trig"], [3, 1], ("3", 1.0)),
        (BY_ADDRESS["/evolve/mode"], ["all"], ("all",)),
        (BY_ADDRESS["/seq/step"], ["BD", 5], ("BD", 5)),
        (BY_ADDRESS["/stop"], [], ()),
    ],
)
def test_accepted(row, given_, expected) -> None:
    values = validate(row, given_)
    assert values == expected
    assert [type(v) for v in values] == [type(v) for v in expected]


@pytest.mark.parametrize(
    ("row", "given_", "why"),
    [
        (LEVEL, [1.1], "level 1.1: must be a number from 0 to 1"),
        (LEVEL, [-0.1], "from 0 to 1"),
        (LEVEL, [math.nan], "level nan"),
        (LEVEL, [math.inf], "level inf"),
        (LEVEL, ["loud"], "level 'loud'"),
        (LEVEL, [0.5, 0.5], "takes f \\(level\\), not 2 arguments"),
        (LEVEL, [None], "level None"),
        (MUTE, [0.5], "a whole number from 0 to 1"),
        (NEW, [2**31], "seed 2147483648"),
        (BY_ADDRESS["/trig"], [], "takes s \\[f\\] \\(slot, velocity\\), not 0"),
        (BY_ADDRESS["/evolve/quantise"], ["soon"], "must be now, beat or bar"),
        (BY_ADDRESS["/kit/load"], [b"kit"], "must be text"),
        (BY_ADDRESS["/seq/play"], [1], "takes no arguments, not 1"),
        (BY_ADDRESS["/seq/step"], [], "takes s i \\[f\\]"),
        (BY_ADDRESS["/play"], ["s"], "pairs"),
        (BY_ADDRESS["/play"], [1, "bd"], "not a name and its value"),
    ],
)
def test_refused_in_one_line(row, given_, why) -> None:
    with pytest.raises(ConfigError, match=why) as caught:
        validate(row, given_)
    assert "\n" not in str(caught.value)


scalar = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5),
                   st.binary(max_size=5))


@given(st.sampled_from(TABLE), st.lists(scalar, max_size=5))
def test_anything_is_either_in_range_or_refused(row, arguments) -> None:
    try:
        values = validate(row, arguments)
    except ConfigError:
        return
    for argument, value in zip(row.arguments, values, strict=False):
        assert isinstance(value, {"i": int, "f": float, "s": str}[argument.type])
        if argument.minimum is not None and argument.maximum is not None:
            assert argument.minimum - 1e-6 <= value <= argument.maximum + 1e-6


def test_a_controller_reaches_both_ends_and_the_middle_is_nought() -> None:
    for row, _ in controllers().values():
        if row.kind is Kind.ACTION:
            assert from_controller(row, 63) is None
            assert from_controller(row, 64) == ()
            continue
        argument = row.arguments[0]
        assert from_controller(row, 0) == (argument.minimum,)
        assert from_controller(row, 127) == (argument.maximum,)
        values = [from_controller(row, value) for value in range(128)]
        assert values == sorted(values)
    assert from_controller(PAN, 64) == (0.0,)


def test_the_documents_name_every_row() -> None:
    text = osc_table()
    assert all(f"`{row.address}`" in text for row in TABLE)
    controls = controller_table()
    assert all(f"`{row.address}`" in controls for row, _ in controllers().values())
