"""Variants of a recipe, trained for equal time on one dataset and judged by its held-out sounds.

    python -m training.experiments DATASET --work FOLDER --minutes 30 \\
        base cutout=0.4 "spec.texture=true spec.width=36" --write docs/experiments.md

Each variant is `base` or settings as `gan808 fit --set` takes them, and runs in a process of its
own, one after the other, so that none has more of the machine. Stopped, the same command goes on.
The rows, best first, go to standard output and, with --write, between the marks in that document.
"""

from __future__ import annotations

import argparse
import csv
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gan808.errors import TrainingError

BEGIN, END = "<!-- experiments: begin -->", "<!-- experiments: end -->"
COLUMNS = ("variant", "minutes", "steps", "best at", "score", "Frechet distance", "recognised",
           "Inception score")
HEAD = (f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|")
BASE = "base"


@dataclass(frozen=True)
class Outcome:
    """One variant's row: how far it came, and the best of its held-out scores."""

    variant: str
    minutes: float
    steps: int
    best_step: int
    score: float
    frechet_distance: float
    class_accuracy: float
    inception_score: float

    def row(self) -> str:
        """As a line of the table."""
        return (f"| {self.variant} | {self.minutes:.0f} | {self.steps} | {self.best_step} | "
                f"{self.score:.1f} | {self.frechet_distance:.1f} | {self.class_accuracy:.2f} | "
                f"{self.inception_score:.2f} |")


def outcome_of(variant: str, run: Path) -> Outcome:
    """Read from RUN/scores.csv. Raises TrainingError when nothing was scored."""
    path = run / "scores.csv"
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [{key: float(value) for key, value in row.items()}
                    for row in csv.DictReader(file)]
    except OSError as error:
        raise TrainingError(f"{path}: {error.strerror}; a dataset with held-out sounds is scored"
                            ) from error
    best = min(rows, key=lambda row: row["score"])
    return Outcome(
        variant, max(row["elapsed_s"] for row in rows) / 60, int(max(row["step"] for row in rows)),
        int(best["step"]), best["score"], best["frechet_distance"], best["class_accuracy"],
        best["inception_score"],
    )


def fit_command(
    dataset: Path, run: Path, recipe: str, minutes: float, variant: str, seed: int
) -> list[str]:
    """`gan808 fit` for one variant."""
    settings = [] if variant == BASE else variant.split()
    return [sys.executable, "-m", "gan808", "fit", str(dataset), "--run", str(run),
            "--recipe", recipe, "--hours", f"{minutes / 60:.6f}", "--seed", str(seed),
            *(word for setting in settings for word in ("--set", setting))]


def write_table(path: Path, lines: Sequence[str]) -> None:
    """Put the lines between the marks of a document. Raises TrainingError when it has none."""
    text = path.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise TrainingError(f"{path}: has no {BEGIN} and {END}")
    table = "\n".join(lines)
    path.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    """Train what is missing, tell the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("variants", nargs="+")
    parser.add_argument("--work", type=Path, required=True, help="folder of the runs")
    parser.add_argument("--minutes", type=float, default=30.0, help="for each variant")
    parser.add_argument("--recipe", default="house")
    parser.add_argument("--seed", type=int, default=808)
    parser.add_argument("--write", type=Path, help="document whose table is replaced")
    given = parser.parse_args(arguments)
    outcomes = []
    for variant in given.variants:
        run = given.work / (re.sub(r"[^A-Za-z0-9.=]+", "_", variant) + f"-{given.seed}")
        command = fit_command(given.dataset, run, given.recipe, given.minutes, variant, given.seed)
        if subprocess.run(command, check=False).returncode:
            raise TrainingError(f"{variant}: the fit failed; what it said stands above")
        outcomes.append(outcome_of(variant, run))
    rows = [outcome.row() for outcome in sorted(outcomes, key=lambda outcome: outcome.score)]
    lines = [*HEAD, *rows]
    if given.write is not None:
        write_table(given.write, lines)
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    try:
        main()
    except TrainingError as error:
        sys.exit(f"gan808: {error}")
