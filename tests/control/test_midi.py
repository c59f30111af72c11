"""What each MIDI message does, on a machine of fakes: bytes in, engine commands out."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gan808.config import Settings
from gan808.control.midi.input import MidiNotes
from gan808.engine.engine import ALL_SLOTS, SlotParameter
from gan808.engine.layout import MASTER_MOST
from gan808.instrument.controllers import controllers
from gan808.instrument.host import Host
from gan808.instrument.machine import Machine
from gan808.instrument.midi_map import FIXED_VELOCITY, velocity_of
from gan808.instrument.parameters import DECAY_CC, LEVEL_CC, NEW_CC, PAN_CC, TUNE_CC
from gan808.sound.kit.slots import TR808
from tests.control.rig import until
from tests.fake_filler import FakeFiller
from tests.fake_library import SceneLibrary
from tests.fakes import Command, FakeEngine, FakeKit, FakePool, fake_sound

NOTE_ON, NOTE_OFF, CONTROL, PROGRAM = 0x99, 0x89, 0xB9, 0xC9  # on channel 10


class Deck:
    """A machine whose queue the test works off itself (offline), so nothing waits."""

    def __init__(self, host: Host | None = None, **sections: dict[str, object]) -> None:
        self.settings = Settings().replace({
            "sequencer": {"playing": False}, "evolve": {"swaps_per_bar": 0.0}, **sections})
        kit = FakeKit()
        self.engine = FakeEngine()
        self.pool = FakePool(kit.classes)
        self.filler = FakeFiller(self.pool)
        self.library = SceneLibrary({"fake": kit, "other": FakeKit("other")})
        self.machine = Machine(
            kit, self.engine, self.pool, self.filler, self.settings, self.library, host)
        self.machine.start(live=False)
        self.notes = MidiNotes(self.machine, self.engine.port("midi"), self.settings)
        self.engine.commands.clear()

    def send(self, *data: int, arrival_s: float = 0.0) -> list[Command]:
        """Send one message; the commands it made, on whatever port."""
        self.engine.commands.clear()
        self.notes.receive(data, arrival_s)
        self.machine.before_block(1)
        return list(self.engine.commands)


@pytest.fixture
def deck() -> Deck:
    return Deck()


class TestNotes:
    @pytest.mark.parametrize(
        ("slot", "note"), [(i, note) for i, s in enumerate(TR808) for note in s.notes])
    def test_every_note_of_the_kit_plays_its_slot(self, deck: Deck, slot: int, note: int) -> None:
        (hit,) = deck.send(NOTE_ON, note, 127)
        assert (hit.port, hit.name, hit.slot) == ("midi", "trigger", slot)
        assert (hit.value, hit.frame) == (1.0, 0)

    def test_other_notes_play_nothing(self, deck: Deck) -> None:
        known = {note for slot in TR808 for note in slot.notes}
        for note in set(range(128)) - known:
            assert deck.send(NOTE_ON, note, 100) == []

    def test_note_off_ends_only_a_gated_slot(self, deck: Deck) -> None:
        assert deck.send(NOTE_OFF, 36, 64) == []
        assert deck.send(NOTE_ON, 36, 0) == []
        deck.machine.submit("/slot/SLOT/gate", 0, 1)
        deck.machine.before_block(1)
        for off in ((NOTE_OFF, 36, 64), (NOTE_ON, 36, 0)):
            assert [(c.name, c.slot) for c in deck.send(*off)] == [("release", 0)]

    def test_another_kit_s_notes(self, deck: Deck) -> None:
        kit = FakeKit("small", slots=(TR808[1],))
        deck.machine.switches.schedule(kit, kit.factory_sounds(48000), 0)
        assert deck.send(NOTE_ON, 36, 100) == []
        assert [c.slot for c in deck.send(NOTE_ON, 38, 100)] == [0]

    @pytest.mark.parametrize(("channel", "heard"), [(10, {10}), (3, {3}), (0, set(range(1, 17)))])
    def test_the_channel_of_the_settings(self, channel: int, heard: set[int]) -> None:
        deck = Deck(midi={"channel": channel})
        assert {n for n in range(1, 17) if deck.send(0x90 | n - 1, 36, 100)} == heard


class TestVelocity:
    @pytest.mark.parametrize(("curve", "at_64"), [
        ("linear", 0.504), ("soft", 0.710), ("hard", 0.254), ("fixed", FIXED_VELOCITY)])
    def test_curves(self, curve: str, at_64: float) -> None:
        deck = Deck(midi={"velocity_curve": curve})
        assert deck.send(NOTE_ON, 36, 64)[0].value == pytest.approx(at_64, abs=0.001)

    @pytest.mark.parametrize("curve", ["linear", "soft", "hard"])
    def test_curves_rise_from_next_to_nothing_to_full(self, curve: str) -> None:
        values = [velocity_of(v, curve) for v in range(1, 128)]  # type: ignore[arg-type]
        assert all(0 < a < b for a, b in itertools.pairwise(values))
        assert values[-1] == 1.0


class TestTime:
    def test_steady_plays_a_fixed_delay_after_arrival(self) -> None:
        deck = Deck(engine={"note_mode": "steady", "steady_delay_ms": 10.0})
        arrival_s = time.monotonic() + 1.0
        (hit,) = deck.send(NOTE_ON, 36, 100, arrival_s=arrival_s)
        assert hit.frame - deck.engine.clock.frame_at(arrival_s) == pytest.approx(480, abs=1)

    def test_fast_plays_at_once(self, deck: Deck) -> None:
        assert deck.send(NOTE_ON, 36, 100, arrival_s=time.monotonic() + 9)[0].frame == 0


class TestControllers:
    @pytest.mark.parametrize(("numbers", "parameter", "low", "middle", "high"), [
        (LEVEL_CC, SlotParameter.LEVEL, 0.0, 64 / 127, 1.0),
        (TUNE_CC, SlotParameter.TUNE, -24.0, 0.0, 24.0),
        (DECAY_CC, SlotParameter.DECAY, 0.0, 64 / 127, 1.0),
        (PAN_CC, SlotParameter.PAN, -1.0, 0.0, 1.0),
    ])
    def test_a_knob_for_every_slot(
        self, deck: Deck, numbers: tuple[int, ...], parameter: SlotParameter, low: float,
        middle: float, high: float,
    ) -> None:
        for slot in range(16):
            for value, expected in ((0, low), (64, middle), (127, high)):
                (command,) = deck.send(CONTROL, numbers[slot], value)
                assert (command.name, command.slot, command.parameter) == ("set", slot, parameter)
                assert command.value == pytest.approx(expected)

    def test_volume(self, deck: Deck) -> None:
        (command,) = deck.send(CONTROL, 7, 127)
        assert (command.name, command.value) == ("master", MASTER_MOST)

    def test_new_sound_on_the_upper_half(self, deck: Deck) -> None:
        assert deck.pool.put(fake_sound("kick", 50))
        assert deck.send(CONTROL, NEW_CC[0], 63) == []
        (command,) = deck.send(CONTROL, NEW_CC[0], 127)
        assert (command.name, command.slot) == ("assign", 0)
        assert deck.machine.swaps.sound(0).seed == 50

    def test_all_sound_off(self, deck: Deck) -> None:
        assert [(c.name, c.slot) for c in deck.send(CONTROL, 120, 0)] == [("stop", ALL_SLOTS)]

    def test_all_sound_off_comes_after_the_notes_before_it(self) -> None:
        deck = Deck(engine={"note_mode": "steady", "steady_delay_ms": 10.0})
        now_s = time.monotonic()
        (hit,) = deck.send(NOTE_ON, 36, 100, arrival_s=now_s)
        (stop,) = deck.send(CONTROL, 120, 0, arrival_s=now_s + 0.001)
        assert stop.frame >= hit.frame > 0

    def test_mode_messages_are_the_channel_s(self, deck: Deck) -> None:
        deck.machine.submit("/slot/SLOT/gate", 0, 1)
        deck.machine.before_block(1)
        for number in (120, 121, 123, 124, 125, 126, 127):
            assert deck.send(CONTROL & 0xF0, number, 0) == []

    def test_all_notes_off_lets_one_shots_ring(self, deck: Deck) -> None:
        assert deck.send(CONTROL, 123, 0) == []
        deck.machine.submit("/slot/SLOT/gate", 14, 1)
        deck.machine.before_block(1)
        for number in (123, 124, 127):
            assert [(c.name, c.slot) for c in deck.send(CONTROL, number, 0)] == [("release", 14)]

    def test_reset_keeps_the_mixer(self, deck: Deck) -> None:
        deck.send(CONTROL, 16, 10)
        assert deck.send(CONTROL, 121, 0) == []

    def test_other_controllers_do_nothing(self, deck: Deck) -> None:
        for number in set(range(120)) - set(controllers()):
            assert deck.send(CONTROL, number, 127) == []

    def test_a_knob_of_a_slot_the_kit_has_not(self, deck: Deck) -> None:
        kit = FakeKit("small", slots=TR808[:2])
        deck.machine.switches.schedule(kit, kit.factory_sounds(48000), 0)
        assert deck.send(CONTROL, 18, 127) == []
        assert [c.slot for c in deck.send(CONTROL, 17, 127)] == [1]

    def test_a_program_is_a_kit(self, deck: Deck) -> None:
        deck.send(PROGRAM, 1)
        assert [kit.name for _, kit in deck.filler.pending] == ["other"]
        deck.filler.deliver_all()
        deck.machine.before_block(2)
        assert deck.machine.kit.name == "other"

    def test_a_program_without_a_kit_changes_nothing(
        self, deck: Deck, caplog: pytest.LogCaptureFixture
    ) -> None:
        deck.send(PROGRAM, 9)
        assert deck.filler.pending == []
        assert "there are 2 kits" in caplog.text


# Bank, program, and what General MIDI has a keyboard, a file or another program set at the start.
GM_CONTROLLERS = {1: 0, 5: 0, 7: 100, 10: 64, 11: 127, 64: 127, 65: 127, 66: 127, 67: 127, 71: 64,
                  72: 64, 73: 64, 74: 64, 75: 64, 76: 64, 77: 64, 78: 64, 84: 60, 91: 127, 92: 127,
                  93: 127, 94: 127, 95: 127, 98: 1, 99: 1, 100: 0, 101: 0, 6: 2, 38: 0}
GM_BLOCK = [(CONTROL, 0, 0), (CONTROL, 32, 0), (PROGRAM, 0), (0xE9, 0, 64), (0xD9, 127),
            *((CONTROL, number, value) for number, value in GM_CONTROLLERS.items()),
            *((CONTROL, number, 0) for number in (64, 65, 66, 67, 121))]


class TestGeneralMidi:
    @pytest.mark.parametrize("program", [0, 1, 25])
    def test_a_whole_set_up_block_leaves_the_kit_as_it_was(
        self, deck: Deck, program: int
    ) -> None:
        """But for the volume; and then every note plays as before."""
        before = deck.machine.snapshots.state()
        sounds = deck.machine.status().sounds
        for name in {slot.class_name for slot in TR808}:
            assert deck.pool.put(fake_sound(name, 50))
        sent = [c for message in GM_BLOCK
                for c in deck.send(*((PROGRAM, program) if len(message) == 2
                                     and message[0] == PROGRAM else message))]
        assert {c.name for c in sent} == {"master"}
        assert deck.filler.pending == []
        after = deck.machine.snapshots.state()
        assert (after.kit, after.slots, after.pattern) == (before.kit, before.slots,
                                                           before.pattern)
        assert {a for a in after.values if after.values[a] != before.values[a]} == {"/volume"}
        assert deck.machine.status().sounds == sounds
        (hit,) = deck.send(NOTE_ON, 36, 127)
        assert (hit.value, hit.gain, hit.pan, hit.tune_semitones) == (1.0, 1.0, 0.0, 0.0)

    def test_no_controller_of_the_table_has_a_meaning_there(self) -> None:
        meant = {0, 32, 1, 4, 5, 6, 38, 7, 8, 10, 11, *range(64, 68), *range(71, 79), 84, 88,
                 *range(91, 102), *range(120, 128)}
        assert set(controllers()) & meant == {7}

    def test_expression_and_pan_are_those_of_the_notes(self, deck: Deck) -> None:
        deck.send(CONTROL, 11, 64)
        deck.send(CONTROL, 10, 0)
        (hit,) = deck.send(NOTE_ON, 36, 127)
        assert (hit.gain, hit.pan) == (pytest.approx(64 / 127), -1.0)
        deck.send(CONTROL, 10, 127)
        deck.send(CONTROL, 121, 0)
        (hit,) = deck.send(NOTE_ON, 36, 127)
        assert (hit.gain, hit.pan) == (1.0, 1.0), "the standard resets expression, not pan"

    @pytest.mark.parametrize("up", [(64, 63), (64, 0), (121, 0)])
    def test_hold_keeps_gated_notes(self, deck: Deck, up: tuple[int, int]) -> None:
        deck.machine.submit("/slot/SLOT/gate", 0, 1)
        deck.machine.before_block(1)
        deck.send(NOTE_ON, 36, 100)
        assert deck.send(CONTROL, 64, 64) == []
        assert deck.send(NOTE_OFF, 36, 64) == []
        assert deck.send(CONTROL, 123, 0) == []
        assert [(c.name, c.slot) for c in deck.send(CONTROL, *up)] == [("release", 0)]
        assert deck.send(CONTROL, *up) == []

    def test_a_key_struck_again_is_no_longer_held_by_the_pedal(self, deck: Deck) -> None:
        deck.machine.submit("/slot/SLOT/gate", 0, 1)
        deck.machine.before_block(1)
        for message in ((CONTROL, 64, 127), (NOTE_ON, 36, 9), (NOTE_OFF, 36, 0), (NOTE_ON, 36, 9)):
            deck.send(*message)
        assert deck.send(CONTROL, 64, 0) == []
        assert [c.name for c in deck.send(NOTE_OFF, 36, 0)] == ["release"]

    def test_the_program_of_the_kit_that_plays_changes_nothing(self, deck: Deck) -> None:
        deck.send(PROGRAM, 0)
        assert deck.filler.pending == []
        deck.send(PROGRAM, 1)
        assert [kit.name for _, kit in deck.filler.pending] == ["other"]

    def test_pressure_on_a_cymbal_chokes_it(self, deck: Deck) -> None:
        assert [(c.name, c.slot) for c in deck.send(0xA9, 49, 127)] == [("stop", 13)]
        assert deck.send(0xA9, 49, 0) == []
        assert deck.send(0xA9, 36, 127) == [], "nobody grabs a bass drum"
        assert deck.send(0xA0, 49, 127) == [], "another channel's"


class TestWhatElseArrives:
    @pytest.mark.parametrize("data", [
        (), (0xF8,), (0xFE,), (0xFA,), (0xF0, 1, 2, 0xF7), (0xF2, 1, 2), (0x99,), (0x99, 36),
        (0x99, 36, 200), (0x99, 36, 100, 100), (36, 100), (0xFF,), (0xA9, 36, 64), (0xE9, 0, 64),
    ])
    def test_it_plays_nothing(self, deck: Deck, data: Sequence[int]) -> None:
        assert deck.send(*data) == []
        assert deck.send(NOTE_ON, 36, 100), "and the next note plays"

    def test_damaged_messages_are_counted(self, deck: Deck) -> None:
        deck.send(0x99, 36)
        deck.send(0x99, 36, 200)
        assert deck.notes.unusable == 2

    @settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
    @given(data=st.lists(st.integers(0, 255), max_size=6) | st.tuples(
        st.integers(128, 255), st.integers(0, 127), st.integers(0, 127)))
    def test_no_bytes_raise(self, deck: Deck, data: Sequence[int]) -> None:
        commands = deck.send(*data)
        if any(command.name == "trigger" for command in commands):
            assert data[0] == NOTE_ON


@pytest.fixture
def live_machine() -> Iterator[tuple[Machine, FakeEngine]]:
    deck = Deck()
    deck.machine.start()
    yield deck.machine, deck.engine
    deck.machine.stop()


def test_a_knob_reaches_the_engine_through_the_machine_s_thread(
    live_machine: tuple[Machine, FakeEngine],
) -> None:
    machine, engine = live_machine
    notes = MidiNotes(machine, engine.port("midi"), machine.settings)
    notes.receive((CONTROL, 7, 0), 0.0)
    until(lambda: any(c.name == "master" and c.value == 0.0 for c in engine.commands))
    assert engine.commands[-1].port == "machine"
