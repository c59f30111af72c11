"""An evaluation tells a good generator from a copying, a collapsed and a confused one."""

from dataclasses import replace

import numpy as np
import pytest

from training.evaluate import Sets, measured
from training.intervals import Figure
from training.kinds import scores_by_kind
from training.listening import Generated
from training.report import scores
from training.set_metrics import JudgedSet, Reference
from training.tables import class_table, tables
from training.targets import judged

CLASSES = ("kick", "snare", "zap")
DIMENSIONS = 6
CENTRES = 12 * np.eye(3, DIMENSIONS)


@pytest.fixture(autouse=True)
def fewer_runs(monkeypatch):
    for module in ("training.intervals", "training.set_metrics"):
        monkeypatch.setattr(f"{module}.REPLICATES", 30)


def heard(points, labels):
    """As a judge hears it that knows the centres."""
    closeness = -((points[:, None] - CENTRES[None]) ** 2).sum(axis=2)
    exponent = np.exp(closeness - closeness.max(axis=1, keepdims=True))
    return JudgedSet(points, exponent / exponent.sum(axis=1, keepdims=True), labels)


def drums(n, seed, spread=1.0, shift=0.0):
    """n sounds of each class as points around its centre."""
    random = np.random.default_rng(seed)
    labels = np.repeat(np.arange(3), n)
    noise = spread * random.standard_normal((3 * n, DIMENSIONS))
    return heard(CENTRES[labels] + noise + shift, labels)


def generated(sounds):
    return Generated(sounds, sounds, sounds.labels, [None] * len(sounds))


KNOWN = drums(80, 1)
HALF = np.arange(len(KNOWN)) % 2 == 0


def evaluation_of(sounds, made=None):
    held = drums(40, 2)
    half, other = KNOWN.of(HALF), KNOWN.of(~HALF)
    sets = Sets(made or generated(sounds), held, held, half, other, half, KNOWN.points)
    return measured("test", CLASSES, sets)


def verdicts(evaluation):
    return {t.name.split(",")[0].split(" to ")[0]: t.met for t in evaluation.targets}


def test_fresh_sounds_of_the_same_kind_meet_every_target():
    evaluation = evaluation_of(drums(60, 3))
    assert verdicts(evaluation) == dict.fromkeys(verdicts(evaluation), True)
    assert evaluation.ratios["nearest"].value == pytest.approx(1.0, abs=0.1)
    assert evaluation.rows["copies"].generated.value < 0.15
    assert evaluation.rows["frechet"].generated.value == pytest.approx(
        evaluation.rows["frechet"].codec.value, rel=0.5)


def test_copies_of_training_sounds_are_found_out():
    random = np.random.default_rng(4)
    copied = KNOWN.points + 0.05 * random.standard_normal(KNOWN.points.shape)
    evaluation = evaluation_of(heard(copied, KNOWN.labels))
    assert evaluation.ratios["nearest"].value < 0.3
    assert evaluation.rows["copies"].generated.value > 0.95
    assert not verdicts(evaluation)["distance"]


def test_a_collapsed_generator_lacks_variety_and_coverage():
    evaluation = evaluation_of(drums(60, 5, spread=0.1))
    met = verdicts(evaluation)
    assert not met["variety inside a class"]
    assert not met["coverage of held-out recordings"]
    assert met["recognised as its class"]


def test_a_class_that_is_not_recognised_fails_alone():
    sounds = drums(60, 6)
    points = sounds.points.copy()
    points[sounds.labels == 1] = sounds.points[sounds.labels == 0]
    evaluation = evaluation_of(heard(points, sounds.labels))
    assert evaluation.ratios["weakest_class"].value == 0.0
    assert evaluation.ratios["class_accuracy"].value == pytest.approx(2 / 3, abs=0.02)
    assert evaluation.confusion[1] == [60, 0, 0]
    assert evaluation.per_class["kick"].accuracy.value == 1.0


