"""Who shares the work of a step: one device, all GPUs of a machine, or several machines.

TF_CONFIG, which every cluster's scheduler writes, names the machines (MultiWorkerMirroredStrategy);
without it several GPUs share a step (MirroredStrategy). All begin from the same checkpoint and
take the same steps; the chief alone writes. Must be joined before TensorFlow's first operation.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import keras

from gan808.errors import TrainingError
from gan808.toml_json import from_json

VARIABLE = "TF_CONFIG"


class TrainingDevices:
    """One device, alone; the others override. n_replicas: parts that a batch is cut into. name:
    what to call it to the user."""

    is_chief = True
    n_workers = 1
    n_replicas = 1

    @property
    def name(self) -> str:
        return device_in_words()

    def scope(self) -> AbstractContextManager[Any]:
        """Networks and optimizers are made, and steps taken, inside it."""
        return nullcontext()

    def from_chief(self, value: float) -> float:
        """The chief's value, on every worker: clocks and rounding differ, decisions must not."""
        return self.together(value, False)[0]

    def together(self, value: float, wish: bool) -> tuple[float, bool]:
        """The chief's value, and whether any worker wishes so, on every worker."""
        return value, wish

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Around the training: a worker that has gone is a TrainingError, one line."""
        yield


class TensorFlowDevices(TrainingDevices):
    """Replicas under a tf.distribute strategy."""

    def __init__(self, strategy: Any, index: int = 0, n_workers: int = 1) -> None:
        self._strategy = strategy
        self.is_chief = index == 0
        self.n_workers = n_workers
        self.n_replicas = strategy.num_replicas_in_sync
        self._machine = f"worker {index + 1} of {n_workers}, " if n_workers > 1 else ""

    @property
    def name(self) -> str:
        return f"{self._machine}{self.n_replicas} devices share each step, {device_in_words()}"

    def scope(self) -> AbstractContextManager[Any]:
        return self._strategy.scope()

    def together(self, value: float, wish: bool) -> tuple[float, bool]:
        if self.n_workers == 1:
            return value, wish
        import tensorflow as tf

        def mine(context: Any) -> Any:
            first = context.replica_id_in_sync_group == 0
            return tf.constant([value if first else 0.0, float(wish)], tf.float64)

        spread = self._strategy.experimental_distribute_values_from_function(mine)
        agreed, wishes = self._sum(spread).numpy()
        return float(agreed), bool(wishes > 0)

    def _sum(self, values: Any) -> Any:
        import tensorflow as tf

        return self._strategy.reduce(tf.distribute.ReduceOp.SUM, values, axis=None)

    @contextmanager
    def watched(self) -> Iterator[None]:
        import tensorflow as tf

        gone = (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError,
                tf.errors.DeadlineExceededError, tf.errors.InternalError)
        try:
            yield
        except gone as error:
            if self.n_workers == 1:
                raise
            reason = str(error.message).partition("\n")[0][:120]
            raise TrainingError(
                f"another worker is gone ({reason}); start all of them again with the same "
                "command: they go on from the last checkpoint"
            ) from error


def device_in_words() -> str:
    """What steps are computed on, as in "TensorFlow on NVIDIA H100": the first GPU, or the CPU."""
    if keras.backend.backend() != "tensorflow":
        import jax

        device = jax.devices()[0]
        return f"JAX on {'the CPU' if device.platform == 'cpu' else device.device_kind}"
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    details = tf.config.experimental.get_device_details(gpus[0]) if gpus else {}
    return f"TensorFlow on {details.get('device_name', 'a GPU') if gpus else 'the CPU'}"


def _cluster() -> tuple[int, int] | None:
    """(this worker's number, how many there are) from TF_CONFIG; None when it names fewer than
    two. Raises TrainingError when it cannot be used."""
    text = os.environ.get(VARIABLE, "")
    if not text:
        return None
    try:
        config = from_json(text)
        cluster, task = config["cluster"], config["task"]
        chiefs, workers = cluster.get("chief", []), cluster.get("worker", [])
        kind, index = task["type"], int(task["index"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise TrainingError(
            f"{VARIABLE} cannot be read ({error!r}); it takes "
            '{"cluster": {"worker": ["HOST:PORT", ...]}, "task": {"type": "worker", "index": 0}}'
        ) from error
    if kind not in ("chief", "worker") or set(cluster) - {"chief", "worker"}:
        raise TrainingError(f"{VARIABLE}: tasks of training are chief and worker, not {kind}")
    if not 0 <= index < len(chiefs if kind == "chief" else workers):
        raise TrainingError(f"{VARIABLE}: the cluster has no {kind} {index}")
    n = len(chiefs) + len(workers)
    return (index + (len(chiefs) if kind == "worker" else 0), n) if n > 1 else None


def refuse_cluster() -> None:
    """For a command that one machine does alone. Raises TrainingError under TF_CONFIG."""
    if _cluster() is not None:
        raise TrainingError(
            f"{VARIABLE} names several machines: `gan808 prepare` on one, `gan808 fit` on all of "
            "them, `gan808 export` on one"
        )


def join(names: Sequence[str] | None = None) -> TrainingDevices:
    """The devices that TF_CONFIG and the GPUs of this machine, or these names, make up.

    Raises TrainingError when TF_CONFIG is wrong, the others do not come, or JAX was asked for.
    """
    cluster = _cluster()
    if keras.backend.backend() != "tensorflow":
        if cluster is not None:
            raise TrainingError(f"{VARIABLE} is set: several machines share the work on "
                                "TensorFlow only; unset it, or KERAS_BACKEND")
        return TrainingDevices()
    import tensorflow as tf

    if cluster is not None:
        try:
            strategy = tf.distribute.MultiWorkerMirroredStrategy()
        except (tf.errors.OpError, RuntimeError, ValueError) as error:
            raise TrainingError(f"{VARIABLE}: the cluster did not come together ({error})"
                                ) from error
        return TensorFlowDevices(strategy, *cluster)
    found = names or [gpu.name for gpu in tf.config.list_logical_devices("GPU")]
    if len(found) < 2:
        return TrainingDevices()
    return TensorFlowDevices(tf.distribute.MirroredStrategy(list(found)))


def check_divides(batch: int, devices: TrainingDevices) -> None:
    """Half a batch (what R1 and R2 look at) must fall into equal parts. Raises TrainingError."""
    if batch % (2 * devices.n_replicas):
        near = max(1, round(batch / (2 * devices.n_replicas))) * 2 * devices.n_replicas
        raise TrainingError(f"a batch of {batch} does not divide among {devices.n_replicas} "
                            f"devices; give --set batch={near}")
