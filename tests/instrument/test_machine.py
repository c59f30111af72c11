"""The machine: notes, values, swaps, undo, wishes, files, kits. Offline, on fakes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gan808.engine.engine import NO_CELL, SlotParameter
from gan808.engine.layout import MASTER_MOST
from gan808.errors import ConfigError
from gan808.instrument.events import KitLoaded, Notice, ParameterChanged, PoolEmpty, SoundChanged
from gan808.instrument.parameter import Kind
from gan808.instrument.parameters import TABLE
from gan808.sound.kit.slots import TR808
from tests.fakes import FakeKit, fake_sound
from tests.instrument.rig import BAR, BLOCK, Rig

OFF = {"sequencer": {"playing": False}}
CODES = [slot.code for slot in TR808]


@pytest.fixture
def rig() -> Rig:
    return Rig(**OFF)


class TestStart:
    def test_factory_sounds_fill_every_slot_by_class_and_pitch_third(self, rig: Rig) -> None:
        rig.run(BLOCK)
        assert NO_CELL not in rig.engine.slot_cells
        for slot, layout in enumerate(TR808):
            kit, class_name, seed = rig.sound_id(slot).split("/")
            assert (kit, class_name) == ("fake", layout.class_name)
            if layout.third is not None:  # seed 0 is the lowest, 2 the highest
                assert int(seed) == layout.third

    def test_the_surest_sound_comes_first(self) -> None:
        sounds = [fake_sound("kick", seed, confidence=c) for seed, c in enumerate([0.5, 0.9, 0.7])]
        rig = Rig(kit=FakeKit(slots=TR808[:1], sounds=sounds), **OFF)
        assert rig.sound_id(0) == "fake/kick/1"

    def test_settings_reach_the_engine(self, rig: Rig) -> None:
        rig.run(BLOCK)
        assert rig.engine.master == 0.8 * MASTER_MOST
        assert rig.engine.slot_values[0, SlotParameter.LEVEL] == 0.8
        hats = {rig.engine.slot_values[CODES.index(c), SlotParameter.CHOKE] for c in ("OH", "CH")}
        assert hats == {1.0}
        assert rig.engine.slot_values[0, SlotParameter.CHOKE] == 0

    def test_a_class_without_factory_sounds_draws_or_says_so(self) -> None:
        kit = FakeKit(sounds=[fake_sound("kick", 1)])
        rig = Rig(kit=kit, **OFF)
        assert rig.sound_id(0) == "fake/kick/1"
        assert rig.sound_id(1) == ""
        assert "SD" in rig.of_type(Notice)[0].text
        assert rig.engine.dropped == 0
        assert "no sound yet" in rig.refusal("/slot/SD/info")

    def test_an_unknown_pattern_is_refused_before_anything_sounds(self) -> None:
        with pytest.raises(ConfigError, match="no such pattern"):
            Rig(sequencer={"pattern": "nowhere"})


class TestNotes:
    def test_a_hit_goes_straight_to_the_callers_port(self, rig: Rig) -> None:
        assert rig.machine.trigger(rig.port, 3, 0.5, 77, gain=0.9, pan=-1, tune_semitones=2)
        last = rig.engine.commands[-1]
        assert (last.port, last.slot, last.value, last.frame) == ("midi", 3, 0.5, 77)
        assert (last.gain, last.pan, last.tune_semitones) == (0.9, -1, 2)

    def test_notes_find_their_slots(self, rig: Rig) -> None:
        assert [rig.machine.slot_for_note(n) for n in (36, 35, 42, 44, 46, 0)] == [
            0, 0, 15, 15, 14, None]

    def test_a_note_off_ends_gated_slots_only(self, rig: Rig) -> None:
        rig.machine.release(rig.port, 0)
        assert rig.engine.commands[-1].name != "release"
        assert rig.ask("/slot/BD/gate", 1) == (1,)
        rig.machine.release(rig.port, 0, 500)
        assert (rig.engine.commands[-1].name, rig.engine.commands[-1].frame) == ("release", 500)
        rig.machine.release(rig.port, 1)
        assert rig.engine.commands[-1].slot == 0

    def test_osc_hits(self, rig: Rig) -> None:
        assert rig.send("/trig", "SD", 0.25, frame=900) == []
        assert rig.send("/play", "s", "bd", "speed", 2.0, "cut", 1) == []
        assert rig.send("/stop") == []
        assert rig.send("/stop", "OH", frame=5) == []
        trig, cut, play, everything, one = rig.engine.commands[-5:]
        assert (trig.slot, trig.value, trig.frame) == (1, 0.25, 900)
        assert (cut.name, cut.slot) == ("stop", 0)
        assert (play.slot, play.tune_semitones) == (0, 12.0)
        assert (everything.name, everything.slot) == ("stop", -1)
        assert (one.slot, one.frame) == (14, 5)

    def test_a_full_ring_is_told(self, rig: Rig) -> None:
        rig.port.full = True
        assert not rig.machine.trigger(rig.port, 0, 1.0)
        assert "too busy" in str(rig.send("/trig", "BD", 1.0)[0])


class TestValues:
    @pytest.mark.parametrize(("name", "value", "parameter"), [
        ("level", 0.25, SlotParameter.LEVEL), ("tune", -7.5, SlotParameter.TUNE),
        ("decay", 0.5, SlotParameter.DECAY), ("pan", 1.0, SlotParameter.PAN),
        ("mute", 1, SlotParameter.MUTE), ("choke", 3, SlotParameter.CHOKE),
    ])
    def test_set_get_echo_and_engine(self, rig: Rig, name, value, parameter) -> None:
        assert rig.ask(f"/slot/CP/{name}", value) == (value,)
        assert rig.ask(f"/slot/CP/{name}") == (value,)
        assert rig.engine.slot_values[10, parameter] == value
        assert rig.of_type(ParameterChanged) == [ParameterChanged(f"/slot/CP/{name}", (value,))]

    @pytest.mark.parametrize(("address", "value"), [
        ("/volume", 0.5), ("/seq/tempo", 99.5), ("/seq/swing", 0.25), ("/seq/pattern", "house"),
        ("/evolve", 2.5), ("/evolve/quantise", "now"), ("/evolve/mode", "all"),
        ("/slot/BD/lock", 1),
    ])
    def test_every_other_value_is_set_read_and_echoed(self, rig: Rig, address, value) -> None:
        assert rig.ask(address) != (value,)
        assert rig.ask(address, value) == (value,)
        assert rig.ask(address) == (value,)
        assert rig.of_type(ParameterChanged)[-1] == ParameterChanged(address, (value,))

    def test_a_refused_set_changes_nothing(self, rig: Rig) -> None:
        assert "no such pattern" in rig.refusal("/seq/pattern", "nowhere")
        assert rig.ask("/seq/pattern") == ("test",)
        rig.machine.port.full = True
        assert "too busy" in rig.refusal("/slot/BD/level", 0.1)
        assert "too busy" in rig.refusal("/volume", 0.1)
        assert rig.ask("/slot/BD/level") == (0.8,)
        assert rig.ask("/volume") == (0.8,)
        assert rig.of_type(ParameterChanged) == []

    def test_a_step_is_set_and_read(self, rig: Rig) -> None:
        assert rig.ask("/seq/step", "SD", 3) == ("SD", 3, 0.0)
        assert rig.ask("/seq/step", "SD", 3, 0.5) == ("SD", 3, 0.5)
        assert rig.of_type(ParameterChanged)[-1].values == ("SD", 3, 0.5)
        assert "steps 1 to 16" in rig.refusal("/seq/step", "SD", 17, 0.5)

    def test_a_timed_value_carries_its_frame_and_waits_its_turn(self, rig: Rig) -> None:
        answers = rig.send("/slot/BD/level", 0.5, frame=50000)
        rig.run(BLOCK * 8)
        assert answers == [], "seconds ahead: not yet in the engine's queue"
        rig.run(48000)
        assert answers == [(0.5,)]
        assert rig.engine.commands[-1].frame == 50000

    def test_unknown_commands_are_a_mistake_of_the_caller(self, rig: Rig) -> None:
        for command in ("/nowhere", "/trig", "/hello"):
            with pytest.raises(ConfigError, match="no command"):
                rig.machine.submit(command)

    def test_every_row_answers(self, rig: Rig) -> None:
        queries = [row for row in TABLE if row.kind is Kind.QUERY]
        for row in queries:
            sound = rig.machine.swaps.sound(0).id
            given = [sound, 0][:sum(not each.optional for each in row.arguments)]
            answer = rig.ask(row.address_of("BD"), *given)
            assert isinstance(answer, tuple), row.address
            assert all(isinstance(part, int | float | str | bytes) for part in answer)


class TestSwaps:
    def test_new_draws_from_the_pool_and_the_next_hit_has_it(self) -> None:
        rig = Rig(stock=2, **OFF)
        rig.run(BLOCK)
        assert rig.ask("/slot/BD/new") == ("fake/kick/1000",)
        rig.machine.trigger(rig.port, 0, 1.0)
        rig.run(BLOCK)
        assert rig.engine.hits[-1].audio[0] == fake_sound("kick", 1000).audio[0]
        assert rig.of_type(SoundChanged)[-1] == SoundChanged(0, "BD", "fake/kick/1000", 1000, 0)
        assert rig.ask("/slot/BD/info") == (
            "fake/kick/1000", 1000, "kick", pytest.approx(0.9), 0.5)

    def test_a_swap_carries_its_frame(self) -> None:
        rig = Rig(stock=2, **OFF)
        rig.machine.trigger(rig.port, 0, 1.0, 5000)
        rig.machine.trigger(rig.port, 0, 1.0, 4999)
        rig.send("/slot/BD/new", frame=5000)
        rig.run(6000)
        before, after = (hit.audio[0] for hit in rig.engine.hits)
        assert before != after == fake_sound("kick", 1000).audio[0]

    def test_an_empty_pool_keeps_the_sound_and_says_so_once_a_minute(self, rig: Rig) -> None:
        present = rig.sound_id(0)
        assert "no kick in stock" in rig.refusal("/slot/BD/new")
        assert "no kick in stock" in rig.refusal("/slot/BD/new")
        assert rig.sound_id(0) == present
        assert rig.of_type(PoolEmpty) == [PoolEmpty(0, "BD", "kick")]
        rig.run(48000 * 60)
        rig.refusal("/slot/BD/new")
        assert len(rig.of_type(PoolEmpty)) == 2

    def test_pitched_slots_draw_their_third(self) -> None:
        rig = Rig(stock=9, **OFF)
        pitches = [int(rig.ask(f"/slot/{code}/new")[0].split("/")[2]) for code in
                   ("LT", "MT", "HT")]
        assert pitches[0] <= 1002 < pitches[1] <= 1005 < pitches[2]

    def test_a_seed_is_rendered_and_answered_when_it_is_there(self, rig: Rig) -> None:
        answers = rig.send("/slot/SD/new", 4242)
        rig.run(BLOCK)
        assert answers == []
        rig.filler.deliver_all()
        rig.run(BLOCK)
        assert answers == [("fake/snare/4242",)]
        assert rig.sound_id(1) == "fake/snare/4242"

    def test_a_failed_render_is_answered(self) -> None:
        kit = FakeKit(slots=(replace(TR808[0], class_name="broken"),), sounds=[])
        rig = Rig(kit=kit, **OFF)
        answers = rig.send("/slot/BD/new", 1)
        rig.run(BLOCK)
        rig.filler.deliver_all()
        rig.run(BLOCK)
        assert "no class 'broken'" in str(answers[0])

    def test_undo_goes_back_sixteen_steps_and_no_further(self) -> None:
        rig = Rig(stock=20, **OFF)
        ids = [rig.sound_id(0), *(rig.ask("/slot/BD/new")[0] for _ in range(20))]
        back = [rig.ask("/slot/BD/undo")[0] for _ in range(16)]
        assert back == ids[-2:-18:-1]
        assert "no sound before" in rig.refusal("/slot/BD/undo")
        rig.machine.trigger(rig.port, 0, 1.0)
        rig.run(BLOCK)
        assert rig.engine.hits[-1].audio[0] == fake_sound("kick", int(back[-1][-4:])).audio[0]

    def test_a_full_arena_gives_the_sound_back(self) -> None:
        rig = Rig(stock=3, cells=16, **OFF)
        rig.run(BLOCK)
        assert "every cell" in rig.refusal("/slot/BD/new")
        assert rig.pool.stock()["kick"] == 3
        assert rig.sound_id(0).startswith("fake/kick/")
        assert "no sound before" in rig.refusal("/slot/BD/undo")

    def test_a_full_ring_gives_cell_and_sound_back(self) -> None:
        rig = Rig(stock=3, **OFF)
        rig.run(BLOCK)
        used = rig.engine.used_cells()
        rig.machine.port.full = True
        assert "too busy" in rig.refusal("/slot/BD/new")
        assert rig.engine.used_cells() == used
        assert rig.pool.stock()["kick"] == 3

    @pytest.mark.parametrize(("word", "descriptor", "above"), [
        ("brighter", "brightness_hz", True), ("darker", "brightness_hz", False),
        ("longer", "length_s", True), ("shorter", "length_s", False),
        ("higher", "pitch_hz", True), ("lower", "pitch_hz", False),
    ])
    def test_words_draw_relative_to_the_present_sound(self, word, descriptor, above) -> None:
        present = fake_sound("kick", 0)
        value = getattr(present.descriptors, descriptor)
        rig = Rig(kit=FakeKit(sounds=[present]), **OFF)
        for seed, ratio in enumerate([0.5, 0.8, 0.99, 1.0, 1.01, 1.3, 2.0], start=1):
            rig.pool.put(fake_sound("kick", seed, **{descriptor: value * ratio}))
        clearly, hardly = (6, 7) if above else (2, 1), (5,) if above else (3,)
        order = [int(rig.ask(f"/slot/BD/{word}")[0].split("/")[2])]
        assert order[0] == clearly[0], "the nearest that can be heard"
        order.append(int(rig.ask(f"/slot/BD/{word}")[0].split("/")[2]))
        assert order[1] == clearly[1]
        refusal = rig.refusal(f"/slot/BD/{word}")
        assert f"none of the 5 kick sounds in stock is {word}" in refusal
        rig.ask("/slot/BD/undo")
        rig.ask("/slot/BD/undo")
        assert rig.ask(f"/slot/BD/{word}") == (f"fake/kick/{hardly[0]}",), "a little is better"

    def test_no_cell_in_use_is_written_however_much_is_swapped(self) -> None:
        rig = Rig(stock=24, cells=20, **OFF)
        taken: list[tuple[int, set[int]]] = []
        write = rig.engine.write_sound

        def watched(audio):
            held = rig.engine.used_cells()
            cell = write(audio)
            taken.append((cell, held))
            return cell

        rig.engine.write_sound = watched
        for code in CODES * 3:
            rig.machine.trigger(rig.port, CODES.index(code), 1.0)
            rig.ask(f"/slot/{code}/new")
        assert len(taken) == 48
        assert all(cell not in held for cell, held in taken if cell is not None)


class TestFiles:
    def test_keep_and_export_answer_with_the_file(self, rig: Rig) -> None:
        assert rig.ask("/sound/keep", "BD")[0].endswith(".flac")
        assert rig.ask("/sound/export", "SD", "boom")[0].endswith("boom.wav")
        assert rig.ask("/sound/export", "SD")[0].endswith("fake-snare-0.wav")
        assert [sound.class_asked for sound in rig.library.kept] == ["kick", "snare", "snare"]


class TestKits:
    def test_another_kit_takes_over_at_the_bar(self) -> None:
        rig = Rig(sequencer={"playing": True})
        rig.run(1000)
        answers = rig.send("/kit/load", "other")
        rig.run(1000)
        assert answers == []
        assert rig.machine.kit.name == "fake", "it plays on until the other is ready"
        rig.filler.deliver_all()
        rig.run(BAR)
        assert answers == [("other",)]
        assert rig.of_type(KitLoaded) == [KitLoaded("other", BAR)]
        assert all(name.startswith("other/") for name in rig.machine.status().sounds)
        assert {e.frame for e in rig.of_type(SoundChanged)[-16:]} == {BAR}

    def test_a_kit_that_fails_leaves_the_running_one(self, rig: Rig) -> None:
        sounds = rig.machine.status().sounds
        assert "no such kit" in rig.refusal("/kit/load", "nowhere")
        answers = rig.send("/kit/load", "broken")
        rig.run(BLOCK)
        rig.filler.deliver_all()
        rig.run(BLOCK)
        assert "weights cut short" in str(answers[0])
        assert (rig.machine.kit.name, rig.machine.status().sounds) == ("fake", sounds)

    def test_a_smaller_kit_silences_the_slots_it_has_not(self, rig: Rig) -> None:
        rig.library.kits["small"] = FakeKit("small", slots=TR808[:2])
        rig.ask("/slot/BD/level", 0.3)
        rig.send("/kit/load", "small")
        rig.run(BLOCK)
        rig.filler.deliver_all()
        rig.run(BLOCK)
        assert rig.machine.codes == ("BD", "SD")
        assert rig.engine.slot_cells[2:] == [NO_CELL] * 14
        assert rig.machine.slot_for_note(42) is None
        assert rig.ask("/slot/BD/level") == (0.3,)
        answers: list = []
        rig.machine.submit("/slot/SLOT/info", 7, reply=answers.append)
        rig.run(BLOCK)
        assert "2 slots" in str(answers[0])
        rig.send("/kit/load", "fake")
        rig.run(BLOCK)
        rig.filler.deliver_all()
        rig.run(BLOCK)
        assert NO_CELL not in rig.engine.slot_cells
        assert rig.engine.slot_values[15, SlotParameter.CHOKE] == 1

    def test_a_saved_kit_begins_with_the_sounds_of_now(self) -> None:
        rig = Rig(stock=2, **OFF)
        rig.ask("/slot/BD/new")
        assert rig.ask("/kit/save", "mine") == ("mine",)
        rig.send("/kit/load", "mine")
        rig.run(BLOCK)
        rig.filler.deliver_all()
        rig.run(BLOCK)
        assert rig.machine.kit.name == "mine"
        assert rig.sound_id(0) == "fake/kick/1000"

    def test_kits_are_listed_and_numbered(self, rig: Rig) -> None:
        assert rig.ask("/kit/list") == ("fake", "other", "broken")
        answers: list = []
        rig.machine.load_numbered_kit(1, answers.append)
        rig.machine.load_numbered_kit(9, answers.append)
        rig.run(BLOCK)
        assert "there are 3 kits" in str(answers[0])
        rig.filler.deliver_all()
        rig.run(BLOCK)
        assert rig.machine.kit.name == "other"


class TestListeners:
    def test_until_they_unsubscribe(self, rig: Rig) -> None:
        heard: list = []
        end = rig.machine.subscribe(heard.append)
        rig.ask("/slot/BD/level", 0.5)
        end()
        rig.ask("/slot/BD/level", 0.6)
        assert [event.values for event in heard] == [(0.5,)]

    def test_status_tells_how_things_stand(self) -> None:
        rig = Rig(stock=2)
        rig.run(BAR)
        status = rig.machine.status()
        assert (status.kit, status.pattern, status.playing) == ("fake", "test", True)
        assert status.pool == 2 * len(rig.kit.classes)
        assert rig.ask("/status") == (0, status.pool, pytest.approx(0.1), 0.5, 0, 48000.0,
                                      pytest.approx(128 / 48))
        assert rig.ask("/counters") == (
            status.late_commands, status.stolen_voices, status.dropped_commands)
        assert rig.ask("/pool")[:2] == ("kick", 2)
