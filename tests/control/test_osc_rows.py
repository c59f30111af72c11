"""The design's table of OSC addresses, row by row over a real socket: what each takes, where its
answer goes and of what types it is.
"""

from __future__ import annotations

from typing import Any

import pytest
from pythonosc.osc_message import OscMessage

from tests.control.rig import SILENCE_S, Client, Rig, message, until

SLOT = "/slot/BD"
DONE = "/done"
# Address, arguments, address of the answer, its types; an answer's first text is the address asked.
ROWS: list[tuple[str, tuple[Any, ...], str, str]] = [
    ("/hello", (), "/hello/reply", "si"),
    ("/notify", (1,), DONE, "s"),
    ("/notify", (0,), DONE, "s"),
    ("/status", (), "/status.reply", "iiffiff"),
    ("/sync", (7,), "/synced", "i"),
    (f"{SLOT}/new", (), DONE, "ss"),
    (f"{SLOT}/new", (5,), DONE, "ss"),
    (f"{SLOT}/similar", (0.2,), DONE, "ssi"),
    (f"{SLOT}/similar", (0.2, 2), DONE, "ssi"),
    (f"{SLOT}/morph", (9, 0.5), DONE, "ss"),
    (f"{SLOT}/mix", ("snare", 0.5), DONE, "ss"),
    (f"{SLOT}/tail", (9,), DONE, "ss"),
    (f"{SLOT}/tail", (), DONE, "ss"),
    (f"{SLOT}/attack", (), DONE, "ss"),
    (f"{SLOT}/load", ("kick.wav",), DONE, "ss"),
    (f"{SLOT}/match", ("kick.wav",), DONE, "ssf"),
    (f"{SLOT}/match", ("kick.wav", "tom"), DONE, "ssf"),
    ("/sound/files", (), "/sound/files", "s"),
    *((f"{SLOT}/{word}", (), DONE, "ss")
      for word in ("brighter", "darker", "longer", "shorter", "higher", "lower", "undo")),
    (f"{SLOT}/info", (), f"{SLOT}/info", "sisff"),
    ("/seq/play", (), DONE, "s"),
    ("/seq/stop", (), DONE, "s"),
    ("/pool", (), "/pool", "si" * 12),
    ("/pool/take", ("BD",), DONE, "ss"),
    ("/sound/keep", ("BD",), DONE, "ss"),
    ("/sound/export", ("BD", "mine"), DONE, "ss"),
    ("/sound/export", ("BD",), DONE, "ss"),
    ("/export", ("sf2", "mine"), DONE, "ss"),
    ("/kit/list", (), "/kit/list", "ss"),
    ("/kit/load", ("other",), DONE, "ss"),
    ("/kit/save", ("mine",), DONE, "ss"),
]
# Address, a value, another given as OSC's other number type, the types of what is echoed.
VALUES: list[tuple[str, tuple[Any, ...], tuple[Any, ...], str]] = [
    (f"{SLOT}/level", (0.5,), (1,), "f"),
    (f"{SLOT}/tune", (-12.5,), (3,), "f"),
    (f"{SLOT}/decay", (0.25,), (1,), "f"),
    (f"{SLOT}/pan", (-0.5,), (1,), "f"),
    (f"{SLOT}/mute", (1,), (0.0,), "i"),
    (f"{SLOT}/choke", (3,), (2.0,), "i"),
    (f"{SLOT}/lock", (1,), (0.0,), "i"),
    ("/seq/tempo", (93.5,), (120,), "f"),
    ("/seq/swing", (0.5,), (0,), "f"),
    ("/seq/pattern", ("off",), ("808",), "s"),
    ("/seq/step", ("SD", 3, 0.5), (2, 3.0, 1), "sif"),
    ("/evolve", (1.5,), (4,), "f"),
    ("/evolve/quantise", ("beat",), ("now",), "s"),
    ("/evolve/mode", ("all",), ("one",), "s"),
]


def tags(answer: OscMessage) -> str:
    kinds = {int: "i", float: "f", str: "s"}
    return "".join(kinds[type(value)] for value in answer.params)


def stocked(rig: Rig) -> None:
    """Something on every side of the present kick, so that every wish can be met."""
    rig.stock("kick", 50, brightness_hz=4000.0, length_s=0.5, pitch_hz=900.0)
    rig.stock("kick", 51, brightness_hz=100.0, length_s=0.01, pitch_hz=10.0)
    rig.stock("kick", 52, brightness_hz=9000.0, length_s=0.9, pitch_hz=1900.0)
    rig.stock("kick", 53, brightness_hz=50.0, length_s=0.005, pitch_hz=5.0)


@pytest.mark.parametrize(("address", "values", "where", "types"), ROWS)
def test_it_answers_as_the_design_says(
    rig: Rig, client: Client, address: str, values: tuple[Any, ...], where: str, types: str
) -> None:
    stocked(rig)
    rig.library.files = {"kick.wav": "a kick"}
    if address.endswith("/undo"):
        client.ask(f"/gan808{SLOT}/new")
    client.send(f"/gan808{address}", *values)
    made = {"similar", "morph", "match", "mix", "tail", "attack"}
    if address.rpartition("/")[2] in made or address == "/kit/load" or values == (5,):
        until(lambda: rig.filler.pending)
        rig.filler.deliver_all()
    answer = OscMessage(client.raw_answer())
    assert (answer.address, tags(answer)) == (f"/gan808{where}", types)
    if where == DONE:
        assert answer.params[0] == f"/gan808{address}"
    assert client.receive(SILENCE_S) is None, "one answer"


@pytest.mark.parametrize(("address", "first", "second", "types"), VALUES)
def test_a_value_is_set_read_and_echoed(
    rig: Rig, client: Client, address: str, first: tuple[Any, ...], second: tuple[Any, ...],
    types: str
) -> None:
    """Set: nothing to the sender, the value to who is registered. Without a value: the value."""
    full = f"/gan808{address}"
    with Client(rig) as listener:
        listener.ask("/gan808/notify", 1)
        for values in (first, second):
            client.send(full, *values)
            echo = OscMessage(listener.raw_answer())
            assert (echo.address, tags(echo)) == (full, types)
            assert echo.params[-1] == values[-1]
            question = values[:-1] if address == "/seq/step" else ()
            answer = OscMessage(client_answer(client, full, *question))
            assert (answer.address, answer.params) == (full, echo.params)


def client_answer(client: Client, address: str, *values: Any) -> bytes:
    client.raw(message(address, *values).dgram)
    return client.raw_answer()


def test_hits_are_not_answered(rig: Rig, client: Client) -> None:
    client.send("/gan808/trig", "BD", 1.0)
    client.send("/gan808/play", "s", "sd")
    client.send("/dirt/play", "s", "hh")
    client.send("/gan808/stop", "BD")
    client.send("/gan808/stop")
    client.settle()
    assert [(c.name, c.slot) for c in rig.played()][:3] == [
        ("trigger", 0), ("trigger", 1), ("trigger", 15)]
    assert client.receive(SILENCE_S) is None


def test_a_swap_is_told_to_who_is_registered(rig: Rig, client: Client) -> None:
    stocked(rig)
    client.ask("/gan808/notify", 1)
    client.send(f"/gan808{SLOT}/new")
    told = {answer.address: answer for answer in (OscMessage(client.raw_answer())
                                                  for _ in range(2))}
    assert tags(told[f"/gan808{SLOT}/changed"]) == "si"
    assert told["/gan808/done"].params[1] == told[f"/gan808{SLOT}/changed"].params[0]