def test_sounds_off_the_real_ones_are_far_by_both_distances():
    near, far = evaluation_of(drums(60, 7)), evaluation_of(drums(60, 7, shift=3.0))
    for name in ("frechet", "kernel", "frechet_training", "kernel_training"):
        assert far.rows[name].generated.low > near.rows[name].generated.high


def test_a_class_of_which_nothing_is_accepted_counts_as_nothing_recognised():
    sounds = drums(60, 8)
    evaluation = evaluation_of(sounds.of(sounds.labels != 2))
    assert evaluation.per_class["zap"].filed == 0
    assert evaluation.ratios["class_accuracy"].value == pytest.approx(2 / 3, abs=0.02)
    assert evaluation.ratios["weakest_class"].value == 0.0
    assert any("zap" in line for line in class_table(evaluation).lines())


def test_nothing_accepted_at_all_is_told_not_crashed_on():
    sounds = drums(60, 9)
    nothing = sounds.of(np.zeros(180, dtype=bool))
    evaluation = evaluation_of(
        sounds, Generated(sounds, nothing, sounds.labels, ["unreal"] * len(sounds)))
    assert evaluation.rejected == {"unreal": 180}
    assert not any(target.met for target in evaluation.targets)
    assert scores(evaluation)["rows"]["frechet"]["generated"]["value"] is None
    assert all(line for table in tables(evaluation) for line in table.lines())


def test_the_same_sounds_give_the_same_figures():
    assert scores(evaluation_of(drums(30, 10))) == scores(evaluation_of(drums(30, 10)))


def test_a_comparison_does_not_depend_on_how_many_were_rendered():
    """Frechet distance and coverage do depend on n: the draws have the reference's."""
    reference = Reference(drums(30, 11))
    few, many = (reference.compare(drums(n, 12)) for n in (30, 300))
    assert many["coverage"].figure.value == pytest.approx(few["coverage"].figure.value, abs=0.06)
    assert many["frechet"].figure.value == pytest.approx(few["frechet"].figure.value, rel=0.35)


def test_targets_are_sure_only_when_the_whole_interval_agrees():
    figures = dict.fromkeys(
        ("class_accuracy", "weakest_class", "inception_score", "diversity", "coverage", "nearest"),
        Figure(1.0, 0.99, 1.01))
    good = judged({**figures, "frechet": Figure(1.9, 1.5, 2.3)})
    assert [t.verdict for t in good] == ["pass"] * 3 + ["pass, not sure"] + ["pass"] * 3
    bad = judged({**figures, "frechet": Figure(9.0, 8.0, 10.0), "nearest": Figure(0.8, 0.7, 0.95)})
    assert [t.verdict for t in bad if not t.met] == ["miss", "miss, not sure"]
    nothing = judged({**figures, "frechet": replace(figures["nearest"], value=float("nan"))})
    assert not nothing[3].met


def test_recordings_and_synthesised_voices_are_judged_apart():
    """Voices lie where the kit's sounds do, recordings elsewhere: each is said of its own kind."""
    near, far = drums(20, 5), drums(20, 6, shift=3.0)
    held = JudgedSet(*(np.concatenate(pair) for pair in (
        (near.points, far.points), (near.probability, far.probability),
        (near.labels, far.labels))))
    synthesised = np.arange(120) < 60
    scores = scores_by_kind(held, synthesised, drums(40, 7), KNOWN)
    assert [score.held_out for score in scores.values()] == [60, 60]
    recordings, voices = scores["recordings"], scores["synthesised voices"]
    assert recordings.frechet.value > 2 * voices.frechet.value
    assert recordings.coverage.value < voices.coverage.value
    assert scores_by_kind(held, np.arange(120) < 5, drums(40, 7), KNOWN) == {}
    evaluation = replace(evaluation_of(drums(40, 3)), kinds=scores)
    assert "synthesised voices" in "".join(tables(evaluation)[2].lines())
