"""Scenes: saved as it is, recalled where swaps fall, with their sounds and without the renderer."""

from __future__ import annotations

import numpy as np
import pytest

from gan808.errors import Gan808Error
from gan808.instrument.events import ParameterChanged, SoundChanged
from tests.instrument.rig import BAR, BLOCK, Rig

BD, SD = 0, 1


def two_scenes(**more: object) -> Rig:
    """Scene `one`, and a machine that has gone elsewhere since."""
    rig = Rig(stock=8, **more)  # type: ignore[arg-type]
    rig.ask("/slot/BD/new")
    rig.ask("/slot/BD/tune", 3.0)
    rig.ask("/seq/step", "SD", 3, 0.4)
    assert rig.ask("/scene/save", "one") == ("one",)
    rig.ask("/slot/BD/new")
    rig.ask("/slot/BD/tune", -7.0)
    rig.ask("/slot/SD/mute", 1)
    rig.ask("/seq/pattern", "house")
    rig.run(2 * BAR)
    rig.events.clear()
    return rig


@pytest.mark.parametrize(("quantise", "grid"), [("bar", BAR), ("beat", BAR // 4)])
def test_a_scene_is_recalled_where_swaps_fall(quantise: str, grid: int) -> None:
    """Sounds and settings carry the frame of the next bar or beat, and nothing was rendered. The
    grid is taken from the pattern that plays, house at its own tempo, with the old one before."""
    rig = two_scenes(evolve={"quantise": quantise}, sequencer={"tempo_bpm": 120.0})
    rig.run(1000)
    before = rig.engine.frame
    answer = rig.ask("/scene/recall", "one")
    assert answer == ("one",)
    swap = next(event for event in rig.of_type(SoundChanged) if event.slot == BD)
    assert swap.id == "fake/kick/1000"
    assert before < swap.frame <= before + grid + BLOCK
    assert swap.frame % grid == 0
    settings = [c for c in rig.engine.commands if c.name == "set" and c.frame > 0]
    assert {c.frame for c in settings} == {swap.frame}
    assert rig.ask("/slot/BD/tune") == (3.0,)
    assert rig.ask("/slot/SD/mute") == (0,)
    assert rig.filler.pending == []
    rig.run(2 * BAR)
    assert rig.machine.sequencer.pattern.name == "test"
    assert rig.ask("/seq/step", "SD", 3)[2] == 0.4
    assert rig.sound_id(BD) == "fake/kick/1000"


def test_undo_leads_to_the_sound_before_the_scene() -> None:
    rig = two_scenes()
    rig.ask("/scene/recall", "one")
    assert rig.ask("/slot/BD/undo") == ("fake/kick/1001",)


def test_tempo_volume_and_evolution_stay() -> None:
    rig = two_scenes()
    for address, value in (("/seq/tempo", 133.0), ("/volume", 0.3), ("/evolve", 2.0),
                           ("/seq/swing", 0.1)):
        rig.ask(address, value)
    rig.ask("/scene/recall", "one")
    rig.run(2 * BAR)
    assert [rig.ask(a)[0] for a in ("/seq/tempo", "/volume", "/evolve", "/seq/swing")] == [
        133.0, 0.3, 2.0, 0.1]


def test_clients_hear_of_everything_that_changed() -> None:
    rig = two_scenes()
    rig.ask("/scene/recall", "one")
    told = {(event.address, event.values) for event in rig.of_type(ParameterChanged)}
    assert told == {("/slot/BD/tune", (3.0,)), ("/slot/SD/mute", (0,)),
                    ("/seq/pattern", ("test",)), ("/scene", ("one",))}
    assert rig.ask("/scene") == ("one",)


def test_scenes_are_listed_saved_over_and_deleted() -> None:
    rig = two_scenes()
    assert rig.ask("/scene/list") == ("one",)
    rig.ask("/scene/save", "two")
    assert rig.ask("/scene/list") == ("one", "two")
    rig.ask("/scene/save", "one")
    assert rig.library.scenes["one"].slots[BD].values["tune"] == -7.0
    assert rig.ask("/scene/delete", "one") == ("one",)
    assert rig.ask("/scene/list") == ("two",)
    assert "no such scene" in rig.refusal("/scene/recall", "one")
    assert "no such scene" in rig.refusal("/scene/delete", "one")


def test_a_scene_of_another_kit_loads_that_kit_beside_the_running_one() -> None:
    rig = two_scenes()
    rig.send("/kit/load", "other")
    rig.run(BLOCK)
    rig.filler.deliver_all()
    rig.run(2 * BAR)
    assert rig.machine.kit.name == "other"
    answers = rig.send("/scene/recall", "one")
    rig.run(BLOCK)
    assert answers == []
    assert rig.sound_id(BD).startswith("other/"), "the beat goes on with the kit of before"
    rig.filler.deliver_all()
    rig.run(2 * BAR)
    assert answers == [("one",)]
    assert rig.machine.kit.name == "fake"
    assert rig.sound_id(BD) == "fake/kick/1000"
    assert rig.ask("/slot/BD/tune") == (3.0,)
    assert rig.machine.sequencer.pattern.name == "test"
    assert rig.ask("/seq/step", "SD", 3)[2] == 0.4
    assert rig.ask("/scene") == ("one",)


def test_a_scene_whose_kit_is_gone_changes_nothing_and_says_so() -> None:
    rig = two_scenes()
    rig.send("/kit/load", "other")
    rig.run(BLOCK)
    rig.filler.deliver_all()
    rig.run(2 * BAR)
    del rig.library.kits["fake"]
    said = rig.refusal("/scene/recall", "one")
    assert said.startswith("scene one has a kit of its own: kit 'fake': no such kit")
    assert rig.machine.kit.name == "other"


def test_a_disk_that_is_full_is_an_answer() -> None:
    rig = Rig()
    rig.library.full = True
    assert "No space left" in rig.refusal("/scene/save", "one")
    assert rig.ask("/scene") == ("",)


def test_a_full_engine_is_an_answer() -> None:
    rig = two_scenes()
    answers = rig.send("/scene/recall", "one")
    rig.engine.port("machine").full = True
    rig.run(BLOCK)
    assert isinstance(answers[0], Gan808Error)


def test_files_are_read_and_written_apart_from_the_machine_in_their_order() -> None:
    """Live, on the disk's own thread: a scene saved and recalled at once is the one just saved,
    and at the end what was begun is finished."""
    rig = Rig(stock=8)
    rig.machine.disk.start()
    sound = rig.machine.swaps.slots[BD].sound
    assert sound is not None
    answers = rig.send("/scene/save", "one")
    recalled = rig.send("/scene/recall", "one")
    rig.run(BLOCK)
    rig.machine.disk.finish()
    rig.run(BLOCK)
    assert (answers, recalled) == ([("one",)], [("one",)])
    kept = rig.library.scenes["one"].slots[BD].sound
    assert kept is not None
    np.testing.assert_array_equal(kept.audio, sound.audio)
