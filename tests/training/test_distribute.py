"""Several devices, several machines: the same weights as one alone, and on after a death."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest

from gan808.errors import TrainingError
from tests.training.tiny_recipe import TINY
from training import checkpoint
from training.distribute import TensorFlowDevices, TrainingDevices, check_divides, join
from training.trainer import FitOptions, Trainer

# Each program imports TensorFlow and builds its graphs anew, two at once: minutes, if it is busy.
pytestmark = pytest.mark.timeout(900)
STEPS = 10
PROGRAM = "tests.training.fit_together"
# What sums in another order come to differ by: where a gradient is nearly nothing its sign is
# rounding, and Adam's steps are as long as the learning rate, 1e-3, all the same.
SUMS = 1e-4


def free_ports(n):
    sockets = [socket.socket() for _ in range(n)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def start(dataset, run, out, **environment):
    command = [sys.executable, "-m", PROGRAM, str(dataset.folder), str(run), str(STEPS), str(out)]
    return subprocess.Popen(
        command, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **environment},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )


def start_two(dataset, run, folder, **environment):
    workers = [f"127.0.0.1:{port}" for port in free_ports(2)]
    return [
        start(dataset, run, folder / f"worker{index}.npz", TF_CONFIG=json.dumps(
            {"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}}
        ), **environment)
        for index in range(2)
    ]


def weights(path):
    with np.load(path, allow_pickle=False) as arrays:
        return [arrays[name] for name in arrays.files]


@pytest.fixture(scope="module")
def alone(dataset, tmp_path_factory):
    """The weights of a run on one device."""
    run = tmp_path_factory.mktemp("alone")
    trainer = Trainer(dataset, TINY, run, FitOptions(steps=STEPS, samples_s=1e9))
    trainer.fit()
    models = (trainer.steps.generator, trainer.steps.critic, trainer.steps.averaged)
    return [array for model in models for array in model.get_weights()]


def assert_equal_weights(found, expected, tolerance):
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance)


def test_two_devices_take_the_steps_of_one(dataset, alone, tmp_path):
    """Sums in another order are all that may differ: Adam makes 1e-4 of a step of that at most."""
    worker = start(dataset, tmp_path / "run", tmp_path / "out.npz", DEVICES="2")
    out, errors = worker.communicate(timeout=400)
    assert worker.returncode == 0, errors
    assert "2 devices share each step" in out
    assert_equal_weights(weights(tmp_path / "out.npz"), alone, SUMS)


def test_two_workers_equal_one_and_go_on_after_one_was_killed(dataset, alone, tmp_path):
    """SIGKILL to the second in the middle; the first leaves with one line; both started again go
    on from the last checkpoint to the weights of an uninterrupted run on one device, the same on
    both. Only the chief has written."""
    run = tmp_path / "run"
    chief, other = start_two(dataset, run, tmp_path)
    deadline = time.monotonic() + 400
    while len(checkpoint.checkpoints(run)) < 2 and time.monotonic() < deadline:
        assert chief.poll() is None
        assert other.poll() is None
        time.sleep(0.02)
    other.send_signal(signal.SIGKILL)
    _, errors = chief.communicate(timeout=400)
    assert other.wait() == -signal.SIGKILL
    reached = checkpoint.read_state(checkpoint.checkpoints(run)[-1])["step"]
    assert 1 <= reached < STEPS
    assert chief.returncode == 1
    assert "another worker is gone" in errors.splitlines()[-1]
    other.communicate()

    pair = start_two(dataset, run, tmp_path)
    for number, worker in enumerate(pair, start=1):
        out, errors = worker.communicate(timeout=400)
        assert worker.returncode == 0, errors
        assert out.startswith(f"at step {reached}, worker {number} of 2")
    first, second = (weights(tmp_path / f"worker{index}.npz") for index in range(2))
    assert_equal_weights(first, second, 0.0)
    assert_equal_weights(first, alone, SUMS)
    events = (run / "events.csv").read_text().splitlines()
    assert [line.split(",")[2] for line in events] == ["event", "begun", "resumed", "done"]


def test_two_workers_go_back_together(dataset, tmp_path):
    """The critic is poisoned after step 4: both notice at step 5, go back to the chief's checkpoint
    of step 3 and end with equal weights."""
    run = tmp_path / "run"
    for worker in start_two(dataset, run, tmp_path, POISON="4"):
        out, errors = worker.communicate(timeout=400)
        assert worker.returncode == 0, errors
        (told,) = [line for line in out.splitlines() if line.startswith("step 5")]
        assert told.endswith("back to step 3, other batches")
    first, second = (weights(tmp_path / f"worker{index}.npz") for index in range(2))
    assert_equal_weights(first, second, 0.0)
    assert np.isfinite(first[0]).all()


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("{", "TF_CONFIG cannot be read"),
        ('{"cluster": {"worker": ["a:1", "b:1"]}}', "TF_CONFIG cannot be read.*'task'"),
        ('{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "ps", "index": 0}}',
         "chief and worker, not ps"),
        ('{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 2}}',
         "no worker 2"),
    ],
)
def test_a_wrong_cluster_is_one_line(config, said, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", config)
    with pytest.raises(TrainingError, match=said) as error:
        join()
    assert "\n" not in str(error.value)


def test_one_machine_needs_no_strategy(monkeypatch):
    """Also under a TF_CONFIG that names this machine alone."""
    alone = {"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 0}}
    for config in ("", json.dumps(alone)):
        monkeypatch.setenv("TF_CONFIG", config)
        crew = join()
        assert type(crew) is TrainingDevices
        assert crew.together(1.5, True) == (1.5, True)


def test_a_batch_that_does_not_divide_is_told_with_one_that_does():
    class Three(TensorFlowDevices):
        def __init__(self):
            self.n_replicas = 3

    with pytest.raises(TrainingError, match="32 does not divide among 3 devices.*batch=30"):
        check_divides(32, Three())
    check_divides(36, Three())
