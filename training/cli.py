"""The training commands of the command line: their options, and how they report. Thin; the rest of
training, and TensorFlow, is imported when one of them runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gan808 import paths
from gan808.errors import ConfigError
from gan808.stderr import quiet_stderr

from .backend import choose_backend

if TYPE_CHECKING:
    from .corpus.packs import Selection
    from .reporting import Reporter
    from .trainer import FitOptions

DEFAULT_HOURS = 2.0

Sources = Annotated[
    list[Path],
    typer.Argument(
        metavar="SOURCE...",
        help="Folder of class folders, SoundFont, or synth:N (N synthesised sounds a class); "
             "several add.",
    ),
]
Dataset = Annotated[Path, typer.Argument(help="A folder that `gan808 prepare` wrote.")]
Run = Annotated[Path, typer.Option("--run", help="Folder of checkpoints, samples and losses.")]
KitName = Annotated[str, typer.Option("--kit", help="Name of the kit.")]
Recipe = Annotated[str, typer.Option("--recipe", help="house, or paper (SpecGAN as published).")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE",
                 help="Change the recipe, as in --set batch=16 --set spec.width=24."),
]
Hours = Annotated[
    float | None,
    typer.Option("--hours", min=0.0,
                 help=f"Train for so many hours; default: {DEFAULT_HOURS:g}, without --steps."),
]
Steps = Annotated[int | None, typer.Option("--steps", min=1, help="Train for so many steps.")]
From = Annotated[
    str | None, typer.Option("--from", help="Begin from the networks of this kit (name or path).")
]
LearningRate = Annotated[
    float | None,
    typer.Option("--learning-rate", min=1e-7, max=0.1,
                 help="At its peak; default: the recipe's, with --from half of it."),
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Of weights, batches and latents.")]
KitsFolder = Annotated[
    Path | None, typer.Option("--kits-folder", help="Where kits go; default: your own.")
]
ProvenanceFile = Annotated[
    Path | None,
    typer.Option("--provenance", help="TOML file with description, [\\[provenance]] tables and "
                                          "[\\[loudness]]."),
]
Packs = Annotated[
    str | None,
    typer.Option("--packs", metavar="PATTERN,...",
                 help="Of folders only these packs, as in tr808*,fluid/808_* (PACK or PACK/NAME)."),
]
WithoutPacks = Annotated[
    str | None, typer.Option("--without-packs", metavar="PATTERN,...", help="None of these packs.")
]
Classes = Annotated[
    Path | None,
    typer.Option("--classes", metavar="FILE",
                 help='TOML lines of folder = "class" or "ignore", "*" for all others; default: '
                      "classes.toml in the folder."),
]
Panel = Annotated[
    bool,
    typer.Option("--panel", help="Show it in the browser as it learns: curves, pictures, sounds, "
                                 "time left. The address is told."),
]
Split = Annotated[
    bool, typer.Option("--split", help="Cut loops and long takes into their hits; a file's class "
                       "is that of all its hits.")
]


def _reporter(*, quiet: bool = False) -> Reporter:
    """Load TensorFlow or JAX, which talk while they load, and return the reporter; a quiet one
    tells nothing."""
    choose_backend()
    with quiet_stderr():
        from . import commands  # noqa: F401

    from .console import ConsoleReporter

    return ConsoleReporter(quiet=quiet)


def _selection(
    packs: str | None, without: str | None, classes: Path | None, split: bool
) -> Selection:
    from .corpus.class_map import read_class_map
    from .corpus.packs import Selection

    def parts(text: str | None) -> tuple[str, ...]:
        return tuple(part.strip() for part in (text or "").split(",") if part.strip())

    return Selection(parts(packs), parts(without), read_class_map(classes) if classes else None,
                     split)


def _fit_options(
    hours: float | None, steps: int | None, seed: int, start: str | None, rate: float | None
) -> FitOptions:
    from gan808.sound.kit.kit import find_kit

    from .trainer import FitOptions

    if hours is None and steps is None:
        hours = DEFAULT_HOURS
    kit = None if start is None else find_kit(start, paths.kit_folders())
    return FitOptions(hours=hours, steps=steps, seed=seed, start=kit, learning_rate=rate)


def train(
    sources: Sources, kit: KitName, hours: Hours = None, steps: Steps = None,
    recipe: Recipe = "house", start: From = None, learning_rate: LearningRate = None,
    seed: Seed = 808, settings: Settings = None, kits_folder: KitsFolder = None,
    work: Annotated[
        Path | None, typer.Option("--work", help="Folder of this training; default: your own.")
    ] = None,
    provenance: ProvenanceFile = None, packs: Packs = None, without_packs: WithoutPacks = None,
    classes: Classes = None, split: Split = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Begin again; an earlier training is set aside.")
    ] = False,
    panel: Panel = False,
) -> None:
    """Train a kit of your own: prepare, fit, export and evaluate in one.

    Stopped or killed, the same command goes on from the last checkpoint.
    """
    reporter = _reporter()
    from .commands import TrainOptions
    from .commands import train as run_training
    from .page.reporter import with_page

    options = TrainOptions(
        sources=tuple(sources), kit=kit, kits=kits_folder or paths.user_kits_folder(),
        work=work or paths.training_folder() / kit, recipe=recipe, settings=tuple(settings or ()),
        fit=_fit_options(hours, steps, seed, start, learning_rate),
        provenance=provenance, fresh=fresh,
        selection=_selection(packs, without_packs, classes, split),
    )
    with with_page(reporter, options.work / "run", f"kit {kit}", wanted=panel) as told:
        run_training(options, told)


def prepare(
    sources: Sources,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder to write; default: one of your own, "
                                  "which is told.")
    ] = None,
    recipe: Recipe = "house", packs: Packs = None, without_packs: WithoutPacks = None,
    classes: Classes = None, split: Split = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what it would take and what not.")
    ] = False,
) -> None:
    """Turn sounds into a dataset of spectrograms."""
    reporter = _reporter()
    from .commands import dataset_name, prepare_dataset, recipe_named, tell_survey

    chosen, selection = recipe_named(recipe), _selection(packs, without_packs, classes, split)
    if dry_run:
        tell_survey(sources, chosen, reporter, selection)
        return
    folder = out or paths.datasets_folder() / dataset_name(sources, chosen.geometry)
    prepare_dataset(sources, folder, chosen, reporter, selection=selection)


def fit(
    dataset: Dataset, run: Run, hours: Hours = None, steps: Steps = None, recipe: Recipe = "house",
    start: From = None, learning_rate: LearningRate = None, seed: Seed = 808,
    settings: Settings = None, panel: Panel = False,
) -> None:
    """Train on a dataset; goes on from the last checkpoint of --run. Takes all GPUs of the machine,
    and with TF_CONFIG several machines."""
    reporter = _reporter()
    from .commands import fit as run_fit
    from .commands import recipe_named
    from .dataset import Dataset as Prepared
    from .page.reporter import with_page

    options = _fit_options(hours, steps, seed, start, learning_rate)
    chosen = recipe_named(recipe, settings or ())
    with with_page(reporter, run, str(run), wanted=panel) as told:
        run_fit(Prepared(dataset), run, chosen, options, told)


def evaluate(
    kit: Annotated[str, typer.Argument(help="Name or folder of the kit.")],
    against: Annotated[
        list[Path],
        typer.Option("--against", help="A folder that `gan808 prepare` wrote, or a source as "
                     "`prepare` takes it; several add."),
    ],
    sounds: Annotated[
        int, typer.Option("--sounds", min=16, help="How many to judge, all classes together.")
    ] = 2048,
    as_json: Annotated[bool, typer.Option("--json", help="Print the scores as JSON.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of the report; default: KIT/report.")
    ] = None,
    run: Annotated[
        Path | None, typer.Option("--run", help="The run, for its losses and how it went.")
    ] = None,
) -> None:
    """Judge a kit by recordings held out from training, and write its report."""
    reporter = _reporter(quiet=as_json)
    from gan808.sound.kit.kit import find_kit

    from .commands import evaluate_against
    from .evaluating import EvaluateOptions

    evaluation = evaluate_against(
        find_kit(kit, paths.kit_folders()), against, paths.datasets_folder(), reporter,
        EvaluateOptions(sounds, out, run),
    )
    if as_json:
        from .report import scores

        typer.echo(json.dumps(scores(evaluation) if evaluation else None, indent=1))


def export(
    source: Annotated[str, typer.Argument(
        metavar="DATASET|KIT|now|scene:NAME|favourites", help="With --as: a kit's name or folder, "
        "what was played last, a scene, or what was kept. Without: a dataset.")],
    run: Annotated[Path | None, typer.Option("--run", help="Without --as: the run.")] = None,
    kit: Annotated[str | None, typer.Option("--kit", help="Without --as: name of the kit.")] = None,
    kits_folder: KitsFolder = None,
    provenance: ProvenanceFile = None,
    last: Annotated[
        bool, typer.Option("--last", help="Of the last checkpoint, not of the best.")
    ] = False,
    spread: Annotated[
        float, typer.Option(min=0.25, max=4.0, help="Latents times this: above 1 more various "
                            "sounds, below 1 surer ones.")
    ] = 1.0,
    as_format: Annotated[str | None, typer.Option(
        "--as", metavar="wav|sfz|h2drumkit|sf2|dspreset", help="For that sampler.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="With --as: file or folder.")] = None,
    count: Annotated[int, typer.Option(min=1, max=64, help="With --as: sounds a slot.")] = 1,
    round_robin: Annotated[int, typer.Option(
        min=1, max=16, help="With --as: similar sounds that take turns.")] = 1,
    velocities: Annotated[int, typer.Option(
        min=1, max=8, help="With --as: layers of velocity, softer is darker.")] = 1,
    rate: Annotated[int, typer.Option(help="With --as: 44100 or 48000 Hz.")] = 48000,
    bits: Annotated[int, typer.Option(help="With --as: 16 or 24.")] = 24,
) -> None:
    """With --as: write a kit's sounds for another sampler. Without: make a kit from a run (the
    training step), of the checkpoint that held-out sounds find best."""
    if as_format is not None:
        from gan808.app.offline.export import ExportOrder, export_sounds
        from gan808.exchange.collecting import Amounts, Form

        typer.echo(export_sounds(ExportOrder(
            source, as_format, out, Amounts(count, round_robin, velocities), Form(rate, bits))))
        return
    if run is None or kit is None:
        raise ConfigError("give --as FORMAT to export sounds, or --run and --kit to make a kit "
                          "from a training run")
    reporter = _reporter()
    from .commands import announce, export_kit
    from .dataset import Dataset as Prepared

    folder = kits_folder or paths.user_kits_folder()
    exported = export_kit(Prepared(Path(source)), run, folder, kit, reporter, provenance, last,
                          spread)
    announce(exported, None, reporter)


def sort(
    folder: Annotated[Path, typer.Argument(help="Unsorted sounds; nothing there changes.")],
    out: Annotated[Path, typer.Option("--out", help="Folder to write.")],
    kit: Annotated[str, typer.Option("--kit", help="Kit whose critic listens.")] = "gan808",
    least: Annotated[
        float, typer.Option("--least", min=0.0, max=1.0, help="Below this confidence a sound goes "
                            "to OUT/unsure.")
    ] = 0.99,
    copy: Annotated[bool, typer.Option("--copy", help="Copy files instead of linking.")] = False,
) -> None:
    """Lay unsorted sounds into class folders, by what a kit's critic hears them as."""
    reporter = _reporter()
    from gan808.sound.kit.kit import find_kit

    from .commands import sort_folder
    from .sorting import SortOptions

    sort_folder(find_kit(kit, paths.kit_folders()), SortOptions(folder, out, least, copy), reporter)


def add_training_commands(app: typer.Typer) -> None:
    """Add train, sort, prepare, fit, evaluate and export to the command line."""
    examples: dict[Callable[..., None], str] = {
        train: "gan808 train my_sounds --kit mine --hours 8",
        sort: "gan808 sort downloads --out sorted",
        prepare: "gan808 prepare my_sounds --out dataset",
        fit: "gan808 fit dataset --run run --hours 8",
        evaluate: "gan808 evaluate mine --against dataset --out report",
        export: "gan808 export dataset --run run --kit mine",
    }
    for command, example in examples.items():
        app.command(rich_help_panel="Training", epilog=f"Example: {example}")(command)
