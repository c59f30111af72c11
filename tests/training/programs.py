"""Processes that train, forked from one that has imported TensorFlow: once, not each anew."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

_FORKING = multiprocessing.get_context("forkserver")
_FORKING.set_forkserver_preload(["tests.training.fit_together"])


class Program:
    """A function in a process of its own, its output in files of a folder."""

    def __init__(self, folder: Path, work: Callable[..., None], *arguments: Any,
                 **environment: str) -> None:
        self._out, self._err = folder / "out.txt", folder / "err.txt"
        folder.mkdir(parents=True)
        self.process = _FORKING.Process(
            target=_run, args=(self._out, self._err, environment, work, arguments), daemon=True)
        # What TensorFlow says while it is imported is said by the process that forks.
        with mock.patch.dict(os.environ, {"TF_CPP_MIN_LOG_LEVEL": "3"}):
            self.process.start()

    @property
    def out(self) -> str:
        """What it has printed so far."""
        return self._out.read_text()

    @property
    def errors(self) -> str:
        """What it has printed on stderr so far."""
        return self._err.read_text()

    def ended(self, timeout_s: float = 400.0) -> int:
        """Its status, once it has ended; -9 where it was killed."""
        self.process.join(timeout_s)
        status = self.process.exitcode
        assert status is not None, self.errors
        return status


def _run(out: Path, err: Path, environment: dict[str, str], work: Callable[..., None],
         arguments: tuple[Any, ...]) -> None:
    for path, descriptor in ((out, 1), (err, 2)):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, descriptor)
    os.environ.update(environment)
    work(*arguments)
