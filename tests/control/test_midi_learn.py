"""Learned controls: by OSC's rows and MIDI's messages on a machine of fakes, and kept in a file."""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gan808.errors import ConfigError, Gan808Error
from gan808.instrument.events import ParameterChanged
from gan808.instrument.host import Host
from gan808.instrument.learning import control_of, target_of, text_of
from gan808.instrument.parameter import validate
from gan808.instrument.parameters import TABLE
from gan808.sound.kit.slots import TR808
from gan808.storage import learned_controls
from tests.control.test_midi import Deck
from tests.fakes import Command, FakeKit, fake_sound

CODES = [slot.code for slot in TR808]
KEYS = 0x90  # notes on channel 1, which is not the drums'
KNOBS = 0xB0


class Learner(Deck):
    """Asks what /learn asks, and collects what it is told."""

    def __init__(self, host: Host | None = None, **sections: dict[str, object]) -> None:
        self.kept: list[dict[str, str]] = []
        super().__init__(host or Host(
            keep_learned=lambda learned: self.kept.append(dict(learned))), **sections)
        self.told: list[Any] = []
        self.machine.subscribe(self.told.append)

    def ask(self, command: str, *arguments: Any) -> Any:
        answers: list[Any] = []
        self.machine.submit(command, *arguments, reply=answers.append)
        self.machine.before_block(1)
        return answers[0]

    def learn(self, target: str, *data: int) -> None:
        assert not isinstance(self.ask("/learn", target), Gan808Error)
        self.send(*data)

    def sent(self, *data: int) -> list[Command]:
        return self.send(*data)


@pytest.fixture
def deck() -> Learner:
    return Learner()


class TestTargets:
    @pytest.mark.parametrize(("named", "target"), [
        ("/slot/BD/level", "/slot/BD/level"), ("/gan808/slot/2/tune", "/slot/SD/tune"),
        ("/slot/bd/mute", "/slot/BD/mute"), ("/trig bd", "/trig BD"), ("/trig 16", "/trig CH"),
        ("/trig BD 0.5", "/trig BD 0.5"), ("/volume", "/volume"), ("/seq/tempo", "/seq/tempo"),
        ("/seq/play", "/seq/play"), ("/seq/pattern house", "/seq/pattern house"),
        ("/seq/pattern 'my beat'", "/seq/pattern 'my beat'"), ("/evolve/mode", "/evolve/mode"),
        ("/seq/step BD 3", "/seq/step BD 3"), ("/slot/BD/new", "/slot/BD/new"),
        ("/slot/BD/new 17", "/slot/BD/new 17"), ("/slot/CH/morph 17", "/slot/CH/morph 17"),
        ("/slot/BD/mix snare", "/slot/BD/mix snare"),
        ("/slot/BD/load kick.wav", "/slot/BD/load kick.wav"),
        ("/slot/BD/similar", "/slot/BD/similar"), ("/stop", "/stop"), ("/stop BD", "/stop BD"),
    ])
    def test_values_actions_and_hits(self, named: str, target: str) -> None:
        assert target_of(named, CODES).text == target
        assert target_of(target, CODES) == target_of(named, CODES)

    @pytest.mark.parametrize(("named", "why"), [
        ("/nothing", "nothing that a control can move"), ("", "nothing that a control"),
        ("/status", "nothing that a control"), ("/learn x", "nothing that a control"),
        ("/play s bd", "nothing that a control"), ("/late", "nothing that a control"),
        ("/slot/XX/level", "slot 'XX'"), ("/seq/pattern", "name pattern after"),
        ("/trig", "name slot after"), ("/seq/step BD", "name step after"),
        ("/slot/BD/morph", "name seed after"), ("/slot/BD/level loud", "must be a number"),
        ("/slot/BD/level 2", "must be a number from 0 to 1"), ("/volume 1 2", "takes f"),
        ("/slot/*/level", "one thing"), ("/trig 'BD", "quotation"),
    ])
    def test_what_cannot_be_moved_is_one_line(self, named: str, why: str) -> None:
        with pytest.raises(ConfigError, match=why) as refused:
            target_of(named, CODES)
        assert "\n" not in str(refused.value)

    @given(st.one_of(st.text(max_size=40), st.builds(
        lambda row, words: " ".join([row.replace("SLOT", "BD"), *words]),
        st.sampled_from([row.address for row in TABLE]),
        st.lists(st.sampled_from(["BD", "16", "0", "-1", "nan", "inf", "1e999", "house", "''", "*",
                                  "0.5", "2"]), max_size=4))))
    def test_no_text_breaks_it_and_what_is_a_target_stays_one(self, text: str) -> None:
        try:
            target = target_of(text, CODES)
        except ConfigError as error:
            assert "\n" not in str(error) or "\n" in text
            return
        assert target_of(target.text, CODES) == target
        for value in (0, 64, 127):
            values = target.arguments(value)
            slot = () if target.slot is None else (CODES[target.slot],)
            given = (*(() if target.row.per_slot else slot), *(values or ()))
            if values is not None:
                assert validate(target.row, given) == given, "a control sends what is accepted"

    def test_controls_are_text_and_back(self) -> None:
        for control in (("cc", 1, 0), ("note", 16, 127)):
            assert control_of(text_of(control)) == control  # type: ignore[arg-type]
        for text in ("", "cc 0 1", "cc 17 1", "note 1 128", "cc 1", "pitch 1 1", "cc 1 1 1"):
            assert control_of(text) is None


