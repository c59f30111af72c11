"""Before a step is trained: whose folders these are, whose sounds, who else writes there, and
whether a kit could be written at the end."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from gan808.errors import ConfigError, CorpusError, TrainingError
from gan808.sound.kit.kit import load_kit
from gan808.sound.loudness import RELATIVE_LU
from tests.tiny_kit import write_tiny_kit
from tests.training.test_commands import Ending, Lines, options
from tests.training.tiny_recipe import TINY, write_drums
from training import commands, preflight
from training.commands import prepare_dataset, train
from training.dataset import Dataset
from training.evaluating import EvaluateOptions
from training.fingerprint import FILE, FILE_BEFORE, mark_of_before
from training.locks import locked
from training.provenance import read_provenance

HOLD = """
import sys, time
from pathlib import Path
from training.locks import locked
with locked(Path(sys.argv[1]) / ".lock", Path(sys.argv[1]), "go"):
    print("held", flush=True)
    time.sleep(60)
"""


def prepared_lines(sources, folder):
    lines = Lines()
    prepare_dataset(sources, folder, TINY, lines)
    return lines.said


def is_known(sources, folder):
    return any(line.startswith("using the") for line in prepared_lines(sources, folder))


@pytest.fixture
def sounds(tmp_path):
    return write_drums(tmp_path / "drums", each=4)


@pytest.mark.parametrize("out", ["drums", "drums/dataset", ".", "Music"])
def test_prepare_leaves_what_it_did_not_write(tmp_path, sounds, out):
    (tmp_path / "Music").mkdir()
    (tmp_path / "Music" / "song.txt").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ConfigError, match="another --out"):
        prepare_dataset([sounds], tmp_path / out, TINY, Lines())
    assert sorted(tmp_path.rglob("*")) == before


def test_a_users_partial_folder_is_no_unfinished_dataset(tmp_path, sounds):
    (tmp_path / "out.partial").mkdir()
    (tmp_path / "out.partial" / "take.wav").write_text("mine")
    with pytest.raises(ConfigError, match="take.wav"):
        prepare_dataset([sounds], tmp_path / "out", TINY, Lines())
    assert (tmp_path / "out.partial" / "take.wav").is_file()


def test_the_same_sounds_are_known_at_another_place_and_time(tmp_path, sounds):
    """Times, stray files, unusable ones, tags and the mount point are no matter; the sounds and
    their classes are."""
    out = tmp_path / "out"
    assert not is_known([sounds], out)
    moved = tmp_path / "mount" / "drums"
    shutil.copytree(sounds, moved)
    for path in moved.rglob("*.wav"):
        os.utime(path, (1, 1))
    (moved / ".DS_Store").write_text("left")
    (moved / "kick" / "cover.jpg").write_text("left")
    (moved / "kick" / "broken.wav").write_text("no sound")
    soundfile.write(moved / "kick" / "silent.wav", np.zeros(800), 16000)
    audio, rate = soundfile.read(moved / "kick" / "0.wav", dtype="int16")
    with soundfile.SoundFile(moved / "kick" / "0.wav", "w", rate, 1, "PCM_16") as file:
        file.title = "a tag"
        file.write(audio)
    assert is_known([moved], out)
    (moved / "kick" / "1.wav").rename(moved / "snare" / "other.wav")
    assert not is_known([moved], out)


def test_what_a_version_before_noted_goes_on(tmp_path, sounds):
    """Untouched by its mark; touched or moved by names and images; other sounds are other."""
    out = tmp_path / "out"
    prepared_lines([sounds], out)

    def as_before():
        (out / FILE).unlink()
        (out / FILE_BEFORE).write_text(mark_of_before([sounds], TINY.geometry) + "\n")

    as_before()
    assert is_known([sounds], out)
    assert not (out / FILE_BEFORE).exists()
    as_before()
    (sounds / ".DS_Store").write_text("left")
    assert any("files were moved or touched" in line for line in prepared_lines([sounds], out))
    as_before()
    audio = np.random.default_rng(1).uniform(-0.9, 0.9, 1600)
    soundfile.write(sounds / "kick" / "1.wav", audio, 16000)
    (sounds / "stray").write_text("so that the old mark differs")
    assert not is_known([sounds], out)


@pytest.mark.usefixtures("tiny_recipes")
def test_fresh_sets_the_earlier_training_aside(tmp_path, sounds, monkeypatch):
    monkeypatch.setattr(commands, "export_kit", lambda *_: (_ for _ in ()).throw(
        TrainingError("no more")))
    with pytest.raises(TrainingError, match="no more"):
        train(options(tmp_path, sounds, 1), Lines())
    (tmp_path / "work" / "song.txt").write_text("mine")
    lines = Lines()
    with pytest.raises(TrainingError, match="no more"):
        train(options(tmp_path, sounds, 1, fresh=True), lines)
    aside, = (tmp_path / "work").glob("earlier-*")
    assert (aside / "run" / "checkpoints" / "step-00000001").is_dir()
    assert (aside / "dataset" / "dataset.json").is_file()
    assert (tmp_path / "work" / "song.txt").is_file()
    assert (tmp_path / "work" / "run" / "checkpoints" / "step-00000001").is_dir()
    assert any(str(aside) in line for line in lines.said)


@pytest.mark.usefixtures("tiny_recipes")
def test_a_work_folder_of_somebody_else_is_left_alone(tmp_path, sounds):
    song = tmp_path / "work" / "run" / "song.txt"
    song.parent.mkdir(parents=True)
    song.write_text("mine")
    for fresh in (True, False):
        with pytest.raises(ConfigError, match="song.txt"):
            train(options(tmp_path, sounds, 1, fresh=fresh), Lines())
    assert song.is_file()


def test_a_second_writer_is_told_who_the_first_is_and_a_dead_one_does_not_block(tmp_path):
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], text=True,
                          stdout=subprocess.PIPE) as first:
        assert first.stdout.readline() == "held\n"
        with (pytest.raises(TrainingError, match=f"process {first.pid} on .*, since .* go"),
              locked(tmp_path / ".lock", tmp_path, "go")):
            pass
        first.kill()
    with locked(tmp_path / ".lock", tmp_path, "go"):
        pass


@pytest.mark.parametrize("name", ["", "\N{LATIN SMALL LETTER A WITH DIAERESIS}" * 64, "a" * 65,
                                  "../evil", "nul", ".hidden", "a b"])
def test_a_name_that_no_kit_can_have_is_told_first(name):
    with pytest.raises(TrainingError, match="a name is letters"):
        preflight.check_kit_name(name)


def test_a_long_folder_name_becomes_a_class_that_a_kit_may_have(tmp_path):
    name = "Vintage Analog Noises of Old Machines by Hand (2)"
    sounds = write_drums(tmp_path / "drums", ("snare", name), each=2)
    prepare_dataset([sounds], tmp_path / "out", TINY, Lines())
    (long,) = set(Dataset(tmp_path / "out").classes) - {"snare"}
    assert re.fullmatch(r"vintage_analog[a-z_]*_[0-9a-f]{4}", long)
    assert len(long) <= 32


@pytest.mark.usefixtures("tiny_recipes")
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kit": "drums", "kits": Path()}, "drums itself"),  # of tmp_path
        ({"kit": "photos", "kits": Path()}, "no kit of GAN-808"),
        ({"kit": "run", "kits": Path("work")}, "run itself"),
        ({"kits": Path("file")}, "cannot write there"),
        ({"provenance": Path("missing.toml")}, "cannot be read"),
    ],
)
def test_a_kit_that_could_not_be_written_is_told_first(tmp_path, sounds, changes, said):
    (tmp_path / "file").write_text("")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "1.jpg").write_text("mine")
    changes = {key: tmp_path / value if isinstance(value, Path) else value
               for key, value in changes.items()}
    with pytest.raises((ConfigError, TrainingError), match=said):
        train(options(tmp_path, sounds, 1, **changes), Ending(Lines()))
    assert not (tmp_path / "work").exists()


def test_words_of_a_kit_are_its_description_and_its_balance(tmp_path):
    path = tmp_path / "words.toml"
    path.write_text('description = "Real drums"\n[loudness]\nbalance = "acoustic"\n'
                    "relative = { kick = 1.5 }\n", encoding="utf-8")
    words = read_provenance(path)
    assert (words.description, words.provenance) == ("Real drums", ())
    kick, crash = (words.loudness.target_lkfs(name) for name in ("kick", "crash"))
    assert crash - kick == pytest.approx(RELATIVE_LU["acoustic"]["crash"] - 1.5)
    path.write_text('[loudness]\nbalance = "loud"\n', encoding="utf-8")
    with pytest.raises(TrainingError, match=r"words\.toml: balance"):
        read_provenance(path)


@pytest.mark.usefixtures("tiny_recipes")
def test_a_disk_without_room_is_told_before_the_first_step(tmp_path, sounds, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 8, 1_000_000))
    with pytest.raises(TrainingError, match="1 MB are free, the training needs about .* MB"):
        train(options(tmp_path, sounds, 1), Lines())
    assert not list((tmp_path / "work" / "run" / "checkpoints").glob("*"))


def test_a_source_that_is_not_there_is_said(tmp_path):
    with pytest.raises(CorpusError, match="no such folder"):
        prepare_dataset([tmp_path / "none"], tmp_path / "out", TINY, Lines())


def test_a_report_is_written_into_nobodys_folder(tmp_path, sounds):
    """Said before the sources are prepared."""
    kit = load_kit(write_tiny_kit(tmp_path / "tiny"))
    (tmp_path / "README.md").write_text("mine")
    with pytest.raises(ConfigError, match="no report of GAN-808.*another --out"):
        commands.evaluate_against(kit, [sounds], tmp_path / "cache", Lines(),
                                  EvaluateOptions(out=tmp_path))
    assert (tmp_path / "README.md").read_text() == "mine"
    assert not (tmp_path / "cache").exists()
