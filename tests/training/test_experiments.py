"""Variants at equal time: what is run, and the table that comes of it."""

from pathlib import Path

import pytest

from gan808.errors import TrainingError
from training import experiments

SCORES = """\
step,elapsed_s,score,frechet_distance,class_accuracy,inception_score,spread,training_distance
100,60.0,90.0,45.0,0.5,3.0,1.0,44.0
200,120.0,50.0,40.0,0.8,4.0,1.0,33.0
300,180.0,55.0,44.0,0.8,4.1,1.0,30.0
"""


def test_equal_time_at_each_variants_own_pace(tmp_path, monkeypatch, capsys):
    """One process a variant, timed first, then for as many steps as its pace allows; rows best
    first; the document around the table stays as it is."""
    asked = []

    def fit(command, check):
        asked.append(command)
        run = Path(command[command.index("--run") + 1])
        run.mkdir(parents=True, exist_ok=True)
        slow = "--set" in command
        if run.parent.name == "pace":
            step_s = 1.2 if slow else 0.6
            rows = [f"{step},{99 + step * step_s},{name},1.0" for step in range(1, 41)
                    for name in ("critic", "generator")]
            (run / "losses.csv").write_text("\n".join(["step,elapsed_s,name,value", *rows]))
        (run / "scores.csv").write_text(SCORES.replace("50.0", "48.0") if slow else SCORES)
        return type("Done", (), {"returncode": 0})

    monkeypatch.setattr(experiments.subprocess, "run", fit)
    document = tmp_path / "experiments.md"
    document.write_text(f"before\n{experiments.BEGIN}\nold\n{experiments.END}\nafter\n")
    experiments.main(["data", "base", "seed=7 average=0.06 spec.kernel=5", "--work",
                      str(tmp_path / "work"), "--minutes", "3", "--write", str(document)])
    assert [command[2:5] for command in asked] == [["gan808", "fit", "data"]] * 4
    assert [command[command.index("--steps") + 1] for command in asked] == [
        "40", "40", "300", "150"]
    assert asked[2][-2:] == ["--seed", "808"]
    assert asked[3][-6:] == ["--seed", "7", "--set", "average=0.06", "--set", "spec.kernel=5"]
    lines = document.read_text().splitlines()
    assert (lines[0], lines[1], lines[-2], lines[-1]) == (
        "before", experiments.BEGIN, experiments.END, "after")
    assert lines[4] == ("| seed=7 average=0.06 spec.kernel=5 | 6 | 300 | 200 | 48.0 | 40.0 | "
                        "0.80 | 4.00 | 33.0 |")
    assert lines[5].startswith("| base | 3 | 300 | 200 | 50.0 ")
    assert lines[2].count("|") == lines[3].count("|") == lines[4].count("|")
    assert "| base |" in capsys.readouterr().out


def test_equal_steps_without_timing(tmp_path, monkeypatch, capsys):
    asked = []

    def fit(command, check):
        asked.append(command[command.index("--steps") + 1])
        run = Path(command[command.index("--run") + 1])
        run.mkdir(parents=True)
        (run / "scores.csv").write_text(SCORES)
        return type("Done", (), {"returncode": 0})

    monkeypatch.setattr(experiments.subprocess, "run", fit)
    experiments.main(["data", "base", "batch=16", "--work", str(tmp_path), "--steps", "700"])
    assert asked == ["700", "700"]
    assert "| batch=16 |  | 300 | 200 | 50.0 |" in capsys.readouterr().out


def test_the_document_has_the_marks():
    text = (Path(__file__).parents[2] / "docs" / "experiments.md").read_text()
    assert text.index(experiments.BEGIN) < text.index(experiments.END)


def test_a_run_without_scores_is_one_line(tmp_path):
    with pytest.raises(TrainingError, match="scores.csv: No such file.*held-out sounds"):
        experiments.outcome_of("base", tmp_path, 0.6)
