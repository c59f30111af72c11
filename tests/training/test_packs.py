"""Packs and classes of a folder: index, names, folders, classes.toml, stereo."""

import numpy as np
import pytest
import soundfile

from gan808.errors import CorpusError
from gan808.sound.recording import mono
from training.corpus.class_map import read_class_map
from training.corpus.folder import FolderSource
from training.corpus.packs import Selection, read_credits
from training.corpus.recording import Skipped, Spooled
from training.corpus.spool import NO_ROOM, select

CLICK = np.sin(np.arange(800) / 5)


def write(root, *places):
    for i, place in enumerate(places):
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(root / place, CLICK * (1 - 0.01 * i), 16000)  # no two the same
    return root


def found(root, selection=None, skipped=None):
    """(class, pack) by file."""
    return {r.origin.split("/", 1)[1]: (r.class_name, r.collection.partition("/")[2])
            for r in FolderSource(root, selection).recordings(skipped or Skipped())}


def test_the_first_part_of_a_name_is_its_pack(tmp_path):
    root = write(tmp_path / "d", "kick/cr78__bd.wav", "kick/plain.wav")
    assert found(root) == {"kick/cr78__bd.wav": ("kick", "cr78"), "kick/plain.wav": ("kick", "")}


def test_a_folder_beside_the_class_is_a_pack(tmp_path):
    root = write(tmp_path / "d", "kick/acme/1.wav", "kick/acme/soft/1.wav", "acme/snare/1.wav",
                 "gong/large/1.wav", "snare/2.wav")
    assert found(root) == {
        "kick/acme/1.wav": ("kick", "acme"), "kick/acme/soft/1.wav": ("kick", "acme"),
        "acme/snare/1.wav": ("snare", "acme"), "gong/large/1.wav": ("gong", "large"),
        "snare/2.wav": ("snare", "")}


def test_the_index_says_pack_and_class(tmp_path):
    root = write(tmp_path / "d" / "train", "a/x.wav", "snare/y.wav")
    (tmp_path / "d" / "index.tsv").write_text(
        "file\tclass\tpack\ntrain/a/x.wav\tside_stick\tfranken\nelsewhere/z.wav\tkick\tp\n")
    skipped = Skipped()
    assert found(root, skipped=skipped) == {"a/x.wav": ("rimshot", "franken"),
                                            "snare/y.wav": ("snare", "")}
    assert skipped.entries == []


def test_an_index_of_something_else_is_a_one_line_error(tmp_path):
    root = write(tmp_path / "d", "kick/1.wav")
    (root / "index.tsv").write_text("name\tkind\n")
    with pytest.raises(CorpusError, match=r"index\.tsv: has no column `file`; write"):
        FolderSource(root)


def test_packs_are_chosen_by_pattern(tmp_path):
    root = write(tmp_path / "d", "kick/cr78__1.wav", "kick/fluid__808_Kick.wav",
                 "kick/fluid__Std.wav", "kick/h2_x__1.wav")
    chosen = Selection(("cr78", "fluid/808_*", "h2_*"), ("h2_x",))
    assert set(found(root, chosen)) == {"kick/cr78__1.wav", "kick/fluid__808_Kick.wav"}
    assert FolderSource(root).mark != FolderSource(root, chosen).mark


def test_classes_toml_decides(tmp_path):
    root = write(tmp_path / "d", "Snare Off/1.wav", "Zaps/1.wav", "rimshot/1.wav", "kick/1.wav")
    (root / "classes.toml").write_text(
        '"snare off" = "snare"\nzaps = "ignore"\nrimshot = "side_stick"\n')
    skipped = Skipped()
    assert found(root, skipped=skipped) == {
        "Snare Off/1.wav": ("snare", ""), "rimshot/1.wav": ("side_stick", ""),
        "kick/1.wav": ("kick", "")}
    assert skipped.entries == [("d/Zaps/1.wav", "ignored by classes.toml")]
    (tmp_path / "mine.toml").write_text('kick = "kick"\n"*" = "ignore"\n')
    given = Selection(class_map=read_class_map(tmp_path / "mine.toml"))
    assert set(found(root, given)) == {"kick/1.wav"}


@pytest.mark.parametrize("line", ['kick = "Big Kick"', "kick = 3", "kick ="])
def test_a_wrong_classes_toml_is_a_one_line_error(tmp_path, line):
    (tmp_path / "classes.toml").write_text(line)
    with pytest.raises(CorpusError, match=r"classes\.toml: (kick: write|cannot be read)") as error:
        read_class_map(tmp_path / "classes.toml")
    assert "\n" not in str(error.value)


def test_a_machine_is_a_pack_and_the_file_says_the_class(tmp_path):
    root = write(tmp_path / "d", "TR-808/BD01.wav", "TR-808/SD01.wav", "TR-808/strange.wav",
                 "gong/one.wav", "gong/two.wav")
    skipped = Skipped()
    assert {place: name for place, (name, _) in found(root, skipped=skipped).items()} == {
        "TR-808/BD01.wav": "kick", "TR-808/SD01.wav": "snare", "gong/one.wav": "gong",
        "gong/two.wav": "gong"}
    assert skipped.entries == [("d/TR-808/strange.wav", "no drum class in its name")]


def test_more_than_sixteen_classes_lose_the_smallest_that_have_no_name():
    spooled = [Spooled(0, 1, name, f"{name}/{i}", name) for name, n in
               [("kick", 2), ("snare", 2), *((f"zap{i}", 3 + i) for i in range(16))]
               for i in range(n)]
    skipped = Skipped()
    kept, classes = select(spooled, skipped)
    assert len(classes) == 16
    assert {"kick", "snare"} < set(classes)
    assert {why for _, why in skipped.entries} == {f"{NO_ROOM}: zap0", f"{NO_ROOM}: zap1"}
    assert {s.class_name for s in kept} == set(classes)


def test_credits_come_from_the_table(tmp_path):
    (tmp_path / "PROVENANCE.md").write_text(
        "| year | what |\n|---|---|\n| 1 | 2 |\n\ntext\n\n"
        "| pack | source and version | licence | stated in | credit | sounds |\n|---|---|---|---|"
        "---|---|\n| osdk (164) | crab/osdk @c5 | **see note 1**: free | README | Real | tom 9 |\n")
    credit = read_credits(tmp_path)["osdk"]
    assert (credit.source, credit.licence, credit.author) == (
        "crab/osdk @c5", "see note 1: free", "Real")


def test_a_channel_is_chosen_where_they_disagree():
    left = CLICK.astype(np.float32)
    np.testing.assert_allclose(mono(np.stack([left, left], axis=1)), left, atol=1e-6)
    np.testing.assert_array_equal(mono(np.stack([0.5 * left, -left], axis=1)), -left)
    late = np.roll(left, 7)  # wide: the mean combs
    np.testing.assert_array_equal(mono(np.stack([left, 0.9 * late], axis=1)), left)
    np.testing.assert_array_equal(mono(np.zeros((4, 2))), np.zeros(4))
