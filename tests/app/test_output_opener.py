"""The output found beside the rest: its result, its error, and the end of its thread."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from gan808.app import output_opener
from gan808.app.output_opener import Opening
from gan808.config import Settings
from gan808.engine.outputs.file import NullOutput
from gan808.engine.outputs.output import OutputRequest
from gan808.errors import DeviceError


def test_the_output_is_that_of_the_settings() -> None:
    settings = Settings().replace({"audio": {"output": "null", "sample_rate_hz": 44_100}})
    with Opening(settings, 0.5) as found:
        output = found.result()
    assert (output.name, output.sample_rate_hz) == ("null", 44_100)


def test_an_error_is_told_where_the_output_is_asked_for(tmp_path: Path) -> None:
    settings = Settings().replace({"audio": {"output": f"file:{tmp_path / 'no' / 'a.wav'}"}})
    with Opening(settings, None) as found, pytest.raises(DeviceError, match="no folder"):
        found.result()


def test_an_error_of_the_rest_stops_the_output(monkeypatch: pytest.MonkeyPatch) -> None:
    """JACK would wait for a client that dies with its process."""
    output = NullOutput(OutputRequest("null"))
    stopped: list[bool] = []
    monkeypatch.setattr(output_opener, "live_output", lambda *_: output)
    monkeypatch.setattr(output, "stop", lambda: stopped.append(True))

    def failing() -> None:
        with Opening(Settings(), None) as found:
            found.result()
            raise DeviceError("the kit is not there")

    with pytest.raises(DeviceError, match="kit"):
        failing()
    assert stopped == [True]


def test_an_error_of_the_rest_waits_for_the_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until it has ended, stderr may be silenced."""
    going_on, threads = threading.Event(), []

    def slow(*_: Any) -> None:
        threads.append(threading.current_thread())
        going_on.wait(20)

    def failing() -> None:
        with Opening(Settings(), None):
            threading.Timer(0.05, going_on.set).start()
            raise DeviceError("the kit is not there")

    monkeypatch.setattr(output_opener, "live_output", slow)
    with pytest.raises(DeviceError, match="kit"):
        failing()
    assert not threads[0].is_alive()