class TestLearning:
    def test_the_next_knob_moves_it_from_then_on(self, deck: Learner) -> None:
        assert deck.ask("/learn", "/slot/SD/level") == ("/slot/SD/level",)
        assert deck.sent(KNOBS, 21, 5) == [], "what is learned does not act yet"
        assert deck.told == [ParameterChanged("/learned", ("cc 1 21", "/slot/SD/level"))]
        (command,) = deck.sent(KNOBS, 21, 127)
        assert (command.name, command.slot, command.value) == ("set", 1, 1.0)
        assert deck.sent(KNOBS | 1, 21, 127) == [], "on its channel only"
        assert deck.ask("/learn/list") == ("cc 1 21", "/slot/SD/level")
        assert deck.kept == [{"cc 1 21": "/slot/SD/level"}]

    def test_only_the_first_control_is_meant(self, deck: Learner) -> None:
        deck.ask("/learn", "/volume")
        for number in (20, 21, 22):
            deck.notes.receive((KNOBS, number, 64), 0.0)
        deck.machine.before_block(1)
        assert deck.ask("/learn/list") == ("cc 1 20", "/volume")

    def test_it_comes_before_the_table(self, deck: Learner) -> None:
        deck.learn("/volume", 0xB9, 16, 1)  # the level of BD in the table, on the drums' channel
        (command,) = deck.sent(0xB9, 16, 127)
        assert command.name == "master"
        deck.ask("/learn/forget", "cc 10 16")
        (command,) = deck.sent(0xB9, 16, 127)
        assert (command.name, command.slot) == ("set", 0)

    def test_a_note_plays_a_slot_with_its_velocity(self, deck: Learner) -> None:
        deck.learn("/trig CP", KEYS, 60, 100)
        (hit,) = deck.sent(KEYS, 60, 64)
        assert (hit.port, hit.name, hit.slot) == ("midi", "trigger", 10)
        assert hit.value == pytest.approx(64 / 127)
        assert deck.sent(0x80, 60, 0) == []
        deck.machine.submit("/slot/SLOT/gate", 10, 1)
        deck.machine.before_block(1)
        assert [c.name for c in deck.sent(0x80, 60, 0)] == ["release"]
        assert [c.name for c in deck.sent(KEYS, 60, 0)] == ["release"]

    def test_a_learned_note_no_longer_plays_the_kit_s_slot(self, deck: Learner) -> None:
        deck.learn("/trig CB", 0x99, 36, 100)
        assert [c.slot for c in deck.sent(0x99, 36, 100)] == [12]
        deck.ask("/learn/forget", "/trig CB")
        assert [c.slot for c in deck.sent(0x99, 36, 100)] == [0]

    def test_a_key_and_a_button_set_off_an_action(self, deck: Learner) -> None:
        assert deck.pool.put(fake_sound("kick", 50))
        deck.learn("/slot/BD/new", KEYS, 61, 1)
        (command,) = deck.sent(KEYS, 61, 1)
        assert (command.name, command.slot) == ("assign", 0)
        deck.learn("/seq/play", KNOBS, 30, 127)
        deck.sent(KNOBS, 30, 0)
        assert not deck.machine.sequencer.playing
        deck.sent(KNOBS, 30, 127)
        assert deck.machine.sequencer.playing

    def test_words_and_steps(self, deck: Learner) -> None:
        deck.learn("/evolve/mode", KNOBS, 30, 0)
        for value, mode in ((0, "one"), (60, "all"), (127, "fresh")):
            deck.sent(KNOBS, 30, value)
            assert deck.machine.evolution.mode == mode
        deck.learn("/seq/step BD 3", KNOBS, 31, 0)
        deck.sent(KNOBS, 31, 127)
        assert deck.machine.sequencer.step(0, 3).velocity == 1.0

    def test_a_value_waits_for_a_knob_and_never_takes_midi_s_own(self, deck: Learner) -> None:
        deck.ask("/learn", "/slot/BD/level")
        deck.sent(KEYS, 60, 100)
        deck.sent(KNOBS, 0, 1)  # bank select comes before programs
        deck.sent(KNOBS, 123, 0)
        deck.sent(0xC0, 1)
        assert deck.ask("/learn/list") == ()
        deck.sent(KNOBS, 1, 64)
        assert deck.ask("/learn/list") == ("cc 1 1", "/slot/BD/level")

    def test_letting_go_of_a_key_is_not_learned(self, deck: Learner) -> None:
        deck.ask("/learn", "/trig BD")
        deck.sent(0x80, 60, 64)
        deck.sent(KEYS, 60, 0)
        assert deck.ask("/learn/list") == ()

    def test_cancel_and_refusal(self, deck: Learner) -> None:
        deck.ask("/learn", "/volume")
        assert deck.ask("/learn/cancel") == ()
        deck.sent(KNOBS, 20, 64)
        assert deck.ask("/learn/list") == ()
        assert "nothing that a control" in str(deck.ask("/learn", "/rubbish"))
        assert "nothing of that" in str(deck.ask("/learn/forget", "cc 1 1"))
        assert deck.ask("/learn/forget", "all") == (0,)

    def test_a_kit_without_the_slot_keeps_it_for_one_that_has_it(self, deck: Learner) -> None:
        deck.learn("/slot/CH/level", KNOBS, 20, 1)
        small, whole = FakeKit("small", slots=TR808[:2]), FakeKit()
        deck.machine.switches.schedule(small, small.factory_sounds(48000), 0)
        assert deck.sent(KNOBS, 20, 64) == []
        assert deck.ask("/learn/list") == ("cc 1 20", "/slot/CH/level")
        deck.machine.switches.schedule(whole, whole.factory_sounds(48000), 0)
        assert [c.slot for c in deck.sent(KNOBS, 20, 64)] == [15]


