"""A training run's best checkpoint, or its last, to a kit that plays.

The critic's scores of training sounds, taken through the same inversion and finishing as rendered
ones, become the quantiles by which realness is told and what is accepted is measured. Factory
sounds are the most real of the first seeds.
"""

from __future__ import annotations

import datetime
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load_file

from gan808 import ownership
from gan808.errors import TrainingError
from gan808.sound.kit.kit import Kit, load_kit, save_kit
from gan808.sound.kit.manifest import (
    FactoryEntry,
    KitManifest,
    Loudness,
    Provenance,
    SlotEntry,
    Thresholds,
)
from gan808.sound.kit.slots import SlotLayout, layout_for
from gan808.sound.renderer import Renderer, audio_fault, quantile_of
from gan808.sound.sound import RENDER, Sound

from . import checkpoint
from .dataset import Dataset
from .kit_weights import weights_of
from .moments import normalisation_of
from .networks import build_critic, build_generator
from .recipes import Recipe
from .settings import recipe_from, title

QUANTILES = 65
REAL_A_CLASS = 64  # training sounds a class behind the quantiles
FACTORY_A_CLASS = 6
CANDIDATES = 40  # seeds of each class that thresholds and factory sounds are chosen from
CONFIDENCE = 0.5
NEW_RUN: dict[str, Any] = {"step": 0, "elapsed_s": 0.0, "origin": None}
# What is accepted is as real as all training sounds but this share. A critic that has become too
# good scores nothing the generator makes that high; then a smaller share will do ...
SHARES = (0.05, 0.02, 0.01)
LEAST_ACCEPTED = 0.75  # ... as soon as so much of what is heard as the class passes
# ... and where even the last share leaves too little, the worst of what is made is dropped.
DROPPED = 0.05


@dataclass(frozen=True)
class ExportOptions:
    """What kit.toml says beside the numbers. last: of the run's last checkpoint, even if an
    earlier one scored better. spread: what latents are multiplied with."""

    name: str
    description: str = ""
    provenance: tuple[Provenance, ...] = ()
    last: bool = False
    spread: float = 1.0
    loudness: Loudness = field(default_factory=Loudness)


def chosen_checkpoint(run: Path, last: bool = False) -> Path:
    """The checkpoint that a kit is made of: the best by held-out score, where one was scored, else
    the last. Raises TrainingError when there is none."""
    best = None if last else checkpoint.best(run)
    found = [best] if best is not None else checkpoint.checkpoints(run)
    if not found:
        raise TrainingError(f"{run}: no checkpoint yet; train first (`gan808 fit`)")
    return found[-1]


def _why(state: dict[str, Any]) -> str:
    score = state.get("score")
    if score is None:
        return "the last"
    return (f"the best by held-out sounds (distance {score['frechet_distance']:.1f}, "
            f"{score['class_accuracy']:.0%} recognised)")


def widen(generator: keras.Model, recipe: Recipe, spread: float) -> None:
    """Latents times spread, as a matter of weights: more various sounds, less sure ones (the
    truncation of Brock et al. 2019, either way)."""
    layer = generator.get_layer("in")
    kernel, bias = layer.get_weights()
    kernel[: recipe.spec.latent_size] *= spread
    layer.set_weights([kernel, bias])


def _weights(
    folder: Path, recipe: Recipe, dataset: Dataset, spread: float
) -> dict[str, np.ndarray]:
    """The generator that plays (the averaged one where the recipe averages) and the critic."""
    n_classes = len(dataset.classes)
    generator = build_generator(recipe.spec, recipe.geometry, n_classes)
    critic = build_critic(recipe.spec, recipe.geometry, n_classes, recipe.attack_columns)
    played = "averaged" if recipe.average else "generator"
    for group, model in ((played, generator), ("critic", critic)):
        path = folder / f"{group}.safetensors"
        try:
            arrays = load_file(path)
            for i, variable in enumerate(model.variables):
                variable.assign(arrays[f"{i:03d}"].reshape(variable.shape))
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            raise TrainingError(f"{path}: damaged checkpoint ({error})") from error
    if spread != 1.0:
        widen(generator, recipe, spread)
    return weights_of(generator, critic)


def _recipe_of(recipe: Recipe, options: ExportOptions) -> str:
    spread = f", latents times {options.spread:g}" if options.spread != 1.0 else ""
    return title(recipe) + spread


