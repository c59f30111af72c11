"""MIDI in the callback, without JACK: what a keymap makes of messages, each at its own frame."""

from __future__ import annotations

import numpy as np
import pytest

from gan808.engine.engine import ALL_SLOTS, Engine, Port
from gan808.engine.keymap import Act, KeyKind, Keymap
from gan808.engine.layout import COMMAND_RELEASE, COMMAND_STOP, COMMAND_TRIGGER, KEYMAPS
from tests.engine.rig import BLOCKS, CENTRE, load, new_engine, plateau, render

ON, OFF, PRESSURE, CONTROL = 0x99, 0x89, 0xA9, 0xB9
CHANNEL = 9
KICK, SNARE, CYMBAL = 36, 38, 49
PAN, EXPRESSION, HOLD, SILENCE, RESET, RELEASE_ALL = 10, 11, 64, 120, 121, 123


def drum_map(*gated: int) -> Keymap:
    """Kick on slot 0, snare on 1, a cymbal on 2 that pressure silences; one channel."""
    keymap = Keymap()
    keymap.put(KeyKind.NOTE, slice(None), slice(None), Act.NOTHING)
    for slot, note in enumerate((KICK, SNARE, CYMBAL)):
        keymap.put(KeyKind.NOTE, CHANNEL, note, Act.STRIKE, slot)
    keymap.put(KeyKind.PRESSURE, CHANNEL, CYMBAL, Act.STOP, 2)
    keymap.put(KeyKind.CONTROLLER, CHANNEL, slice(None), Act.CHANNEL)
    keymap.set_curve(value / 127 for value in range(128))
    keymap.set_gated(gated)
    return keymap


def playing(keymap: Keymap | None) -> tuple[Engine, Port]:
    """An engine that records, whose slots have a one-sample sound each."""
    engine, port = new_engine()
    for slot in range(3):
        load(engine, slot, [0.5, 0.0])
    if keymap is not None:
        assert port.set_keymap(keymap)
    engine.journal.ask(True)
    render(engine, 1)
    engine.journal.commands()
    return engine, port


def done(engine: Engine) -> list[tuple[int, int, int]]:
    """Kind, slot and frame of what was carried out since the last call."""
    return [(int(c["kind"]), int(c["slot"]), int(c["frame"])) for c in engine.journal.commands()]


def send(engine: Engine, port: Port, *messages: tuple[int, int, int]) -> list[tuple[int, int]]:
    """Kind and slot of what messages come to, all at one frame."""
    for message in messages:
        assert port.midi(*message)
    render(engine, 16)
    return [(kind, slot) for kind, slot, _ in done(engine)]


@pytest.mark.parametrize("block", BLOCKS)
def test_a_note_begins_at_its_own_frame_at_any_block(block: int) -> None:
    engine, port = playing(drum_map())
    frames = [1, 64, 65, 700, 701, 1999]
    for frame in frames:
        assert port.midi(ON, KICK, 127, frame)
    audio = render(engine, 2100, block)
    assert (np.flatnonzero(audio[:, 0]) + 1).tolist() == frames
    assert audio[np.array(frames) - 1, 0] == pytest.approx(0.5 * CENTRE, abs=1e-6)
    assert done(engine) == [(COMMAND_TRIGGER, 0, frame) for frame in frames]


def test_without_a_keymap_everything_is_left_to_python() -> None:
    for keymap in (None, Keymap()):
        engine, port = playing(keymap)
        assert send(engine, port, (ON, KICK, 100), (CONTROL, SILENCE, 0)) == []
        assert not engine._memory[0]["midi_answers"].any()


def test_what_was_acted_upon_is_answered() -> None:
    keymap = drum_map()
    keymap.put(KeyKind.NOTE, CHANNEL, 40, Act.ASK)
    engine, port = playing(keymap)
    answers = engine._memory[0]["midi_answers"]
    for note, acted in ((KICK, 1), (40, 0), (41, 1)):
        send(engine, port, (ON, note, 100))
        assert answers[-1] == acted
    send(engine, port, (0xC9, 1, 0))
    assert answers[-1] == 0


def test_velocity_is_the_curve_s_and_the_channel_s_gain_and_pan_are_added() -> None:
    engine, port = playing(drum_map())
    for message in ((CONTROL, EXPRESSION, 0), (CONTROL, EXPRESSION, 127), (CONTROL, PAN, 127),
                    (ON, KICK, 64)):
        assert port.midi(*message)
    left, right = render(engine, 1)[0]
    assert left == pytest.approx(0.0, abs=1e-6)
    assert right == pytest.approx(0.5 * (64 / 127) ** 1.5, rel=1e-5)


def test_expression_silences_and_reset_brings_it_back() -> None:
    engine, port = playing(drum_map())
    for controller, loud in (((CONTROL, EXPRESSION, 0), False), ((CONTROL, RESET, 0), True)):
        assert port.midi(*controller)
        assert port.midi(ON, KICK, 127)
        assert bool(render(engine, 1).any()) is loud


