"""From a folder of sounds to a kit that renders, and on again after a stop."""

import json
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from gan808 import paths
from gan808.cli.main import app
from gan808.errors import CorpusError, TrainingError
from gan808.sound.kit.kit import load_kit
from gan808.sound.kit.verify import verify_kit
from gan808.sound.renderer import Renderer
from tests.tiny_kit import GEOMETRY, write_tiny_kit
from tests.training.tiny_recipe import write_drums
from training import dataset
from training.commands import TrainOptions, evaluate_against, train
from training.dataset import Dataset
from training.evaluating import EvaluateOptions
from training.trainer import FitOptions, Interrupted


class Lines:
    """A reporter that keeps what it is told."""

    def __init__(self):
        self.said = []

    def say(self, line):
        self.said.append(line)

    def bar(self, title):
        from contextlib import nullcontext

        lines = self.said

        class Bar:
            def update(self, fraction, text):
                lines.append(f"{title} {fraction} {text}")

        return nullcontext(Bar())


class Ending(Lines):
    """Ends the work as the dataset is ready: what comes after it is not of interest."""

    def __init__(self, lines):
        super().__init__()
        self.said = lines.said

    def say(self, line):
        super().say(line)
        if line.startswith("prepared"):
            raise TrainingError("no more")


def options(tmp_path, sounds, steps, **changes):
    values = {
        "sources": (sounds,), "kit": "mine", "kits": tmp_path / "kits", "work": tmp_path / "work",
        "recipe": "tiny", "fit": FitOptions(steps=steps, samples_s=1e9),
    }
    return TrainOptions(**{**values, **changes})


@pytest.mark.usefixtures("tiny_recipes")
def test_train_makes_a_kit_that_renders_and_goes_on(tmp_path):
    sounds = write_drums(tmp_path / "drums", ("kick", "snare", "zap"), each=4)
    (sounds / "kick" / "cover.jpg").write_bytes(b"jpeg")
    lines = Lines()
    kit = train(options(tmp_path, sounds, 2), lines)
    assert verify_kit(kit.folder) == []
    assert [slot.class_name for slot in kit.slots] == ["kick", "snare", "zap"]
    assert kit.manifest.training_steps == 2
    assert (kit.manifest.provenance[0].source, kit.manifest.provenance[0].sounds) == ("drums", 12)
    assert len(Renderer(kit, 44100).render(["zap"], [1])) == 1
    for name in ("spectrograms.png", "sounds.ogg", "losses.png", "training.gif", "report.html"):
        assert (kit.folder / "report" / name).stat().st_size > 500
    assert any("cover.jpg" in line and "not audio" in line for line in lines.said)
    assert list((tmp_path / "work" / "run" / "samples").glob("*.png"))

    lines = Lines()
    kit = train(options(tmp_path, sounds, 4), lines)
    assert any(line.startswith("going on from step 2") for line in lines.said)
    assert any(line.startswith("using the") for line in lines.said)
    assert load_kit(kit.folder).manifest.training_steps == 4

    write_drums(sounds, ("tom",), each=3)
    with pytest.raises(TrainingError, match="--fresh"):
        train(options(tmp_path, sounds, 6), Lines())


