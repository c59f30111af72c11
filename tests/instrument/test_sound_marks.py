"""Which sound is in which cell, and for how long that is known."""

from __future__ import annotations

from gan808.instrument.sound_marks import SoundMarks
from tests.pool.sounds import make_sound


def test_it_knows_the_sound_of_each_cell_and_no_other() -> None:
    entered, sounds = SoundMarks(), [make_sound(seed=seed) for seed in range(3)]
    marks = [entered.enter(cell, sound) for cell, sound in zip((5, 6, 5), sounds, strict=True)]
    assert [entered.sound(mark) for mark in marks] == [None, sounds[1], sounds[2]]


def test_held_sounds_go_when_they_are_noted_or_released() -> None:
    entered, sounds = SoundMarks(), [make_sound(seed=seed) for seed in range(4)]
    entered.hold()
    marks = [entered.enter(5, sound) for sound in sounds]
    assert [entered.sound(mark) for mark in marks] == sounds
    entered.forget({marks[0]})
    assert [entered.sound(mark) for mark in marks] == [None, *sounds[1:]]
    entered.release()
    assert [entered.sound(mark) for mark in marks] == [None, None, None, sounds[3]]
