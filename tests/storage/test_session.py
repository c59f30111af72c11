"""What a run begins with, and who may keep the state."""

from __future__ import annotations

import errno
import json
import threading
from pathlib import Path

import pytest

from gan808 import paths
from gan808.config import Settings, given_settings, load_settings
from gan808.errors import Gan808Error, Guard
from gan808.instrument.state import KeptPattern, KeptSlot, State
from gan808.sound.sound import RENDER
from gan808.storage.pattern_files import find_pattern
from gan808.storage.session import Session
from gan808.storage.session_files import STATE, StateFiles
from tests.fakes import fake_sound
from tests.instrument.rig import BLOCK, Rig
from tests.running import CHECKOUT

HOUSE = find_pattern("house")
LEFT = State(
    "fake",
    {"/volume": 0.5, "/evolve": 4.0, "/evolve/mode": "all", "/evolve/quantise": "beat",
     "/seq/tempo": 101.0, "/seq/swing": 0.25, "/seq/sync": "internal", "/seq/vary": 0.5,
     "/seq/density": -0.5},
    KeptPattern(HOUSE.to_toml(), "house"),
)


def opened(warned: list[str], *given: str, fresh: bool = False,
           **sections: dict[str, object]) -> Session:
    return Session(Settings().replace(sections), given, fresh=fresh, warn=warned.append)


def stopped(keeping: Session, rig: Rig) -> None:
    """Stop keeping, with a machine that has no thread to answer on."""
    keeping.freeze()
    rig.run(BLOCK)
    keeping.stop()


def test_what_was_kept_takes_the_place_of_the_settings(folder: Path, warned: list[str]) -> None:
    StateFiles(folder).write(LEFT)
    settings = opened(warned).settings
    assert settings.audio.master_volume == 0.5
    assert settings.evolve.model_dump() == {
        "swaps_per_bar": 4.0, "mode": "all", "quantise": "beat"}
    chosen = settings.sequencer
    assert (chosen.tempo_bpm, chosen.swing, chosen.sync, chosen.vary) == (
        101.0, 0.25, "internal", 0.5)
    assert warned == []


def test_a_state_from_an_earlier_renderer_says_so(folder: Path, warned: list[str]) -> None:
    """And is written as the present one's from then on."""
    StateFiles(folder).write(LEFT)
    first = opened(warned)
    assert "otherwise" not in first.line
    first.stop()
    content = json.loads((folder / STATE).read_text())
    assert content.pop("render") == RENDER
    (folder / STATE).write_text(json.dumps(content))
    keeping = opened(warned)
    assert "its seeds sound otherwise now" in keeping.line
    assert keeping.settings.audio.master_volume == 0.5


def test_what_the_user_says_for_this_run_comes_first(folder: Path, warned: list[str]) -> None:
    """From the command line even where it says the default; from a file where it does not: a whole
    copy of config.toml says nothing."""
    StateFiles(folder).write(LEFT)
    overrides = {"sequencer": {"tempo_bpm": 140.0, "pattern": None},
                 "evolve": {"swaps_per_bar": 1.0}, "osc": {}}
    settings = load_settings(CHECKOUT / "config.toml", overrides, user_path=folder / "none")
    given = given_settings(settings, overrides)
    assert given == {"sequencer.tempo_bpm", "evolve.swaps_per_bar"}
    result = Session(settings, given, warn=warned.append).settings
    assert (result.sequencer.tempo_bpm, result.evolve.swaps_per_bar) == (140.0, 1.0)
    assert (result.sequencer.swing, result.audio.master_volume) == (0.25, 0.5)


def test_a_file_that_differs_from_the_defaults_is_heard(
    folder: Path, warned: list[str], tmp_path: Path
) -> None:
    StateFiles(folder).write(LEFT)
    own = tmp_path / "my.toml"
    own.write_text("[audio]\nmaster_volume = 0.9\n[evolve]\nswaps_per_bar = 1.0\n")
    settings = load_settings(own, {}, user_path=folder / "none")
    result = Session(settings, given_settings(settings, {}), warn=warned.append).settings
    assert (result.audio.master_volume, result.evolve.swaps_per_bar) == (0.9, 4.0)


