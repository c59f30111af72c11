"""Steps, checkpoints, interruptions."""

import copy
import csv
import os
import shutil
import signal
import tempfile
from dataclasses import replace

import numpy as np
import pytest

from gan808.errors import TrainingError
from tests.timing import eventually
from tests.training.fit_together import fit
from tests.training.programs import Program
from tests.training.tiny_recipe import TINY, TINY_PAPER
from training import checkpoint
from training.export import ExportOptions, export
from training.trainer import FitOptions, Interrupted, Trainer, rate_share


def losses_of(run):
    """(step, name) -> value, the last one logged: a resumed run logs its repeated steps again."""
    with (run / "losses.csv").open(newline="") as file:
        return {(int(r["step"]), r["name"]): float(r["value"]) for r in csv.DictReader(file)}


@pytest.mark.usefixtures("graphs")
@pytest.mark.parametrize("recipe", [TINY, TINY_PAPER], ids=["house", "paper"])
def test_both_recipes_train_and_the_critic_learns(recipe, dataset, tmp_path):
    trainer = Trainer(dataset, recipe, tmp_path, FitOptions(steps=40))
    before = [w.copy() for w in trainer.steps.generator.get_weights()]
    results = [trainer.one_step() for _ in range(40)]
    after = trainer.steps.generator.get_weights()
    assert any(np.abs(a - b).max() > 1e-4 for a, b in zip(before, after, strict=True))
    early, late = (np.mean([r["class_real"] for r in part]) for part in (results[:5], results[-5:]))
    assert late < early


@pytest.mark.usefixtures("graphs")
def test_the_average_follows_the_generator(dataset, tmp_path, monkeypatch):
    """And nothing is written beside the run: a command's end would leave it."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    trainer = Trainer(dataset, TINY, tmp_path, FitOptions(steps=3))
    for _ in range(3):
        trainer.one_step()
    for average, now in zip(
        trainer.steps.averaged.get_weights(), trainer.steps.generator.get_weights(), strict=True
    ):
        assert np.abs(average - now).max() < 0.01
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.usefixtures("graphs")
def test_killed_training_goes_on_to_the_same_losses(dataset, tmp_path):
    """SIGKILL in the middle, then the same command: every loss equals an uninterrupted run's."""
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    trainer = Trainer(dataset, TINY, whole, FitOptions(steps=12, samples_s=1e9))
    trainer.fit()
    killed = Program(tmp_path / "killed", fit, dataset.folder, broken, 12, tmp_path / "out.npz",
                     HOLD="5")
    eventually(lambda: checkpoint.folder_of(broken, 4) in checkpoint.checkpoints(broken), 120)
    killed.process.kill()
    assert killed.ended() == -signal.SIGKILL
    reached = checkpoint.read_state(checkpoint.checkpoints(broken)[-1])["step"]
    assert reached == 4
    resumed = Trainer(dataset, TINY, broken, FitOptions(steps=12, samples_s=1e9))
    assert resumed.step == reached
    resumed.fit()
    expected, got = losses_of(whole), losses_of(broken)
    assert expected.keys() == got.keys()
    for key, value in expected.items():
        assert got[key] == pytest.approx(value, rel=1e-3, abs=1e-4), key


def test_asked_to_stop_it_writes_a_checkpoint_first(dataset, tmp_path):
    trainer = Trainer(dataset, TINY, tmp_path, FitOptions(steps=1000))

    def interrupt(progress):
        if progress.step == 3:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Interrupted, match="step 3.*goes on"):
        trainer.fit(interrupt)
    assert Trainer(dataset, TINY, tmp_path, FitOptions(steps=1000)).step == 3


def test_a_checkpoint_of_another_recipe_or_a_damaged_one_is_refused(dataset, tmp_path):
    trainer = Trainer(dataset, TINY, tmp_path, FitOptions(steps=2))
    trainer.one_step()
    trainer.save()
    folder = checkpoint.checkpoints(tmp_path)[-1]
    with pytest.raises(TrainingError, match="another recipe, tiny instead of tiny_paper"):
        Trainer(dataset, TINY_PAPER, tmp_path, FitOptions(steps=2))
    (folder / "critic.safetensors").write_bytes(b"short")
    with pytest.raises(TrainingError, match="critic.safetensors"):
        Trainer(dataset, TINY, tmp_path, FitOptions(steps=2))


def test_a_dataset_of_another_geometry_is_refused_by_name(dataset, tmp_path):
    other = replace(TINY, geometry=replace(TINY.geometry, hop=64))
    with pytest.raises(TrainingError, match="another geometry than recipe tiny's; prepare"):
        Trainer(dataset, other, tmp_path, FitOptions(steps=2))
    trainer = Trainer(dataset, TINY, tmp_path, FitOptions(steps=2))
    trainer.save()
    strange = copy.copy(dataset)
    strange.geometry = other.geometry
    with pytest.raises(TrainingError, match="images of another geometry than"):
        export(tmp_path, strange, tmp_path / "kit", ExportOptions("mine"))
    assert not (tmp_path / "kit").exists()


def test_two_checkpoints_are_kept_and_a_half_written_one_is_ignored(dataset, tmp_path):
    trainer = Trainer(dataset, TINY, tmp_path, FitOptions(steps=9))
    for _ in range(3):
        trainer.one_step()
        trainer.save()
    shutil.copytree(
        tmp_path / "checkpoints" / "step-00000003",
        tmp_path / "checkpoints" / "step-00000009.partial",
    )
    names = [path.name for path in checkpoint.checkpoints(tmp_path)]
    assert names == ["step-00000002", "step-00000003"]


def test_a_full_disk_keeps_the_checkpoint_before(dataset, tmp_path, monkeypatch):
    trainer = Trainer(dataset, TINY, tmp_path, FitOptions(steps=9))
    trainer.one_step()
    trainer.save()
    trainer.one_step()

    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "save_file", full)
    with pytest.raises(TrainingError, match="No space left.*the one before is kept"):
        trainer.save()
    assert [p.name for p in checkpoint.checkpoints(tmp_path)] == ["step-00000001"]
    assert not list((tmp_path / "checkpoints").glob("*.partial"))


def test_the_rate_falls_at_the_end_only():
    assert rate_share(TINY, 0.5) == 1.0
    assert rate_share(TINY, 1.0) == pytest.approx(TINY.final_rate)
    assert rate_share(TINY_PAPER, 1.0) == 1.0
