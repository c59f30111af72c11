"""What `gan808 evaluate` does, and the last part of `gan808 train`: judge a kit, write its report,
tell it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from gan808 import ownership
from gan808.errors import TrainingError
from gan808.sound.kit.kit import Kit
from gan808.sound.renderer import Renderer

from .dataset import Dataset
from .evaluate import MIN_HELD_OUT, SOUNDS, Evaluation, Exhibits, evaluate
from .judge import judge_of
from .listening import SHOWN, Listener
from .report import write_report
from .reporting import Reporter
from .tables import notes, tables


@dataclass(frozen=True)
class EvaluateOptions:
    """sounds: how many to render, spread evenly over the classes. out: where the report goes, by
    default into the kit. run: the training's folder, for its losses and samples."""

    sounds: int = SOUNDS
    out: Path | None = None
    run: Path | None = None


def require_report_folder(out: Path | None) -> None:
    """Raises ConfigError when --out is there and is no folder of a report."""
    if out is not None:
        ownership.require_ours(out, ownership.REPORT, "another --out")


def require_classes(kit: Kit, where: object, classes: Iterable[str]) -> None:
    """Raises TrainingError when recordings are of other classes than the kit's."""
    there = set(classes)
    if tuple(sorted(there)) != kit.classes:
        more, less = sorted(there - set(kit.classes)), sorted(set(kit.classes) - there)
        apart = [f"{what} {', '.join(names)}" for what, names in (
            ("has also", more), ("lacks", less)) if names]
        raise TrainingError(
            f"{where}: beside kit {kit.name} it {' and '.join(apart)}; give recordings of the "
            "kit's classes, or a classes.toml that says which folder is which of them"
        )


def evaluate_kit(
    kit: Kit, dataset: Dataset, reporter: Reporter, options: EvaluateOptions | None = None
) -> Evaluation | None:
    """Judge the kit and write its report; None, and said so, when too little was held out.

    Raises TrainingError when the dataset has other classes than the kit, ConfigError when --out is
    no folder of a report.
    """
    chosen = options or EvaluateOptions()
    require_classes(kit, dataset.folder, dataset.classes)
    folder = chosen.out or kit.folder / "report"
    require_report_folder(chosen.out)
    renderer = Renderer(kit, dataset.geometry.sample_rate_hz, threads=0)
    evaluation = None
    with reporter.bar("evaluate") as bar:
        bar.update(None, "fitting the judge to the training recordings")
        listener = Listener(judge_of(dataset), dataset, renderer)
        if int(dataset.reported.sum()) >= MIN_HELD_OUT:
            evaluation, exhibits = evaluate(renderer, listener, chosen.sounds, bar.update)
        else:
            reporter.say(f"{int(dataset.reported.sum())} recordings are held out, too few to "
                         f"score the kit (it takes {MIN_HELD_OUT})")
            exhibits = Exhibits(listener.renders(SHOWN, bar.update).shown, listener.examples())
        bar.update(None, "drawing")
        write_report(folder, kit.name, dataset.geometry, exhibits, evaluation, chosen.run)
    if evaluation is not None:
        for table in tables(evaluation):
            for line in table.lines():
                reporter.say(line)
        reporter.say(notes(evaluation)[0])
    reporter.say(f"report: {folder / 'report.html'}")
    return evaluation
