"""A progress bar in a narrow terminal and in a pipe: what a user waits for is always there."""

import io
import re

import pytest
from rich.console import Console

from gan808 import progress
from gan808.progress import shown

LOSSES = "step 12345 critic -1.23 generator 4.56 classes 0.12 penalty 0.34 norm_critic 7.89"


class Clock:
    now_s = 100.0

    def monotonic(self):
        return self.now_s


@pytest.mark.parametrize("width", [60, 80, 200])
def test_percentage_and_times_stay_and_the_losses_go_first(width):
    file = io.StringIO()
    terminal = Console(file=file, force_terminal=True, width=width, color_system=None,
                       legacy_windows=False)
    with shown(terminal, "train") as bar:
        bar.update(0.42, LOSSES)
    last = [line for line in re.split(r"[\r\n]", re.sub(r"\x1b\[[^a-zA-Z]*[a-zA-Z]", "",
                                                        file.getvalue())) if "train" in line][-1]
    assert re.search(r"train .* 42% \d:\d\d:\d\d [-\d]+:[-\d]+:[-\d]+ step 12345", last)
    assert len(last.rstrip()) <= width
    assert ("norm_critic 7.89" in last) == (width == 200)


def test_a_pipe_gets_a_line_a_minute_with_percentage_elapsed_and_remaining(monkeypatch):
    clock, file = Clock(), io.StringIO()
    monkeypatch.setattr(progress, "time", clock)
    with shown(Console(file=file, width=60), "train") as bar:
        for second in range(0, 151, 5):
            clock.now_s = 100.0 + second
            bar.update(0.25 + second / 400, LOSSES)
    lines = file.getvalue().splitlines()
    assert [line.removesuffix(LOSSES) for line in lines] == [
        "train:  25% 0:00:00 -:--:-- ", "train:  40% 0:01:00 0:04:00 ",
        "train:  55% 0:02:00 0:03:00 ", "train:  62% 0:02:30 0:02:30 "]
