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
