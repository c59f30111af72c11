"""What `gan808 train`, `prepare`, `fit`, `evaluate` and `export` do, told to a reporter.

Every run lives in a work folder: WORK/dataset, WORK/run. Each command goes on from what it finds
there, so the same command again resumes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from gan808 import ownership, paths
from gan808.errors import CorpusError, TrainingError
from gan808.sound.kit.kit import Kit, load_kit
from gan808.sound.renderer import Renderer
from gan808.sound.spectral.geometry import Geometry

from . import checkpoint
from .corpus.folder import FolderSource
from .corpus.packs import INDEX, Selection
from .corpus.recording import Skipped, Source
from .corpus.soundfont import SoundFontSource
from .corpus.split import MOST
from .corpus.synth import PREFIX, parse_synth
from .dataset import (
    OTHER_OUT,
    Dataset,
    PrepareOptions,
    is_variant,
    prepare,
    require_free,
    unfinished,
)
from .distribute import join, refuse_cluster
from .evaluate import MIN_HELD_OUT, Evaluation
from .evaluating import EvaluateOptions, evaluate_kit, require_classes, require_report_folder
from .export import NEW_RUN, ExportOptions, export, manifest_of
from .fingerprint import MOVED, OTHER, known_again
from .locks import locked
from .preflight import (
    check_classes,
    check_kit_folder,
    check_kit_name,
    check_room,
    set_aside_earlier,
)
from .provenance import KitWords, own_sounds, read_provenance
from .recipes import HOUSE_RECIPE, RECIPES, Recipe
from .reporting import Reporter
from .settings import with_settings
from .sorting import SortOptions, sort_sounds
from .survey import lines as survey_lines
from .survey import survey
from .trainer import FitOptions, Interrupted, Progress, Trainer
from .verdict import verdict

OTHER_RUN = "another --run (or --work)"
NAMED_SKIPS = 20  # more than this are only counted; skipped.txt names all


def recipe_named(name: str, settings: Sequence[str] = ()) -> Recipe:
    """The recipe, with `key=value` settings. Raises TrainingError with what there is."""
    if name not in RECIPES:
        raise TrainingError(f"recipe {name!r} does not exist; there is: {', '.join(RECIPES)}")
    return with_settings(RECIPES[name], settings)


def open_source(path: Path, selection: Selection | None = None) -> Source:
    """A folder of sounds, or what is selected of it, a SoundFont (.sf2, .sf3), or `synth:N`. Raises
    CorpusError."""
    if (synth := parse_synth(str(path))) is not None:
        return synth
    if not path.exists():
        raise CorpusError(
            f"{path}: no such folder or SoundFont (sounds can also be synthesised: {PREFIX}:500)"
        )
    if path.is_file() and path.suffix.lower() in (".sf2", ".sf3"):
        return SoundFontSource(path)
    return FolderSource(path, selection)


def tell_survey(
    paths: Sequence[Path], recipe: Recipe, reporter: Reporter, selection: Selection | None = None
) -> None:
    """What `prepare` would take, and what it would not, before anything is decoded."""
    skipped = Skipped()
    sources = [open_source(path, selection) for path in paths]
    plans = survey(sources, PrepareOptions(), skipped)
    for line in survey_lines(plans, recipe.geometry):
        reporter.say(line)
    _tell_skipped(skipped, None, reporter)


def _tell_few(dataset: Dataset, reporter: Reporter) -> None:
    """How much is missing for scores, where too little could be held out."""
    n_least = min(int(dataset.choosing.sum()), int(dataset.reported.sum()))
    if n_least < MIN_HELD_OUT:
        more = math.ceil(2 * (MIN_HELD_OUT - n_least) / MOST)
        reporter.say(f"{int(dataset.held_out.sum())} sounds are held out; to choose by and to "
                     f"report takes {MIN_HELD_OUT} each, so no scores: about {more} more sounds, "
                     "or more packs, would do")


def _tell_skipped(skipped: Skipped, dataset: Path | None, reporter: Reporter) -> None:
    """dataset: where skipped.txt is; None names all."""
    if not skipped.entries:
        return
    for where, why in skipped.entries[: NAMED_SKIPS if dataset else None]:
        reporter.say(f"skipped {where}: {why}")
    counts = ", ".join(f"{n} {why}" for why, n in skipped.reasons().items())
    more = len(skipped.entries) - NAMED_SKIPS
    rest = f"; all are named in {dataset / 'skipped.txt'}" if dataset and more > 0 else ""
    reporter.say(f"skipped {len(skipped.entries)} files: {counts}{rest}")


@contextmanager
def _prepare_lock(folder: Path) -> Iterator[None]:
    """In the unfinished folder: what is complete is there to be read."""
    partial = unfinished(folder)
    try:
        partial.mkdir(parents=True, exist_ok=True)
        if not ownership.is_ours(partial, ownership.UNFINISHED_DATASET):
            ownership.mark(partial, ownership.DATASET)
    except OSError as error:
        raise TrainingError(f"{folder}: cannot be made ({error.strerror})") from error
    with locked(partial / ownership.LOCK, folder, f"give {OTHER_OUT}"):
        yield


def prepare_dataset(
    paths: Sequence[Path], folder: Path, recipe: Recipe, reporter: Reporter,
    options: PrepareOptions | None = None, selection: Selection | None = None,
) -> Dataset:
    """Write the dataset FOLDER from the sources, or open it if it already holds just them."""
    sources = [open_source(path, selection) for path in paths]
    with reporter.bar("sources") as bar:
        bar.update(None, "comparing them with what is prepared")
        now, known = known_again(folder, paths, sources, recipe.geometry)
    if known != OTHER:
        dataset = Dataset(folder)
        with suppress(OSError):  # somebody else's may not be ours to write
            now.write(folder)
        reporter.say(f"using the {len(dataset)} images prepared in {folder}" + (
            ": the sounds are the same, though files were moved or touched" if known == MOVED
            else ""))
        return dataset
    check_classes(now.classes)
    require_free(folder, [path for path in paths if path.exists()])
    heard = [source for source in sources if not isinstance(source, SoundFontSource)]
    if heard:  # a SoundFont is known only when it is rendered
        with suppress(CorpusError):
            for line in survey_lines(survey(heard, options or PrepareOptions(), Skipped()),
                                     recipe.geometry):
                reporter.say(line)
    with _prepare_lock(folder), reporter.bar("prepare") as bar:
        try:
            skipped = prepare(sources, folder, recipe.geometry, options, bar.update,
                              mark=now.reading)
            now.write(folder)
        except CorpusError as error:
            where = ", ".join(str(path) for path in paths)
            raise CorpusError(
                f"{where}: {error}; it takes folders of recordings such as drums/kick/*.wav"
            ) from error
        except OSError as error:
            raise TrainingError(f"{folder}: cannot write ({error.strerror})") from error
        except KeyboardInterrupt:
            raise Interrupted("stopped while preparing; the same command goes on") from None
    dataset = Dataset(folder)
    _tell_skipped(skipped, folder, reporter)
    copy = np.asarray([is_variant(origin) for origin in dataset.origins])
    counts = [(int((mine & ~copy).sum()), int((mine & copy).sum()), name)
              for i, name in enumerate(dataset.classes) for mine in [dataset.labels == i]]
    listed = ", ".join(f"{n} {name}" + (f" (+ {copies})" if copies else "")
                       for n, copies, name in counts)
    reporter.say(f"prepared {int((~copy).sum())} sounds (and pitched copies) of "
                 f"{len(dataset.classes)} classes in {folder}: {listed}")
    _tell_few(dataset, reporter)
    return dataset


def fit(
    dataset: Dataset, run: Path, recipe: Recipe, options: FitOptions, reporter: Reporter,
    kit: tuple[Path, ExportOptions] | None = None,
) -> None:
    """Train until options.hours or options.steps; goes on from RUN's last checkpoint. On several
    GPUs, or on the machines of TF_CONFIG, together. kit: what will be exported and where, if that
    is known. Raises TrainingError, before the first step, also for what an export would."""
    crew = join()
    with _run_lock(run) if crew.is_chief else nullcontext():
        _fit(Trainer(dataset, recipe, run, options, crew), reporter, kit)


@contextmanager
def _run_lock(run: Path) -> Iterator[None]:
    """Only one at a time writes into a run, and into nothing else."""
    ownership.require_ours(run, ownership.RUN, OTHER_RUN)
    try:
        run.mkdir(parents=True, exist_ok=True)
        if ownership.identity_of(run, ownership.RUN) is None:
            ownership.mark(run, ownership.RUN, ownership.new_identity())
    except OSError as error:
        raise TrainingError(f"{run}: cannot write there ({error.strerror})") from error
    with locked(run / ownership.LOCK, run, f"give {OTHER_RUN}"):
        yield


def _fit(trainer: Trainer, reporter: Reporter, kit: tuple[Path, ExportOptions] | None) -> None:
    dataset, run, options, crew = trainer.dataset, trainer.run, trainer.options, trainer.devices
    kits, wanted = kit or (None, ExportOptions("kit"))
    check_classes(dataset.classes)
    manifest_of(wanted, trainer.recipe, dataset, NEW_RUN | {"origin": trainer.origin})
    if crew.is_chief:
        check_room(run, *trainer.sizes_bytes(), kits)
    reporter.say(f"training with {crew.name}")
    if (start := options.start) is not None and not trainer.step:
        new = ", ".join(trainer.new_classes)
        reporter.say(f"beginning from kit {start.name}" + (f"; new to it: {new}" if new else ""))
    if trainer.step:
        reporter.say(f"going on from step {trainer.step} ({trainer.elapsed_s / 3600:.2f} h)")
    reporter.say(f"pictures and sounds of what it learns: {run / 'samples'}")
    reporter.say("curves too, with pip install tensorboard: tensorboard --logdir "
                 f"{run / 'tensorboard'}")
    with reporter.bar("train") as bar:

        def progress(now: Progress) -> None:
            losses = " ".join(f"{name} {value:.2f}" for name, value in now.losses.items())
            if now.said:
                reporter.say(now.said)
            bar.update(now.fraction, f"step {now.step} {losses}")

        trainer.fit(progress)


def _export_options(dataset: Dataset, name: str, provenance: Path | None) -> ExportOptions:
    words = read_provenance(provenance) if provenance else KitWords()
    return ExportOptions(name, words.description, words.provenance or own_sounds(dataset),
                         loudness=words.loudness)


def export_kit(
    dataset: Dataset, run: Path, kits: Path, name: str, reporter: Reporter,
    provenance: Path | None = None, last: bool = False, spread: float = 1.0,
) -> Kit:
    """Write KITS/NAME from RUN's checkpoint with the best held-out score, or its last; latents
    times spread."""
    check_kit_name(name)
    check_kit_folder(kits, name, [dataset.folder, run], run)
    options = replace(_export_options(dataset, name, provenance), last=last, spread=spread)
    kept: list[str] = []
    with reporter.bar("export") as bar:
        kit = export(run, dataset, kits / name, options, lambda text: bar.update(None, text),
                     kept.append)
    for line in kept:
        reporter.say(line)
    return kit


def announce(kit: Kit, evaluation: Evaluation | None, reporter: Reporter) -> None:
    """Where the kit is, and whether it is worth playing. evaluation: None where there is none."""
    found = verdict(evaluation) if evaluation is not None else None
    if found is None or found.ready:
        reporter.say(f"kit {kit.name} is in {kit.folder}; play it: gan808 run --kit {kit.name}")
    else:
        reporter.say(f"kit {kit.name} in {kit.folder} is not ready, little more than noise: "
                     f"{found.recognised:.0%} of its sounds are recognised as what they should be; "
                     f"{found.advice}")


def dataset_name(paths: Sequence[Path], geometry: Geometry) -> str:
    """What a dataset of these sources is called where nobody gave it a name."""
    named = "-".join(re.sub(r"[^A-Za-z0-9]+", "_", path.name).strip("_") for path in paths)
    return f"{named[:100]}-{geometry.sample_rate_hz}-{geometry.n_bands}"


def evaluate_against(
    kit: Kit, paths: Sequence[Path], datasets: Path, reporter: Reporter, options: EvaluateOptions
) -> Evaluation | None:
    """Judge a kit by a folder that `gan808 prepare` wrote, or by sources, which are prepared under
    DATASETS in the kit's geometry, once."""
    require_report_folder(options.out)
    if len(paths) == 1 and (paths[0] / "dataset.json").is_file():
        return evaluate_kit(kit, Dataset(paths[0]), reporter, options)
    recipe = replace(HOUSE_RECIPE, geometry=kit.geometry)
    sources = [open_source(path) for path in paths]
    if not any(isinstance(source, SoundFontSource) for source in sources):  # known when rendered
        classes = [plan.name for plan in survey(sources, PrepareOptions(), Skipped())]
        require_classes(kit, ", ".join(map(str, paths)), classes)
    folder = datasets / dataset_name(paths, kit.geometry)
    return evaluate_kit(kit, prepare_dataset(paths, folder, recipe, reporter), reporter, options)


