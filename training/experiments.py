"""Variants of a recipe, trained for equal time on one dataset and judged by its held-out sounds.

    python -m training.experiments DATASET --work FOLDER --minutes 30 \\
        base average=0.06 "spec.width=36 spec.class_embedding=64" --write docs/experiments.md

Each variant is `base` or settings as `gan808 fit --set` takes them. All are first timed, one after
the other, for a few steps: that takes an idle machine. Then each trains as many steps as fit into
the minutes at its pace, so that other work on the machine takes no time from one of them. With
--steps none is timed and all train equally many. `seed=N` among the settings trains with another
seed: what lies between two seeds is chance. Stopped, the same command goes on. The rows, best
first, go to standard output and, with --write, between the marks in that document.
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

from gan808 import atomic
from gan808.errors import TrainingError

BEGIN, END = "<!-- experiments: begin -->", "<!-- experiments: end -->"
COLUMNS = ("variant", "minutes", "steps", "best at", "score", "Frechet distance", "recognised",
           "Inception score", "to training images")
HEAD = (f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|")
BASE = "base"
PACE_STEPS, PACE_FROM = 40, 12  # steps that are timed, and the first of them that counts


@dataclass(frozen=True)
class Outcome:
    """One variant's row: how far it came, and the best of its held-out scores. minutes: at the pace
    that was measured, if one was."""

    variant: str
    minutes: float | None
    steps: int
    best_step: int
    score: float
    frechet_distance: float
    class_accuracy: float
    inception_score: float
    training_distance: float

    def row(self) -> str:
        """As a line of the table."""
        minutes = "" if self.minutes is None else f"{self.minutes:.0f}"
        return (f"| {self.variant} | {minutes} | {self.steps} | {self.best_step} | "
                f"{self.score:.1f} | {self.frechet_distance:.1f} | {self.class_accuracy:.2f} | "
                f"{self.inception_score:.2f} | {self.training_distance:.1f} |")


def _column(path: Path, why: str) -> list[dict[str, float]]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return [{key: float(value) for key, value in row.items() if key != "name"}
                    for row in csv.DictReader(file)]
    except OSError as error:
        raise TrainingError(f"{path}: {error.strerror}; {why}") from error


def pace_of(run: Path) -> float:
    """Seconds a step took in a timed run, from RUN/losses.csv. Raises TrainingError when there is
    none."""
    at_s = {int(row["step"]): row["elapsed_s"]
            for row in _column(run / "losses.csv", "nothing was timed")}
    last = max(at_s)
    return (at_s[last] - at_s[PACE_FROM]) / (last - PACE_FROM)


def outcome_of(variant: str, run: Path, pace_s: float | None = None) -> Outcome:
    """Read from RUN/scores.csv. Raises TrainingError when nothing was scored."""
    rows = _column(run / "scores.csv", "a dataset with held-out sounds is scored")
    best = min(rows, key=lambda row: row["score"])
    steps = int(max(row["step"] for row in rows))
    return Outcome(
        variant, None if pace_s is None else steps * pace_s / 60, steps, int(best["step"]),
        best["score"], best["frechet_distance"], best["class_accuracy"], best["inception_score"],
        best["training_distance"],
    )


@dataclass(frozen=True)
class Plan:
    """What all variants have in common."""

    dataset: Path
    work: Path
    recipe: str
    seed: int

    def fit(self, variant: str, steps: int, part: str = "") -> Path:
        """Train one variant in a process of its own; the run's folder. Raises TrainingError when
        it failed."""
        words = [] if variant == BASE else variant.split()
        seeds = [word.removeprefix("seed=") for word in words if word.startswith("seed=")]
        settings = [word for word in words if not word.startswith("seed=")]
        run = self.work / part / re.sub(r"[^A-Za-z0-9.=]+", "_", variant)
        command = [sys.executable, "-m", "gan808", "fit", str(self.dataset), "--run", str(run),
                   "--recipe", self.recipe, "--steps", str(steps),
                   "--seed", seeds[-1] if seeds else str(self.seed),
                   *(word for setting in settings for word in ("--set", setting))]
        if subprocess.run(command, check=False).returncode:
            raise TrainingError(f"{variant}: the fit failed; what it said stands above")
        return run


def write_table(path: Path, lines: Sequence[str]) -> None:
    """Put the lines between the marks of a document. Raises TrainingError when it has none."""
    text = path.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise TrainingError(f"{path}: has no {BEGIN} and {END}")
    table = "\n".join(lines)
    atomic.write_text(path, f"{before}{BEGIN}\n{table}\n{END}{after}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Train what is missing, tell the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("variants", nargs="+")
    parser.add_argument("--work", type=Path, required=True, help="folder of the runs")
    parser.add_argument("--minutes", type=float, default=30.0, help="for each variant")
    parser.add_argument("--steps", type=int, help="for each variant, instead of equal time")
    parser.add_argument("--recipe", default="house")
    parser.add_argument("--seed", type=int, default=808)
    parser.add_argument("--write", type=Path, help="document whose table is replaced")
    parser.add_argument("--pace-only", action="store_true", help="time the variants, no more")
    given = parser.parse_args(arguments)
    plan = Plan(given.dataset, given.work, given.recipe, given.seed)
    pace_s = {} if given.steps else {
        variant: pace_of(plan.fit(variant, PACE_STEPS, "pace")) for variant in given.variants}
    if given.pace_only:
        sys.stdout.writelines(f"{variant}: {each:.3f} s a step\n"
                              for variant, each in pace_s.items())
        return
    outcomes = []
    for variant in given.variants:
        run = plan.fit(variant, given.steps or round(60 * given.minutes / pace_s[variant]))
        outcomes.append(outcome_of(variant, run, pace_s.get(variant)))
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
