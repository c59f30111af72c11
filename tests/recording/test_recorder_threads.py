"""The end of a recording, asked for on the machine's thread while the recording's own ends."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from gan808.instrument.calls import Call
from tests.interleaving import Work, meet_at_every_instruction
from tests.recording.rig import Stage


class Ended:
    """A recording whose files are complete, and the calls that ask for its end."""

    def __init__(self, folder: Path) -> None:
        self.stage = Stage(folder)
        self.stage.record("take")
        self.stage.run(1000)
        run = self.stage.recorder._run
        assert run is not None
        self.run = run
        self.stage.close()
        self.run._thread = threading.current_thread()  # as if it had one, which has ended
        self.answers: list[Any] = []

    def call(self) -> Call:
        call = Call("/record/stop")
        call.then(self.answers.append)
        return call

    def check(self, count: int) -> None:
        self.stage.machine.before_block(self.stage.engine.frames)
        assert self.answers == [(str(self.run.files.wav_path),)] * count
        self.answers.clear()


@pytest.fixture
def ended(tmp_path: Path) -> Ended:
    return Ended(tmp_path)


def test_a_stop_while_it_ends_is_answered_once(
    ended: Ended, caplog: pytest.LogCaptureFixture
) -> None:
    def begin() -> tuple[Work, Work, Work]:
        ended.run.over = False
        call = ended.call()
        return lambda: ended.run.end(call), ends, lambda: ended.check(1)

    def ends() -> None:  # as the recording's thread does it
        ended.run.over = True
        ended.run._tell()

    assert meet_at_every_instruction((type(ended.run).end, type(ended.run)._answer), begin) > 20
    assert not caplog.records  # an answer given twice is told by the machine's guard


def test_two_threads_that_answer_take_each_call_once(
    ended: Ended, caplog: pytest.LogCaptureFixture
) -> None:
    def begin() -> tuple[Work, Work, Work]:
        ended.run.over = False
        calls = [ended.call() for _ in range(3)]
        for call in calls[:2]:
            ended.run.end(call)
        ended.run.over = True
        return ended.run._answer, lambda: ended.run.end(calls[2]), lambda: ended.check(3)

    assert meet_at_every_instruction((type(ended.run)._answer,), begin) > 20
    assert not caplog.records