@pytest.mark.usefixtures("tiny_recipes")
def test_a_kit_that_is_large_enough_is_scored(tmp_path, monkeypatch):
    for module in ("evaluate", "evaluating"):
        monkeypatch.setattr(f"training.{module}.MIN_HELD_OUT", 4)
    for module in ("intervals", "set_metrics"):
        monkeypatch.setattr(f"training.{module}.REPLICATES", 5)
    monkeypatch.setattr("training.corpus.split.HELD_OUT", 0.5)
    sounds = write_drums(tmp_path / "drums", each=20)
    lines = Lines()
    kit = train(options(tmp_path, sounds, 1), lines)
    report = kit.folder / "report"
    scores = json.loads((report / "scores.json").read_text())
    assert scores["counts"]["rendered"] == 2048
    assert scores["counts"]["accepted"] == 2048 - sum(scores["rejected"].values())
    assert scores["rows"]["class_accuracy"]["real"]["value"] > 0.9
    frechet = scores["rows"]["frechet_training"]
    assert min(frechet[key]["value"] for key in ("everything", "codec")) > frechet["real"]["value"]
    assert len(scores["targets"]) == 7
    assert {target["verdict"].split(",")[0] for target in scores["targets"]} <= {"pass", "miss"}
    assert "| recognised as its class |" in (report / "README.md").read_text()
    assert any("Frechet distance to held-out" in line for line in lines.said)
    (tmp_path / "work" / "run" / "losses.csv").unlink()
    result = CliRunner().invoke(app, [
        "evaluate", str(kit.folder), "--against", str(tmp_path / "work" / "dataset"),
        "--sounds", "16", "--json", "--out", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["counts"]["rendered"] == 16
    page = (tmp_path / "out" / "report.html").read_text()
    assert page.count("data:audio/ogg;base64,") == page.count("<button ")
    assert "http" not in page.replace("http-equiv", "")


def test_a_dataset_that_was_given_no_folder_has_its_sources_name(tmp_path, drums, monkeypatch):
    monkeypatch.setattr(paths, "datasets_folder", lambda: tmp_path / "datasets")
    result = CliRunner().invoke(app, ["prepare", str(drums), "synth:2"])
    assert result.exit_code == 0, result.output
    folder, = (tmp_path / "datasets").iterdir()
    assert folder.name == "drums-synth_2-44100-192"
    assert folder.name in result.output
    assert len(Dataset(folder).classes) == 12


@pytest.mark.usefixtures("tiny_recipes")
def test_sources_to_judge_by_are_prepared_once_in_the_kits_geometry(tmp_path, drums, monkeypatch):
    kit = SimpleNamespace(name="mine", classes=("kick", "snare"), geometry=GEOMETRY)
    monkeypatch.setattr("training.commands.evaluate_kit", lambda kit, dataset, *_: dataset)
    lines = Lines()
    for _ in range(2):
        judged_by = evaluate_against(kit, [drums], tmp_path / "cache", lines, EvaluateOptions())
    assert [judged_by.folder] == list((tmp_path / "cache").iterdir())
    assert judged_by.geometry == GEOMETRY
    assert any(line.startswith("using the") for line in lines.said)


def test_recordings_of_other_classes_are_refused_before_they_are_prepared(tmp_path, drums):
    kit = load_kit(write_tiny_kit(tmp_path / "tiny"))
    with pytest.raises(TrainingError, match=r"beside kit tiny it lacks clap, claves.*classes.toml"):
        evaluate_against(kit, [drums], tmp_path / "cache", Lines(), EvaluateOptions())
    assert not (tmp_path / "cache").exists()


@pytest.mark.usefixtures("tiny_recipes")
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kit": "../evil"}, "a name is letters"),
        ({"recipe": "best"}, "there is: house, paper"),
    ],
)
def test_mistakes_are_told_before_the_hours_of_training(tmp_path, drums, changes, said):
    with pytest.raises(TrainingError, match=said):
        train(options(tmp_path, drums, 2, **changes), Lines())


@pytest.mark.usefixtures("tiny_recipes")
def test_ctrl_c_while_preparing_says_how_to_go_on(tmp_path, drums, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(dataset, "_write_images", interrupted)
        with pytest.raises(Interrupted, match="stopped while preparing; the same command goes on"):
            train(options(tmp_path, drums, 2), Lines())
    lines = Lines()
    with pytest.raises(TrainingError, match="no more"):  # it prepares, then this ends it
        train(options(tmp_path, drums, 2), Ending(lines))
    assert any("prepared" in line for line in lines.said)


@pytest.mark.usefixtures("tiny_recipes")
def test_a_kit_that_hides_another_is_announced(tmp_path, drums, monkeypatch):
    shipped = tmp_path / "shipped"
    (shipped / "mine").mkdir(parents=True)
    monkeypatch.setattr(paths, "kit_folders", lambda: (tmp_path / "kits", shipped))
    lines = Lines()
    with pytest.raises(TrainingError, match="no more"):
        train(options(tmp_path, drums, 2), Ending(lines))
    told = [line for line in lines.said if "has this name too" in line]
    assert len(told) == 1
    assert told[0].startswith(str(shipped / "mine"))
    assert told[0].endswith(f"will play the new one, {tmp_path / 'kits' / 'mine'}")


@pytest.mark.usefixtures("tiny_recipes")
def test_nothing_usable_is_one_line_with_where_and_what_to_do(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(CorpusError, match="empty: nothing usable.*no files.*drums/kick") as error:
        train(options(tmp_path, tmp_path / "empty", 2), Lines())
    assert "\n" not in str(error.value)


@pytest.mark.usefixtures("tiny_recipes")
def test_a_kit_from_elsewhere_is_not_replaced(tmp_path, drums):
    (tmp_path / "kits" / "mine").mkdir(parents=True)
    with pytest.raises(TrainingError, match="was not trained here"):
        train(options(tmp_path, drums, 2), Lines())
