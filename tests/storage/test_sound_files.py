"""The user's own sound files: found by name in their folders, and nowhere else."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from gan808.errors import ConfigError, Gan808Error, RenderError
from gan808.instrument.state import KeptSlot, State
from gan808.sound.kit.kit import Kit, load_kit
from gan808.sound.sound import Sound, parse_file_id
from gan808.storage.library import Library
from gan808.storage.session_files import StateFiles

RATE_HZ = 48_000


@pytest.fixture(scope="module")
def kit(tiny_kit: Path) -> Kit:
    return load_kit(tiny_kit)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    folders = tmp_path / "imports", tmp_path / "recordings"
    for folder in folders:
        folder.mkdir()
    return Library((), (), tmp_path / "f", tmp_path / "e", tmp_path / "scenes",
                   sound_folders=folders)


def write(path: Path, hz: float = 300.0) -> Path:
    t = np.arange(4800) / RATE_HZ
    soundfile.write(path, 0.5 * np.sin(2 * np.pi * hz * t) * np.exp(-t / 0.02), RATE_HZ)
    return path


def test_a_file_is_found_in_both_folders_with_or_without_its_ending(
    library: Library, tmp_path: Path
) -> None:
    odd = "808's #2 [tape] (1).flac"
    mine, take = write(tmp_path / "imports" / odd), write(tmp_path / "recordings" / "take.wav")
    both = write(tmp_path / "imports" / "both.wav")
    write(tmp_path / "recordings" / "both.wav")
    (tmp_path / "imports" / "notes.txt").write_text("no sound")
    assert library.sound_file_names() == [odd, "both.wav", "take.wav"]
    assert [library.sound_file(name) for name in (odd, odd[:-5], "take", "both")] == [
        mine, mine, take, both]


@pytest.mark.parametrize("name", [
    "", ".", "..", "../secret.wav", "/etc/passwd", "a/b.wav", "a\\b.wav", "C:secret.wav",
    ".hidden.wav", "x\0.wav", "x\n.wav", " x.wav", "y" * 300, "gone", "notes.txt", "folder.wav",
    "pipe.wav"])
def test_a_name_is_never_a_path(library: Library, tmp_path: Path, name: str) -> None:
    write(tmp_path / "secret.wav")
    write(tmp_path / "imports" / ".hidden.wav")
    (tmp_path / "imports" / "notes.txt").write_text("no sound")
    (tmp_path / "imports" / "folder.wav").mkdir()
    os.mkfifo(tmp_path / "imports" / "pipe.wav")
    with pytest.raises(ConfigError) as caught:
        library.sound_file(name)
    assert "\n" not in str(caught.value)
    assert library.sound_file_names() == []


def test_folders_that_are_not_there_hold_nothing(tmp_path: Path) -> None:
    library = Library((), (), tmp_path, tmp_path, tmp_path,
                      sound_folders=(tmp_path / "none",))
    assert library.sound_file_names() == []
    with pytest.raises(ConfigError, match="no sound file in"):
        library.sound_file("kick")


def test_what_is_no_audio_says_so(library: Library, kit: Kit, tmp_path: Path) -> None:
    (tmp_path / "imports" / "text.wav").write_text("no audio")
    with pytest.raises(RenderError, match="cannot be read as audio"):
        library.load_sound("text.wav", kit, "kick", RATE_HZ)


def test_an_id_brings_back_that_very_sound_or_says_that_the_file_is_another(
    library: Library, kit: Kit, tmp_path: Path
) -> None:
    path = write(tmp_path / "imports" / "kick.wav")
    sound = library.load_sound("kick", kit, "kick", RATE_HZ)
    wanted = parse_file_id(sound.id)
    assert wanted is not None
    again = library.reload_sound(wanted, kit, RATE_HZ)
    assert again.id == sound.id
    np.testing.assert_array_equal(again.audio, sound.audio)
    write(path, 301.0)
    with pytest.raises(RenderError, match="another sound"):
        library.reload_sound(wanted, kit, RATE_HZ)


def test_it_is_kept_in_state_and_scenes_without_its_file(
    library: Library, kit: Kit, tmp_path: Path
) -> None:
    """And what claims to be a file's sound and is none is refused."""
    path = write(tmp_path / "imports" / "kick.wav")
    sound = library.load_sound("kick", kit, "kick", RATE_HZ)
    path.unlink()
    state = State("tiny", slots=(KeptSlot("BD", sound.id, sound, {}),))
    StateFiles(tmp_path / "state").write(state)
    files = StateFiles(tmp_path / "state")
    files.read()
    library.save_scene("mine", state)
    for slots in (files.slots("tiny", RATE_HZ), library.scene("mine", RATE_HZ).slots):
        kept = slots[0].sound
        assert kept is not None
        assert (kept.id, kept.file) == (sound.id, sound.file)
        np.testing.assert_array_equal(kept.audio, sound.audio)
    bad: Sound = replace(sound, file="../kick.wav@nothing")
    library.save_scene("bad", State("tiny", slots=(KeptSlot("BD", bad.id, bad, {}),)))
    with pytest.raises(Gan808Error, match="damaged"):
        library.scene("bad", RATE_HZ)


def test_it_can_be_kept_and_exported(library: Library, kit: Kit, tmp_path: Path) -> None:
    write(tmp_path / "imports" / "Käse (1).wav")
    sound = library.load_sound("Käse (1)", kit, "kick", RATE_HZ)
    for path in (library.keep(sound), library.export(sound, sound.file_stem())):
        with soundfile.SoundFile(path) as file:
            assert file.title == sound.id
