"""Variants at equal time: what is run, and the table that comes of it."""

import pytest

from gan808.errors import TrainingError
from training import experiments

SCORES = """step,elapsed_s,score,frechet_distance,class_accuracy,inception_score,spread
100,60.0,90.0,45.0,0.5,3.0,1.0
200,120.0,50.0,40.0,0.8,4.0,1.0
300,180.0,55.0,44.0,0.8,4.1,1.0
"""


def test_the_best_score_of_each_variant_makes_the_table(tmp_path, monkeypatch, capsys):
    """One process a variant, with its settings; rows best first; the document around the table
    stays as it is."""
    asked = []

    def fit(command, check):
        asked.append(command)
        run = tmp_path / "work" / ("base-808" if "--set" not in command else
                                   "cutout=0.4_spec.texture=true-808")
        run.mkdir(parents=True)
        better = SCORES.replace("50.0", "48.0") if "--set" in command else SCORES
        (run / "scores.csv").write_text(better)
        return type("Done", (), {"returncode": 0})

    monkeypatch.setattr(experiments.subprocess, "run", fit)
    document = tmp_path / "experiments.md"
    document.write_text(f"before\n{experiments.BEGIN}\nold\n{experiments.END}\nafter\n")
    experiments.main(["data", "base", "cutout=0.4 spec.texture=true", "--work",
                      str(tmp_path / "work"), "--minutes", "3", "--write", str(document)])
    assert [command[2:5] for command in asked] == [["gan808", "fit", "data"]] * 2
    assert asked[0][-6:] == ["--recipe", "house", "--hours", "0.050000", "--seed", "808"]
    assert asked[1][-4:] == ["--set", "cutout=0.4", "--set", "spec.texture=true"]
    lines = document.read_text().splitlines()
    assert (lines[0], lines[1], lines[-2], lines[-1]) == (
        "before", experiments.BEGIN, experiments.END, "after")
    assert lines[4] == ("| cutout=0.4 spec.texture=true | 3 | 300 | 200 | 48.0 | 40.0 | 0.80 | "
                        "4.00 |")
    assert lines[5].startswith("| base | 3 | 300 | 200 | 50.0 ")
    assert lines[2].count("|") == lines[3].count("|") == lines[4].count("|")
    assert "| base |" in capsys.readouterr().out


def test_the_document_has_the_marks():
    from pathlib import Path

    text = (Path(__file__).parents[2] / "docs" / "experiments.md").read_text()
    assert text.index(experiments.BEGIN) < text.index(experiments.END)


def test_a_run_without_scores_is_one_line(tmp_path):
    with pytest.raises(TrainingError, match="scores.csv: No such file.*held-out sounds"):
        experiments.outcome_of("base", tmp_path)
