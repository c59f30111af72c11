"""OSC addresses to requests: codes, numbers, wildcards, refusals."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gan808.errors import ConfigError
from gan808.instrument.addresses import decode
from gan808.instrument.parameter import Kind, Parameter
from gan808.instrument.parameters import BY_ADDRESS, TABLE
from gan808.instrument.superdirt import hit_of_pairs
from gan808.sound.kit.slots import TR808

CODES = tuple(slot.code for slot in TR808)


def targets(address: str, *arguments: object) -> list[tuple[str, int | None, tuple]]:
    return [(r.parameter.address, r.slot, r.values) for r in decode(address, arguments, CODES)]


@pytest.mark.parametrize("name", ["BD", "bd", "1"])
def test_a_slot_goes_by_code_or_number(name: str) -> None:
    assert targets(f"/gan808/slot/{name}/level", 0.5) == [("/slot/SLOT/level", 0, (0.5,))]
    assert targets("/gan808/trig", name, 1.0) == [("/trig", 0, (1.0,))]


def test_numbers_are_slots_too() -> None:
    assert targets("/gan808/trig", 16, 1)[0][1] == 15
    assert targets("/gan808/slot/16/info") == [("/slot/SLOT/info", 15, ())]


def test_arguments_for_submit_begin_with_the_slot() -> None:
    (request,) = decode("/gan808/seq/step", ["SD", 5, 0.5], CODES)
    assert request.arguments == (1, 5, 0.5)
    assert request.address(CODES) == "/gan808/seq/step"
    (request,) = decode("/gan808/slot/2/level", [], CODES)
    assert request.arguments == (1,)
    assert request.address(CODES) == "/gan808/slot/SD/level"


@pytest.mark.parametrize(
    ("address", "slots"),
    [
        ("/gan808/slot/*/level", range(16)),
        ("/gan808/slot/{BD,SD}/level", [0, 1]),
        ("/gan808/slot/?H/level", [14, 15]),
        ("/gan808/slot/[LMH]T/level", [2, 3, 4]),
        ("/gan808/slot/[1-3]/level", [0, 1, 2]),
        ("/gan808/slot/[!LMH]C/level", []),
    ],
)
def test_wildcards_expand(address: str, slots) -> None:
    if not list(slots):
        with pytest.raises(ConfigError, match="no such address"):
            targets(address, 0.5)
    else:
        assert [slot for _, slot, _ in targets(address, 0.5)] == list(slots)


def test_a_wild_name_never_sets_off_an_action() -> None:
    found = {address for address, _, _ in targets("/gan808/slot/BD/*")}
    assert "/slot/SLOT/level" in found
    assert "/slot/SLOT/info" in found
    assert not found & {"/slot/SLOT/new", "/slot/SLOT/undo", "/slot/SLOT/changed"}
    assert [slot for _, slot, _ in targets("/gan808/slot/*/new")] == list(range(16))


@pytest.mark.parametrize(
    ("address", "arguments", "why"),
    [
        ("/gan808/slot/XX/level", [1], "slot 'XX': must be BD, SD"),
        ("/gan808/slot/0/level", [1], "or 1 to 16"),
        ("/gan808/slot/17/level", [1], "or 1 to 16"),
        ("/gan808/slot/²/level", [1], "slot '²'"),
        ("/gan808/slot/BD/colour", [1], "no such address"),
        ("/gan808/slot/SLOT/level", [1], "slot 'SLOT'"),
        ("/gan808/slot/BD/changed", ["x", 1], "no such address"),
        ("/gan808/fail", ["x", "y"], "no such address"),
        ("/other/trig", ["BD", 1], "begin with /gan808/"),
        ("/gan808", [], "begin with /gan808/"),
        ("/gan808/trig", ["ZZ", 1.0], "slot 'ZZ'"),
        ("/gan808/slot/BD/similar", [1.5], "radius 1.5: must be a number from 0 to 1"),
        ("/gan808/slot/BD/morph", [5], "takes i f"),
        ("/gan808/slot/{BD/level", [0.5], "wildcard|no such"),
        ("/gan808/slot/[z-a]/level", [0.5], "wildcard"),
        ("/gan808/" + "*a" * 200, [], "too long"),
    ],
)
def test_refusals_say_why(address: str, arguments: list, why: str) -> None:
    with pytest.raises(ConfigError, match=why) as caught:
        decode(address, arguments, CODES)
    assert "\n" not in str(caught.value)


@given(st.text(alphabet="/*?[]{}!-,abBDSgan80\\^$.(+|", max_size=40))
def test_any_address_is_understood_or_refused(tail: str) -> None:
    try:
        requests = decode(f"/gan808/{tail}", [], CODES)
    except ConfigError:
        return
    assert requests


class TestPlay:
    def test_dirt_play_is_the_same(self) -> None:
        (request,) = decode("/dirt/play", ["s", "bd", "gain", 0.5, "orbit", 3], CODES)
        assert request.parameter.address == "/play"
        assert hit_of_pairs(request.values, CODES).slot == 0

    def test_pairs_become_a_hit(self) -> None:
        hit = hit_of_pairs(["s", "hh", "gain", 0.5, "pan", 1, "speed", -2, "cut", 1], CODES)
        assert (hit.slot, hit.gain, hit.pan, hit.tune_semitones, hit.cut) == (15, 0.5**4, 1.0,
                                                                              12.0, True)

    def test_what_tidal_sends_is_understood(self) -> None:
        """`d1 $ s "bd:3" # gain 0.9 # cut 1` as it leaves TidalCycles; what means nothing to a
        drum machine is passed over, whatever it is."""
        pairs = ["_id_", "1", "cps", 0.5625, "cycle", 12.25, "delta", 0.4444, "s", "bd", "n", 3.0,
                 "gain", 0.9, "orbit", 0, "cut", 1, "pan", 0.5, "speed", 1.0, "legato", 1.0,
                 "room", 0.3, "size", 0.8, "shape", 0.1, "unit", "r", "note", 2.0]
        (request,) = decode("/dirt/play", pairs, CODES)
        hit = hit_of_pairs(request.values, CODES)
        assert (hit.slot, hit.pan, hit.tune_semitones, hit.cut) == (0, 0.0, 2.0, True)
        assert hit.gain == pytest.approx(0.6561)

    @pytest.mark.parametrize(("name", "code"), [
        ("bd", "BD"), ("sd", "SD"), ("sn", "SD"), ("hh", "CH"), ("hc", "CH"), ("oh", "OH"),
        ("ho", "OH"), ("cp", "CP"), ("lt", "LT"), ("mt", "MT"), ("ht", "HT"), ("rim", "RS"),
        ("cb", "CB"), ("cr", "CY"), ("rd", "CY"), ("sh", "MA"), ("808bd", "BD"), ("808oh", "OH"),
        ("bd:7", "BD"), ("RolandTR909_sd", "SD"), ("clubkick", "BD"), ("cl", "CL"), ("16", "CH"),
    ])
    def test_sample_names_of_tidal_find_their_slots(self, name: str, code: str) -> None:
        assert CODES[hit_of_pairs(["s", name], CODES).slot] == code

    def test_a_kit_of_its_own_codes_keeps_them(self) -> None:
        assert hit_of_pairs(["s", "my_kick"], ["KICK", "MY_KICK"]).slot == 1
        assert hit_of_pairs(["s", "kick"], ["MY_KICK", "KICK"]).slot == 1

    def test_plain_hit_is_neutral(self) -> None:
        hit = hit_of_pairs(["s", "sn"], CODES)
        assert (hit.slot, hit.gain, hit.pan, hit.tune_semitones, hit.cut) == (1, 1.0, 0.0, 0.0,
                                                                              False)

    def test_n_counts_slots_of_the_whole_kit(self) -> None:
        assert hit_of_pairs(["s", "gan808", "n", 17.0], CODES).slot == 1

    @pytest.mark.parametrize(("name", "value"), [("gain", 1e9), ("speed", 1e300), ("pan", -1e9)])
    def test_what_is_too_much_is_clipped(self, name: str, value: float) -> None:
        hit = hit_of_pairs(["s", "bd", name, value], CODES)
        assert hit.gain <= 2
        assert abs(hit.pan) <= 1
        assert abs(hit.tune_semitones) <= 24

    @pytest.mark.parametrize("pairs", [["gain", 1.0], ["s", "superpiano"], ["s", "_"],
                                       ["s", ""], ["s", "bd", "gain", "x"],
                                       ["s", "bd", "speed", float("nan")]])
    def test_nonsense_is_refused(self, pairs: list) -> None:
        with pytest.raises(ConfigError):
            hit_of_pairs(pairs, CODES)


BUTTONS = [row for row in TABLE if row.kind is Kind.ACTION
           and all(a.optional for a in row.arguments)] + [BY_ADDRESS["/stop"]]


@pytest.mark.parametrize("row", BUTTONS, ids=lambda row: row.address)
def test_a_button_acts_when_it_is_pressed_and_not_when_it_is_let_go(row: Parameter) -> None:
    """What TouchOSC and Open Stage Control send: 1.0 and 0.0, or T and F."""
    address = f"/gan808{row.address.replace('SLOT', 'BD')}"
    (bare,) = decode(address, (), CODES)
    for pressed, let_go in ((1.0, 0.0), (True, False)):
        assert decode(address, (pressed,), CODES) == [bare]
        assert decode(address, (let_go,), CODES) == []
    if row.arguments and (row.arguments[0].type == "i" or row.names_slot):
        return  # a whole number is a seed or a slot
    assert decode(address, (1,), CODES) == [bare]
    assert decode(address, (0,), CODES) == []


def test_buttons_are_many() -> None:
    assert {"/slot/SLOT/new", "/slot/SLOT/undo", "/slot/SLOT/brighter", "/seq/play", "/seq/stop",
            "/record/start", "/record/stop", "/seq/fill", "/stop"} <= {r.address for r in BUTTONS}


@pytest.mark.parametrize(("given", "seed"), [(0, 0), (1, 1), (17, 17), (17.0, 17), (2.0, 2)])
def test_a_seed_is_a_whole_number(given: float, seed: int) -> None:
    (request,) = decode("/gan808/slot/BD/new", (given,), CODES)
    assert request.values == (seed,)


def test_a_slot_by_number_is_no_button() -> None:
    (request,) = decode("/gan808/stop", (1,), CODES)
    assert request.slot == 0


def test_a_hit_without_velocity_is_a_full_one() -> None:
    (request,) = decode("/gan808/trig", ("BD",), CODES)
    assert (request.slot, request.values) == (0, ())
