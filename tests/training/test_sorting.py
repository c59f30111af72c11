"""Unsorted sounds laid into class folders."""

import csv
from collections import Counter

import numpy as np
import pytest
import soundfile

from gan808.errors import CorpusError
from gan808.sound.kit.kit import load_kit
from gan808.sound.renderer import CriticOpinion, Renderer
from tests.training.tiny_recipe import write_drums
from training.corpus.folder import FolderSource
from training.corpus.recording import Skipped
from training.sorting import SortOptions, sort_sounds


class Bar:
    def update(self, fraction, text):
        self.last = (fraction, text)


class Listening(Renderer):
    """A renderer of the tiny kit that hears noise as snares, surely, what is tuned high as claves
    and what is tuned low as kicks, not so surely."""

    def listen(self, audio, labels):
        rows = []
        for sound in audio:
            crossings = np.mean(np.diff(np.sign(sound[:800])) != 0)
            class_name, sure = (("snare", 0.995) if crossings > 0.2 else ("kick", 0.6))
            row = np.full(len(self.kit.classes), (1 - sure) / (len(self.kit.classes) - 1))
            row[self.kit.classes.index(class_name)] = sure
            rows.append(row)
        return CriticOpinion(np.asarray(rows, np.float32), np.zeros(len(rows), np.float32))


@pytest.fixture
def unsorted(tmp_path):
    root = write_drums(tmp_path / "mine", ("kick", "snare"), each=3)
    (root / "kick").rename(root / "stuff one")
    (root / "snare").rename(root / "other")
    (root / "other" / "notes.txt").write_text("x")
    soundfile.write(root / "silent.wav", np.zeros(1600), 16000)
    return root


def sort(tiny_kit, options, skipped=None):
    return sort_sounds(Listening(load_kit(tiny_kit), 16000), options, skipped or Skipped(), Bar())


def contents(root):
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("copy", [False, True])
def test_sounds_go_where_they_are_heard_and_originals_stay(tiny_kit, unsorted, tmp_path, copy):
    before, skipped = contents(unsorted), Skipped()
    out = tmp_path / "drums"
    counts = sort(tiny_kit, SortOptions(unsorted, out, copy=copy), skipped)
    assert counts == {"snare": 3, "unsure": 3}
    assert contents(unsorted) == before
    laid = sorted((out / "snare").iterdir())
    assert [path.name for path in laid] == [f"other__{i}.wav" for i in range(3)]
    assert all(path.is_symlink() != copy for path in laid)
    assert laid[1].read_bytes() == (unsorted / "other" / "1.wav").read_bytes()
    assert Counter(why for _, why in skipped.entries) == {"not audio": 1, "silent": 1}
    with (out / "index.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert {(r["class"], r["heard"], r["confidence"], r["pack"]) for r in rows} == {
        ("snare", "snare", "0.995", "other"), ("unsure", "kick", "0.600", "stuff one")}


def test_what_is_sorted_can_be_trained_on_but_for_what_is_unsure(tiny_kit, unsorted, tmp_path):
    sort(tiny_kit, SortOptions(unsorted, tmp_path / "drums"))
    found = list(FolderSource(tmp_path / "drums").recordings(Skipped()))
    assert {(r.class_name, r.pack) for r in found} == {("snare", "drums/other")}


def test_two_files_of_one_name_are_both_laid(tiny_kit, tmp_path):
    root = write_drums(tmp_path / "mine" / "a", ("kick",), each=1).parent
    (root / "a" / "kick").rename(root / "a-b")
    (root / "a" / "b").mkdir()
    (root / "a" / "b" / "0.wav").write_bytes((root / "a-b" / "0.wav").read_bytes())
    sort(tiny_kit, SortOptions(root, tmp_path / "out", 0.0))
    assert sorted(path.name for path in (tmp_path / "out" / "kick").iterdir()) == [
        "a-b__0 2.wav", "a-b__0.wav"]


def test_nothing_is_written_over(tiny_kit, unsorted, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("x")
    (tmp_path / "empty").mkdir()
    for folder, out, why in ((unsorted, tmp_path / "full", "has something in it"),
                             (unsorted, unsorted / "out", "lies in what is to be sorted"),
                             (tmp_path / "none", tmp_path / "new", "no such folder"),
                             (tmp_path / "empty", tmp_path / "new", "no sound files")):
        with pytest.raises(CorpusError, match=why):
            sort(tiny_kit, SortOptions(folder, out))
    assert not (tmp_path / "new").exists()
