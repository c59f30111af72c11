"""Several devices, several machines: the same weights as one alone, and on after a death."""

import json
import signal
import socket

import numpy as np
import pytest

from gan808.errors import TrainingError
from tests.timing import eventually
from tests.training.fit_together import fit
from tests.training.programs import Program
from training import checkpoint
from training.distribute import TensorFlowDevices, TrainingDevices, check_divides, join

# Six processes build their graphs, two at once: minutes, if the machine is busy.
pytestmark = pytest.mark.timeout(900)
STEPS, POISONED, HELD = 10, 4, 7
WITHIN_S = 400.0
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


@pytest.fixture
def start(dataset, tmp_path):
    """Start a program of fit_together.py that trains in the folder RUN."""
    def started(name, run, **environment):
        return Program(tmp_path / name, fit, dataset.folder, tmp_path / run, STEPS,
                       tmp_path / f"{name}.npz", POISON=str(POISONED), **environment)

    return started


def start_two(start, name, run, **second):
    """Two workers on ports of this machine; second: the environment of the other than the chief."""
    workers = [f"127.0.0.1:{port}" for port in free_ports(2)]
    return [
        start(f"{name}{index}", run, **environment, TF_CONFIG=json.dumps(
            {"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}}))
        for index, environment in enumerate(({}, second))
    ]


def weights(path):
    with np.load(path, allow_pickle=False) as arrays:
        return [arrays[name] for name in arrays.files]


def assert_equal_weights(found, expected, tolerance):
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance)
        assert np.isfinite(ours).all()


def went_back(program):
    (told,) = [line for line in program.out.splitlines() if line.startswith("step 5")]
    return told.endswith("back to step 3, other batches")


def test_many_devices_take_the_steps_of_one(start, tmp_path):
    """Each run has its critic poisoned after step 4: it is noticed at step 5, and all go back to
    the chief's checkpoint of step 3. One device alone is the measure.

    Two devices of a machine: sums in another order are all that may differ, and Adam makes 1e-4 of
    a step of that at most. Two machines: the second is killed in the middle; the first leaves with
    one line; both started again go on from the last checkpoint to the weights of an uninterrupted
    run, the same on both. Only the chief has written.
    """
    alone, shared = start("alone", "alone"), start("devices", "devices", DEVICES="2")
    run = tmp_path / "run"
    chief, other = start_two(start, "first", "run", HOLD=str(HELD))
    eventually(lambda: checkpoint.folder_of(run, HELD - 1) in checkpoint.checkpoints(run), WITHIN_S)
    other.process.kill()
    assert chief.ended() == 1
    assert other.ended() == -signal.SIGKILL
    assert "another worker is gone" in chief.errors.splitlines()[-1]
    assert went_back(chief)
    assert went_back(other)
    pair = start_two(start, "again", "run")
    for number, worker in enumerate(pair, start=1):
        assert worker.ended() == 0, worker.errors
        assert worker.out.startswith(f"at step {HELD - 1}, worker {number} of 2")
    assert (alone.ended(), shared.ended()) == (0, 0), alone.errors + shared.errors
    assert went_back(alone)
    assert went_back(shared)
    assert "2 devices share each step" in shared.out
    expected = weights(tmp_path / "alone.npz")
    assert_equal_weights(weights(tmp_path / "devices.npz"), expected, SUMS)
    first, second = (weights(tmp_path / f"again{index}.npz") for index in range(2))
    assert_equal_weights(first, second, 0.0)
    assert_equal_weights(first, expected, SUMS)
    events = (run / "events.csv").read_text().splitlines()
    assert [line.split(",")[2] for line in events] == [
        "event", "begun", "rolled_back", "resumed", "done"]


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
        devices = join()
        assert type(devices) is TrainingDevices
        assert devices.together(1.5, True) == (1.5, True)


def test_a_batch_that_does_not_divide_is_told_with_one_that_does():
    class Three(TensorFlowDevices):
        def __init__(self):
            self.n_replicas = 3

    with pytest.raises(TrainingError, match="32 does not divide among 3 devices.*batch=30"):
        check_divides(32, Three())
    check_divides(36, Three())