def _slot_entry(slot: SlotLayout) -> SlotEntry:
    return SlotEntry.model_validate({
        "code": slot.code, "name": slot.name, "class": slot.class_name, "notes": slot.notes,
        "choke": slot.choke, "filter": slot.filter,
    })


def training_audio(renderer: Renderer, dataset: Dataset, label: int, most: int) -> list[np.ndarray]:
    """Training sounds of a class as the codec and the finishing leave them, evenly chosen."""
    there = np.flatnonzero((dataset.labels == label) & ~dataset.held_out)
    chosen = there[np.linspace(0, len(there) - 1, min(most, len(there))).astype(int)]
    return renderer.audio_from_images(np.stack([dataset.image(i) for i in chosen])[..., None])


def realness_quantiles(renderer: Renderer, dataset: Dataset) -> np.ndarray:
    """Quantiles of the critic's scores of training sounds: float32 (n_classes, QUANTILES)."""
    rows = []
    for label in range(len(dataset.classes)):
        audio = training_audio(renderer, dataset, label, REAL_A_CLASS)
        scores, _ = renderer.scores(audio, [label] * len(audio))
        rows.append(np.quantile(scores, np.linspace(0.0, 1.0, QUANTILES)))
    return np.asarray(rows, dtype=np.float32)


def render_candidates(renderer: Renderer) -> dict[str, list[Sound]]:
    """The first CANDIDATES seeds of every class whose waveforms are sound."""
    candidates = {}
    for class_name in renderer.kit.classes:
        sounds = renderer.render([class_name] * CANDIDATES, range(CANDIDATES))
        candidates[class_name] = [s for s in sounds if audio_fault(s.audio) is None]
    return candidates


def choose_thresholds(candidates: dict[str, list[Sound]], quantiles: np.ndarray) -> Thresholds:
    """What each class must reach: a quantile of its training sounds (float32 (n_classes, n), in
    the order of candidates), or, where too little would pass, of what the generator makes."""
    realness, names = {}, {}
    for (class_name, sounds), row in zip(candidates.items(), quantiles, strict=True):
        values = [s.realness for s in sounds if s.class_heard == class_name]
        if not values:
            continue
        least, name = float(np.quantile(values, DROPPED)), f"generated {DROPPED:g}"
        for share in SHARES:
            score = float(np.interp(share, np.linspace(0.0, 1.0, len(row)), row))
            real = quantile_of(score, row)
            if np.mean([value >= real for value in values]) >= LEAST_ACCEPTED:
                least, name = real, f"training {share:g}"
                break
        realness[class_name], names[class_name] = round(least, 6), name
    return Thresholds(confidence=CONFIDENCE, realness=realness, quantile=names)


def choose_factory(
    candidates: dict[str, list[Sound]], slots: Sequence[SlotLayout]
) -> list[Sound]:
    """The sounds a kit starts with: the most real of those heard as their class, as many from
    each third by pitch as there are slots for it; others where those are too few."""
    chosen: list[Sound] = []
    for class_name, sounds in candidates.items():
        good = [s for s in sounds if s.class_heard == class_name and s.confidence >= CONFIDENCE]
        ranked = good if len(good) >= FACTORY_A_CLASS else sounds
        n_parts = max(1, sum(slot.class_name == class_name for slot in slots))
        by_pitch = sorted(ranked, key=lambda s: s.descriptors.pitch_hz)
        each = max(1, round(FACTORY_A_CLASS / n_parts))
        for part in np.array_split(np.arange(len(by_pitch)), n_parts):
            best = sorted(part, key=lambda i: -by_pitch[i].realness)
            chosen += [by_pitch[i] for i in best[:each]]
    return chosen


def _factory_entry(sound: Sound) -> FactoryEntry:
    return FactoryEntry.model_validate({
        "file": f"{sound.class_asked}-{sound.seed}.flac", "class": sound.class_asked,
        "seed": sound.seed, "class_heard": sound.class_heard,
        "confidence": round(sound.confidence, 4), "realness": round(sound.realness, 4),
    })


