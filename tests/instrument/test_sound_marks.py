"""Which sound is in which cell, and for how long that is known."""

from __future__ import annotations

from gan808.instrument.sound_marks import SoundMarks
from tests.pool.sounds import make_sound


def test_it_knows_the_sound_of_each_cell_and_no_other() -> None:
    ledger, sounds = SoundMarks(), [make_sound(seed=seed) for seed in range(3)]
    marks = [ledger.enter(cell, sound) for cell, sound in zip((5, 6, 5), sounds, strict=True)]
    assert [ledger.sound(mark) for mark in marks] == [None, sounds[1], sounds[2]]


def test_held_sounds_go_when_they_are_noted_or_released() -> None:
    ledger, sounds = SoundMarks(), [make_sound(seed=seed) for seed in range(4)]
    ledger.hold()
    marks = [ledger.enter(5, sound) for sound in sounds]
    assert [ledger.sound(mark) for mark in marks] == sounds
    ledger.forget({marks[0]})
    assert [ledger.sound(mark) for mark in marks] == [None, *sounds[1:]]
    ledger.release()
    assert [ledger.sound(mark) for mark in marks] == [None, None, None, sounds[3]]
