"""An evaluation as tables of text, which the terminal, README.md and report.html share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gan808.columns import columns

from .evaluate import MIN_IN_CLASS, Evaluation
from .intervals import Figure
from .verdict import verdict

ROWS = (
    ("class_accuracy", "recognised as its class", 3),
    ("inception_score", "Inception score", 2),
    ("frechet", "Frechet distance to held-out recordings", 1),
    ("kernel", "kernel distance to them, thousandths", 0),
    ("coverage", "coverage of them", 2),
    ("density", "density among them", 2),
    ("frechet_training", "Frechet distance to training recordings", 1),
    ("kernel_training", "kernel distance to them, thousandths", 0),
    ("coverage_training", "coverage of them", 2),
    ("density_training", "density among them", 2),
    ("diversity", "mean distance inside a class", 2),
    ("nearest", "distance to the nearest training sound", 2),
    ("copies", "near-copies of a training sound", 3),
)


@dataclass(frozen=True)
class Table:
    """Text in rows under a head."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def lines(self) -> list[str]:
        """For a terminal."""
        return [self.title, *(f"  {line}" for line in columns([self.head, *self.rows]))]

    def markdown(self) -> list[str]:
        cells = [self.head, ("---",) * len(self.head), *self.rows]
        return [f"## {self.title}", "", *("| " + " | ".join(row) + " |" for row in cells), ""]


def number(value: float, digits: int = 2) -> str:
    return "-" if math.isnan(value) else f"{value:.{digits}f}"


def figure(given: Figure | None, digits: int = 2) -> str:
    """A value and its interval: 0.94 (0.92-0.97)."""
    if given is None or math.isnan(given.value):
        return "-"
    low, high = number(given.low, digits), number(given.high, digits)
    return f"{number(given.value, digits)} ({low} to {high})"


def target_table(evaluation: Evaluation) -> Table:
    rows = [(t.name, t.wanted, figure(t.figure), t.verdict) for t in evaluation.targets]
    return Table("Targets", ("ratio", "wanted", "reached", ""), tuple(rows))


def figure_table(evaluation: Evaluation) -> Table:
    rows = []
    for key, name, digits in ROWS:
        row = evaluation.rows[key]
        cells = (row.generated, row.everything, row.codec, row.real)
        rows.append((name, *(figure(cell, digits) for cell in cells)))
    head = ("", "accepted", "all rendered", "codec alone", "recordings")
    return Table("Figures", head, tuple(rows))


def class_table(evaluation: Evaluation) -> Table:
    rows = []
    for name, score in evaluation.per_class.items():
        few = score.held_out < MIN_IN_CLASS
        rows.append((
            name.replace("_", " "), figure(score.accepted), figure(score.accuracy),
            f"{number(score.accuracy_real.value)} of {score.held_out}" + (" (few)" if few else ""),
            number(score.diversity), number(score.nearest), number(score.copies),
        ))
    head = ("class", "accepted", "recognised", "recordings", "variety", "nearest", "near-copies")
    return Table("Classes", head, tuple(rows))


def kind_table(evaluation: Evaluation) -> Table:
    rows = [
        (name, str(score.held_out), figure(score.recognised), figure(score.frechet, 1),
         figure(score.frechet_codec, 1), figure(score.coverage), figure(score.coverage_codec))
        for name, score in evaluation.kinds.items()
    ]
    head = ("held out", "sounds", "recognised themselves", "Frechet distance, accepted",
            "codec alone", "coverage, accepted", "codec alone")
    return Table("Held-out sounds apart", head, tuple(rows))


def tables(evaluation: Evaluation) -> tuple[Table, ...]:
    """What there is to show."""
    kinds = (kind_table(evaluation),) if evaluation.kinds else ()
    return (target_table(evaluation), figure_table(evaluation), *kinds, class_table(evaluation))


def notes(evaluation: Evaluation) -> Sequence[str]:
    """How good it is, for whoever plays it, and what was judged, in sentences."""
    n = evaluation.counts
    reasons = ", ".join(f"{reason} {count}" for reason, count in evaluation.rejected.items())
    sources = ", ".join(f"{name} {count}" for name, count in evaluation.sources.items())
    judged = (
        f"{n['rendered']} renders of kit {evaluation.kit}, of which the instrument would play "
        f"{n['accepted']} ({evaluation.accepted.value:.0%}; rejected: {reasons or 'none'}; filed "
        f"under another class than asked for: {evaluation.filed_elsewhere.value:.1%}), beside "
        f"{n['held_out']} held-out recordings, by a judge fitted to training recordings."
        + (f" Recordings, held out or not: {sources}." if sources else "")
    )
    meaning = (
        "In brackets 95% bootstrap intervals. \"Codec alone\" is recordings through image, "
        "inversion and finishing: what a perfect generator would reach."
    )
    return verdict(evaluation).summary, judged, meaning
