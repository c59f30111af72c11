"""Pictures show what they say, and the report is one file that needs nothing else."""

import io
import json
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from gan808.errors import TrainingError
from tests.tiny_kit import GEOMETRY, drum
from tests.training.test_evaluate import drums as points
from tests.training.test_evaluate import evaluation_of
from training import pictures
from training.evaluate import Exhibits
from training.report import write_report


@pytest.fixture(scope="module")
def evaluation():
    with pytest.MonkeyPatch.context() as patch:
        for module in ("training.intervals", "training.set_metrics"):
            patch.setattr(f"{module}.REPLICATES", 5)
        return evaluation_of(points(30, 1))


def test_a_cell_shows_pitch_from_low_to_high_and_time_from_left_to_right():
    low, high = (
        np.asarray(pictures.cell(drum(name, 0), GEOMETRY).convert("L"), float)[pictures.WAVE :]
        for name in ("kick", "closed_hat"))
    assert low[:, :30].mean(axis=1).argmax() > high[:, :30].mean(axis=1).argmax()  # rows go down
    assert low[:, :40].mean() > 2 * low[:, 60:].mean()  # a tenth of a second of a longer image


def test_a_page_has_a_row_a_class_and_both_sides():
    sound = drum("kick", 0)
    page = pictures.page({"kick": [sound] * 2, "snare": [sound]},
                         {"kick": [sound] * 3, "snare": []}, GEOMETRY, 3)
    pixels = np.asarray(page.convert("L"))
    wide, high = pictures.CELL[0] + pictures.GAP, pictures.CELL[1] + pictures.WAVE + pictures.GAP
    assert page.height == 20 + 2 * high
    right = page.width - 3 * wide
    second_row = pixels[20 + high :, right:]
    assert (second_row > 250).all()  # of the snare nothing was accepted
    assert (pixels[20 : 20 + high, right : right + wide] < 250).any()


def test_a_film_is_some_of_the_samples_first_and_last_among_them(tmp_path):
    for step in range(40):
        Image.new("RGB", (40, 30), (step * 6, 0, 0)).save(tmp_path / f"step-{step:08d}.png")
    with Image.open(io.BytesIO(pictures.film(tmp_path))) as film:
        assert film.n_frames == pictures.FRAMES
        reds = []
        for frame in (0, film.n_frames - 1):
            film.seek(frame)
            reds.append(film.convert("RGB").getpixel((20, film.height - 5))[0])
    assert reds == pytest.approx([0, 39 * 6], abs=8)
    assert pictures.film(tmp_path / "none") is None


def test_a_report_is_one_file_with_every_sound_and_no_address(tmp_path, evaluation):
    sound = drum("kick", 0)

    class Made:
        audio = sound

    exhibits = Exhibits({"kick": [Made()] * 2, "snare": [Made()], "zap": []},
                        {"kick": [sound], "snare": [sound], "zap": [sound]})
    run = tmp_path / "run"
    (run / "samples").mkdir(parents=True)
    Image.new("RGB", (40, 30)).save(run / "samples" / "step-00000001.png")
    (run / "losses.csv").write_text(
        "step,elapsed_s,name,value\n1,0.1,critic,0.5\n2,0.2,critic,0.4\n")
    (run / "scores.csv").write_text(
        "step,elapsed_s,score,frechet_distance,class_accuracy,inception_score,spread\n"
        "5,1.0,20,10,0.5,2.0,3.0\n9,2.0,16,8,0.5,2.0,3.0\n")
    write_report(tmp_path / "out", "<b>mine", GEOMETRY, exhibits, evaluation, run)
    page = (tmp_path / "out" / "report.html").read_text()
    assert page.count("data:audio/ogg;base64,") == 6
    assert page.count("data:image/gif;base64,") == 1
    assert page.count("data:image/png;base64,") == 3  # confusion, scores, losses
    assert "<b>mine" not in page
    assert "none was accepted" in page
    assert not re.search(r"(src|href)=\"(?!data:)", page)
    scores = json.loads((tmp_path / "out" / "scores.json").read_text(),
                        parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert set(scores["rows"]["frechet"]) == {"generated", "everything", "codec", "real"}
    readme = (tmp_path / "out" / "README.md").read_text()
    assert "## Targets" in readme
    assert readme.count("\n| kick |") == 1

    write_report(tmp_path / "out", "mine", GEOMETRY, exhibits, None)
    again = (tmp_path / "out" / "report.html").read_text()
    assert "Too little was held out" in again
    assert "data:image/gif" in again  # what the run left is shown until another run replaces it


def test_minutes_of_sound_are_written_too():
    """Four classes more and two seconds a sound ended `gan808 evaluate` by a broken stack; here in
    a process whose stack is as small as eight seconds need."""
    code = ("import resource, io, numpy as np; "
            "resource.setrlimit(resource.RLIMIT_STACK, (1 << 19, 1 << 19)); "
            "from training.report_html import ogg; "
            "import soundfile; back = soundfile.read(io.BytesIO(ogg(np.zeros(30 * 44100, 'f4'), "
            "44100)))[0]; print(len(back))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == 30 * 44100


def test_a_report_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainingError, match="cannot write the report"):
        write_report(tmp_path / "file", "x", GEOMETRY, Exhibits({"kick": []}, {"kick": []}), None)
