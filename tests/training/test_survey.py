"""What a preparation would take, before it decodes anything."""

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from gan808.cli.main import app
from tests.training.tiny_recipe import TINY, write_drums
from training.corpus.folder import FolderSource
from training.corpus.recording import Skipped
from training.dataset import Dataset, PrepareOptions, is_variant, prepare
from training.survey import lines, survey


def test_the_plan_is_what_the_preparation_does(tmp_path):
    root = write_drums(tmp_path / "drums", ("kick", "snare"), each=12)
    options = PrepareOptions(variants_to=30)
    plans = survey([FolderSource(root)], options, Skipped())
    prepare([FolderSource(root)], tmp_path / "out", TINY.geometry, options)
    dataset = Dataset(tmp_path / "out")
    copies = np.asarray([is_variant(origin) for origin in dataset.origins])
    for label, plan in enumerate(plans):
        mine = dataset.labels == label
        assert plan.name == dataset.classes[label]
        assert (plan.recordings, plan.copies, plan.held_out) == (
            (mine & ~copies).sum(), (mine & copies).sum(), (mine & dataset.held_out).sum())
    told = list(lines(plans, TINY.geometry))
    assert told[0] == (f"kick: 12 recordings (+ {plans[0].copies} pitched copies), 3 held out; "
                       "of drums/kick 12")
    size = sum(path.stat().st_size for path in (tmp_path / "out").glob("shard*"))
    assert f"{size / 2**20:.0f} MiB" in told[-1]


def test_what_is_no_sound_is_not_counted(tmp_path):
    """Whatever it is called; by its header alone."""
    pytest.importorskip("av")
    root = write_drums(tmp_path / "drums", ("kick", "snare"), each=4)
    for name in ("a.m4a", "b.wma", "c.wav", "d.flac", "e.mp3", "f.aac"):
        (root / "kick" / name).write_bytes(f"no audio in {name} ".encode() * 100)
    (root / "kick" / "g.wav").write_bytes(b"")
    soundfile.write(root / "kick" / "h.wav", np.ones(31 * 8000), 8000)
    skipped = Skipped()
    plans = survey([FolderSource(root)], PrepareOptions(), skipped)
    assert [(plan.name, plan.recordings) for plan in plans] == [("kick", 4), ("snare", 4)]
    assert skipped.reasons() == {"corrupt": 6, "empty": 1, "longer than 30 s": 1}


def test_dry_run_tells_all_and_writes_nothing(tmp_path):
    root = write_drums(tmp_path / "drums", ("kick", "my zaps"), each=3)
    (root / "kick" / "twice.wav").write_bytes((root / "kick" / "0.wav").read_bytes())
    (root / "kick" / "notes.txt").write_text("x")
    soundfile.write(root / "loop.wav", np.ones(10), 16000)
    run = CliRunner().invoke(app, ["prepare", str(root), "--out", str(tmp_path / "out"),
                                   "--dry-run"], terminal_width=200)
    assert run.exit_code == 0
    assert not (tmp_path / "out").exists()
    for line in ("kick: 3 recordings (+ ", "my_zaps (a name of its own): 3 recordings",
                 ("skipped drums/kick/twice.wav: the same sound as another of its class: "
                  "drums/kick/0.wav"), "skipped drums/kick/notes.txt: not audio",
                 "skipped drums/loop.wav: no drum class in its name", "skipped 3 files: "):
        assert line in run.output