def test_another_channel_plays_nothing_and_has_controllers_of_its_own() -> None:
    engine, port = playing(drum_map())
    assert send(engine, port, (0x90, KICK, 100)) == []
    assert send(engine, port, (0xB0, EXPRESSION, 0), (ON, KICK, 100)) == [(COMMAND_TRIGGER, 0)]
    assert engine._memory[0]["midi_channels"]["gain"].tolist() == [1.0] * 16


def test_a_key_let_go_ends_a_gated_slot_only() -> None:
    engine, port = playing(drum_map(1))
    assert send(engine, port, (OFF, KICK, 0), (ON, KICK, 0)) == []
    for off in ((OFF, SNARE, 64), (ON, SNARE, 0)):
        assert send(engine, port, off) == [(COMMAND_RELEASE, 1)]


def test_the_pedal_keeps_gated_notes_until_it_is_let_go() -> None:
    engine, port = playing(drum_map(1, 2))
    assert send(engine, port, (CONTROL, HOLD, 127), (OFF, SNARE, 0), (OFF, CYMBAL, 0)) == []
    assert send(engine, port, (ON, CYMBAL, 9)) == [(COMMAND_TRIGGER, 2)]
    # The cymbal's key is down again: what it rings for is the key.
    assert send(engine, port, (CONTROL, HOLD, 0)) == [(COMMAND_RELEASE, 1)]
    assert send(engine, port, (CONTROL, HOLD, 0)) == []


def test_all_notes_off_is_every_key_let_go_and_all_sound_off_is_silence() -> None:
    engine, port = playing(drum_map(0, 2))
    assert send(engine, port, (CONTROL, RELEASE_ALL, 0)) == [
        (COMMAND_RELEASE, 0), (COMMAND_RELEASE, 2)]
    assert send(engine, port, (CONTROL, SILENCE, 0)) == [(COMMAND_STOP, ALL_SLOTS)]
    assert send(engine, port, (CONTROL, HOLD, 127), (CONTROL, 127, 0)) == []
    assert send(engine, port, (CONTROL, SILENCE, 0), (CONTROL, HOLD, 0)) == [
        (COMMAND_STOP, ALL_SLOTS)]


def test_a_hand_on_a_cymbal_silences_it_at_its_frame() -> None:
    engine, port = playing(drum_map())
    load(engine, 2, plateau(9600, ramp=1))
    assert port.midi(ON, CYMBAL, 127, 100)
    assert port.midi(PRESSURE, CYMBAL, 63, 500)
    assert port.midi(PRESSURE, CYMBAL, 0, 700)
    assert port.midi(PRESSURE, KICK, 127, 800)
    assert port.midi(PRESSURE, CYMBAL, 64, 1000)
    audio = render(engine, 2000, 128)[:, 0]
    assert done(engine)[1:] == [(COMMAND_TRIGGER, 2, 100), (COMMAND_STOP, 2, 1000)]
    assert audio[998] == pytest.approx(0.5 * CENTRE, abs=1e-6)
    assert not audio[1300:].any()


def test_learned_keys_hit_and_stop() -> None:
    keymap = drum_map(1)
    keymap.put(KeyKind.NOTE, 0, 1, Act.HIT, 1)
    keymap.put(KeyKind.NOTE, 0, 2, Act.HIT, 1, 0.25)
    keymap.put(KeyKind.CONTROLLER, CHANNEL, 20, Act.STOP, ALL_SLOTS)
    engine, port = playing(keymap)
    assert send(engine, port, (0x80, 1, 0)) == [(COMMAND_RELEASE, 1)]
    assert send(engine, port, (CONTROL, 20, 0)) == []
    assert send(engine, port, (CONTROL, 20, 1)) == [(COMMAND_STOP, ALL_SLOTS)]
    for note, velocity in ((1, 127), (2, 127)):
        assert port.midi(0x90, note, velocity)
        render(engine, 1)
    assert engine.journal.commands()["value"].tolist() == [1.0, 0.25]


def test_notes_change_at_the_frame_of_a_keymap() -> None:
    """Even within a block: a kit's notes are its own from the frame it plays from."""
    other = drum_map()
    other.put(KeyKind.NOTE, CHANNEL, KICK, Act.STRIKE, 1)
    engine, port = playing(drum_map())
    for frame in (999, 1000):
        assert port.midi(ON, KICK, 100, frame)
    assert port.set_keymap(other, 1000)
    render(engine, 2000)
    assert done(engine) == [(COMMAND_TRIGGER, 0, 999), (COMMAND_TRIGGER, 1, 1000)]


def test_keymaps_come_back_when_another_is_in_use() -> None:
    engine, port = new_engine()
    for _ in range(3):
        sent = 0
        while port.set_keymap(drum_map()):
            sent += 1
        assert KEYMAPS - 1 <= sent <= KEYMAPS
        render(engine, 1)


def test_a_slot_that_is_none_is_refused() -> None:
    for act, slot in ((Act.STRIKE, 16), (Act.STRIKE, -1), (Act.STOP, -2)):
        with pytest.raises(ValueError, match="slot"):
            Keymap().put(KeyKind.NOTE, 0, 0, act, slot)
