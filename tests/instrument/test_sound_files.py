"""The user's files into slots: as they are, and as the kit's nearest sound."""

from __future__ import annotations

from typing import Any

import pytest

from gan808.errors import Gan808Error
from gan808.instrument.events import Notice, SoundChanged
from gan808.instrument.state import KeptSlot, State
from tests.fakes import FakeKit, fake_sound
from tests.instrument.rig import BLOCK, Rig

OFF: dict[str, Any] = {"sequencer": {"playing": False}}
BD = 0


@pytest.fixture
def rig() -> Rig:
    it = Rig(stock=3, **OFF)
    it.library.files = {"kick.wav": "a kick", "broken.wav": "nothing"}
    it.run(BLOCK)
    return it


def settled(rig: Rig, address: str, *arguments: object) -> Any:
    """The answer to a message that may have to wait for the renderer, more than once."""
    answers = rig.send(address, *arguments)
    rig.run(3 * BLOCK)
    while rig.filler.pending:
        rig.filler.deliver_all()
        rig.run(3 * BLOCK)
    assert len(answers) == 1
    return answers[0]


class TestLoad:
    def test_a_file_plays_and_can_be_undone(self, rig: Rig) -> None:
        before = rig.sound_id(BD)
        (sound_id,) = settled(rig, "/slot/BD/load", "kick.wav")
        assert sound_id.startswith("fake/kick/file:kick.wav@")
        assert rig.sound_id(BD) == sound_id == rig.of_type(SoundChanged)[-1].id
        assert rig.filler.pending == [], "no renderer is asked"
        assert rig.ask("/slot/BD/info")[:3] == (sound_id, 0, "kick")
        assert rig.ask("/slot/BD/undo") == (before,)
        assert settled(rig, "/slot/BD/recall", sound_id) == (sound_id,)

    def test_it_is_as_loud_as_the_slots_class(self, rig: Rig) -> None:
        assert settled(rig, "/slot/CH/load", "kick.wav")[0].startswith("fake/closed_hat/file:")

    def test_what_is_not_there_changes_nothing(self, rig: Rig) -> None:
        before = rig.sound_id(BD)
        assert "no sound file" in str(settled(rig, "/slot/BD/load", "gone.wav"))
        assert rig.sound_id(BD) == before

    def test_it_has_no_neighbours_and_no_width(self, rig: Rig) -> None:
        (sound_id,) = settled(rig, "/slot/BD/load", "kick.wav")
        for address, arguments in (("similar", (0.2,)), ("morph", (9, 0.5))):
            assert "is a file" in rig.refusal(f"/slot/BD/{address}", *arguments)
        rig.ask("/slot/BD/width", 0.5)
        rig.run(BLOCK)
        assert (rig.filler.pending, rig.sound_id(BD)) == ([], sound_id)

    def test_its_id_recalls_it_from_the_file_if_that_is_as_it_was(self, rig: Rig) -> None:
        (sound_id,) = settled(rig, "/slot/BD/load", "kick.wav")
        name = sound_id.replace("/kick/", "/snare/")  # not at hand: the file is read
        assert settled(rig, "/slot/SD/recall", name) == (name,)
        rig.library.files["kick.wav"] = "another kick"
        other = sound_id.replace("/kick/", "/tom/")
        assert "holds another" in str(settled(rig, "/slot/LT/recall", other))

    def test_of_another_kit_it_is_not_recalled(self, rig: Rig) -> None:
        assert "load that kit" in rig.refusal(
            "/slot/BD/recall", "other/kick/file:kick.wav@0123456789ab")

    def test_scenes_hold_it(self, rig: Rig) -> None:
        (sound_id,) = settled(rig, "/slot/BD/load", "kick.wav")
        rig.ask("/scene/save", "mine")
        rig.ask("/slot/BD/new")
        rig.library.files.clear()
        settled(rig, "/scene/recall", "mine")
        assert rig.sound_id(BD) == sound_id

    def test_a_kit_of_the_sounds_of_now_leaves_it_out(self, rig: Rig) -> None:
        settled(rig, "/slot/BD/load", "kick.wav")
        rig.ask("/kit/save", "mine")
        saved = rig.library.kits["mine"].sounds
        assert saved
        assert all(not sound.file for sound in saved)

    @pytest.mark.parametrize("held", ["a kick", "another"])
    def test_a_state_without_its_audio_reads_the_file_again(self, held: str) -> None:
        rig = Rig(**OFF)
        rig.library.files = {"kick.wav": "a kick"}
        wanted = rig.library.load_sound("kick.wav", FakeKit(), "kick", 48000).id
        begin = State("fake", slots=(KeptSlot("BD", wanted, None, {}),))
        again = Rig(begin=begin, **OFF)
        again.library.files = {"kick.wav": held}
        again.run(BLOCK)
        same = held == "a kick"
        assert (again.sound_id(BD) == wanted) == same
        assert same or "cannot be made again" in again.of_type(Notice)[-1].text


