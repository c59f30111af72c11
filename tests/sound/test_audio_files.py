"""What is read to be matched or loaded is what training reads: one reader for all."""

from __future__ import annotations

import contextlib
import importlib.util
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from gan808.errors import AudioFileError, KitError, RenderError
from gan808.sound.audio_files import SUFFIXES, check_header, read_audio
from gan808.sound.kit.kit import Kit, load_kit
from gan808.sound.match import read_target
from gan808.sound.recording import LONGEST_READ_S, read_recording
from gan808.storage.sound_files import find_sound_file, load_sound_file, sound_file_names
from tests.compressed_audio import write_compressed

N = np.arange(22050)
HIT = np.pad(0.5 * np.sin(2 * np.pi * 440 * N / 44100) * np.exp(-N / 4000), 4410)


@pytest.fixture(scope="module")
def kit(tiny_kit: Path) -> Kit:
    return load_kit(tiny_kit)


@pytest.mark.parametrize(("name", "codec"), [("snare.m4a", "aac"), ("snare.wma", "wmav2")])
def test_aac_and_wma_are_matched_and_loaded(
    tmp_path: Path, kit: Kit, name: str, codec: str
) -> None:
    """As the same sound from a WAV, within what the codec leaves of it."""
    soundfile.write(tmp_path / "plain.wav", HIT, 44100)
    path = write_compressed(tmp_path / name, HIT, codec)
    assert sound_file_names([tmp_path]) == ["plain.wav", name]
    assert find_sound_file("snare", [tmp_path]) == path
    plain, other = (load_sound_file(each, kit, "snare", 44100)
                    for each in (tmp_path / "plain.wav", path))
    assert other.file.startswith(f"{name}@")
    n = 8192
    late = np.correlate(np.pad(other.audio, n)[: 3 * n], plain.audio[:n], "valid").argmax()
    moved = np.pad(other.audio, n)[late : late + n]
    assert np.abs(moved - plain.audio[:n]).max() < 0.1 * np.abs(plain.audio).max()
    assert np.abs(read_target(path, kit.geometry)).max() == pytest.approx(1.0)


def test_without_the_library_one_line_says_what_to_install(
    tmp_path: Path, kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec",
                        lambda name: None if name == "av" else find(name))
    path = tmp_path / "hit.m4a"
    path.write_bytes(b"x")
    assert find_sound_file("hit", [tmp_path]) == path
    told = r"hit\.m4a: cannot be read as audio: AAC is not read: pip install 'gan808\[av\]', or"
    for read in (lambda: read_target(path, kit.geometry),
                 lambda: load_sound_file(path, kit, "snare", 44100)):
        with pytest.raises(RenderError, match=told):
            read()


def test_a_wav_cut_off_in_recording_is_matched_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "one.wav"
    soundfile.write(path, HIT, 44100, "FLOAT")
    content = bytearray(path.read_bytes())
    place = content.index(b"data")
    content[4:8] = content[place + 4 : place + 8] = bytes(4)
    (tmp_path / "cut.wav").write_bytes(content)
    np.testing.assert_array_equal(read_recording(tmp_path / "cut.wav")[0][:, 0],
                                  HIT.astype(np.float32))


def test_of_a_long_one_the_beginning_is_read_or_nothing(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    soundfile.write(path, np.arange(40_000) / 40_000, 1000, "FLOAT")
    np.testing.assert_array_equal(
        read_recording(path)[0][:, 0],
        (np.arange(LONGEST_READ_S * 1000) / 40_000).astype(np.float32))
    for read in (read_audio, check_header):
        with pytest.raises(AudioFileError, match="^longer than 30 s$"):
            read(path, 30.0)


@pytest.mark.parametrize("rate_hz", [1, 999, 2_000_000, (1 << 31) - 1])
def test_a_rate_that_no_recording_has_is_damage(
    tmp_path: Path, kit: Kit, rate_hz: int
) -> None:
    """Half a second at two thousand million samples a second would fill the memory."""
    path = tmp_path / "odd.wav"
    soundfile.write(path, HIT, 44100)
    content = bytearray(path.read_bytes())
    content[24:28] = rate_hz.to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(RenderError, match=f"damaged: {rate_hz} samples a second$"):
        load_sound_file(path, kit, "snare", 48000)


def test_a_factory_sound_of_such_a_rate_is_damage(tmp_path: Path, tiny_kit: Path) -> None:
    """In a kit from anywhere; a WAV is read whatever its name ends in."""
    folder = tmp_path / "tiny"
    shutil.copytree(tiny_kit, folder)
    path = min((folder / "factory").iterdir())
    soundfile.write(path, HIT, 44100, format="WAV")
    content = bytearray(path.read_bytes())
    content[24:28] = (2_000_000_000).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(KitError, match=f"{path.name}: cannot be read .damaged: 2000000000 samples"):
        load_kit(folder).factory_sounds(48000)


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
def test_damage_prints_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """libsndfile asks for places before the beginning of a file; Python's answer to that would be
    a traceback on the terminal."""
    path = tmp_path / "x.w64"
    soundfile.write(path, HIT, 44100)
    content = path.read_bytes()
    for place in range(0, 120, 2):
        for filled in (b"\xff" * 8, b"\0" * 8):
            path.write_bytes(content[:place] + filled + content[place + 8:])
            with contextlib.suppress(AudioFileError):
                read_audio(path, 30.0)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_noise_of_any_name_is_named_before_it_is_decoded(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x{suffix}"
    path.write_bytes(b"no audio in here " * 100)
    with pytest.raises(AudioFileError, match=r"^(corrupt|AAC is not read|.* is not read)"):
        check_header(path, 30.0)
    path.write_bytes(b"")
    with pytest.raises(AudioFileError, match=r"^(empty|corrupt|.* is not read)"):
        check_header(path, 30.0)
