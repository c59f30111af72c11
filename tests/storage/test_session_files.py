"""The state and scenes on disk: whole or not at all, bounded, and doubted when they are read."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gan808 import atomic
from gan808.errors import ConfigError, Gan808Error
from gan808.instrument.state import KeptPattern, KeptSlot, State
from gan808.sound.sound import Sound
from gan808.storage import scene_files, session_files
from gan808.storage.library import Library
from gan808.storage.scene_files import load_scene, save_scene
from gan808.storage.session_files import KITS, SOUNDS, STATE, Lock, StateFiles
from tests.fakes import fake_sound
from tests.instrument.rig import PATTERN
from tests.running import CHECKOUT

RATE_HZ = 48000


def slot(code: str, *seeds: int, trail: str = "") -> KeptSlot:
    """A slot with the sound of the last seed, and before it those of the others."""
    *before, sound = (fake_sound("kick", seed, trail=trail) for seed in seeds)
    return KeptSlot(code, sound.id, sound, {"level": 0.5, "lock": 1}, tuple(before))


STATE_NOW = State("fake", {"/volume": 0.5}, KeptPattern(PATTERN.to_toml(), "house", edited=True),
                  (slot("BD", 1, 2, 3), slot("SD", 4, trail="+w@0.5")))


def same_slots(ours: tuple[KeptSlot, ...], theirs: tuple[KeptSlot, ...]) -> None:
    """Equal but for history, with the same audio to the bit."""
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        assert (one.code, one.sound_id, one.values) == (other.code, other.sound_id, other.values)
        assert one.sound is not None
        assert other.sound is not None
        assert one.sound.id == other.sound.id
        assert one.sound.descriptors == other.sound.descriptors
        np.testing.assert_array_equal(one.sound.audio, other.sound.audio)


def sounds_in(folder: Path) -> set[str]:
    return {path.name for path in (folder / SOUNDS).iterdir()}


class TestState:
    def test_what_was_written_is_read(self, tmp_path: Path) -> None:
        StateFiles(tmp_path).write(STATE_NOW)
        files = StateFiles(tmp_path)
        assert files.read() == replace(STATE_NOW, slots=())
        same_slots(files.slots("fake", RATE_HZ), STATE_NOW.slots)
        history = files.history("fake", RATE_HZ)
        assert [sound.seed for sound in history["BD"]] == [1, 2]
        assert files.slots("another", RATE_HZ) == ()

    def test_nothing_is_there_at_first(self, tmp_path: Path) -> None:
        files = StateFiles(tmp_path / "none")
        assert files.read() is None
        assert files.slots("fake", RATE_HZ) == ()
        assert list(tmp_path.iterdir()) == []

    def test_a_swap_writes_one_sound_and_takes_the_unused_away(self, tmp_path: Path) -> None:
        files = StateFiles(tmp_path)
        files.write(STATE_NOW)
        before = {path: path.stat().st_mtime_ns for path in (tmp_path / SOUNDS).iterdir()}
        assert len(before) == 4
        swapped = (slot("BD", 5), STATE_NOW.slots[1])
        files.write(replace(STATE_NOW, slots=swapped))
        after = {path: path.stat().st_mtime_ns for path in (tmp_path / SOUNDS).iterdir()}
        assert len(after) == 2
        assert len(set(after.items()) - set(before.items())) == 1

    def test_a_second_run_keeps_what_the_first_wrote(self, tmp_path: Path) -> None:
        """Sounds that were read are not written again, and stay where they are."""
        StateFiles(tmp_path).write(STATE_NOW)
        before = {path: path.stat().st_mtime_ns for path in (tmp_path / SOUNDS).iterdir()}
        files = StateFiles(tmp_path)
        files.read()
        history = files.history("fake", RATE_HZ)
        slots = tuple(replace(each, history=history[each.code])
                      for each in files.slots("fake", RATE_HZ))
        files.write(replace(STATE_NOW, slots=slots))
        assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / SOUNDS).iterdir()}

    def test_slots_are_kept_for_the_last_few_kits(self, tmp_path: Path) -> None:
        files = StateFiles(tmp_path)
        for number in (*range(KITS + 2), 2):
            files.write(State(f"kit{number}", slots=(slot("BD", number),)))
        again = StateFiles(tmp_path)
        state = again.read()
        assert state is not None
        assert state.kit == "kit2"
        kept = [n for n in range(KITS + 2) if again.slots(f"kit{n}", RATE_HZ)]
        assert kept == [2, 3, 4, 5]
        assert len(sounds_in(tmp_path)) == KITS

    def test_where_every_hit_is_new_only_what_was_kept_stays_in_history(
        self, tmp_path: Path
    ) -> None:
        fresh = {"/evolve/mode": "fresh", "/evolve": 1.0}
        files = StateFiles(tmp_path)
        first, passed, now = (fake_sound("kick", seed) for seed in range(3))
        files.write(State("fake", fresh, slots=(KeptSlot("BD", first.id, first, {}),)))
        files.write(State("fake", fresh, slots=(
            KeptSlot("BD", now.id, now, {}, (first, passed)),)))
        assert [s.seed for s in reopened(tmp_path).history("fake", RATE_HZ)["BD"]] == [0]

    def test_another_rate_resamples(self, tmp_path: Path) -> None:
        """A second of sound stays a second; what was read is written anew at the new rate."""
        long = fake_sound("kick", 1, n_frames=RATE_HZ)
        files = StateFiles(tmp_path)
        files.write(State("fake", slots=(KeptSlot("BD", long.id, long, {}),)))
        old = sounds_in(tmp_path)
        files = reopened(tmp_path)
        slots = files.slots("fake", 44100)
        sound = slots[0].sound
        assert sound is not None
        assert (sound.sample_rate_hz, sound.id) == (44100, long.id)
        assert abs(len(sound.audio) - 44100) <= 1
        files.write(State("fake", slots=slots))
        assert not old & sounds_in(tmp_path)

    @pytest.mark.parametrize("damage", [
        lambda content: content[: len(content) // 2],
        lambda content: b"",
        lambda content: b"\xff" + content,
        lambda content: b"[" * 100_000,
        lambda content: b"[]",
        lambda content: b'{"format": 1}',
        lambda content: content.replace(b'"format": 1', b'"format": 9'),
        lambda content: content.replace(b'"level": 0.5', b'"level": 5'),
        lambda content: content.replace(b'"kits": {', b'"kits": 3, "was": {'),
        lambda content: content.replace(b'"kits": {', b'"kits": {"x": 3, '),
        lambda content: content + b" " * session_files.MAX_STATE_BYTES,
    ])
    def test_damage_is_told_by_name_and_set_aside(
        self, tmp_path: Path, damage: Callable[[bytes], bytes]
    ) -> None:
        StateFiles(tmp_path).write(STATE_NOW)
        path = tmp_path / STATE
        path.write_bytes(damage(path.read_bytes()))
        files = StateFiles(tmp_path)
        with pytest.raises(ConfigError, match=STATE) as caught:
            files.read()
        assert "\n" not in str(caught.value)
        aside = files.set_aside(datetime(2026, 11, 24, 23, 5, 0))
        assert aside == tmp_path / "state.json.damaged-2026-11-24-230500"
        assert aside.is_file()
        assert StateFiles(tmp_path).read() is None

    @pytest.mark.parametrize("damage", [
        lambda content: content[:-4],
        lambda content: b"",
        lambda content: content.replace(b'"seed": 3', b'"seed": -3'),
        lambda content: content.replace(b'"seed": 3', b'"seed": "3"'),
        lambda content: content.replace(b'"trail": ""', b'"trail": "!"'),
        lambda content: content.replace(b"48000", b"48"),
        lambda content: content.replace(b'"confidence": 0.9', b'"confidence": "much"'),
        lambda content: content[:-4] + np.float32(np.nan).tobytes(),
        lambda content: content[:-4] + np.float32(1e30).tobytes(),
    ])
    def test_a_damaged_sound_is_left_out_and_its_id_stays(
        self, tmp_path: Path, damage: Callable[[bytes], bytes]
    ) -> None:
        StateFiles(tmp_path).write(State("fake", slots=(slot("BD", 3),)))
        (path,) = (tmp_path / SOUNDS).iterdir()
        assert damage(path.read_bytes()) != path.read_bytes()
        path.write_bytes(damage(path.read_bytes()))
        (back,) = reopened(tmp_path).slots("fake", RATE_HZ)
        assert (back.sound, back.sound_id) == (None, "fake/kick/3")

    def test_names_lead_nowhere_else(self, tmp_path: Path) -> None:
        """A state from elsewhere must not read files outside its folder."""
        files = StateFiles(tmp_path / "state")
        files.write(State("fake", slots=(slot("BD", 3),)))
        (sound,) = (tmp_path / "state" / SOUNDS).iterdir()
        outside = tmp_path / "outside"
        outside.write_bytes(sound.read_bytes())
        path = tmp_path / "state" / STATE
        for name in ("../../outside", str(outside), "..", "."):
            content = json.loads(path.read_text())
            content["kits"]["fake"][0]["sound"] = name
            path.write_text(json.dumps(content))
            assert reopened(tmp_path / "state").slots("fake", RATE_HZ)[0].sound is None

    @pytest.mark.parametrize("after", range(6))
    def test_a_full_disk_leaves_the_state_of_before_and_no_litter(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
    ) -> None:
        """Whichever write it is that finds no room: the old state reads, with all its sounds, and
        once there is room again the new one is written."""
        files = StateFiles(tmp_path)
        files.write(STATE_NOW)
        now = State("fake", slots=tuple(slot(code, n) for n, code in enumerate("ABCDE", 10)))
        full_after(monkeypatch, after)
        with pytest.raises(OSError, match="No space left"):
            files.write(now)
        monkeypatch.undo()
        assert not list(tmp_path.rglob("*.partial"))
        assert len(sounds_in(tmp_path)) == 4, "nothing of the attempt is left to fill the disk"
        same_slots(reopened(tmp_path).slots("fake", RATE_HZ), STATE_NOW.slots)
        files.write(now)
        same_slots(reopened(tmp_path).slots("fake", RATE_HZ), now.slots)
        assert len(sounds_in(tmp_path)) == 5


KILLED = """
import sys
from pathlib import Path
from gan808.instrument.state import KeptSlot, State
from gan808.storage.session_files import StateFiles
from tests.fakes import fake_sound