class TestMatch:
    def test_the_nearest_sound_plays_and_goes_on_from_there(self, rig: Rig) -> None:
        before = rig.sound_id(BD)
        assert settled(rig, "/slot/BD/match", "kick.wav") == ("fake/snare/17", 1.5)
        assert rig.sound_id(BD) == "fake/snare/17"
        assert settled(rig, "/slot/BD/morph", 9, 0.5) == ("fake/snare/17~9@0.5",)
        assert settled(rig, "/slot/BD/similar", 0.2)[0].startswith("fake/snare/17~9@0.5+")
        for _ in range(3):
            last = rig.ask("/slot/BD/undo")
        assert last == (before,)

    def test_a_class_can_be_named(self, rig: Rig) -> None:
        assert settled(rig, "/slot/BD/match", "kick.wav", "tom")[0] == "fake/tom/17"
        assert settled(rig, "/slot/BD/match", "kick.wav", "all")[0] == "fake/snare/17"
        assert "no class 'gong'" in rig.refusal("/slot/BD/match", "kick.wav", "gong")

    def test_in_a_wide_slot_it_is_as_wide(self, rig: Rig) -> None:
        rig.ask("/slot/BD/width", 0.4)
        assert settled(rig, "/slot/BD/match", "kick.wav") == ("fake/snare/17+w@0.4", 1.5)

    def test_what_cannot_be_matched_changes_nothing(self, rig: Rig) -> None:
        before = rig.sound_id(BD)
        assert "is silent" in str(settled(rig, "/slot/BD/match", "broken.wav"))
        assert "no sound file" in str(settled(rig, "/slot/BD/match", "gone.wav"))
        assert rig.sound_id(BD) == before

    def test_a_kit_that_came_meanwhile_keeps_its_own(self, rig: Rig) -> None:
        answers = rig.send("/slot/BD/match", "kick.wav")
        rig.run(BLOCK)
        ((deliver, found),) = rig.filler.pending
        other = FakeKit("other")
        rig.machine.switches.schedule(other, other.factory_sounds(48000), 0)
        deliver(found)
        rig.run(BLOCK)
        assert isinstance(answers[0], Gan808Error)
        assert "kit has changed" in str(answers[0])


def test_the_files_there_are(rig: Rig) -> None:
    assert rig.ask("/sound/files") == ("broken.wav", "kick.wav")


def test_a_sound_of_a_file_is_at_hand_as_any_other(rig: Rig) -> None:
    (sound_id,) = settled(rig, "/slot/BD/load", "kick.wav")
    assert rig.ask("/sound/picture", sound_id)[0] == sound_id
    assert rig.ask("/sound/render", sound_id) == (sound_id,)
    assert rig.ask("/history")[0] == sound_id
    rig.machine.swaps.put(1, fake_sound("snare", 3))
    assert rig.ask("/slot/SD/copy", "BD") == (sound_id,)
