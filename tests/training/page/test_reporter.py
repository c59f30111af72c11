"""What a command tells its page: its stages, its lines and its end. It waits for nobody."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from gan808 import paths
from gan808.errors import TrainingError
from tests.training.page.run_rig import events, write_run
from tests.training.test_commands import Lines
from training.page.account import Account
from training.page.reporter import PageReporter, with_page


def test_an_account_counts_from_where_the_command_began() -> None:
    account = Account("kit mine", 0.0)
    account.take({"stage": "prepare", "fraction": None, "text": "comparing"}, 1.0)
    assert account.to_dict(2.0)["left_s"] is None
    account.take({"stage": "train", "fraction": 0.5, "text": "step 500"}, 10.0)
    account.take({"stage": "train", "fraction": 0.6, "text": "step 600"}, 30.0)
    told = account.to_dict(30.0)
    assert (told["stage"], told["elapsed_s"], told["left_s"]) == ("train", 20, 80)
    assert account.to_dict(95.0)["silent_s"] == 65
    account.take({"end": "done", "why": ""}, 100.0)
    account.closed()
    told = account.to_dict(999.0)
    assert (told["state"], told["elapsed_s"], told["silent_s"]) == ("done", 90, 0)


def test_without_the_option_there_is_nothing(tmp_path: Path) -> None:
    lines = Lines()
    with with_page(lines, tmp_path, "run", wanted=False) as told:
        assert told is lines
    assert lines.said == []


def page_process() -> psutil.Process:
    found, = (child for child in psutil.Process().children()
              if "training.page" in child.cmdline())
    return found


def test_the_page_is_told_where_it_is_and_how_it_ended(tmp_path: Path) -> None:
    lines = Lines()
    streams = []

    def failing() -> None:
        with PageReporter(lines, write_run(tmp_path / "run"), "kit mine") as told:
            url = lines.said[0].rpartition(" ")[2]
            assert paths.training_page_file().read_text() == url
            streams.append(events(int(url.rstrip("/").rpartition(":")[2])))
            next(streams[0])
            with told.bar("train") as bar:
                bar.update(0.25, "step 40")
            process = page_process()
            process.suspend()
            for _ in range(1000):  # far more than a pipe holds
                told.say("x" * 1000)
            process.resume()
            raise TrainingError("no more room")

    with pytest.raises(TrainingError):
        failing()
    last = [now for name, now in streams[0] if name == "now"][-1]
    assert (last["stage"], last["fraction"]) == ("train", 0.25)
    assert (last["state"], last["why"]) == ("stopped", "no more room")
    assert not paths.training_page_file().exists()
    assert len(lines.said) == 1002, "the terminal has every line"
    with pytest.raises(ValueError, match="unpack"):
        page_process()


def test_a_page_that_has_died_is_told_of_once(tmp_path: Path) -> None:
    lines = Lines()
    with PageReporter(lines, tmp_path, "run") as told:
        process = page_process()
        process.kill()
        process.wait()
        for said in ("one", "two"):
            told.say(said)
    gone = "the page's process has ended; training goes on without a page"
    assert lines.said[1:] == ["one", gone, "two"]
