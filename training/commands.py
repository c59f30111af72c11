"""What `gan808 train`, `prepare`, `fit`, `evaluate` and `export` do, told to a reporter.

Every run lives in a work folder: WORK/dataset, WORK/run. Each command goes on from what it finds
there, so the same command again resumes.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import shutil
import tomllib
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from gan808 import paths as places
from gan808.errors import CorpusError, TrainingError
from gan808.sound.kit.kit import NAME_PATTERN, Kit, Provenance, load_kit
from gan808.sound.renderer import Renderer
from gan808.sound.spectral.geometry import Geometry
from training import checkpoint
from training.corpus.folder import FolderSource
from training.corpus.packs import INDEX, Selection
from training.corpus.recording import Credit, Skipped, Source
from training.corpus.soundfont import SoundFontSource
from training.corpus.split import MOST
from training.corpus.synth import PREFIX, parse_synth
from training.dataset import Dataset, PrepareOptions, is_variant, prepare
from training.distribute import join, refuse_cluster
from training.evaluate import MIN_HELD_OUT, Evaluation
from training.evaluating import EvaluateOptions, evaluate_kit
from training.export import ExportOptions, export
from training.recipes import HOUSE_RECIPE, RECIPES, Recipe
from training.reporting import Reporter
from training.settings import with_settings
from training.sorting import SortOptions, sort_sounds
from training.survey import lines as survey_lines
from training.survey import survey
from training.trainer import FitOptions, Interrupted, Progress, Trainer

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


def fingerprint(
    paths: Sequence[Path], recipe: Recipe, selection: Selection | None = None
) -> str:
    """Changes when a source file is added, removed or changed, or what is taken of them, or the
    geometry differs."""
    lines = [json.dumps(recipe.geometry.to_dict())]
    lines += [FolderSource(root, selection).mark for root in paths if root.is_dir()]
    for root in paths:
        if not root.exists():  # synthesised: its name says all
            lines.append(str(root))
            continue
        files = sorted(p for p in root.rglob("*") if p.is_file()) if root.is_dir() else [root]
        for path in files:
            stat = path.stat()
            lines.append(f"{path.resolve()}\t{stat.st_size}\t{stat.st_mtime_ns}")
    return hashlib.sha256("\n".join(lines).encode(errors="surrogateescape")).hexdigest()


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


def prepare_dataset(
    paths: Sequence[Path], folder: Path, recipe: Recipe, reporter: Reporter,
    options: PrepareOptions | None = None, selection: Selection | None = None,
) -> Dataset:
    """Write the dataset FOLDER from the sources, or open it if it already holds just them."""
    mark = folder / "sources.sha256"
    sources = [open_source(path, selection) for path in paths]
    now = fingerprint(paths, recipe, selection)
    if mark.is_file() and mark.read_text().strip() == now:
        dataset = Dataset(folder)
        reporter.say(f"using the {len(dataset)} images prepared in {folder}")
        return dataset
    heard = [source for source in sources if not isinstance(source, SoundFontSource)]
    if heard:  # a SoundFont is known only when it is rendered
        with suppress(CorpusError):
            for line in survey_lines(survey(heard, options or PrepareOptions(), Skipped()),
                                     recipe.geometry):
                reporter.say(line)
    with reporter.bar("prepare") as bar:
        try:
            skipped = prepare(sources, folder, recipe.geometry, options, bar.update, mark=now)
        except CorpusError as error:
            where = ", ".join(str(path) for path in paths)
            raise CorpusError(
                f"{where}: {error}; it takes folders of recordings such as drums/kick/*.wav"
            ) from error
        except KeyboardInterrupt:
            raise Interrupted("stopped while preparing; the same command goes on") from None
    mark.write_text(now + "\n")
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
    dataset: Dataset, run: Path, recipe: Recipe, options: FitOptions, reporter: Reporter
) -> None:
    """Train until options.hours or options.steps; goes on from RUN's last checkpoint. On several
    GPUs, or on the machines of TF_CONFIG, together."""
    trainer = Trainer(dataset, recipe, run, options, crew := join())
    if crew.name:
        reporter.say(crew.name)
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


def read_provenance(path: Path) -> tuple[str, tuple[Provenance, ...]]:
    """description and [[provenance]] tables (source, licence, author, sounds) of a TOML file."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        tables = tuple(Provenance.model_validate(t) for t in content.get("provenance", []))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TrainingError(f"{path}: cannot be read ({error})") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise TrainingError(f"{path}: provenance {where}: {first['msg']}") from error
    return str(content.get("description", "")), tables


