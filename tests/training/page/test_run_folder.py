"""What the page reads of a run: curves of few points, samples by the piece, in bounded work."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.training.page.run_rig import (
    CLASSES,
    PER_CLASS,
    RATE_HZ,
    write_losses,
    write_run,
    write_samples,
)
from training.page import curves
from training.page.curves import POINTS, CsvTail, Curve
from training.page.run_folder import RunFolder


def test_half_a_line_waits_for_its_end(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    tail = CsvTail(path)
    assert tail.read() == (False, [])
    path.write_bytes(b"step,name\r\n1,kick\r\n2,sn")
    assert tail.read() == (False, [{"step": "1", "name": "kick"}])
    assert tail.read() == (False, [])
    with path.open("ab") as file:
        file.write(b"are\r\n")
    assert tail.read() == (False, [{"step": "2", "name": "snare"}])


def test_a_long_file_is_read_in_pieces_and_another_in_its_place_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(curves, "CHUNK_BYTES", 64)
    path = tmp_path / "a.csv"
    path.write_text("step\n" + "".join(f"{i}\n" for i in range(100)))
    tail = CsvTail(path)
    read = []
    while True:
        anew, rows = tail.read()
        assert not anew
        assert len(rows) <= 32
        read += rows
        if not tail.behind:
            break
    assert [int(row["step"]) for row in read] == list(range(100))
    other = tmp_path / "b.csv"  # longer than what was read of the first
    other.write_text("step\n" + "7\n" * 300)
    other.replace(path)
    assert tail.read() == (True, [{"step": "7"}] * 29)
    path.write_text("step\n8\n")
    assert tail.read() == (True, [{"step": "8"}])
    path.unlink()
    assert tail.read() == (True, [])


def test_a_curve_keeps_few_points_and_the_mean() -> None:
    curve = Curve()
    values = np.random.default_rng(1).normal(3.0, 1.0, 20 * POINTS)
    for step, value in enumerate(values, 1):
        curve.add(step, value)
    steps, means = curve.points()
    assert POINTS / 2 < len(steps) <= POINTS
    assert steps == sorted(set(steps))
    assert steps[-1] <= len(values)
    told = values[: int(steps[-1])]
    # POINTS is even, so every merge pairs all points: means of equal numbers of values.
    assert np.mean(means) == pytest.approx(told.mean(), abs=0.02)


def test_a_rollback_takes_the_curve_back_and_what_is_no_number_stays_out() -> None:
    curve = Curve()
    for step in range(1, 11):
        curve.add(step, 1.0)
    for step in range(6, 9):
        curve.add(step, 2.0)
    curve.add(9, float("nan"))
    curve.add(9, float("inf"))
    assert curve.points() == [[1, 2, 3, 4, 5, 6, 7, 8], [1.0] * 5 + [2.0] * 3]


def test_the_folder_of_a_run_tells_curves_samples_and_pace(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    assert not folder.read(), "not there yet"
    assert (folder.samples, folder.step) == ({"layout": None, "steps": []}, 0)
    assert folder.steps_a_second is None
    run = write_run(tmp_path / "run")
    (run / "samples" / "step-00000010.png").write_bytes(b"no picture")
    old = Image.new("RGB", (30, 30))
    old.save(run / "samples" / "step-00000015.png")  # of a version that wrote no layout
    assert not folder.read()
    told = folder.curves
    assert set(told["losses"]) == {"critic", "generator"}
    assert list(told["gradients"]) == ["critic"]
    assert told["losses"]["critic"][0] == list(range(1, 41))
    assert told["scores"]["score"] == [[40], [9.5]], "the first was infinite"
    assert told["scores"]["class_accuracy"] == [[20, 40], [0.0, 0.5]]
    assert (folder.step, folder.trained_s, folder.steps_a_second) == (40, 20.0, 2.0)
    assert folder.events[-1]["detail"] == "TensorFlow on the CPU"
    assert [step for step, _ in folder.samples["steps"]] == [20, 40]
    assert folder.samples["layout"]["rows"] == CLASSES

    write_losses(run, range(31, 34))  # it was rolled back
    assert not folder.read()
    assert folder.curves["losses"]["critic"][0] == list(range(1, 34))
    assert folder.steps_a_second == 2.0
    run.rename(tmp_path / "earlier")  # --fresh
    assert not folder.read()
    assert (folder.step, folder.samples["steps"]) == (0, [])
    assert folder.curves == {"losses": {}, "gradients": {}, "scores": {}}


def test_a_sound_is_its_part_of_the_file_and_a_rewritten_sample_is_another(tmp_path: Path) -> None:
    sounds = write_samples(tmp_path, 7)
    folder = RunFolder(tmp_path)
    folder.read()
    version = folder.samples["steps"]
    for index in (0, 3, len(CLASSES) * PER_CLASS - 1):
        body = folder.sound(7, index)
        assert body is not None
        with wave.open(io.BytesIO(body)) as file:
            assert (file.getframerate(), file.getnchannels()) == (RATE_HZ, 1)
            heard = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        np.testing.assert_array_equal(heard, sounds[index])
    assert folder.sound(7, len(CLASSES) * PER_CLASS) is None
    assert folder.sound(8, 0) is None
    assert folder.picture(8) is None
    picture = folder.picture(7)
    assert picture is not None
    layout = folder.samples["layout"]
    with Image.open(io.BytesIO(picture)) as opened:
        assert opened.size == (layout["left"] + PER_CLASS * (layout["width"] + layout["gap"]),
                               layout["top"] + len(CLASSES) * (layout["height"] + layout["gap"]))
    write_samples(tmp_path, 7)
    folder.read()
    assert folder.samples["steps"] != version
