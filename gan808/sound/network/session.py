"""A kit's networks at work on ONNX Runtime.

Every image is made, and judged, by itself: what is computed at once could differ in its last bits
by its company. It costs nothing, because a convolution takes the images of a batch one by one
anyway. Runs in the render process, or in a command that renders; not for several threads at once.
"""

from __future__ import annotations

import os

import numpy as np
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as refusals

from gan808.errors import KitError
from gan808.sound.kit.kit import WEIGHTS, Kit
from gan808.sound.network.backward import add_backward
from gan808.sound.network.graph import Graph, add_critic, add_generator, condition_table
from gan808.sound.network.weights import read_weights

ERRORS_ONLY = 3  # of what ONNX Runtime tells on stderr
# Its own exceptions have no ancestor but Exception.
_REFUSALS = (refusals.Fail, refusals.InvalidGraph, refusals.InvalidArgument,
             refusals.NotImplemented, refusals.RuntimeException, RuntimeError, MemoryError)


class Networks:
    """The generator and the critic of one kit. Raises KitError when its numbers are damaged.

    threads: of the processor; 0: as many as this process may use.
    """

    def __init__(self, kit: Kit, threads: int = 1) -> None:
        self._kit, self._weights = kit, read_weights(kit)
        self._options = _options(threads)
        self.spec = kit.manifest.network
        self._sizes = self.spec, kit.geometry
        self._conditions = condition_table(len(kit.classes), self._weights)
        generator, critic = Graph(), Graph()
        made = add_generator(generator, *self._sizes, len(kit.classes), self._weights)
        heads = add_critic(critic, *self._sizes, self._weights)
        self._generator = self._session(generator.serialised("generator", [made.image]))
        self._critic = self._session(critic.serialised("critic", heads))
        self._gradient: onnxruntime.InferenceSession | None = None

    def conditions(self, shares: np.ndarray) -> np.ndarray:
        """What the generator is told of mixes of classes, float32 (n, m), each by itself: shares,
        float (n, n_classes), how much of each class is in them. A whole class's is its own, to the
        bit."""
        table = self._conditions.astype(np.float64)
        rows = [(row[:, None] * table).sum(axis=0) for row in np.asarray(shares, np.float64)]
        return np.asarray(rows, np.float32)

    def generate(self, latents: np.ndarray, classes: np.ndarray) -> np.ndarray:
        """Latents float32 (n, latent_size) to normalised images, float32 (n, n_bands, n_columns,
        1). classes: their numbers, int (n,), or `conditions`, float32 (n, m)."""
        images = np.empty((len(latents), *self._kit.geometry.image_shape), np.float32)
        for image, latent, told in zip(images, latents, self._told(classes), strict=True):
            given = {"latent": latent[None], "condition": told[None]}
            image[:] = self._generator.run(None, given)[0].reshape(image.shape)
        return images

    def _told(self, classes: np.ndarray) -> np.ndarray:
        return classes if classes.ndim > 1 else self._conditions[classes]

    def listen(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Images float32 (n, n_bands, n_columns, 1) to realness, float32 (n, 1 or n_classes), and
        class logits, float32 (n, n_classes)."""
        opinions = [self._critic.run(None, {"image": image[None, None, ..., 0]})
                    for image in images]
        realness, heard = (np.concatenate(rows) for rows in zip(*opinions, strict=True))
        return realness, heard

    def latent_slopes(
        self, latents: np.ndarray, classes: np.ndarray, image_slopes: np.ndarray
    ) -> np.ndarray:
        """How a number rises with each latent, float32 (n, latent_size), that rises so with each
        latent's image, float32 (n, n_bands, n_columns, 1). classes: as generate takes them."""
        session = self._gradient = self._gradient or self._gradient_session()
        slopes = np.empty_like(latents)
        for slope, latent, told, by_image in zip(
            slopes, latents, self._told(classes), image_slopes, strict=True
        ):
            given = {"latent": latent[None], "condition": told[None],
                     "image_slope": by_image[None, None, ..., 0]}
            slope[:] = session.run(None, given)[0][0]
        return slopes

    def _gradient_session(self) -> onnxruntime.InferenceSession:
        graph = Graph()
        made = add_generator(graph, *self._sizes, len(self._kit.classes), self._weights)
        slope = add_backward(graph, *self._sizes, made)
        return self._session(graph.serialised("gradient", [slope]))

    def _session(self, model: bytes) -> onnxruntime.InferenceSession:
        try:
            return onnxruntime.InferenceSession(model, self._options,
                                                providers=["CPUExecutionProvider"])
        except _REFUSALS as error:
            line = str(error).splitlines()[0]
            raise KitError(f"{self._kit.folder / WEIGHTS}: its networks cannot be set up "
                           f"({line})") from error


def _options(threads: int) -> onnxruntime.SessionOptions:
    """Options by which a session gives way to what plays: its threads do not spin for work, and
    memory of a run is given back."""
    options = onnxruntime.SessionOptions()
    # 0 would be all the machine's, each tied to a core of its own, allowed or not.
    options.intra_op_num_threads = threads or _processors()
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = ERRORS_ONLY
    options.enable_cpu_mem_arena = False
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _processors() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