def _own_sounds(dataset: Dataset) -> tuple[Provenance, ...]:
    """Provenance of a kit whose maker gave none: what each source says of its packs, and how many
    sounds are of each."""
    counts = Counter(
        str(name) for origin, name in zip(dataset.origins, dataset.collections, strict=True)
        if not is_variant(origin)
    )
    found = {name: dataset.credits.get(name, Credit(name)) for name in counts}
    return tuple(
        Provenance(source=credit.source, licence=credit.licence, author=credit.author,
                   sounds=counts[name]) for name, credit in found.items()
    )


def export_kit(
    dataset: Dataset, run: Path, kits: Path, name: str, reporter: Reporter,
    provenance: Path | None = None, last: bool = False, spread: float = 1.0,
) -> Kit:
    """Write KITS/NAME from RUN's checkpoint with the best held-out score, or its last; latents
    times spread."""
    description, tables = read_provenance(provenance) if provenance else ("", ())
    options = ExportOptions(name, description, tables or _own_sounds(dataset), last, spread)
    with reporter.bar("export") as bar:
        kit = export(run, dataset, kits / name, options, lambda text: bar.update(None, text))
    reporter.say(f"kit {name} is in {kit.folder}; play it: gan808 run --kit {name}")
    return kit


def dataset_name(paths: Sequence[Path], geometry: Geometry) -> str:
    """What a dataset of these sources is called where nobody gave it a name."""
    named = "-".join(re.sub(r"[^A-Za-z0-9]+", "_", path.name).strip("_") for path in paths)
    return f"{named[:100]}-{geometry.sample_rate_hz}-{geometry.n_bands}"


def evaluate_against(
    kit: Kit, paths: Sequence[Path], datasets: Path, reporter: Reporter, options: EvaluateOptions
) -> Evaluation | None:
    """Judge a kit by a folder that `gan808 prepare` wrote, or by sources, which are prepared under
    DATASETS in the kit's geometry, once."""
    if len(paths) == 1 and (paths[0] / "dataset.json").is_file():
        return evaluate_kit(kit, Dataset(paths[0]), reporter, options)
    recipe = replace(HOUSE_RECIPE, geometry=kit.geometry)
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
    if options.fresh:
        shutil.rmtree(options.work, ignore_errors=True)
    _refuse_changed_sources(options, recipe)
    _refuse_taken_name(options)
    for folder in places.kit_folders():
        if folder != options.kits and (folder / options.kit).is_dir():
            reporter.say(f"{folder / options.kit} has this name too: `gan808 run --kit "
                         f"{options.kit}` will play the new one, {options.kits / options.kit}")
    refuse_cluster()
    dataset = prepare_dataset(options.sources, dataset_folder, recipe, reporter,
                              selection=options.selection)
    fit(dataset, run, recipe, options.fit, reporter)
    kit = export_kit(dataset, run, options.kits, options.kit, reporter, options.provenance)
    evaluate_kit(kit, dataset, reporter, EvaluateOptions(run=run))
    return load_kit(kit.folder)


def _refuse_changed_sources(options: TrainOptions, recipe: Recipe) -> None:
    mark = options.work / "dataset" / "sources.sha256"
    if not mark.is_file() or not checkpoint.checkpoints(options.work / "run"):
        return
    if mark.read_text().strip() != fingerprint(options.sources, recipe, options.selection):
        raise TrainingError(
            f"{options.work}: a run on other sounds is there; give --fresh to begin again, or "
            "--kit another name"
        )


def _refuse_taken_name(options: TrainOptions) -> None:
    """Before hours of training: a kit that could not be written, or would replace a stranger."""
    if not re.fullmatch(NAME_PATTERN, options.kit):
        raise TrainingError(
            f"--kit {options.kit!r}: a name is letters, digits, - and _, up to 64 of them"
        )
    folder = options.kits / options.kit
    if folder.exists() and not checkpoint.checkpoints(options.work / "run") and not options.fresh:
        raise TrainingError(
            f"{folder} exists and was not trained here; give --kit another name, or --fresh to "
            "replace it"
        )
    try:
        options.kits.mkdir(parents=True, exist_ok=True)
        (options.kits / f"{options.kit}.writable").touch()
        (options.kits / f"{options.kit}.writable").unlink()
    except OSError as error:
        raise TrainingError(f"{options.kits}: cannot write there ({error.strerror})") from error