@pytest.mark.parametrize("sections", [{"renderer": {"seed": 0}}, {"state": {"keep": False}}])
def test_a_run_that_is_left_out_neither_reads_nor_writes(
    folder: Path, warned: list[str], sections: dict[str, dict[str, object]]
) -> None:
    """A seed must give the same file whatever was played before."""
    StateFiles(folder).write(LEFT)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    keeping = opened(warned, **sections)
    assert keeping.settings == Settings().replace(sections)
    rig = Rig()
    assert keeping.begin(rig.machine) == []
    keeping.go_on(rig.machine)
    rig.ask("/slot/BD/tune", 1.0)
    keeping.freeze()
    keeping.stop()
    assert keeping.status.startswith("not kept: ")
    assert before == {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_fresh_begins_anew_and_keeps_that(folder: Path, warned: list[str]) -> None:
    other = fake_sound("kick", 5, kit="other")
    files = StateFiles(folder)
    files.write(State("other", slots=(KeptSlot("BD", other.id, other, {}),)))
    files.write(LEFT)
    keeping = opened(warned, fresh=True)
    assert keeping.settings == Settings()
    rig = Rig()
    assert keeping.begin(rig.machine) == []
    keeping.go_on(rig.machine)
    stopped(keeping, rig)
    again = StateFiles(folder)
    state = again.read()
    assert state is not None
    assert "/seq/tempo" not in state.values
    assert len(again.slots("fake", 48000)) == 16
    assert again.slots("other", 48000)[0].sound_id == other.id, "other kits are left as they are"


def test_a_damaged_file_is_set_aside_in_one_line(folder: Path, warned: list[str]) -> None:
    folder.mkdir()
    (folder / STATE).write_text("{")
    keeping = opened(warned)
    assert len(warned) == 1
    assert f"{folder / STATE}: is damaged" in warned[0]
    (aside,) = folder.glob(f"{STATE}.damaged-*")
    assert aside.name in warned[0]
    assert keeping.status == "kept"
    assert keeping.settings == Settings()


def test_the_second_at_once_neither_reads_nor_writes(folder: Path, warned: list[str]) -> None:
    StateFiles(folder).write(LEFT)
    first, second = opened(warned), opened(warned)
    assert len(warned) == 1
    assert "another GAN-808 runs" in warned[0]
    assert (first.status, second.status.split(":")[0]) == ("kept", "not kept")
    assert second.settings == Settings()
    second.stop()
    assert opened([]).status != "kept", "a second that ends does not let a third in"
    first.stop()
    assert opened([]).status == "kept"


def test_a_folder_that_cannot_be_made_is_a_line(folder: Path, warned: list[str]) -> None:
    folder.write_text("a file where the folder should be")
    keeping = opened(warned)
    assert len(warned) == 1
    assert "state" in warned[0]
    assert keeping.status.startswith("not kept: ")
    rig = Rig()
    assert keeping.begin(rig.machine) == []
    keeping.go_on(rig.machine)
    keeping.stop()


def test_a_file_that_cannot_be_read_is_left_as_it_is(
    folder: Path, warned: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be whole, and the disk or the rights are what is wrong."""
    StateFiles(folder).write(LEFT)
    content = (folder / STATE).read_bytes()

    def broken(self: Path) -> bytes:
        raise OSError(errno.EIO, "Input/output error", str(self))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", broken)
        keeping = opened(warned)
    assert warned == [f"the state is not kept: {folder / STATE}: Input/output error"]
    rig = Rig()
    keeping.go_on(rig.machine)
    keeping.stop()
    assert (folder / STATE).read_bytes() == content


def test_a_pattern_that_was_said_comes_first(folder: Path, warned: list[str]) -> None:
    StateFiles(folder).write(LEFT)
    for given, name in (((), "house"), (("sequencer.pattern",), "test")):
        keeping, rig = opened(warned, *given), Rig()
        keeping.begin(rig.machine)
        rig.run(BLOCK)
        assert rig.machine.sequencer.pattern.name == name
        assert rig.ask("/seq/density") == (-0.5,), "what is no setting is kept too"
        keeping.stop()


def test_the_kit_worn_last_is_worn_again(
    folder: Path, warned: list[str], tiny_kit: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "kit_folders", lambda: (tiny_kit.parent, CHECKOUT / "kits"))
    StateFiles(folder).write(State("tiny"))
    keeping = opened(warned)
    assert keeping.kit().name == "tiny"
    keeping.stop()
    keeping = opened(warned, "kit.name", kit={"name": "gan808"})
    assert keeping.kit().name == "gan808"
    keeping.stop()
    StateFiles(folder).write(State("gone"))
    assert warned == []
    assert opened(warned).kit().name == "gan808"
    assert "kit 'gone' not found" in warned[0]


@pytest.mark.parametrize("mode", ["link", "jack", "jack-lead"])
def test_a_link_session_is_joined_by_command_as_it_may_fail(
    mode: str, folder: Path, warned: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Where Link or JACK is not to be had any more, a line is said and the beat plays."""
    StateFiles(folder).write(State("fake", {"/seq/sync": mode}))
    keeping = opened(warned)
    assert keeping.settings.sequencer.sync == "auto"
    rig = Rig()
    keeping.begin(rig.machine)
    rig.run(BLOCK)
    assert "/seq/sync" in caplog.text
    assert rig.machine.sequencer.playing


def test_slots_follow_a_width_that_was_said(folder: Path, warned: list[str]) -> None:
    kept = KeptSlot("BD", "", None, {"width": 0.5, "level": 0.1})
    StateFiles(folder).write(State("fake", slots=(kept,)))
    keeping = opened(warned, "kit.width")
    rig = Rig()
    keeping.begin(rig.machine)
    rig.machine.switches.schedule(rig.kit, rig.kit.factory_sounds(48000), 0)
    assert rig.machine.swaps.slots[0].values["level"] == 0.1
    assert rig.machine.swaps.slots[0].values["width"] == 0.0


def test_a_manager_s_session_is_written_where_it_is_and_when_it_is_asked_for(
    folder: Path, warned: list[str], tmp_path: Path
) -> None:
    project = tmp_path / "song" / "GAN-808.nTEST"
    keeping, rig = Session(Settings(), warn=warned.append, folder=project), Rig(stock=8)
    with pytest.raises(Gan808Error, match="not started"):
        keeping.save()
    keeping.begin(rig.machine)
    keeping.go_on(rig.machine)
    rig.send("/slot/BD/tune", -5.0)
    stopped(keeping, rig)
    assert not (project / STATE).exists(), "nobody asked"
    saving = threading.Thread(target=keeping.save)
    saving.start()
    while saving.is_alive():
        rig.run(BLOCK)
    files = StateFiles(project)
    assert files.read() is not None
    assert files.slots("fake", 48000)[0].values["tune"] == -5.0
    assert not (folder / STATE).exists()
    again = Session(Settings(), warn=warned.append, folder=project)
    assert again.line == "as the session was saved"
    assert warned == []


def test_a_session_that_cannot_be_written_says_why(
    folder: Path, warned: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    keeping, rig = Session(Settings(), warn=warned.append, folder=tmp_path / "song"), Rig()
    keeping.begin(rig.machine)
    keeping.go_on(rig.machine)
    monkeypatch.setattr(StateFiles, "write", full)
    failures: list[str] = []

    def save() -> None:
        with Guard("saving", lambda error: failures.append(str(error))):
            keeping.save()

    saving = threading.Thread(target=save)
    saving.start()
    while saving.is_alive():
        rig.run(BLOCK)
    assert failures == [f"{tmp_path / 'song'}: No space left on device"]
