"""Slots in stereo: what is stocked for them, what they draw, what becomes of the sound of now."""

from __future__ import annotations

import pytest

from gan808.errors import ConfigError
from gan808.instrument.events import Notice, SoundChanged
from gan808.sound.sound import Sound
from tests.fakes import FakeKit, fake_sound
from tests.instrument.rig import BAR, BLOCK, Rig


def wide(seed: int, width: float) -> Sound:
    return fake_sound("kick", seed, trail=f"+w@{width}")


def test_a_width_is_stocked_for_its_class_only() -> None:
    rig = Rig()
    assert set.union(*rig.pool.wanted.values()) == {0.0}
    assert rig.ask("/slot/LT/width", 0.25) == (0.25,)
    assert rig.ask("/slot/LT/width") == (0.25,)
    assert rig.pool.wanted["tom"] == {0.0, 0.25}
    assert rig.pool.wanted["kick"] == {0.0}
    with pytest.raises(ConfigError, match="from 0 to 1"):
        rig.send("/slot/LT/width", 1.5)


def test_the_sound_of_now_is_widened_without_a_step_of_undo() -> None:
    rig = Rig()
    before = rig.sound_id(0)
    rig.ask("/slot/BD/width", 0.5)
    assert rig.sound_id(0) == before
    rig.filler.deliver_all()
    rig.run(BLOCK)
    assert rig.sound_id(0) == f"{before}+w@0.5"
    rig.machine.trigger(rig.port, 0, 1.0)
    rig.run(BLOCK)
    assert rig.engine.hits[-1].audio.shape[1] == 2
    assert "no sound before" in rig.refusal("/slot/BD/undo")
    rig.ask("/slot/BD/width", 0.0)
    rig.filler.deliver_all()
    rig.run(BLOCK)
    assert rig.sound_id(0) == before


def test_of_a_turned_knob_the_last_place_is_made() -> None:
    rig = Rig()
    before = rig.sound_id(0)
    for width in (0.1, 0.2, 0.3):
        rig.ask("/slot/BD/width", width)
    assert len(rig.filler.pending) == 1
    for _ in range(2):
        rig.filler.deliver_all()
        rig.run(BLOCK)
    assert rig.filler.pending == []
    assert rig.sound_id(0) == f"{before}+w@0.3"


def test_a_sound_that_has_gone_is_not_brought_back() -> None:
    rig = Rig(stock=1)
    rig.ask("/slot/BD/width", 0.5)
    rig.pool.put(wide(7, 0.5))
    assert rig.ask("/slot/BD/new") == ("fake/kick/7+w@0.5",)
    rig.filler.deliver_all()
    rig.run(BLOCK)
    assert rig.sound_id(0) == "fake/kick/7+w@0.5"


def test_a_wide_slot_draws_and_evolves_in_stereo_and_mono_stays_in_stock() -> None:
    rig = Rig(stock=3, evolve={"swaps_per_bar": 16.0})
    rig.ask("/slot/BD/width", 0.5)
    assert "no kick in stock" in rig.refusal("/slot/BD/new")
    for seed in range(3):
        rig.pool.put(wide(50 + seed, 0.5))
    rig.run(4 * BAR)
    changed = [e.id for e in rig.of_type(SoundChanged) if e.slot == 0 and "/5" in e.id]
    assert len(changed) == 3
    assert all(sound_id.endswith("+w@0.5") for sound_id in changed)
    assert rig.pool.stock()["kick"] == 3


def test_what_is_made_to_order_is_as_wide_as_the_slot() -> None:
    rig = Rig()
    rig.ask("/slot/BD/width", 0.5)
    rig.filler.deliver_all()
    for address, arguments, wanted in (
        ("new", (9,), "fake/kick/9+w@0.5"),
        ("morph", (4, 0.5), "fake/kick/9~4@0.5+w@0.5"),
        ("recall", ("fake/kick/3",), "fake/kick/3"),
    ):
        answers = rig.send(f"/slot/BD/{address}", *arguments)
        rig.run(BLOCK)
        rig.filler.deliver_all()
        rig.run(BLOCK)
        assert answers == [(wanted,)]


def test_a_new_width_ends_the_line_of_neighbours() -> None:
    rig = Rig()
    rig.send("/slot/BD/similar", 0.2, 3)
    rig.run(BLOCK)
    rig.filler.deliver_all()
    rig.run(BLOCK)
    assert rig.machine.swaps.slots[0].coming
    rig.ask("/slot/BD/width", 0.5)
    assert not rig.machine.swaps.slots[0].coming


def test_settings_make_every_slot_wide_after_another_kit_too() -> None:
    rig = Rig(width=0.4)
    rig.filler.deliver_all()
    rig.run(BLOCK)
    assert all(sound_id.endswith("+w@0.4") for sound_id in rig.machine.status().sounds)
    rig.send("/kit/load", "other")
    for _ in range(2):
        rig.run(BLOCK)
        rig.filler.deliver_all()
    rig.run(BLOCK)
    sounds = rig.machine.status().sounds
    assert all(sound_id.endswith("+w@0.4") for sound_id in sounds)


def test_a_widened_sound_comes_where_its_mono_one_would_have() -> None:
    """Another kit waits for the bar: what is widened until then is what plays until then, and its
    own sounds are as wide from there on."""
    rig = Rig()
    rig.run(BLOCK)
    rig.send("/kit/load", "other")
    rig.run(BLOCK)
    rig.filler.deliver_all()
    rig.run(BLOCK)
    rig.ask("/slot/CY/width", 0.4)
    rig.filler.deliver_all()
    rig.run(BLOCK)
    assert rig.sound_id(13).endswith("+w@0.4")
    assert rig.sound_id(13).startswith("fake/")
    cell = rig.engine.slot_cells[13]
    rig.run(BAR)
    rig.filler.deliver_all()
    rig.run(BLOCK)
    assert rig.sound_id(13).endswith("+w@0.4")
    rig.machine.trigger(rig.port, 13, 1.0)
    rig.run(BLOCK)
    assert rig.engine.slot_cells[13] != cell
    assert rig.engine.hits[-1].audio.shape[1] == 2


def test_a_renderer_that_fails_is_told_of_once_and_the_sound_plays_on() -> None:
    """The filler says what is wrong with it; sixteen slots need not."""
    rig = Rig(kit=FakeKit(sounds=[fake_sound("broken", 1), fake_sound("kick", 2)]))
    slot = rig.machine.swaps.slots[0]
    slot.sound = fake_sound("broken", 1)
    rig.ask("/slot/BD/width", 0.5)
    rig.filler.deliver_all()
    rig.run(BLOCK)
    assert not [notice for notice in rig.of_type(Notice) if "broken" in notice.text]
    assert rig.sound_id(0) == "fake/broken/1"


def test_a_full_arena_is_told_and_the_sound_plays_on() -> None:
    rig = Rig(cells=16)
    before = rig.sound_id(0)
    rig.ask("/slot/BD/width", 0.5)
    rig.filler.deliver_all()
    rig.run(BLOCK)
    assert any("every cell" in notice.text for notice in rig.of_type(Notice))
    assert rig.sound_id(0) == before


@pytest.mark.parametrize("width", [0.004, 0.996])
def test_widths_are_kept_in_hundredths(width: float) -> None:
    rig = Rig()
    rig.ask("/slot/BD/width", width)
    assert rig.pool.wanted["kick"] == {round(width, 2)}
