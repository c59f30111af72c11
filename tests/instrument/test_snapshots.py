"""The machine as a value and back: a second machine begins where the first was left."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from gan808.engine.engine import SlotParameter
from gan808.instrument.events import ParameterChanged, SoundChanged
from gan808.instrument.state import KEPT_HISTORY, KeptSlot, State
from gan808.storage.pattern_files import find_pattern
from tests.fakes import FakeKit, fake_sound
from tests.instrument.rig import BAR, BLOCK, PATTERN, Rig

BD, SD = 0, 1
FOUND = replace(PATTERN, source="test")  # by its name, as from a file


def played() -> Rig:
    """A machine somebody has played with."""
    rig = Rig(stock=8, pattern=FOUND)
    for address, *values in (
        ("/slot/BD/tune", -5.0), ("/slot/SD/level", 0.25), ("/slot/SD/mute", 1),
        ("/slot/BD/lock", 1), ("/slot/BD/gate", 1), ("/slot/CH/choke", 3), ("/volume", 0.5),
        ("/evolve/mode", "all"), ("/seq/tempo", 90.0), ("/seq/swing", 0.5),
        ("/seq/step", "SD", 3, 0.4), ("/seq/step", "BD", 1, 0.0),
    ):
        rig.ask(address, *values)
    for _ in range(6):
        rig.ask("/slot/BD/new")
    return rig


def begun(state: State, **more: object) -> Rig:
    """A machine that begins with a state, its values as the settings bring them."""
    return Rig(begin=state, pattern=FOUND, **more)  # type: ignore[arg-type]


def test_slots_begin_with_their_sounds_and_settings() -> None:
    """Sounds are in the engine before the first block, with no renderer and nothing in stock."""
    first = played()
    state = first.machine.snapshots.state()
    second = begun(state)
    second.run(BLOCK)
    assert second.machine.status().sounds == first.machine.status().sounds
    assert second.sound_id(BD) == "fake/kick/1005"
    assert [s.values for s in second.machine.swaps.slots] == [
        s.values for s in first.machine.swaps.slots]
    assert second.engine.slot_values == first.engine.slot_values
    assert second.engine.slot_values[BD, SlotParameter.TUNE] == -5.0
    assert second.filler.pending == []
    second.ask("/seq/play")
    second.run(BAR)
    hit = next(hit for hit in second.engine.hits if hit.slot == BD)
    sound = first.machine.swaps.slots[BD].sound
    assert sound is not None
    np.testing.assert_array_equal(hit.audio, sound.audio)


def test_edited_steps_are_there_again_and_survive_a_stop() -> None:
    state = played().machine.snapshots.state()
    assert state.pattern is not None
    assert state.pattern.edited
    second = begun(state)
    assert second.ask("/seq/step", "SD", 3)[2] == 0.4
    assert second.ask("/seq/step", "BD", 1)[2] == 0.0
    second.ask("/seq/stop")
    second.ask("/seq/play")
    assert second.ask("/seq/step", "SD", 3)[2] == 0.4
    assert second.machine.snapshots.state().pattern == state.pattern
    second.ask("/seq/original")
    assert second.ask("/seq/step", "BD", 1)[2] == 1.0, "what was chosen is still known"


def test_another_pattern_ends_the_edits() -> None:
    rig = played()
    rig.ask("/seq/pattern", "house")
    kept = rig.machine.snapshots.state().pattern
    rig.run(2 * BAR)
    assert kept is not None
    assert (kept.source, kept.edited) == ("house", False)
    assert rig.machine.snapshots.state().pattern == kept
    assert begun(State("fake", pattern=kept)).machine.sequencer.pattern == find_pattern("house")


def test_tempo_and_swing_are_kept_only_when_they_were_set() -> None:
    values = played().machine.snapshots.state().values
    assert (values["/seq/tempo"], values["/seq/swing"]) == (90.0, 0.5)
    assert not {"/seq/tempo", "/seq/swing"} & set(Rig().machine.snapshots.state().values)


def test_silence_is_no_pattern_to_begin_with() -> None:
    """`off` says that nothing is to play now; the pattern before it is what is kept."""
    rig = Rig()
    before = rig.machine.snapshots.state().pattern
    assert before is not None
    rig.ask("/seq/pattern", "off")
    rig.run(2 * BAR)
    assert rig.machine.sequencer.pattern.name == "off"
    assert rig.machine.snapshots.state().pattern == before


def test_a_pattern_is_read_from_its_file_again_while_it_is_there(tmp_path: Path) -> None:
    """A file that was changed since is heard; where it has gone, or the steps were edited, it is
    the pattern as it was."""
    file = tmp_path / "mine.toml"
    file.write_text(replace(PATTERN, name="mine").to_toml())
    first = Rig(pattern=find_pattern(str(file)))
    state = first.machine.snapshots.state()
    assert state.pattern is not None
    assert (state.pattern.source, state.pattern.edited) == (str(file), False)
    first.ask("/seq/step", "BD", 1, 0.25)
    edited = first.machine.snapshots.state()
    file.write_text(replace(PATTERN, name="mine", tempo_bpm=99.0).to_toml())
    assert begun(state).machine.sequencer.tempo_bpm == 99.0
    assert begun(edited).machine.sequencer.tempo_bpm == 120.0
    file.unlink()
    again = begun(state)
    assert again.machine.sequencer.pattern.name == "mine"
    assert again.ask("/seq/step", "BD", 1)[2] == 1.0
    assert begun(edited).ask("/seq/step", "BD", 1)[2] == 0.25


def test_undo_leads_behind_the_restart() -> None:
    state = played().machine.snapshots.state()
    history = {slot.code: slot.history for slot in state.slots}
    assert [s.seed for s in history["BD"]] == [1001, 1002, 1003, 1004][-KEPT_HISTORY:]
    second = begun(replace(state, slots=tuple(replace(s, history=()) for s in state.slots)),
                   stock=1)
    second.ask("/slot/BD/new")
    second.machine.snapshots.add_history(history)
    went = [second.ask("/slot/BD/undo")[0] for _ in range(3)]
    assert went == [f"fake/kick/{seed}" for seed in (1005, 1004, 1003)]


def test_a_sound_without_audio_is_rendered_again() -> None:
    """The slot plays a factory sound until then, and what the player chose meanwhile stays."""
    slots = (KeptSlot("BD", "fake/kick/77", None, {"lock": 1}),
             KeptSlot("SD", "fake/snare/78", None, {}),
             KeptSlot("CP", "other/clap/1", None, {}), KeptSlot("CH", "no id", None, {}))
    rig = begun(State("fake", slots=slots), stock=1)
    rig.run(BLOCK)
    assert rig.sound_id(BD) == "fake/kick/0"
    rig.ask("/slot/SD/new")
    assert len(rig.filler.pending) == 2
    rig.filler.deliver_all()
    rig.run(BLOCK)
    assert rig.sound_id(BD) == "fake/kick/77"
    assert rig.sound_id(SD) == "fake/snare/1000"
    assert "no sound before" in rig.refusal("/slot/BD/undo")


def test_slots_are_found_by_code_where_the_kit_has_changed() -> None:
    """A kit that was trained again with fewer classes: what it still has is as it was left."""
    kept = fake_sound("snare", 9)
    state = State("fake", slots=(KeptSlot("ZZ", "", None, {}),
                                 KeptSlot("SD", kept.id, kept, {"level": 0.1})))
    rig = begun(state, kit=FakeKit(slots=FakeKit().slots[:3]))
    rig.run(BLOCK)
    assert rig.machine.status().sounds == ("fake/kick/0", "fake/snare/9", "fake/tom/0")
    assert rig.ask("/slot/SD/level") == (0.1,)
    assert rig.ask("/slot/BD/level") == (0.8,)


def test_a_kit_loaded_later_begins_with_its_own_sounds() -> None:
    rig = begun(played().machine.snapshots.state())
    rig.send("/kit/load", "other")
    rig.run(BLOCK)
    rig.filler.deliver_all()
    rig.run(BAR)
    assert rig.sound_id(BD).startswith("other/kick/")
    assert rig.ask("/slot/BD/tune") == (-5.0,)


def test_a_state_is_a_snapshot() -> None:
    """What is changed afterwards does not change it: another thread is writing it."""
    rig = played()
    state = rig.machine.snapshots.state()
    tune, pattern, sound = state.slots[BD].values["tune"], state.pattern, state.slots[BD].sound
    assert rig.machine.snapshots.state().pattern is pattern, "its text is not written anew"
    rig.ask("/slot/BD/tune", 7.0)
    rig.ask("/seq/step", "BD", 2, 1.0)
    rig.ask("/slot/BD/new")
    assert state.slots[BD].values["tune"] == tune
    assert (state.pattern, state.slots[BD].sound) == (pattern, sound)
    assert rig.machine.snapshots.state().pattern != pattern


def test_taking_over_changes_only_what_differs() -> None:
    """A state of the same machine is no change at all: no swap, no step of undo, no echo."""
    rig = played()
    state = rig.machine.snapshots.state()
    rig.events.clear()
    rig.machine.snapshots.take_over(state, 0)
    assert not rig.of_type(SoundChanged)
    assert not rig.of_type(ParameterChanged)
