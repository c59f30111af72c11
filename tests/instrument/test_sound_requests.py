"""Similar, morph and recall through the machine: what plays, what waits, what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from gan808.errors import Gan808Error
from gan808.instrument.events import SoundChanged
from gan808.instrument.sound_requests import best_of
from gan808.instrument.state import KeptSlot, State
from gan808.sound.latent import Near, OtherPart, Point, Towards, parse_id
from gan808.sound.sound import Rendered, Sound
from tests.fakes import FakeKit, fake_sound
from tests.instrument.rig import BAR, BLOCK, Rig

OFF: dict[str, Any] = {"sequencer": {"playing": False}}


@pytest.fixture
def rig() -> Rig:
    it = Rig(stock=3, **OFF)
    it.run(BLOCK)
    return it


def ordered(rig: Rig, address: str, *arguments: object) -> Any:
    """The answer to a message that has to wait for the renderer."""
    answers = rig.send(address, *arguments)
    rig.run(BLOCK)
    assert answers == []
    rig.filler.deliver_all()
    rig.run(BLOCK)
    assert len(answers) == 1
    return answers[0]


class TestMorph:
    def test_part_of_the_way_plays_from_the_next_hit_and_can_be_undone(self, rig: Rig) -> None:
        before = rig.sound_id(0)
        morphed = f"{before}~99@0.25"
        assert ordered(rig, "/slot/BD/morph", 99, 0.25) == (morphed,)
        assert rig.sound_id(0) == morphed
        assert rig.of_type(SoundChanged)[-1].id == morphed
        assert rig.ask("/slot/BD/info")[0] == morphed
        assert rig.ask("/slot/BD/undo") == (before,)

    def test_nothing_of_the_way_is_the_sound_itself(self, rig: Rig) -> None:
        before = rig.sound_id(0)
        assert rig.ask("/slot/BD/morph", 99, 0.0) == (before,)
        assert "no sound before" in rig.refusal("/slot/BD/undo")

    def test_the_whole_way_is_the_other_sound(self, rig: Rig) -> None:
        assert ordered(rig, "/slot/BD/morph", 99, 1.0) == ("fake/kick/99",)

    def test_a_knob_moves_along_one_way(self, rig: Rig) -> None:
        before = rig.sound_id(0)
        for amount in (0.25, 0.75, 0.5):
            assert ordered(rig, "/slot/BD/morph", 99, amount) == (f"{before}~99@{amount}",)
        assert ordered(rig, "/slot/BD/morph", 99, 0.0) == (before,)
        ordered(rig, "/slot/BD/morph", 99, 0.5)
        assert ordered(rig, "/slot/BD/morph", 7, 0.5) == (f"{before}~99@0.5~7@0.5",)

    def test_undo_leads_before_the_knob_was_touched(self, rig: Rig) -> None:
        before = rig.sound_id(0)
        rig.ask("/slot/BD/morph", 99, 0.0)
        for amount in (0.25, 0.5, 1.0, 0.75):
            last = ordered(rig, "/slot/BD/morph", 99, amount)
        assert last == (f"{before}~99@0.75",), "from its end the way leads back"
        assert rig.ask("/slot/BD/undo") == (before,)
        assert "no sound before" in rig.refusal("/slot/BD/undo")

    def test_a_fast_knob_is_followed_not_queued(self, rig: Rig) -> None:
        before = rig.sound_id(0)
        answers = [rig.send("/slot/BD/morph", 99, amount / 100) for amount in range(1, 51)]
        other = rig.send("/slot/BD/morph", 7, 0.5)
        rig.run(BLOCK)
        rendered = 0
        while rig.filler.pending:
            rendered += len(rig.filler.pending)
            rig.filler.deliver_all()
            rig.run(BLOCK)
        assert rendered == 3
        assert answers[0] == [(f"{before}~99@0.01",)]
        assert all(answer == [(f"{before}~99@0.5",)] for answer in answers[1:])
        assert other == [(f"{before}~99@0.5~7@0.5",)]
        assert rig.sound_id(0) == other[0][0]

    def test_many_morphs_that_fail_are_all_answered(self, rig: Rig) -> None:
        rig.machine.swaps.put(0, fake_sound("broken", 5))
        answers = [rig.send("/slot/BD/morph", seed, 0.5) for seed in range(50)]
        rig.run(BLOCK)
        while rig.filler.pending:
            rig.filler.deliver_all()
            rig.run(BLOCK)
        assert all("no class 'broken'" in str(answer) for (answer,) in answers)

    def test_it_stays_in_the_class_that_was_asked_for(self, rig: Rig) -> None:
        rig.machine.swaps.put(0, fake_sound("tom", 5))
        assert ordered(rig, "/slot/BD/morph", 99, 0.5) == ("fake/tom/5~99@0.5",)


class TestMix:
    def test_part_of_the_way_to_another_class_plays_and_can_be_undone(self, rig: Rig) -> None:
        before = rig.sound_id(0)
        mixed = before.replace("/kick/", "/kick+snare@0.3/")
        assert ordered(rig, "/slot/BD/mix", "snare", 0.3) == (mixed,)
        assert rig.sound_id(0) == mixed == rig.ask("/slot/BD/info")[0]
        assert rig.ask("/slot/BD/undo") == (before,)
        assert rig.ask("/slot/BD/redo") == (mixed,)

    def test_a_knob_moves_along_one_way_and_ends_in_the_other_class(self, rig: Rig) -> None:
        before = rig.sound_id(0)
        for amount in (0.25, 0.75, 0.5):
            assert ordered(rig, "/slot/BD/mix", "snare", amount) == (
                before.replace("kick", f"kick+snare@{amount}"),)
        assert ordered(rig, "/slot/BD/mix", "snare", 1.0) == (before.replace("kick", "snare"),)
        assert ordered(rig, "/slot/BD/mix", "snare", 0.25) == (
            before.replace("kick", "kick+snare@0.25"),)
        assert rig.ask("/slot/BD/undo") == (before,)

    def test_a_fast_knob_is_followed_not_queued(self, rig: Rig) -> None:
        before = rig.sound_id(0)
        answers = [rig.send("/slot/BD/mix", "snare", amount / 100) for amount in range(1, 51)]
        other = rig.send("/slot/BD/morph", 7, 0.5)
        rig.run(BLOCK)
        rendered = 0
        while rig.filler.pending:
            rendered += len(rig.filler.pending)
            rig.filler.deliver_all()
            rig.run(BLOCK)
        assert rendered == 3
        mixed = before.replace("kick", "kick+snare@0.5")
        assert all(answer == [(mixed,)] for answer in answers[1:])
        assert other == [(f"{mixed}~7@0.5",)]

    def test_it_goes_on_from_there(self, rig: Rig) -> None:
        mixed = ordered(rig, "/slot/BD/mix", "snare", 0.3)[0]
        assert ordered(rig, "/slot/BD/similar", 0.2)[0].startswith(f"{mixed}+")
        rig.ask("/slot/BD/new")
        assert rig.ask("/slot/BD/recall", mixed) == (mixed,)
        fresh = "fake/tom+clap@0.25/5~9@0.5"
        assert ordered(rig, "/slot/BD/recall", fresh) == (fresh,)
        assert ordered(rig, "/sound/render", "fake/tom+clap@0.25/6") == (
            "fake/tom+clap@0.25/6",)

    def test_scenes_hold_it(self, rig: Rig) -> None:
        mixed = ordered(rig, "/slot/BD/mix", "snare", 0.3)[0]
        rig.ask("/scene/save", "mine")
        rig.ask("/slot/BD/new")
        rig.ask("/scene/recall", "mine")
        rig.run(BLOCK)
        assert rig.sound_id(0) == mixed

    def test_a_state_without_its_audio_has_it_made_again(self) -> None:
        wanted = "fake/kick+snare@0.3/5+t9"
        begin = State("fake", slots=(KeptSlot("BD", wanted, None, {}),))
        rig = Rig(begin=begin, **OFF)
        rig.run(BLOCK)
        rig.filler.deliver_all()
        rig.run(BLOCK)
        assert rig.sound_id(0) == wanted

    def test_what_is_no_class_is_refused(self, rig: Rig) -> None:
        before = rig.sound_id(0)
        for name in ("gong", "kick+snare@0.5", ""):
            assert "has no class" in rig.refusal("/slot/BD/mix", name, 0.5)
        assert "no class 'gong'" in rig.refusal("/slot/BD/recall", "fake/kick+gong@0.5/5")
        assert rig.sound_id(0) == before


class TestParts:
    @pytest.mark.parametrize(("word", "sign"), [("tail", "+t"), ("attack", "+a")])
    def test_a_seed_gives_its_part(self, rig: Rig, word: str, sign: str) -> None:
        before = rig.sound_id(0)
        assert ordered(rig, f"/slot/BD/{word}", 99) == (f"{before}{sign}99",)
        assert ordered(rig, f"/slot/BD/{word}", 98) == (f"{before}{sign}98",)
        assert rig.ask("/slot/BD/undo") == (f"{before}{sign}99",)
        assert rig.ask("/slot/BD/undo") == (before,)

    @pytest.mark.parametrize(("word", "which"), [("tail", "t"), ("attack", "a")])
    def test_without_a_seed_the_best_of_some_plays(
        self, rig: Rig, word: str, which: str
    ) -> None:
        before = rig.sound_id(0)
        refused: list[str] = []

        def opinion(sound: Sound) -> str | None:
            refused.append(sound.id)
            return "unsure" if len(refused) < 4 else None

        rig.filler.opinion = opinion
        (sound_id,) = ordered(rig, f"/slot/BD/{word}")
        (step,) = parse_id(sound_id)[2].steps
        assert isinstance(step, OtherPart)
        assert (step.which, sound_id) == (which, refused[3])
        assert sound_id.startswith(before)
        assert not rig.machine.swaps.slots[0].coming
        rig.filler.opinion = lambda sound: "silent"
        assert "send it again" in str(ordered(rig, f"/slot/BD/{word}"))

    def test_they_go_on_together(self, rig: Rig) -> None:
        before = rig.sound_id(0)
        ordered(rig, "/slot/BD/tail", 99)
        assert ordered(rig, "/slot/BD/morph", 5, 0.5) == (f"{before}+t99~5@0.5",)
        assert ordered(rig, "/slot/BD/mix", "snare", 0.5) == (
            f"{before}+t99~5@0.5".replace("kick", "kick+snare@0.5"),)


class TestSimilar:
    def test_a_neighbour_plays(self, rig: Rig) -> None:
        before = parse_id(rig.sound_id(0))[2]
        sound_id, waiting = ordered(rig, "/slot/BD/similar", 0.2)
        (step,) = parse_id(sound_id)[2].steps
        assert isinstance(step, Near)
        assert (step.radius, parse_id(sound_id)[2].seed, waiting) == (0.2, before.seed, 0)
        assert rig.sound_id(0) == sound_id

    def test_neighbours_differ_and_two_runs_of_a_seed_find_the_same(self) -> None:
        walks = []
        for _ in range(2):
            rig = Rig(**OFF)
            walks.append([ordered(rig, "/slot/BD/similar", 0.2)[0] for _ in range(3)])
        assert walks[0] == walks[1]
        assert len(set(walks[0])) == 3
        assert walks[0][2].startswith(walks[0][1]), "a walk goes on from where it is"

    def test_those_that_wait_come_as_the_slot_evolves(self) -> None:
        rig = Rig(stock=3, evolve={"swaps_per_bar": 1.0, "mode": "all"},
                  sequencer={"playing": True})
        rig.run(BLOCK)
        sound_id, waiting = ordered(rig, "/slot/BD/similar", 0.2, 3)
        assert waiting == 2
        rig.run(4 * BAR)
        kicks = [event.id for event in rig.of_type(SoundChanged) if event.slot == 0][1:]
        assert kicks[0] == sound_id
        assert ["+" in kick for kick in kicks[1:4]] == [True, True, False]
        assert len(set(kicks)) == len(kicks)
        assert kicks[3] == "fake/kick/1000", "then the pool has its turn again"

    def test_another_sound_ends_the_line(self, rig: Rig) -> None:
        ordered(rig, "/slot/BD/similar", 0.2, 5)
        rig.ask("/slot/BD/undo")
        assert len(rig.machine.swaps.slots[0].coming) == 4
        rig.ask("/slot/BD/new")
        assert not rig.machine.swaps.slots[0].coming

    def test_radius_nothing_is_the_sound_itself(self, rig: Rig) -> None:
        assert rig.ask("/slot/BD/similar", 0.0) == (rig.sound_id(0), 0)

    def test_what_cannot_be_played_is_left_out(self, rig: Rig) -> None:
        rig.filler.opinion = lambda sound: "silent"
        before = rig.sound_id(0)
        assert "none of the neighbours" in str(ordered(rig, "/slot/BD/similar", 0.2))
        assert rig.sound_id(0) == before

    def test_the_better_come_first(self) -> None:
        others = {"unsure": fake_sound("kick", 1), "click": fake_sound("kick", 2)}
        rendered = [Rendered(sound, why) for why, sound in others.items()]
        rendered += [Rendered(fake_sound("tom", 3), None), Rendered(fake_sound("kick", 4), None),
                     Rendered(fake_sound("kick", 5), None)]
        assert [sound.seed for sound in best_of(rendered, "kick")] == [4, 5, 3, 1]

    def test_a_failed_render_is_answered(self, rig: Rig) -> None:
        rig.machine.swaps.put(0, fake_sound("broken", 5))
        assert "no class 'broken'" in str(ordered(rig, "/slot/BD/similar", 0.5, 2))

    def test_a_walk_that_is_too_long_says_so(self, rig: Rig) -> None:
        for _ in range(32):
            assert not isinstance(ordered(rig, "/slot/BD/similar", 0.2), Gan808Error)
        assert "32 steps" in rig.refusal("/slot/BD/similar", 0.2)


class TestRecall:
    def test_an_id_brings_its_sound_back(self, rig: Rig) -> None:
        walked = ordered(rig, "/slot/BD/similar", 0.2)[0]
        rig.ask("/slot/BD/new")
        answers = rig.send("/slot/BD/recall", walked)
        rig.run(BLOCK)
        assert answers == [(walked,)], "it is at hand still: nothing is rendered"
        assert rig.machine.swaps.sound(0).point == parse_id(walked)[2]

    def test_a_sound_of_another_class_may_be_recalled(self, rig: Rig) -> None:
        assert ordered(rig, "/slot/BD/recall", "fake/tom/5") == ("fake/tom/5",)

    def test_a_stroke_over_many_is_undone_at_once(self, rig: Rig) -> None:
        before = rig.sound_id(0)
        for at, seed in enumerate((7, 8, 9)):
            ordered(rig, "/slot/BD/recall", f"fake/kick/{seed}", int(at == 0))
        assert rig.ask("/slot/BD/recall", "fake/kick/8", 0) == ("fake/kick/8",)
        assert rig.ask("/slot/BD/undo") == (before,)
        assert "no sound before" in rig.refusal("/slot/BD/undo")

    @pytest.mark.parametrize(("name", "why"), [
        ("fake/kick", "no id of a sound"), ("fake/kick/", "no id"), ("17", "no id"),
        ("other/kick/17", "load that kit"), ("fake/gong/17", "no class 'gong'"),
        ("fake/kick/17~", "names no sound"), ("fake/kick/-1", "names no sound"),
    ])
    def test_what_is_no_id_is_refused(self, rig: Rig, name: str, why: str) -> None:
        before = rig.sound_id(0)
        assert why in rig.refusal("/slot/BD/recall", name)
        assert rig.sound_id(0) == before


def test_sounds_of_a_kit_that_is_gone_have_no_neighbours(rig: Rig) -> None:
    rig.machine.swaps.put(0, fake_sound("kick", 5, kit="other"))
    for address, arguments in (("similar", (0.5,)), ("morph", (5, 0.5))):
        assert "is of kit other" in rig.refusal(f"/slot/BD/{address}", *arguments)


def test_a_silent_slot_has_no_neighbours() -> None:
    rig = Rig(kit=FakeKit(sounds=[]), **OFF)
    assert "no sound yet" in rig.refusal("/slot/BD/similar", 0.5)
    assert "no sound yet" in rig.refusal("/slot/BD/morph", 5, 0.5)


def test_an_answer_for_a_slot_that_is_gone_is_refused(rig: Rig) -> None:
    answers = rig.send("/slot/CH/morph", 5, 0.5)
    rig.run(BLOCK)
    rig.machine.swaps.slots = rig.machine.swaps.slots[:2]
    rig.filler.deliver_all()
    rig.run(BLOCK)
    assert "slot is gone" in str(answers[0])


def test_a_morph_asks_for_the_steps_it_names(rig: Rig) -> None:
    rig.send("/slot/BD/morph", 99, 0.25)
    rig.run(BLOCK)
    ((_, sound),) = rig.filler.pending
    assert sound.point == Point(sound.seed, (Towards(99, 0.25),))


def test_a_mix_among_the_factory_sounds_is_for_the_slot_of_its_first_class() -> None:
    mix = fake_sound("snare+kick@0.8", 1)
    rig = Rig(kit=FakeKit(sounds=[mix, fake_sound("kick", 2)]), **OFF)
    assert (rig.sound_id(0), rig.sound_id(1)) == ("fake/kick/2", mix.id)