def manifest_of(
    options: ExportOptions, recipe: Recipe, dataset: Dataset, state: dict[str, Any]
) -> KitManifest:
    """kit.toml without its factory sounds and thresholds, for a run in that state (a new one has
    NEW_RUN's). Raises TrainingError for what no kit may say."""
    # The kit that the run began from: its sounds live on in the weights.
    before = state["origin"] or {"steps": 0, "hours": 0.0, "provenance": []}
    try:
        inherited = [Provenance.model_validate(entry) for entry in before["provenance"]]
        named = {entry.source for entry in options.provenance}
        return KitManifest(
            format_version=1, render=RENDER, name=options.name, description=options.description,
            made=datetime.date.today().isoformat(), recipe=_recipe_of(recipe, options),
            training_steps=int(state["step"]) + before["steps"],
            training_hours=round(state["elapsed_s"] / 3600 + before["hours"], 2),
            normalisation=normalisation_of(dataset.moments, recipe.geometry),
            classes=dataset.classes, geometry=recipe.geometry, network=recipe.spec,
            loudness=options.loudness,
            slots=tuple(_slot_entry(slot) for slot in layout_for(dataset.classes)),
            provenance=options.provenance + tuple(p for p in inherited if p.source not in named),
        )
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise TrainingError(f"kit {options.name}: {where}: {first['msg']}") from error


def identity_of(run: Path) -> str | None:
    """The id of a run; one of a version before is given its own here, where it can be written."""
    known = ownership.identity_of(run, ownership.RUN)
    if known is None and ownership.is_ours(run, ownership.RUN):
        with suppress(OSError):
            ownership.mark(run, ownership.RUN, known := ownership.new_identity())
    return known


def export(
    run: Path, dataset: Dataset, folder: Path, options: ExportOptions,
    say: Callable[[str], None] = lambda _: None, tell: Callable[[str], None] = lambda _: None,
) -> Kit:
    """Write the kit FOLDER from RUN's checkpoint with the best held-out score, or its last. say: of
    what is done; tell: what the user must know. Raises TrainingError when there is no checkpoint or
    it belongs to another dataset, KitError when the kit cannot be written."""
    chosen = chosen_checkpoint(run, options.last)
    state = checkpoint.read_state(chosen)
    recipe = recipe_from(state["recipe"], str(chosen))
    if tuple(state["classes"]) != dataset.classes:
        raise TrainingError(f"{chosen}: trained on other classes than {dataset.folder} has")
    if recipe.geometry != dataset.geometry:
        raise TrainingError(f"{chosen}: trained on images of another geometry than "
                            f"{dataset.folder} has")
    say(f"step {state['step']}, {_why(state)}")
    dataset = dataset.normalised_by(checkpoint.read_moments(chosen))
    weights = _weights(chosen, recipe, dataset, options.spread)
    manifest = manifest_of(options, recipe, dataset, state)
    quantiles, candidates = _listen(manifest, weights, dataset, say)
    sounds = choose_factory(candidates, layout_for(dataset.classes))
    entries = tuple(_factory_entry(sound) for sound in sounds)
    audio = {entry.file: s.audio for entry, s in zip(entries, sounds, strict=True)}
    manifest = manifest.model_copy(
        update={"factory": entries, "thresholds": choose_thresholds(candidates, quantiles)}
    )
    before = save_kit(folder, manifest, dataset.moments, quantiles, weights, audio,
                      identity_of(run))
    if before is not None:
        tell(f"another kit {options.name} was there; it is kept: {before}")
    return load_kit(folder)


def _listen(
    manifest: KitManifest, weights: dict[str, np.ndarray], dataset: Dataset,
    say: Callable[[str], None],
) -> tuple[np.ndarray, dict[str, list[Sound]]]:
    """What needs the renderer, and so a kit: the critic's quantiles and the candidates."""
    rate = manifest.geometry.sample_rate_hz
    quantiles = np.tile(np.linspace(-1.0, 1.0, QUANTILES, dtype=np.float32),
                        (len(dataset.classes), 1))
    with tempfile.TemporaryDirectory() as scratch:
        draft = Path(scratch) / manifest.name
        say("listening to the training sounds")
        save_kit(draft, manifest, dataset.moments, quantiles, weights, {}, manifest.name)
        quantiles = realness_quantiles(Renderer(load_kit(draft), rate, threads=0), dataset)
        say("choosing factory sounds")
        save_kit(draft, manifest, dataset.moments, quantiles, weights, {}, manifest.name)
        return quantiles, render_candidates(Renderer(load_kit(draft), rate, threads=0))