def sort_folder(kit: Kit, options: SortOptions, reporter: Reporter) -> None:
    """Lay a folder's sounds into class folders, and tell what came of it."""
    skipped = Skipped()
    with reporter.bar("sort") as bar:
        counts = sort_sounds(Renderer(kit, kit.geometry.sample_rate_hz, threads=0), options,
                             skipped, bar)
    _tell_skipped(skipped, None, reporter)
    listed = ", ".join(f"{n} {name}" for name, n in sorted(counts.items()))
    reporter.say(f"{options.out}: {listed or 'nothing that could be heard'}; {INDEX} there has the "
                 "confidence of each")


@dataclass(frozen=True)
class TrainOptions:
    """Everything `gan808 train` is told."""

    sources: tuple[Path, ...]
    kit: str
    kits: Path
    work: Path
    recipe: str = "house"
    settings: tuple[str, ...] = ()
    fit: FitOptions = field(default_factory=lambda: FitOptions(hours=2.0))
    provenance: Path | None = None
    fresh: bool = False
    selection: Selection | None = None


def train(options: TrainOptions, reporter: Reporter) -> Kit:
    """Prepare, fit, export and evaluate; the same call again goes on where it was stopped.

    Raises CorpusError when nothing is usable, TrainingError when the sources changed under a run,
    Interrupted when asked to stop, KitError when the kit cannot be written.
    """
    recipe = recipe_named(options.recipe, options.settings)
    dataset_folder, run = options.work / "dataset", options.work / "run"
    for path in options.sources:
        open_source(path, options.selection)
    _look_ahead(options, run)
    if not options.fresh:
        _refuse_changed_sources(options, recipe)
        _refuse_taken_name(options)
    for folder in paths.kit_folders():
        if folder != options.kits and (folder / options.kit).is_dir():
            reporter.say(f"{folder / options.kit} has this name too: `gan808 run --kit "
                         f"{options.kit}` will play the new one, {options.kits / options.kit}")
    refuse_cluster()
    if options.fresh:
        _set_aside(options.work, reporter)
    dataset = prepare_dataset(options.sources, dataset_folder, recipe, reporter,
                              selection=options.selection)
    wanted = _export_options(dataset, options.kit, options.provenance)
    fit(dataset, run, recipe, options.fit, reporter, (options.kits, wanted))
    kit = export_kit(dataset, run, options.kits, options.kit, reporter, options.provenance)
    announce(kit, evaluate_kit(kit, dataset, reporter, EvaluateOptions(run=run)), reporter)
    return load_kit(kit.folder)


