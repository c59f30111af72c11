"""Files as people have them: cut off, renamed, linked, hidden, of other formats."""

import importlib.util
import os
import struct

import numpy as np
import pytest
import soundfile

from gan808.errors import CorpusError
from tests.compressed_audio import write_compressed
from tests.tiny_kit import GEOMETRY
from training.corpus.audio_files import read_mono, walk
from training.corpus.folder import FolderSource
from training.corpus.recording import Skipped
from training.dataset import Dataset, PrepareOptions, prepare
from training.fingerprint import fingerprint

CLICK = np.sin(np.arange(800) / 5)


def write(path, audio=CLICK):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        soundfile.write(file, audio, 16000, format="WAV")
    return path


def origins(root, skipped=None):
    return sorted(r.origin for r in FolderSource(root).recordings(skipped or Skipped()))


@pytest.mark.parametrize("before", [b"", b"LIST" + struct.pack("<I", 3) + b"abc\0"])
def test_a_wav_whose_sizes_were_never_filled_in_is_read_to_the_end(tmp_path, before):
    content = write(tmp_path / "one.wav").read_bytes()
    place = content.index(b"data")
    (tmp_path / "cut.wav").write_bytes(
        content[:4] + bytes(4) + content[8:place] + before + b"data" + bytes(4)
        + content[place + 8 :])
    np.testing.assert_array_equal(read_mono(tmp_path / "cut.wav")[0],
                                  read_mono(tmp_path / "one.wav")[0])


def test_a_wav_without_samples_is_empty(tmp_path):
    with pytest.raises(CorpusError, match="^empty$"):
        read_mono(write(tmp_path / "none.wav", np.zeros(0)))


def test_what_is_not_read_is_named_as_what_it_is_and_what_to_do(tmp_path, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec",
                        lambda name: None if name == "av" else find(name))
    for name in ("a.m4a", "b.WMA", "c.txt"):
        (tmp_path / "kick").mkdir(exist_ok=True)
        (tmp_path / "kick" / name).write_bytes(b"x")
    skipped = Skipped()
    assert origins(tmp_path, skipped) == []
    assert [why.split(":")[0] for _, why in skipped.entries] == [
        "AAC is not read", "WMA is not read", "not audio"]
    assert "pip install 'gan808[av]'" in skipped.entries[0][1]


@pytest.mark.parametrize(("name", "codec"), [
    ("a.m4a", "aac"), ("a.AAC", "aac"), ("a.wma", "wmav2")])
def test_aac_and_wma_are_read_where_there_is_pyav(tmp_path, name, codec):
    """The sound that was encoded, at its rate, within what the encoder leaves of it. It begins
    after 0.1 s: FFmpeg's encoder of WMA has less delay than its decoder takes away."""
    n = np.arange(22050)
    hit = 0.5 * np.sin(2 * np.pi * 440 * n / 44100) * np.exp(-n / 4000)
    path = write_compressed(tmp_path / name.lower(), np.pad(hit, 4410), codec).rename(
        tmp_path / name)
    got, rate = read_mono(path)
    assert rate == 44100
    assert len(hit) <= len(got) <= len(hit) + 3 * 4410
    late = np.correlate(got, hit[:8192], "valid").argmax()
    assert np.abs(got[late : late + 8192] - hit[:8192]).max() < 0.05


def test_a_compressed_file_that_is_none_is_named(tmp_path):
    pytest.importorskip("av")
    with pytest.raises(CorpusError, match="^longer than 1 s$"):
        read_mono(write_compressed(tmp_path / "long.m4a", np.zeros(88200), "aac"), 1.0)
    for content, why in ((b"", "empty"), (b"x" * 1000, "corrupt")):
        (tmp_path / "bad.m4a").write_bytes(content)
        with pytest.raises(CorpusError, match=f"^{why}$"):
            read_mono(tmp_path / "bad.m4a")


def test_names_that_are_no_utf8_are_names(tmp_path):
    """Of a folder, too; all the way into the dataset."""
    root = tmp_path / "drums"
    for i in range(6):
        grown = os.fsdecode(b"gr\x81n%d.wav" % i)
        write(root / "kick" / grown, np.sin(np.arange(900) / (4 + 3 * i)))
        write(root / "snare" / f"{i}.wav", np.sin(np.arange(900) / (5 + 3 * i)))
    write(root / os.fsdecode(b"kick\x99") / "x.wav", np.sin(np.arange(900) / 60))
    assert fingerprint([root], [FolderSource(root)], GEOMETRY, {}).classes == {"kick", "snare"}
    prepare([FolderSource(root)], tmp_path / "out", GEOMETRY, PrepareOptions(0))
    named = [origin for origin in Dataset(tmp_path / "out").origins if "\\x" in origin]
    assert "drums/kick/gr\\x81n3.wav" in named
    assert len(named) == 7


def test_linked_folders_are_entered_once(tmp_path):
    write(tmp_path / "store" / "1.wav", 0.5 * CLICK)
    root = tmp_path / "d"
    write(root / "kick" / "2.wav")
    (root / "kick" / "more").symlink_to(tmp_path / "store")
    (root / "kick" / "round").symlink_to(root)
    (root / "kick" / "lost.wav").symlink_to(tmp_path / "nothing.wav")
    skipped = Skipped()
    assert origins(root, skipped) == ["d/kick/2.wav", "d/kick/more/1.wav"]
    assert skipped.entries == [("d/kick/lost.wav", "not a file")]


def test_hidden_folders_are_left_out(tmp_path):
    for place in (".Trash/kick/1.wav", "__MACOSX/kick/._1.wav", "__MACOSX/kick/2.wav",
                  "kick/._3.wav", "kick/4.wav"):
        write(tmp_path / place)
    assert origins(tmp_path) == [f"{tmp_path.name}/kick/4.wav"]


def test_one_file_in_two_classes_is_in_neither(tmp_path):
    """Nobody can tell which is right; within a class one of it stays."""
    for place in ("kick/1.wav", "snare/same.wav", "kick/again.wav"):
        write(tmp_path / place)
    write(tmp_path / "snare" / "2.wav", 0.5 * CLICK)  # as long
    skipped = Skipped()
    root = tmp_path.name
    assert origins(tmp_path, skipped) == [f"{root}/snare/2.wav"]
    assert skipped.reasons() == {"the same file in two classes, kick and snare": 3}


def test_what_may_not_be_read_is_named(tmp_path, monkeypatch):
    write(tmp_path / "kick" / "1.wav")
    write(tmp_path / "secret" / "2.wav")
    scan = os.scandir

    def guarded(folder):
        if str(folder).endswith("secret"):
            raise PermissionError(13, "Permission denied", folder)
        return scan(folder)

    monkeypatch.setattr(os, "scandir", guarded)
    told = []
    assert [p.name for p in walk(tmp_path, lambda *what: told.append(what))] == ["1.wav"]
    assert told == [(tmp_path / "secret", "cannot be read (Permission denied)")]
    with pytest.raises(CorpusError, match=r"^cannot be read \(Is a directory\)$"):
        read_mono(tmp_path / "kick")
