"""What a run writes: for TensorBoard as TensorFlow reads it, and on a disk that is full."""

import resource
from contextlib import ExitStack, contextmanager

import numpy as np
import pytest

from gan808.errors import TrainingError
from tests.training.tiny_recipe import TINY
from training import checkpoint, journal
from training.tensorboard import Board
from training.trainer import FitOptions, Trainer


@contextmanager
def no_file_beyond(n_bytes):
    """No file of this process may grow past so many bytes, which the system refuses as it refuses a
    full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def events_in(folder):
    """Every event, as TensorFlow's own reader gives them."""
    import tensorflow as tf

    return [event for path in sorted(folder.iterdir())
            for event in tf.compat.v1.train.summary_iterator(str(path))]


def test_tensorboard_gets_curves_pictures_and_sounds(dataset, tmp_path, monkeypatch):
    monkeypatch.setattr(journal, "BOARD_EVERY", 1)
    Trainer(dataset, TINY, tmp_path, FitOptions(steps=2, samples_s=1e9)).fit()
    values = {(event.step, value.tag): value for event in events_in(tmp_path / "tensorboard")
              for value in event.summary.value}
    tags = {tag for _, tag in values}
    assert {"losses/critic", "losses/generator", "gradients/critic", "gradients/generator",
            "learning_rate", "samples/spectrograms", "samples/kick", "samples/snare"} <= tags
    assert values[1, "learning_rate"].simple_value == pytest.approx(TINY.learning_rate)
    with (tmp_path / "losses.csv").open() as file:
        logged = {tuple(line.split(",")[::2]): float(line.split(",")[3]) for line in file
                  if not line.startswith("step")}
    assert values[2, "losses/critic"].simple_value == pytest.approx(logged["2", "critic"], rel=1e-4)
    assert values[2, "samples/spectrograms"].image.encoded_image_string[:4] == b"\x89PNG"
    sound = values[2, "samples/kick"].audio
    assert sound.encoded_audio_string[:4] == b"RIFF"
    assert (sound.sample_rate, sound.length_frames) == (16000, TINY.geometry.n_samples)


def test_a_run_that_goes_back_hides_what_came_after(tmp_path):
    board = Board(tmp_path, 0)
    board.scalars(5, {"losses/critic": 1.0})
    board.rewind(3)
    board.close()
    starts = [event.step for event in events_in(tmp_path) if event.HasField("session_log")]
    assert starts == [1, 4]


@pytest.mark.parametrize("room", [30, 4000])
def test_a_disk_that_fills_up_is_one_line_and_goes_on_later(room, dataset, tmp_path):
    """No file may grow past so many bytes from step 3 on: first the log fails, then the
    checkpoint. The checkpoints of before stay whole, no line of the log is half; with room again
    the run goes on."""
    full = ExitStack()
    options = FitOptions(steps=30, checkpoint_s=0.0, samples_s=1e9)
    trainer = Trainer(dataset, TINY, tmp_path, options)
    with full, pytest.raises(TrainingError, match="cannot write") as refused:
        trainer.fit(lambda now: full.enter_context(no_file_beyond(room)) if now.step == 3 else None)
    assert "\n" not in str(refused.value)
    assert not list((tmp_path / "checkpoints").glob("*.partial"))
    for line in (tmp_path / "losses.csv").read_text().splitlines():
        assert len(line.split(",")) == 4
    reached = checkpoint.read_state(checkpoint.checkpoints(tmp_path)[-1])["step"]
    assert reached in (2, 3)
    trainer = Trainer(dataset, TINY, tmp_path, FitOptions(steps=4, samples_s=1e9))
    assert trainer.step == reached
    trainer.fit()


def test_samples_that_do_not_fit_leave_nothing_half(dataset, tmp_path, monkeypatch):
    """libsndfile's errors are no OSErrors."""
    trainer = Trainer(dataset, TINY, tmp_path, FitOptions(steps=1, samples_s=1e9))
    write = journal.SampleMaker.write

    def small(*arguments):
        with no_file_beyond(20000):
            return write(*arguments)

    monkeypatch.setattr(journal.SampleMaker, "write", small)
    with pytest.raises(TrainingError, match="samples: cannot write.*make room"):
        trainer.fit()
    assert list((tmp_path / "samples").iterdir()) == []
    assert [p.name for p in checkpoint.checkpoints(tmp_path)][-1] == "step-00000001"


def test_a_failed_append_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "losses.csv"
    journal.append(path, ("a", "b"), [(1, 2)])
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 2, limits[1]))
    try:
        with pytest.raises(OSError, match="large"):
            journal.append(path, ("a", "b"), [(np.pi, np.e)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == before
