"""What a run's folder holds while it trains: curves, samples, events. Reads; writes nothing.

Work is bounded: of each file only what is new, of the folder of samples only names. `read` on one
thread at a time, `picture` and `sound` beside it on any.
"""

from __future__ import annotations

import io
import re
import wave
from collections import deque
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..sample_grid import GridLayout, read_layout
from .curves import CsvTail, Curves

GRADIENTS = "norm_"  # how the names of gradient norms begin
PACE_S = 60.0  # of training that the steps a second are of
EVENTS = 12  # the last ones
SAMPLE = re.compile(r"step-(\d{8,12})\.png")


class RunFolder:
    """Follows one run. Attributes, as JSON has them:

    curves: losses, gradients, scores, each a dictionary of steps and values by name. samples:
    layout (of a picture's cells, None without samples) and steps, pairs of step and version, oldest
    first. events: time, step, event and detail of the last ones. step, trained_s (hours of
    training behind it, in seconds) and steps_a_second (None at first).
    """

    def __init__(self, run: Path) -> None:
        self._samples = run / "samples"
        self._losses, self._scores, self._events = (
            CsvTail(run / f"{name}.csv") for name in ("losses", "scores", "events"))
        self._pace: deque[tuple[int, float]] = deque()
        self._known: dict[int, tuple[int, GridLayout | None]] = {}
        self._loss_curves, self._gradient_curves, self._score_curves = Curves(), Curves(), Curves()
        self.step, self.trained_s = 0, 0.0
        self.events: deque[dict[str, str]] = deque(maxlen=EVENTS)
        self.samples: dict[str, Any] = {"layout": None, "steps": []}

    def read(self) -> bool:
        """Take in what is new; whether there is more to read at once."""
        self._read_losses()
        anew, rows = self._scores.read()
        if anew:
            self._score_curves = Curves()
        for row in rows:
            try:
                step = int(row.pop("step"))
                values = [(name, float(text)) for name, text in row.items() if name != "elapsed_s"]
            except (KeyError, ValueError):  # a line that is none
                continue
            self._score_curves.add(step, values)
        anew, rows = self._events.read()
        if anew:
            self.events.clear()
        self.events.extend(rows)
        self._look_for_samples()
        return self._losses.behind or self._scores.behind or self._events.behind

    @property
    def curves(self) -> dict[str, Any]:
        return {"losses": self._loss_curves.to_dict(), "gradients": self._gradient_curves.to_dict(),
                "scores": self._score_curves.to_dict()}

    @property
    def steps_a_second(self) -> float | None:
        if len(self._pace) < 2 or self._pace[-1][1] <= self._pace[0][1]:
            return None
        (first, begun_s), (last, now_s) = self._pace[0], self._pace[-1]
        return round((last - first) / (now_s - begun_s), 3)

    def _read_losses(self) -> None:
        anew, rows = self._losses.read()
        if anew:
            self._loss_curves, self._gradient_curves = Curves(), Curves()
            self._pace.clear()
            self.step, self.trained_s = 0, 0.0
        for row in rows:
            try:
                step, elapsed_s = int(row["step"]), float(row["elapsed_s"])
                name, value = row["name"], float(row["value"])
            except (KeyError, ValueError):  # a line that is none
                continue
            curves = self._gradient_curves if name.startswith(GRADIENTS) else self._loss_curves
            curves.add(step, [(name.removeprefix(GRADIENTS), value)])
            if step != self.step:
                self._count(step, elapsed_s)

    def _count(self, step: int, elapsed_s: float) -> None:
        if step < self.step:  # it was rolled back
            self._pace.clear()
        self.step, self.trained_s = step, elapsed_s
        self._pace.append((step, elapsed_s))
        while len(self._pace) > 2 and self._pace[-1][1] - self._pace[1][1] >= PACE_S:
            self._pace.popleft()

    def _look_for_samples(self) -> None:
        there: dict[int, int] = {}
        try:
            for path in self._samples.iterdir():
                if (found := SAMPLE.fullmatch(path.name)) is not None:
                    there[int(found[1])] = path.stat().st_mtime_ns
        except OSError:  # not there yet, or just moved away
            there = {}
        self._known = {
            step: self._known[step] if self._known.get(step, (0,))[0] == version
            else (version, read_layout(self._picture(step))) for step, version in there.items()}
        steps = sorted(step for step, (_, layout) in self._known.items() if layout is not None)
        layout = self._known[steps[-1]][1] if steps else None
        self.samples = {
            "layout": asdict(layout) if layout is not None else None,
            # Versions as text: they are beyond what JavaScript counts to.
            "steps": [[step, str(self._known[step][0])] for step in steps
                      if self._known[step][1] == layout]}

    def _picture(self, step: int) -> Path:
        return self._samples / f"step-{step:08d}.png"

    def picture(self, step: int) -> bytes | None:
        """The PNG of the samples of a step; None where there is none."""
        try:
            return self._picture(step).read_bytes() if step in self._known else None
        except OSError:
            return None

    def sound(self, step: int, index: int) -> bytes | None:
        """One of the sounds of a step, as a WAV; None where there is none."""
        layout = self._known.get(step, (0, None))[1]
        n_sounds = len(layout.rows) * layout.per_row if layout is not None else 0
        if not 0 <= index < n_sounds:
            return None
        buffer = io.BytesIO()
        try:
            with wave.open(str(self._picture(step).with_suffix(".wav")), "rb") as whole:
                n_frames = whole.getnframes() // n_sounds
                whole.setpos(index * n_frames)
                with wave.open(buffer, "wb") as part:
                    part.setparams(whole.getparams())
                    part.writeframes(whole.readframes(n_frames))
        except (OSError, EOFError, wave.Error):
            return None
        return buffer.getvalue()

