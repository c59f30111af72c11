"""What a run writes beside its checkpoints, by its chief, on the training thread.

RUN/losses.csv   step, elapsed_s, name, value: every step; a repeated step is logged again
RUN/scores.csv   step, elapsed_s and HeldOutScore's columns: every score against held-out sounds
RUN/events.csv   time, step, event, detail: begun, resumed, rolled_back, gave_up, done
RUN/samples      step-N.png and step-N.wav: pictures and sounds of fixed latents
RUN/tensorboard  all of it for TensorBoard

A disk that is full is a TrainingError, one line, and leaves no half-written line or file behind.
"""

from __future__ import annotations

import csv
import datetime
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import soundfile

from gan808.errors import TrainingError

from .samples import SampleMaker
from .scoring import HeldOutScore
from .tensorboard import Board

LOSSES = ("step", "elapsed_s", "name", "value")
EVENTS = ("time", "step", "event", "detail")
BOARD_EVERY = 10  # steps between two points of TensorBoard's curves


@contextmanager
def _written(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, soundfile.LibsndfileError) as error:
        reason = getattr(error, "strerror", None) or error
        raise TrainingError(
            f"{path}: cannot write ({reason}); checkpoints are kept: make room and give the same "
            "command"
        ) from error


def append(path: Path, header: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    """Rows to a CSV, all or none. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    size = path.stat().st_size if path.exists() else 0
    text = io.StringIO()
    csv.writer(text).writerows(rows if size else [header, *rows])
    try:
        with path.open("a", newline="", encoding="utf-8") as file:
            file.write(text.getvalue())
    except OSError:
        os.truncate(path, size)
        raise


class TrainingJournal:
    """Writes into one run's folder; of a worker that is not the chief nothing."""

    def __init__(self, run: Path, *, writes: bool, step: int) -> None:
        self._run, self._writes = run, writes
        self._board: Board | None = None
        if writes:
            with _written(run / "tensorboard"):
                self._board = Board(run / "tensorboard", step)

    def losses(self, step: int, elapsed_s: float, results: dict[str, float], rate: float) -> None:
        """A step's losses and gradient norms."""
        if self._board is None:
            return
        path = self._run / "losses.csv"
        rows = [(step, f"{elapsed_s:.1f}", name, f"{value:.6g}")
                for name, value in results.items()]
        with _written(path):
            append(path, LOSSES, rows)
            if step % BOARD_EVERY == 0:
                curves = {("gradients/" if name.startswith("norm_") else "losses/")
                          + name.removeprefix("norm_"): value for name, value in results.items()}
                self._board.scalars(step, curves | {"learning_rate": rate})

    def score(self, step: int, elapsed_s: float, score: HeldOutScore) -> None:
        """What held-out sounds say of the generator."""
        if self._board is None:
            return
        columns = score.to_dict()
        path = self._run / "scores.csv"
        with _written(path):
            append(path, ("step", "elapsed_s", *columns),
                   [(step, f"{elapsed_s:.1f}", *(f"{v:.6g}" for v in columns.values()))])
            self._board.scalars(step, {f"held_out/{k}": v for k, v in columns.items()})

    def event(self, step: int, event: str, detail: str = "") -> None:
        """Something a reader of the run will ask about."""
        if self._board is None:
            return
        path = self._run / "events.csv"
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        with _written(path):
            append(path, EVENTS, [(now, step, event, detail)])

    def rewound(self, step: int) -> None:
        """The run goes on from an earlier step: TensorBoard forgets what came after it."""
        if self._board is not None:
            with _written(self._run / "tensorboard"):
                self._board.rewind(step)

    def samples(self, step: int, maker: SampleMaker, model: keras.Model) -> None:
        """Pictures and sounds of fixed latents."""
        if self._board is None:
            return
        folder = self._run / "samples"
        with _written(folder):
            picture, sounds = maker.write(model, folder, f"step-{step:08d}")
            self._board.picture(step, picture)
            for name, audio in sounds.items():
                self._board.sound(step, name, audio, maker.geometry.sample_rate_hz)

    def close(self) -> None:
        """Write what is still held back."""
        if self._board is not None:
            with _written(self._run / "tensorboard"):
                self._board.close()
