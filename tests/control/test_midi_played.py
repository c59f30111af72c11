"""MIDI that the audio callback acts upon: it does what Python would, and Python does the rest."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from gan808.engine.layout import COMMAND_RELEASE, COMMAND_STOP, COMMAND_TRIGGER
from gan808.instrument.events import ParameterChanged
from gan808.instrument.learning import control_of
from gan808.instrument.midi_map import slot_of_note
from gan808.sound.kit.slots import TR808
from tests.control.test_midi import CONTROL, NOTE_OFF, NOTE_ON, Deck
from tests.engine.rig import new_engine, render
from tests.fakes import FakeKit, fake_sound

NAMES = {COMMAND_TRIGGER: "trigger", COMMAND_STOP: "stop", COMMAND_RELEASE: "release"}
PRESSURE = 0xA9
Done = list[tuple[str, int, float, float, float]]


def by_python(deck: Deck, messages: list[tuple[int, int, int]]) -> list[Done]:
    """What each message comes to in Python."""
    return [[(c.name, c.slot, pytest.approx(c.value, abs=1e-6), pytest.approx(c.gain, abs=1e-6),
              pytest.approx(c.pan, abs=1e-6)) if c.name == "trigger" else (c.name, c.slot, 0, 0, 0)
             for c in deck.send(*message) if c.port == "midi"] for message in messages]


def by_callback(deck: Deck, messages: list[tuple[int, int, int]]) -> tuple[list[Done], list[int]]:
    """What each comes to in the callback, with the keymap that the deck's engine was sent last;
    and whether it was acted upon."""
    engine, port = new_engine()
    assert port.set_keymap(deck.engine.keymaps[-1][1])
    engine.journal.ask(True)
    render(engine, 1)
    done, answers = [], []
    for message in messages:
        engine._memory[0]["midi_answers"] = 0
        assert port.midi(*message)
        render(engine, 1)
        done.append([(NAMES[int(c["kind"])], int(c["slot"]), float(c["value"]), float(c["gain"]),
                      float(c["pan"])) if c["kind"] == COMMAND_TRIGGER else
                     (NAMES[int(c["kind"])], int(c["slot"]), 0, 0, 0)
                     for c in engine.journal.commands()])
        answers.append(int(engine._memory[0]["midi_answers"][-1]))
    return done, answers


def learn(deck: Deck, **learned: str) -> None:
    """Bind controls, `note_1_60="/trig BD"`."""
    for name, target in learned.items():
        control = control_of(name.replace("_", " "))
        assert control is not None
        deck.machine.submit("/learn", target)
        deck.machine.post(deck.machine.learning.take, control)
    deck.machine.before_block(1)


def some_messages(count: int, seed: int) -> list[tuple[int, int, int]]:
    """Notes, pressure and controllers, most of them on channel 10 and of numbers that mean
    something."""
    chance = random.Random(seed)
    notes = [note for slot in TR808 for note in slot.notes] + [0, 60, 61, 62, 127]
    numbers = [10, 11, 64, 64, 120, 121, 123, 127, 20, 21, 7, 0, 32]
    found = []
    for _ in range(count):
        kind = chance.choice([0x90, 0x90, 0x80, 0xA0, 0xB0, 0xB0])
        number = chance.choice(numbers if kind == 0xB0 else notes)
        value = chance.choice([0, 1, 63, 64, 127, chance.randrange(128)])
        found.append((kind | chance.choice([9, 9, 9, 0, 3]), number, value))
    return found


@pytest.mark.parametrize("channel", [10, 1, 0])
@pytest.mark.parametrize("curve", ["linear", "soft", "hard", "fixed"])
def test_the_callback_does_what_python_does(channel: int, curve: str) -> None:
    """The same commands for the same messages, pedals, gates and learned controls included."""
    deck = Deck(midi={"channel": channel, "velocity_curve": curve})
    for slot in (0, 5, 13):
        deck.machine.submit("/slot/SLOT/gate", slot, 1)
    learn(deck, note_10_60="/trig BD", note_1_61="/trig SD 0.25", note_10_62="/stop CY",
          cc_10_20="/trig CY", cc_1_21="/stop", note_4_36="/slot/BD/level 0.5")
    messages = some_messages(600, seed=channel)
    expected = by_python(deck, messages)
    done, answers = by_callback(deck, messages)
    assert done == expected
    assert {name for each in done for name, *_ in each} == set(NAMES.values())
    assert sum(map(bool, done)) > 50
    assert answers == [1] * len(messages)


def test_what_was_played_is_not_played_again() -> None:
    deck = Deck()
    deck.machine.submit("/slot/SLOT/gate", 0, 1)
    deck.machine.before_block(1)
    deck.engine.commands.clear()
    for message in some_messages(300, seed=1):
        deck.notes.receive(message, 0.0, played=True)
    assert [c for c in deck.engine.commands if c.port == "midi"] == []
    (hit,) = [c for c in deck.send(NOTE_ON, 36, 100) if c.port == "midi"]
    assert hit.slot == 0


def test_controllers_of_played_messages_turn_and_learn() -> None:
    deck = Deck()
    heard: list[Any] = []
    deck.machine.subscribe(heard.append)
    deck.notes.receive((CONTROL, 16, 127), 0.0, played=True)
    deck.machine.before_block(1)
    assert ParameterChanged("/slot/BD/level", (1.0,)) in heard
    deck.machine.submit("/learn", "/trig SD")
    deck.machine.before_block(2)
    deck.notes.receive((NOTE_ON, 36, 100), 0.0, played=True)
    deck.machine.before_block(3)
    assert ParameterChanged("/learned", ("note 10 36", "/trig SD")) in heard


def test_a_played_hit_gets_its_new_sound_in_fresh_mode() -> None:
    deck = Deck(evolve={"mode": "fresh", "swaps_per_bar": 1.0})
    sound = fake_sound("kick", 50)
    assert deck.pool.put(sound)
    deck.notes.receive((NOTE_ON, 36, 100), 0.0, played=True)
    deck.machine.before_block(1)
    assert deck.machine.swaps.sound(0) is sound


def test_the_pedal_of_another_port_is_the_callback_s_too() -> None:
    deck = Deck()
    for message in ((CONTROL, 64, 127), (CONTROL, 11, 3), (CONTROL, 7, 3), (NOTE_OFF, 36, 0)):
        deck.send(*message)
    assert [message[:3] for message in deck.engine.messages] == [
        (CONTROL, 64, 127), (CONTROL, 11, 3)]
    deck.notes.receive((CONTROL, 64, 0), 0.0, played=True)
    assert len(deck.engine.messages) == 2


def test_while_a_control_is_to_be_learned_python_decides() -> None:
    deck = Deck()
    deck.machine.submit("/learn", "/slot/BD/level")
    deck.machine.before_block(1)
    messages = [(NOTE_ON, 36, 100), (CONTROL, 20, 3), (CONTROL, 64, 3), (PRESSURE, 49, 127)]
    done, answers = by_callback(deck, messages)
    assert answers == [0, 0, 0, 1]
    assert done == [[], [], [], [("stop", 13, 0, 0, 0)]]
    deck.notes.receive((CONTROL, 20, 3), 0.0)
    deck.machine.before_block(2)
    assert by_callback(deck, messages)[1] == [1] * 4


def test_the_callback_s_notes_need_no_delay_to_be_even() -> None:
    """Steady is for notes from elsewhere; those that the callback plays have no jitter anyway."""
    deck = Deck(engine={"note_mode": "steady"})
    assert by_callback(deck, [(NOTE_ON, 36, 127)]) == ([[("trigger", 0, 1.0, 1.0, 0.0)]], [1])


def test_a_kit_s_notes_come_at_its_frame() -> None:
    """With what was learned for it, and once more when it plays."""
    deck = Deck()
    learn(deck, note_1_60="/trig SD")
    kit = FakeKit("small", slots=(TR808[1],))
    before = len(deck.engine.keymaps)
    deck.machine.switches.schedule(kit, kit.factory_sounds(48000), 96000)
    ((frame, keymap),) = deck.engine.keymaps[before:]
    assert frame == 96000
    deck.engine.keymaps.append((0, keymap))
    assert by_callback(deck, [(NOTE_ON, 36, 1), (NOTE_ON, 38, 127), (0x90, 60, 127)])[0] == [
        [], [("trigger", 0, 1.0, 1.0, 0.0)], [("trigger", 0, 1.0, 1.0, 0.0)]]
    deck.machine.before_block(96001)
    assert np.array_equal(deck.engine.keymaps[-1][1].record, keymap.record)


def test_nothing_is_sent_while_nothing_changes_and_again_when_there_is_no_room() -> None:
    deck = Deck()
    count = len(deck.engine.keymaps)
    for _ in range(3):
        deck.send(NOTE_ON, 36, 100)
    assert len(deck.engine.keymaps) == count
    deck.engine.no_keymap = True
    deck.machine.submit("/slot/SLOT/gate", 0, 1)
    deck.machine.before_block(1)
    assert len(deck.engine.keymaps) == count
    deck.engine.no_keymap = False
    deck.machine.before_block(2)
    assert deck.engine.keymaps[-1][1].record["gated"][0].tolist() == [1, *[0] * 15]


def test_every_note_of_the_kit_is_in_the_map() -> None:
    assert slot_of_note(TR808) == {note: i for i, slot in enumerate(TR808) for note in slot.notes}
