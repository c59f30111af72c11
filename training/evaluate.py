"""How good a kit is, told by a judge that had no part in its training.

What the instrument would play, after inversion, finishing and the critic's filter, is compared with
recordings held out from training. Recordings taken through the codec show what a perfect generator
would score; recordings as they are show what real sounds do. docs/evaluation.md defines every
figure.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from threadpoolctl import threadpool_limits

from gan808.errors import TrainingError
from gan808.sound.renderer import Renderer
from gan808.sound.sound import Sound

from . import measures
from .corpus.synth import is_synthesised
from .dataset import Dataset, is_variant
from .intervals import Figure, bootstrap, drawn, resampled, share
from .kinds import KindScore, scores_by_kind
from .listening import Generated, Listener, Tell
from .set_metrics import DRAWS, JudgedSet, Measured, Reference
from .targets import Target, judged

SOUNDS = 2048
REFERENCE_A_CLASS = 40  # recordings; a few more or less a class keep the classes balanced
MIN_HELD_OUT = 24
MIN_IN_CLASS = 4  # held-out recordings of a class, for a figure of its own
COPY_QUANTILE = 0.05  # of how near held-out recordings lie to training sounds


@dataclass(frozen=True)
class Row:
    """One figure for each set: what is accepted, everything rendered, recordings through the codec,
    recordings as they are. None where it has no meaning."""

    generated: Figure
    everything: Figure | None
    codec: Figure
    real: Figure


@dataclass(frozen=True)
class ClassScore:
    """accuracy: of what is filed there; accuracy_real: of its held-out recordings; accepted: of
    what was asked for; diversity, nearest: ratios as in the targets; copies: share of near-copies;
    filed, held_out: how many there are."""

    accuracy: Figure
    accuracy_real: Figure
    accepted: Figure
    diversity: float
    nearest: float
    copies: float
    filed: int
    held_out: int


@dataclass(frozen=True)
class Evaluation:
    """Everything that was measured; confusion: counts, the class filed by the class judged;
    sources: recordings of the dataset by where they came from; kinds: held-out sounds apart."""

    kit: str
    rows: dict[str, Row]
    ratios: dict[str, Figure]
    per_class: dict[str, ClassScore]
    targets: tuple[Target, ...]
    accepted: Figure
    filed_elsewhere: Figure
    rejected: dict[str, int]
    confusion: list[list[int]]
    confusion_real: list[list[int]]
    counts: dict[str, int]
    sources: dict[str, int] = field(default_factory=dict)
    kinds: dict[str, KindScore] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Exhibits:
    """What a report shows, a list a class: accepted sounds, recordings through the codec."""

    generated: dict[str, list[Sound]]
    real: dict[str, list[np.ndarray]]


@dataclass(frozen=True, eq=False)
class Sets:
    """Everything heard. train_a and train_b share no recording."""

    made: Generated
    held: JudgedSet
    held_codec: JudgedSet
    train_a: JudgedSet
    train_b: JudgedSet
    train_codec: JudgedSet  # train_a through the codec
    known: np.ndarray


def evaluate(
    renderer: Renderer, listener: Listener, sounds: int = SOUNDS, tell: Tell = lambda *_: None,
) -> tuple[Evaluation, Exhibits]:
    """Judge a kit by so many renders, the same number of each class.

    Raises TrainingError when fewer than MIN_HELD_OUT recordings were held out.
    """
    held = listener.chosen(True, REFERENCE_A_CLASS)
    if len(held) < MIN_HELD_OUT:
        raise TrainingError(
            f"{listener.dataset.folder}: {len(held)} recordings held out, a judgement needs "
            f"{MIN_HELD_OUT}; the kit plays, it is only not scored"
        )
    with threadpool_limits(1):  # the matrices are small: more threads only wait for each other
        sets = _heard(listener, held, -(-sounds // len(renderer.kit.classes)), tell)
        tell(None, "measuring")
        evaluation = measured(renderer.kit.name, renderer.kit.classes, sets)
        synthesised = np.asarray([is_synthesised(listener.dataset.origins[i]) for i in held])
        kinds = scores_by_kind(sets.held, synthesised, sets.made.accepted, sets.train_codec)
    evaluation = replace(evaluation, sources=_sources(listener.dataset), kinds=kinds)
    return evaluation, Exhibits(sets.made.shown, listener.examples())


def _sources(dataset: Dataset) -> dict[str, int]:
    return dict(Counter(
        origin.split("/", 1)[0] for origin in dataset.origins if not is_variant(origin)))


def _heard(listener: Listener, held: np.ndarray, a_class: int, tell: Tell) -> Sets:
    both = listener.chosen(False, 2 * REFERENCE_A_CLASS)
    labels = listener.dataset.labels[both]
    first = np.concatenate([
        np.arange((labels == label).sum()) < -(-(labels == label).sum() // 2)
        for label in range(len(listener.dataset.classes))])
    a, b = both[first], both[~first]
    return Sets(
        made=listener.renders(a_class, tell),
        held=listener.recordings(held), held_codec=listener.codec(held, tell),
        train_a=listener.recordings(a), train_b=listener.recordings(b),
        train_codec=listener.codec(a, tell), known=listener.known(),
    )


def measured(kit: str, classes: tuple[str, ...], sets: Sets) -> Evaluation:
    made = sets.made
    n_held = Counter(sets.held.labels.tolist())
    common = [label for label, n in n_held.items() if n >= MIN_IN_CLASS] or list(n_held)
    rows: dict[str, Row] = {}
    ratios: dict[str, Figure] = {}
    for figures in (_accuracy(sets, common), _inception(sets, common), _likeness(sets),
                    _diversity(sets), _nearness(sets)):
        rows |= figures[0]
        ratios |= figures[1]
    per_class = {name: _class_score(sets, label) for label, name in enumerate(classes)}
    ratios["weakest_class"] = _weakest(per_class)
    ratios["coverage"] = rows["coverage"].generated
    good = len(made.accepted)
    elsewhere = int((made.accepted.labels != made.asked[_kept(made)]).sum())
    return Evaluation(
        kit=kit, rows=rows, ratios=ratios, per_class=per_class, targets=judged(ratios),
        accepted=share(good, len(made.asked)), filed_elsewhere=share(elsewhere, good),
        rejected=made.rejected(), confusion=_confusion(made.accepted, len(classes)),
        confusion_real=_confusion(sets.held, len(classes)),
        counts={"rendered": len(made.asked), "accepted": good, "held_out": len(sets.held),
                "training": len(sets.known)},
    )


def _kept(made: Generated) -> np.ndarray:
    return np.asarray([reason is None for reason in made.reasons], dtype=bool)


def _confusion(heard: JudgedSet, n: int) -> list[list[int]]:
    table = np.zeros((n, n), dtype=int)
    np.add.at(table, (heard.labels, heard.probability.argmax(axis=1)), 1)
    return [[int(count) for count in row] for row in table]


def _mean_over(classes: list[int], of: Callable[[int], float]) -> float:
    values = [value for value in map(of, classes) if not math.isnan(value)]
    return float(np.mean(values)) if values else math.nan


def _measure(heard: JudgedSet, of: Callable[[JudgedSet], float]) -> Measured:
    """A figure of a set, its runs resampled within each class."""
    figure, runs = bootstrap(of(heard), lambda random: of(heard.of(resampled(heard.labels, random)))
                             if len(heard) else math.nan)
    return Measured(figure, runs)


Figures = tuple[dict[str, Row], dict[str, Figure]]


def _accuracy(sets: Sets, common: list[int]) -> Figures:
    """The mean over the classes that have held-out recordings of the share heard as their class; a
    class of which nothing is accepted counts as 0."""
    def of(heard: JudgedSet) -> float:
        right = heard.right
        return _mean_over(common, lambda label: float(right[heard.labels == label].mean())
                          if (heard.labels == label).any() else 0.0)

    made, everything, codec, real = (_measure(heard, of) for heard in (
        sets.made.accepted, sets.made.everything, sets.held_codec, sets.held))
    row = Row(made.figure, everything.figure, codec.figure, real.figure)
    return {"class_accuracy": row}, {"class_accuracy": made.over(real)}


def _inception(sets: Sets, common: list[int]) -> Figures:
    """Each class weighs the same."""
    counts = {label: int((sets.held.labels == label).sum()) for label in common}

    def of(heard: JudgedSet) -> float:
        random = np.random.default_rng(1)
        scores = []
        for _ in range(DRAWS):
            part = heard.of(drawn(heard.labels, counts, random))
            if not len(part):
                return math.nan
            weights = 1.0 / np.bincount(part.labels)[part.labels]
            scores.append(measures.inception_score(part.probability, weights))
        return float(np.mean(scores))

    made, everything, codec, real = (_measure(heard, of) for heard in (
        sets.made.accepted, sets.made.everything, sets.held_codec, sets.held))
    row = Row(made.figure, everything.figure, codec.figure, real.figure)
    return {"inception_score": row}, {"inception_score": made.over(real)}


def _likeness(sets: Sets) -> Figures:
    """Frechet and kernel distance, coverage and density: to held-out recordings, where training
    recordings are what a perfect generator would make; and to training recordings, by the other
    half of them."""
    rows: dict[str, Row] = {}
    ratios: dict[str, Figure] = {}
    for suffix, reference in (("", Reference(sets.held)), ("_training", Reference(sets.train_b))):
        compared = [reference.compare(heard) for heard in (
            sets.made.accepted, sets.made.everything, sets.train_codec, sets.train_a)
            if len(heard)]
        if len(compared) < 4:  # nothing is accepted
            return rows | _empty_rows(), {"frechet": _nothing()}
        for name in compared[0]:
            rows[name + suffix] = Row(*(each[name].figure for each in compared))
        ratios["frechet" + suffix] = compared[0]["frechet"].over(compared[2]["frechet"])
    return rows, ratios


def _nothing() -> Figure:
    return Figure(math.nan, math.nan, math.nan)


def _empty_rows() -> dict[str, Row]:
    none = _nothing()
    return {name + suffix: Row(none, none, none, none) for suffix in ("", "_training")
            for name in ("frechet", "kernel", "coverage", "density")}


def _class_spread(heard: JudgedSet, label: int) -> float:
    points = heard.points[heard.labels == label]
    return measures.spread(points) if len(points) > 1 else math.nan


def _diversity(sets: Sets) -> Figures:
    """The mean distance of two sounds of a class; the ratio is to training recordings through the
    codec, class by class: what is held out is from a few packs and less various."""
    classes = sorted(set(sets.train_codec.labels.tolist()))
    base = {label: _class_spread(sets.train_codec, label) for label in classes}

    def of(heard: JudgedSet) -> float:
        return _mean_over(classes, lambda label: _class_spread(heard, label))

    def ratio(heard: JudgedSet) -> float:
        return _mean_over(  # more than real in one class does not make up for less in another
            classes, lambda label: min(_class_spread(heard, label) / base[label], 1.0))

    sets_of = (sets.made.accepted, sets.made.everything, sets.train_codec, sets.train_a)
    figures = [_measure(heard, of).figure for heard in sets_of]
    return {"diversity": Row(*figures)}, {"diversity": _measure(sets.made.accepted, ratio).figure}


def copy_limits(sets: Sets) -> dict[int, float]:
    """By class: nearer to a training sound than this only COPY_QUANTILE of its held-out recordings
    come, taken through the codec as generated sounds are (after Meehan et al. 2020)."""
    far = measures.nearest(sets.held_codec.points, sets.known)
    labels = sets.held_codec.labels
    return {label: float(np.quantile(far[labels == label], COPY_QUANTILE))
            for label in set(labels.tolist())}


def _nearness(sets: Sets) -> Figures:
    """Distance to the nearest training image, the median over each class, the mean of those; and
    the share of near-copies: nearer than the limit, so COPY_QUANTILE where nothing is copied."""
    limit = copy_limits(sets)
    common = sorted(set(sets.held.labels.tolist()))
    found: dict[str, list[Measured]] = {"nearest": [], "copies": []}
    for heard in (sets.made.accepted, sets.made.everything, sets.held_codec, sets.held):
        far = measures.nearest(heard.points, sets.known)
        near = far < np.asarray([limit.get(int(label), 0.0) for label in heard.labels])
        for name, values, middle in (("nearest", far, np.median), ("copies", near, np.mean)):
            found[name].append(_by_class(values, heard.labels, common, middle))
    rows = {name: Row(*(each.figure for each in four)) for name, four in found.items()}
    return rows, {"nearest": found["nearest"][0].over(found["nearest"][2])}


def _by_class(
    values: np.ndarray, labels: np.ndarray, classes: list[int],
    middle: Callable[[np.ndarray], np.floating],
) -> Measured:
    def of(chosen: np.ndarray) -> float:
        inside, kinds = values[chosen], labels[chosen]
        return _mean_over(classes, lambda label: float(middle(inside[kinds == label]))
                          if (kinds == label).any() else math.nan)

    everything = np.arange(len(values))
    if not len(values):
        return Measured(_nothing(), np.full(1, math.nan))
    return Measured(*bootstrap(of(everything), lambda random: of(resampled(labels, random))))


def _class_score(sets: Sets, label: int) -> ClassScore:
    made, held = sets.made, sets.held
    filed, real = made.accepted.labels == label, held.labels == label
    asked = made.asked == label
    base = _class_spread(sets.train_codec, label)
    far = measures.nearest(made.accepted.points[filed], sets.known)
    held_far = measures.nearest(sets.held_codec.points[sets.held_codec.labels == label], sets.known)
    enough = len(far) > 0 and len(held_far) >= MIN_IN_CLASS
    return ClassScore(
        accuracy=share(int(made.accepted.right[filed].sum()), int(filed.sum())),
        accuracy_real=share(int(held.right[real].sum()), int(real.sum())),
        accepted=share(int(_kept(made)[asked].sum()), int(asked.sum())),
        diversity=_class_spread(made.accepted, label) / base,
        nearest=float(np.median(far) / np.median(held_far)) if enough else math.nan,
        copies=float((far < np.quantile(held_far, COPY_QUANTILE)).mean()) if enough else math.nan,
        filed=int(filed.sum()), held_out=int(real.sum()),
    )


def _weakest(per_class: dict[str, ClassScore]) -> Figure:
    """The least of the ratios of each class's accuracy to its own recordings'; to 1 where too few
    of these are held out."""
    ratios = []
    for score in per_class.values():
        real = score.accuracy_real.value if score.held_out >= MIN_IN_CLASS else 1.0
        made = score.accuracy if score.filed else Figure(0.0, 0.0, 0.0)
        ratios.append([value / max(real, 1e-9) for value in (made.value, made.low, made.high)])
    return Figure(*min(ratios))


