"""Only what this program wrote is replaced: by its mark, older folders by what they hold."""

import json

import pytest

from gan808 import ownership
from gan808.errors import ConfigError
from gan808.ownership import DATASET, KIT, REPORT, RUN, require_free, require_ours
from tests.tiny_kit import write_tiny_kit


def files(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("something")
    return folder


def test_what_is_not_there_or_empty_may_be_made(tmp_path):
    require_free(tmp_path / "new", DATASET, "--out")
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / ".DS_Store").write_text("left by a file manager")
    require_free(tmp_path / "empty", DATASET, "--out")


@pytest.mark.parametrize("kind", [DATASET, RUN, KIT, REPORT])
def test_a_strangers_folder_is_never_taken(tmp_path, kind):
    music = files(tmp_path / "Music", "album/1.wav", "letter.txt")
    for require in (require_free, require_ours):
        with pytest.raises(ConfigError, match=f"no {kind.name} of GAN-808.*album, letter.txt"):
            require(music, kind, "another --out")


def test_the_mark_is_of_one_kind(tmp_path):
    ownership.mark(tmp_path, DATASET)
    require_free(tmp_path, DATASET, "--out")
    with pytest.raises(ConfigError, match="no run"):
        require_free(tmp_path, RUN, "--run")


@pytest.mark.parametrize("text", ["", "[1]", "{", "x" * 5000, json.dumps({"kind": 3})])
def test_a_mark_that_says_nothing_is_none(tmp_path, text):
    files(tmp_path, "mine.wav")
    (tmp_path / ownership.MARK).write_text(text)
    with pytest.raises(ConfigError, match="mine.wav"):
        require_ours(tmp_path, DATASET, "--out")


@pytest.mark.parametrize(
    ("kind", "held"),
    [
        (DATASET, ("dataset.json", "labels.npy", "shard-00000.npy", "judge-12.safetensors")),
        (RUN, ("checkpoints/step-00000012/state.json", "losses.csv")),
        (RUN, ("tensorboard/events.1", "events.csv", ".DS_Store")),
        (KIT, ("kit.toml", "weights.safetensors", "moments.npz", "factory/a.flac")),
        (REPORT, ("README.md", "spectrograms.png", "sounds.ogg", "report.html")),
    ],
)
def test_what_older_versions_wrote_is_known_by_what_it_holds(tmp_path, kind, held):
    files(tmp_path, *held)
    require_free(tmp_path, kind, "--out")


def test_what_somebody_put_into_a_folder_of_ours_keeps_it(tmp_path):
    files(tmp_path, "dataset.json", "labels.npy", "my kick.wav")
    ownership.mark(tmp_path, DATASET)
    with pytest.raises(ConfigError, match="my kick.wav, which GAN-808 did not write"):
        require_free(tmp_path, DATASET, "--out")
    require_ours(tmp_path, DATASET, "--out")  # it may be added to


@pytest.mark.parametrize(
    ("out", "how"),
    [(".", "drums itself, so"), ("dataset", "lies in .*drums, so"), ("../link", "drums itself"),
     ("..", "holds .*drums, so"), ("a/../../drums", "drums itself")],
)
def test_a_source_is_never_inside_around_or_the_same(tmp_path, out, how):
    drums = files(tmp_path / "drums", "a/1.wav")
    (tmp_path / "link").symlink_to(drums)
    for ours in (drums, tmp_path):
        ownership.mark(ours, DATASET)  # not even when it is marked
    with pytest.raises(ConfigError, match=how):
        require_free(drums / out, DATASET, "--out", [drums])


def test_a_file_is_no_folder(tmp_path):
    with pytest.raises(ConfigError, match="is a file"):
        require_free(files(tmp_path, "x") / "x", DATASET, "--out")


def test_a_killed_exchange_is_made_good(tmp_path):
    folder = files(tmp_path / "kit", "a")
    folder.rename(tmp_path / ".kit.gan808-old")  # as it is left between the two renames
    ownership.put_in_place(files(tmp_path / "new", "b"), folder)
    assert [path.name for path in folder.iterdir()] == ["b"]
    assert [path.name for path in tmp_path.iterdir()] == ["kit"]


def test_a_kit_is_replaced_only_by_the_run_that_made_it(tmp_path):
    """Another run's kit, an older one without a mark, and one that somebody added to are set
    aside; what is no kit is refused; and nothing beside is touched."""
    backups = [files(tmp_path / name, "mine.txt") for name in ("tiny.old", "tiny.partial")]
    folder = write_tiny_kit(tmp_path / "tiny", run="first")
    files(folder, "report/report.html")
    write_tiny_kit(folder, run="first")
    assert (folder / "report" / "report.html").is_file()
    assert [path.name for path in tmp_path.glob("tiny-*")] == []
    for case in ("other run", "no mark", "added to"):
        if case == "no mark":
            (folder / ownership.MARK).unlink()
        if case == "added to":
            ownership.mark(folder, KIT, case)
            files(folder, "cover.jpg")
        write_tiny_kit(folder, run=case)
        aside, = tmp_path.glob("tiny-*")
        assert (aside / "report" / "report.html").is_file() == (case == "other run")
        assert (aside / "cover.jpg").is_file() == (case == "added to")
        aside.rename(tmp_path / f"seen {case}")
    assert all((backup / "mine.txt").is_file() for backup in backups)
    with pytest.raises(ConfigError, match="no kit of GAN-808"):
        write_tiny_kit(files(tmp_path / "photos", "1.jpg"), run="first")