files, number = StateFiles(Path(sys.argv[1])), 0
while True:
    number += 1
    sounds = [fake_sound("kick", 16 * number + n, n_frames=4800) for n in range(16)]
    files.write(State("fake", {"/evolve": number % 64}, slots=tuple(
        KeptSlot(f"S{n}", sound.id, sound, {}) for n, sound in enumerate(sounds))))
    if number == 3:
        print("writing", flush=True)
"""


@pytest.mark.parametrize("after_s", [0.0, 0.003, 0.011, 0.027])
def test_killed_while_it_writes_it_is_whole(tmp_path: Path, after_s: float) -> None:
    """At whatever moment: one of the states that were written, with every sound of it; the next
    write takes away what was begun."""
    writing = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], cwd=CHECKOUT,
                               stdout=subprocess.PIPE)
    assert writing.stdout is not None
    assert writing.stdout.readline() == b"writing\n"
    time.sleep(after_s)
    writing.kill()
    writing.wait()
    writing.stdout.close()
    files = StateFiles(tmp_path)
    state = files.read()
    assert state is not None
    number = {slot.sound.seed // 16 % 64 for slot in files.slots("fake", RATE_HZ) if slot.sound}
    assert number == {state.values["/evolve"]}
    assert len(files.slots("fake", RATE_HZ)) == 16
    files.write(State("fake", slots=(slot("BD", 1),)))
    assert len(sounds_in(tmp_path)) == 1


def reopened(folder: Path) -> StateFiles:
    """Files as a new run finds them."""
    files = StateFiles(folder)
    files.read()
    return files


def full_after(monkeypatch: pytest.MonkeyPatch, writes: int) -> None:
    """So many files still fit on the disk."""
    left = iter(range(writes))
    really = os.fsync

    def fsync(descriptor: int) -> None:
        if next(left, None) is None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        really(descriptor)

    monkeypatch.setattr(atomic, "os", SimpleNamespace(**{**vars(os), "fsync": fsync}))


def test_one_process_at_a_time_holds_the_lock(tmp_path: Path) -> None:
    one, other = Lock(tmp_path / "state" / "lock"), Lock(tmp_path / "state" / "lock")
    assert one.take()
    assert not other.take()
    one.give_back()
    one.give_back()
    assert other.take()
    other.give_back()


class TestScenes:
    def test_a_scene_is_one_file_that_comes_back(self, tmp_path: Path) -> None:
        path = save_scene(tmp_path, "Intro 1", STATE_NOW)
        assert list(tmp_path.iterdir()) == [path]
        scene = load_scene(tmp_path, "Intro 1", RATE_HZ)
        same_slots(scene.slots, STATE_NOW.slots)
        assert (scene.kit, scene.pattern) == ("fake", STATE_NOW.pattern)
        assert [each.history for each in scene.slots] == [(), ()]

    def test_two_slots_may_share_a_sound_and_a_slot_have_none(self, tmp_path: Path) -> None:
        shared = fake_sound("kick", 1)
        slots = (KeptSlot("A", "", None, {}), KeptSlot("B", shared.id, shared, {}),
                 KeptSlot("C", shared.id, shared, {}), slot("D", 2))
        save_scene(tmp_path, "x", State("fake", slots=slots))
        back = load_scene(tmp_path, "x", RATE_HZ).slots
        assert [s.sound.seed if s.sound else None for s in back] == [None, 1, 1, 2]

    def test_it_plays_at_another_rate(self, tmp_path: Path) -> None:
        save_scene(tmp_path, "x", STATE_NOW)
        sounds = [s.sound for s in load_scene(tmp_path, "x", 44100).slots]
        assert [s.sample_rate_hz for s in sounds if isinstance(s, Sound)] == [44100, 44100]

    @pytest.mark.parametrize("name", ["", ".", "..", "../x", "/etc/x", "a/b", "a\\b", ".hidden",
                                      "x\0", "x\n", "x ", "x.", "y" * 65, "é", "a\u202eb"])
    def test_a_name_from_the_network_stays_in_the_folder(self, tmp_path: Path, name: str) -> None:
        folder = tmp_path / "scenes"
        library = Library((), (), tmp_path / "f", tmp_path / "e", folder)
        for attempt in (lambda: library.save_scene(name, STATE_NOW),
                        lambda: library.delete_scene(name),
                        lambda: library.scene(name, RATE_HZ)):
            with pytest.raises(ConfigError, match="letters, digits"):
                attempt()
        assert list(tmp_path.iterdir()) == []

    def test_they_are_listed_and_deleted(self, tmp_path: Path) -> None:
        library = Library((), (), tmp_path / "f", tmp_path / "e", tmp_path / "scenes")
        assert library.scene_names() == []
        for name in ("b", "a", "A-2.5 x+y_z"):
            library.save_scene(name, STATE_NOW)
        (tmp_path / "scenes" / "other.txt").write_text("")
        assert library.scene_names() == ["A-2.5 x+y_z", "a", "b"]
        library.delete_scene("a")
        with pytest.raises(ConfigError, match="scene 'a': no such scene; there is: A-2.5 x"):
            library.delete_scene("a")
        with pytest.raises(ConfigError, match="no such scene"):
            library.scene("a", RATE_HZ)

    @pytest.mark.parametrize("damage", [
        lambda content: content[:-2],
        lambda content: content[:100],
        lambda content: b"",
        lambda content: b"[]\n",
        lambda content: b"[" * 100_000,
        lambda content: content.replace(b'"seed": 3', b'"seed": []'),
        lambda content: content.replace(b'"frames": 64', b'"frames": 1e9'),
    ])
    def test_a_damaged_one_is_named(
        self, tmp_path: Path, damage: Callable[[bytes], bytes]
    ) -> None:
        path = save_scene(tmp_path, "x", STATE_NOW)
        path.write_bytes(damage(path.read_bytes()))
        with pytest.raises(Gan808Error, match="x.scene") as caught:
            load_scene(tmp_path, "x", RATE_HZ)
        assert "\n" not in str(caught.value)

    def test_a_full_disk_leaves_the_scene_of_before(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        save_scene(tmp_path, "x", STATE_NOW)
        full_after(monkeypatch, 0)
        with pytest.raises(Gan808Error, match="x.scene: cannot be written: No space left"):
            save_scene(tmp_path, "x", State("fake", slots=(slot("BD", 9),)))
        assert [path.name for path in tmp_path.iterdir()] == ["x.scene"]
        same_slots(load_scene(tmp_path, "x", RATE_HZ).slots, STATE_NOW.slots)

    def test_their_number_is_bounded(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(scene_files, "MOST_SCENES", 2)
        for name in ("a", "b", "a"):
            save_scene(tmp_path, name, STATE_NOW)
        with pytest.raises(ConfigError, match="there are 2 scenes; delete one first"):
            save_scene(tmp_path, "c", STATE_NOW)


def test_a_folder_that_is_no_folder_is_an_error_of_the_system(tmp_path: Path) -> None:
    blocked: Any = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(OSError, match="file"):
        StateFiles(blocked).write(STATE_NOW)
    with pytest.raises(OSError, match="file"):
        Lock(blocked / "lock").take()
    with pytest.raises(Gan808Error, match="cannot be written"):
        save_scene(blocked, "x", STATE_NOW)