class TestFile:
    def test_what_was_learned_is_there_after_a_restart(self, tmp_path: Path) -> None:
        path = tmp_path / "data" / "controls.toml"
        first = Learner(Host(keep_learned=partial(learned_controls.save, path)))
        first.learn("/slot/SD/level", KNOBS, 21, 5)
        first.learn("/seq/pattern 'a \"b\" \\ c'", KNOBS, 22, 5)
        second = Learner(Host(learned=learned_controls.load(path)))
        assert second.ask("/learn/list") == first.ask("/learn/list")
        assert [c.slot for c in second.sent(KNOBS, 21, 127)] == [1]
        assert [p.name for p in path.parent.iterdir()] == [path.name]

    @pytest.mark.parametrize("text", [
        "cc 1 = [", '"cc 1 21" = 3', "\x00", b"\xff\xfe", "a = " + "[" * 100_000])
    def test_a_damaged_file_is_set_aside_by_name(
        self, tmp_path: Path, text: str | bytes, caplog: pytest.LogCaptureFixture
    ) -> None:
        path = tmp_path / "controls.toml"
        data = text if isinstance(text, bytes) else text.encode()
        path.write_bytes(data)
        assert learned_controls.load(path) == {}
        assert (tmp_path / "controls.toml.damaged").read_bytes() == data
        assert not path.exists()
        (line,) = caplog.messages
        assert "controls.toml.damaged" in line
        assert "\n" not in line

    def test_lines_that_mean_nothing_are_left_alone(self) -> None:
        deck = Learner(Host(
            learned={"knob": "/volume", "cc 1 2": "/rubbish", "cc 1 3": "/volume"}))
        assert [c.name for c in deck.sent(KNOBS, 3, 64)] == ["master"]
        assert deck.sent(KNOBS, 2, 64) == []

    def test_no_file_is_nothing_learned(self, tmp_path: Path) -> None:
        assert learned_controls.load(tmp_path / "none.toml") == {}

    def test_a_folder_that_cannot_be_written_is_one_line(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        (tmp_path / "file").write_text("")
        with caplog.at_level(logging.WARNING, logger="gan808"):
            learned_controls.save(tmp_path / "file" / "controls.toml", {"cc 1 1": "/volume"})
        assert "lasts until the end of this run" in caplog.text
