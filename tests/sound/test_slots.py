"""Which slots a kit has."""

import pytest

from gan808.sound.kit.slots import TR808, layout_for
from tests.tiny_kit import CLASSES


def test_the_default_classes_give_the_sixteen_slots_of_the_design():
    slots = layout_for(CLASSES)
    assert slots == TR808
    codes = " ".join(slot.code for slot in slots)
    assert codes == "BD SD LT MT HT LC MC HC RS CL CP MA CB CY OH CH"
    notes = [note for slot in slots for note in slot.notes]
    assert len(set(notes)) == len(notes)


def test_unknown_classes_follow_on_the_free_notes_from_36():
    slots = layout_for(("gong", "kick", "zap"))
    assert [(s.class_name, s.notes[0]) for s in slots] == [("kick", 36), ("gong", 37), ("zap", 38)]


@pytest.mark.parametrize("n_unknown", [0, 1, 4, 16])
def test_every_class_has_a_slot_and_no_kit_has_more_than_sixteen(n_unknown):
    known = CLASSES[: 16 - n_unknown]
    classes = (*known, *(f"other_{i}" for i in range(n_unknown)))
    slots = layout_for(classes)
    assert {slot.class_name for slot in slots} == set(classes)
    assert len(slots) <= 16
    assert len({slot.code for slot in slots}) == len(slots)
    assert len({n for slot in slots for n in slot.notes}) == sum(len(s.notes) for s in slots)


def test_a_lone_tom_takes_the_whole_class():
    slots = layout_for((*CLASSES, *(f"other_{i}" for i in range(4))))
    toms = [slot for slot in slots if slot.class_name == "tom"]
    assert [(slot.code, slot.third) for slot in toms] == [("LT", None)]


def test_acoustic_classes_answer_to_their_general_midi_notes():
    classes = ("kick", "snare", "side_stick", "tom", "closed_hat", "pedal_hat", "open_hat",
               "crash", "ride", "tambourine", "bongo")
    slots = layout_for(classes)
    notes = {slot.class_name: slot.notes for slot in slots if slot.class_name != "tom"}
    assert notes == {
        "kick": (36, 35), "snare": (38, 40), "side_stick": (37,), "closed_hat": (42,),
        "pedal_hat": (44,), "open_hat": (46,), "crash": (49, 57), "ride": (51, 59, 53),
        "tambourine": (54,), "bongo": (60, 61)}
    chokes = {slot.class_name for slot in slots if slot.choke}
    assert chokes == {"closed_hat", "pedal_hat", "open_hat"}


def test_the_narrower_class_has_the_note_and_nobody_shares_one():
    classes = ("rimshot", "side_stick", "cymbal", "crash", "ride", "ride_bell", "hand_drum",
               "cajon", "bongo")
    slots = {slot.class_name: slot for slot in layout_for(classes)}
    notes = [note for slot in slots.values() for note in slot.notes]
    assert len(set(notes)) == len(notes)
    assert len({slot.code for slot in slots.values()}) == len(classes)
    assert [slots[name].notes[0] for name in ("side_stick", "crash", "ride", "ride_bell")] == [
        37, 49, 51, 53]
    assert all(slot.notes for slot in slots.values())