def _look_ahead(options: TrainOptions, run: Path) -> None:
    """Before hours of training: a kit that could not be written, a place that is somebody's."""
    check_kit_name(options.kit)
    there = [path for path in options.sources if path.exists()]
    dataset = options.work / "dataset"
    check_kit_folder(options.kits, options.kit, [*there, dataset, run], run)
    for path in there:
        ownership.require_apart(run, path, ownership.RUN, "another --work")
    if options.provenance:
        read_provenance(options.provenance)


def _set_aside(work: Path, reporter: Reporter) -> None:
    """What --fresh does with an earlier training: it stays, beside the new one."""
    run = work / "run"
    with _run_lock(run) if run.exists() else nullcontext():
        aside = set_aside_earlier(work)
    if aside is not None:
        reporter.say(f"the earlier training is kept in {aside}; delete it when it is not needed")


def _refuse_changed_sources(options: TrainOptions, recipe: Recipe) -> None:
    dataset = options.work / "dataset"
    if not dataset.is_dir() or not checkpoint.checkpoints(options.work / "run"):
        return
    sources = [open_source(path, options.selection) for path in options.sources]
    if known_again(dataset, options.sources, sources, recipe.geometry)[1] == OTHER:
        raise TrainingError(
            f"{options.work}: a run on other sounds is there; give --fresh to set it aside and "
            "begin again, or --kit another name"
        )


def _refuse_taken_name(options: TrainOptions) -> None:
    """A kit that somebody else made is not hidden behind one of its name by accident."""
    folder = options.kits / options.kit
    if folder.exists() and not checkpoint.checkpoints(options.work / "run"):
        raise TrainingError(
            f"{folder} exists and was not trained here; give --kit another name, or --fresh to "
            "set it aside"
        )
