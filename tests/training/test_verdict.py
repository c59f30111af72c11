"""What an evaluation says to a musician: which classes are good, what others sound like, what to
do with noise."""

from types import SimpleNamespace

import numpy as np
import pytest

from training.commands import announce
from training.evaluate import ClassScore, Evaluation
from training.intervals import Figure
from training.tables import notes
from training.verdict import verdict


def sure(value):
    return Figure(value, value, value)


def evaluation(confusion, accepted=1.0, real=0.9):
    """Of classes by name: the counts of what the sounds filed there were heard as, by class."""
    names = list(confusion)
    table = [[heard.get(name, 0) for name in names] for heard in confusion.values()]
    shares = [row[i] / max(sum(row), 1) for i, row in enumerate(table)]
    scores = {
        name: ClassScore(sure(share if sum(row) else float("nan")), sure(real), sure(accepted),
                         1.0, 1.0, 0.0, sum(row), 20)
        for name, row, share in zip(names, table, shares, strict=True)}
    mean = float(np.mean(shares))
    row = SimpleNamespace(generated=sure(mean))
    return Evaluation(
        kit="mine", rows={"class_accuracy": row}, ratios={"class_accuracy": sure(mean / real)},
        per_class=scores, targets=(), accepted=sure(accepted), filed_elsewhere=sure(0.0),
        rejected={}, confusion=table, confusion_real=table,
        counts={"rendered": 9, "accepted": 9, "held_out": 60})


MIXED = {"snare": {"snare": 95, "kick": 5}, "cymbal": {"cymbal": 80, "snare": 20},
         "tom": {"tom": 10, "kick": 85, "snare": 5}, "kick": {"kick": 60, "tom": 40},
         "closed_hat": {}}
NOISE = {"snare": {"snare": 17, "kick": 83}, "kick": {"kick": 16, "tom": 84},
         "tom": {"tom": 18, "snare": 82}}


def test_classes_are_good_or_sound_like_others():
    found = verdict(evaluation(MIXED))
    assert found.sentence == ("Snares and cymbals are good; toms sound like kicks; kicks often "
                              "sound like toms; closed hats are missing, not one was accepted.")
    assert found.ready
    assert found.advice == ""


def test_where_all_is_good_nothing_else_is_said():
    assert verdict(evaluation({"kick": {"kick": 9}, "open_hat": {"open_hat": 9}})).sentence == (
        "Kicks and open hats are good.")
    assert verdict(evaluation({"kick": {"kick": 9}}, accepted=0.02)).sentence == (
        "Kicks are seldom accepted.")


def test_recordings_that_are_hard_to_tell_apart_make_it_no_worse():
    half = {"conga": {"conga": 50, "tom": 50}, "tom": {"tom": 50, "conga": 50}}
    assert verdict(evaluation(half, real=0.55)).sentence == "Congas and toms are good."
    assert "sound like" in verdict(evaluation(half, real=0.95)).sentence


@pytest.mark.parametrize(("given", "said", "not_said"), [
    (MIXED, "play it: gan808 run --kit mine", "noise"),
    (None, "play it: gan808 run --kit mine", "noise"),
    (NOISE, "not ready, little more than noise: 17% of its sounds are recognised", "play it")])
def test_a_kit_is_announced_as_what_it_is(given, said, not_said):
    lines = []
    announce(SimpleNamespace(name="mine", folder="kits/mine"), given and evaluation(given),
             SimpleNamespace(say=lines.append))
    assert len(lines) == 1
    assert said in lines[0]
    assert not_said not in lines[0]
    assert ("--from gan808" in lines[0]) == ("--hours" in lines[0]) == (given is NOISE)


def test_a_report_opens_with_it():
    opening = notes(evaluation(NOISE))[0]
    assert opening.startswith("Snares sound like kicks; kicks sound like toms; ")
    assert "17% of its sounds are recognised" in opening
    assert opening.endswith("--from gan808.")
    assert notes(evaluation(MIXED))[0].endswith("should be.")
