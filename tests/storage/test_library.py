"""The user's folders: what is kept and exported, kits saved and found, names that stay inside."""

from __future__ import annotations

import resource
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile

from gan808.errors import ConfigError, Gan808Error
from gan808.storage.library import Library
from tests.fakes import fake_sound


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library((tmp_path / "kits",), (tmp_path / "patterns",), tmp_path / "favourites",
                 tmp_path / "exports")


def test_a_kept_sound_knows_its_name(library: Library) -> None:
    sound = fake_sound("kick", 42, n_frames=480)
    path = library.keep(sound)
    assert path.name == "fake-kick-42.flac"
    with soundfile.SoundFile(path) as file:
        assert (file.title, file.samplerate, file.frames) == ("fake/kick/42", 48000, 480)
        assert "confidence=0.900" in file.comment
        assert abs(file.read() - sound.audio).max() < 2**-23
    assert library.keep(sound) == path
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_sound_between_two_seeds_keeps_its_id(library: Library) -> None:
    path = library.keep(fake_sound("kick", 42, trail="+3@0.2~99@0.5"))
    assert path.name == "fake-kick-42+3@0.2~99@0.5.flac"
    with soundfile.SoundFile(path) as file:
        assert file.title == "fake/kick/42+3@0.2~99@0.5"
    long = [library.keep(fake_sound("kick", 42, trail="+3@0.2" * n)) for n in (30, 31)]
    given = [library.keep(fake_sound("kick", 42, trail=trail)) for trail in ("=AAAB", "=aaab")]
    assert len({path.name.lower() for path in (*long, *given)}) == 4
    assert all(len(path.name) < 140 for path in long)
    with soundfile.SoundFile(given[1]) as file:
        assert file.title == "fake/kick/42=aaab"


def test_an_export_is_a_wav(library: Library, tmp_path: Path) -> None:
    path = library.export(fake_sound("kick", 42), "my kick.wav")
    assert path == tmp_path / "exports" / "my kick.wav"
    with soundfile.SoundFile(path) as file:
        assert (file.format, file.subtype, file.title) == ("WAV", "PCM_24", "fake/kick/42")


@pytest.mark.parametrize("name", ["", "..", "../x", "/etc/x", "a/b", "a\\b", ".hidden", "x\0",
                                  "x\n", "y" * 200])
def test_an_export_stays_in_its_folder(library: Library, tmp_path: Path, name) -> None:
    with pytest.raises(ConfigError, match="no file name"):
        library.export(fake_sound(), name)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named(library: Library, tmp_path: Path) -> None:
    (tmp_path / "favourites").write_text("a file where the folder should be")
    with pytest.raises(Gan808Error, match="favourites.*cannot be written") as caught:
        library.keep(fake_sound())
    assert "\n" not in str(caught.value)


def test_folders_have_an_end(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood of saves does not fill the disk; what is there already may be written again."""
    monkeypatch.setattr("gan808.storage.library.MOST_SOUNDS", 3)
    for number in range(3):
        library.export(fake_sound(), f"sound {number}")
    with pytest.raises(Gan808Error, match="exports: 3 are there already; move some"):
        library.export(fake_sound(), "one more")
    library.export(fake_sound(), "sound 1")
    assert len(list(library.exports.iterdir())) == 3


def test_kits_have_an_end(
    library: Library, tiny_kit: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gan808.storage.library.MOST_KITS", 2)
    kit = Library((tiny_kit.parent,), (), library.favourites, library.exports).kit("tiny")
    for name in ("one", "two"):
        library.save_kit(kit, [], name)
    with pytest.raises(Gan808Error, match="kits: 2 are there already"):
        library.save_kit(kit, [], "three")


def test_a_kit_is_saved_with_its_sounds_and_never_over_another(
    library: Library, tiny_kit: Path, tmp_path: Path
) -> None:
    library = Library((tmp_path / "own", tiny_kit.parent), (), library.favourites, library.exports)
    kit = library.kit("tiny")
    chosen = [s for s in kit.factory_sounds(48000) if s.seed == 1]
    chosen += [replace(chosen[0], trail=trail) for trail in ("~9@0.5", "+3@0.2", "+t9")]
    chosen += [replace(chosen[0], class_asked=name, trail=trail,
                       audio=kit.balanced(chosen[0].audio, 48000, name))
               for name, trail in (("clap+tom@0.3", ""), ("clap+tom@0.4", ""),
                                   ("clap+tom@0.3", "+a5"))]
    library.save_kit(kit, chosen, "mine")
    saved = library.kit("mine")
    assert library.kit_names() == ["mine", "tiny"]
    assert (saved.slots, saved.classes) == (kit.slots, kit.classes)
    again = saved.factory_sounds(48000)
    assert [(s.class_asked, s.point) for s in again] == [(s.class_asked, s.point) for s in chosen]
    # There and back through the kit's own 16 kHz, whose filter rings at the hard onset of a
    # test tone: the error is 40 dB below the sound (measured), of other sounds as loud as it.
    for before, after in zip(chosen, again, strict=True):
        n = min(len(before.audio), len(after.audio))
        error = before.audio[:n] - after.audio[:n]
        assert (error @ error) < 0.001 * (before.audio @ before.audio)
    assert (saved.folder / "weights.safetensors").read_bytes() == (
        kit.folder / "weights.safetensors").read_bytes()
    for name, why in (("mine", "already"), ("../mine", "letters"), ("", "letters")):
        with pytest.raises(ConfigError, match=why):
            library.save_kit(kit, chosen, name)
    assert not (tmp_path / "mine").exists()


def test_kits_are_found_by_name(library: Library, tiny_kit: Path) -> None:
    library = Library((tiny_kit.parent,), (), library.favourites, library.exports)
    assert library.kit_names() == ["tiny"]
    assert library.kit("tiny").name == "tiny"
    with pytest.raises(Gan808Error):
        library.kit("nowhere")


def test_somebody_elses_file_is_never_replaced(library: Library) -> None:
    """An export of that name refuses; a favourite, whose name nobody chose, takes a number."""
    library.exports.mkdir()
    library.favourites.mkdir()
    song, text = library.exports / "song.wav", library.favourites / "fake-kick-42.flac"
    soundfile.write(song, [0.1] * 480, 48_000)
    text.write_text("notes of mine")
    before = song.read_bytes()
    with pytest.raises(Gan808Error, match="did not write it"):
        library.export(fake_sound("kick", 42), "song")
    assert song.read_bytes() == before
    kept = library.keep(fake_sound("kick", 42))
    assert kept.name == "fake-kick-42-2.flac"
    assert library.keep(fake_sound("kick", 42)) == kept
    assert text.read_text() == "notes of mine"


def test_an_export_of_ours_is_replaced(library: Library) -> None:
    library.export(fake_sound("kick", 1), "mine")
    path = library.export(fake_sound("kick", 2), "mine")
    with soundfile.SoundFile(path) as file:
        assert file.title == "fake/kick/2"


@pytest.mark.parametrize("write", [
    lambda library: library.keep(fake_sound("kick", 42)),
    lambda library: library.export(fake_sound("kick", 42), "loud"),
], ids=["keep", "export"])
def test_a_disk_that_takes_no_more_says_so_and_keeps_nothing(
    library: Library, tmp_path: Path, write: Callable[[Library], Path]
) -> None:
    """In the system's words: libsndfile's say nothing of a disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50, before[1]))
    try:
        with pytest.raises(Gan808Error, match=r"cannot be written: File too large$"):
            write(library)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
