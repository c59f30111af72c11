"""What a growing CSV of a run says, in bounded memory: its new lines, and curves of few points."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Iterable
from pathlib import Path

CHUNK_BYTES = 1 << 20  # of a file that are read at a time
POINTS = 400  # of a curve at most; from half of that on


class CsvTail:
    """Reads a CSV as it grows. Attribute: behind, whether there is more to read at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = (0, 0)  # device and number: another file may come in its place
        self._at = 0
        self._header: list[str] = []
        self.behind = False

    def read(self) -> tuple[bool, list[dict[str, str]]]:
        """Whether it is another file than before, or was cut; and its complete new lines by column,
        CHUNK_BYTES at most. A file that is not there has none."""
        try:
            with self._path.open("rb") as file:
                status = os.fstat(file.fileno())
                anew = self._at > 0 and ((status.st_dev, status.st_ino) != self._file
                                         or status.st_size < self._at)
                if anew:
                    self._at = 0
                self._file = (status.st_dev, status.st_ino)
                file.seek(self._at)
                block = file.read(CHUNK_BYTES)
        except OSError:
            anew, self._at, self.behind = self._at > 0, 0, False
            return anew, []
        whole = block[: block.rfind(b"\n") + 1]
        lines = list(csv.reader(whole.decode("utf-8", "replace").splitlines()))
        if not self._at and lines:
            self._header = lines.pop(0)
        self._at += len(whole)
        self.behind = len(block) == CHUNK_BYTES
        return anew, [dict(zip(self._header, line, strict=False)) for line in lines]


class Curve:
    """Means of equal numbers of values, at most POINTS of them: when there are more, neighbours
    become one."""

    def __init__(self) -> None:
        self._points: list[tuple[int, float]] = []  # last step of each mean, and the mean
        self._stride = 1  # values in a mean
        self._waiting: list[float] = []

    def add(self, step: int, value: float) -> None:
        """The next value. A step that was there already takes the place of all from it on, as
        after a rollback. What is not finite is left out."""
        if not math.isfinite(value):
            return
        if self._points and step <= self._points[-1][0]:
            self._points = [point for point in self._points if point[0] < step]
            self._waiting = []
        self._waiting.append(value)
        if len(self._waiting) < self._stride:
            return
        self._points.append((step, sum(self._waiting) / self._stride))
        self._waiting = []
        if len(self._points) > POINTS:
            pairs = zip(self._points[::2], self._points[1::2], strict=False)
            self._points = [(right[0], (left[1] + right[1]) / 2) for left, right in pairs]
            self._stride *= 2

    def points(self) -> list[list[float]]:
        """Steps and values, as JSON has them."""
        return [[step for step, _ in self._points],
                [float(f"{value:.5g}") for _, value in self._points]]


class Curves:
    """A curve each name."""

    def __init__(self) -> None:
        self._curves: dict[str, Curve] = {}

    def add(self, step: int, values: Iterable[tuple[str, float]]) -> None:
        """A value of each of these."""
        for name, value in values:
            self._curves.setdefault(name, Curve()).add(step, value)

    def to_dict(self) -> dict[str, list[list[float]]]:
        """Steps and values by name."""
        return {name: curve.points() for name, curve in self._curves.items()}
