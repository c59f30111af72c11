"""Electronic drum kits: zones of pads by the maker's notes, the hi-hat pedal, hands on cymbals."""

from __future__ import annotations

import pytest

from gan808.engine.engine import SlotParameter
from gan808.engine.keymap import Act, KeyKind
from gan808.instrument.midi_map import keymap_of
from gan808.instrument.note_maps import slot_of_note
from gan808.sound.kit.slots import TR808, SlotLayout
from tests.control.test_midi import CONTROL, NOTE_ON, Deck

PRESSURE = 0xA9
CODES = [slot.code for slot in TR808]


@pytest.mark.parametrize(("name", "note", "code"), [
    ("roland-td", 22, "CH"), ("roland-td", 26, "OH"), ("roland-td", 40, "RS"),
    ("roland-td", 58, "LT"), ("roland-td", 55, "CY"), ("roland-td", 53, "CY"),
    ("alesis", 23, "OH"), ("alesis", 21, "OH"), ("alesis", 40, "RS"), ("gm", 40, "SD"),
    ("roland-td", 36, "BD"), ("alesis", 38, "SD")])
def test_a_module_s_zones_play_the_slot_they_stand_for(name, note, code) -> None:  # type: ignore[no-untyped-def]
    deck = Deck(midi={"map": name})
    (hit,) = deck.send(NOTE_ON, note, 100)
    assert (hit.name, CODES[hit.slot]) == ("trigger", code)


def test_the_audio_callback_has_the_same_notes() -> None:
    deck = Deck(midi={"map": "roland-td"})
    keymap = keymap_of(deck.settings, TR808, (), {}, learning=False)
    for note, slot in slot_of_note(TR808, "roland-td").items():
        key = keymap.record[0]["keys"].reshape(3, 16, 128)[KeyKind.NOTE, 9, note]
        assert (key["action"], key["slot"]) == (Act.STRIKE, slot)


def test_a_crash_and_a_ride_of_a_kit_stay_apart() -> None:
    layouts = [SlotLayout("CR", "Crash", "crash", (49, 57)),
               SlotLayout("RD", "Ride", "ride", (51,))]
    assert slot_of_note(layouts, "roland-td") == {49: 0, 57: 0, 51: 1, 55: 0, 52: 0, 59: 1, 53: 1}


@pytest.mark.parametrize(("value", "decay"), [(0, 1.0), (127, 0.1), (64, 1 - 0.9 * 64 / 127)])
def test_the_pedal_shortens_the_open_hat(value: int, decay: float) -> None:
    deck = Deck(midi={"map": "roland-td"})
    sent = deck.send(CONTROL, 4, value)
    assert [(CODES[c.slot], c.parameter, c.value) for c in sent if c.name == "set"] == [
        ("OH", SlotParameter.DECAY, pytest.approx(decay))]


def test_without_a_module_controller_4_does_nothing() -> None:
    assert Deck().send(CONTROL, 4, 127) == []


def test_a_hand_on_the_edge_of_a_cymbal_chokes_it() -> None:
    deck = Deck(midi={"map": "roland-td"})
    (stop,) = deck.send(PRESSURE, 55, 127)
    assert (stop.name, CODES[stop.slot]) == ("stop", "CY")
