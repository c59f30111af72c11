"""What is raised by mistake: one line for whoever asked, a traceback for --debug, no end."""

from __future__ import annotations

import logging

import pytest

from gan808.app.logging_setup import speak_up
from gan808.errors import ConfigError, Gan808Error, Guard, as_error


def test_an_expected_error_goes_to_whoever_asked_and_not_into_the_log(
    caplog: pytest.LogCaptureFixture
) -> None:
    failures: list[Gan808Error] = []
    with Guard("/kit/load", failures.append):
        raise ConfigError("no such kit")
    assert [type(failure) for failure in failures] == [ConfigError]
    assert caplog.records == []


def test_a_mistake_is_one_line_and_logged_once_a_place_with_its_traceback(
    caplog: pytest.LogCaptureFixture
) -> None:
    failures: list[Gan808Error] = []
    for number in range(3):
        with Guard(f"/seed/{number}", failures.append):  # what is asked for makes no new place
            raise OSError(36, "File name\ntoo long")
    assert [str(failure) for failure in failures] == [
        "a mistake in this program: OSError: [Errno 36] File name too long"] * 3
    (record,) = caplog.records
    assert "/seed/0" in record.getMessage()
    assert record.exc_info is not None
    with Guard("elsewhere"):
        raise OSError(36, "File name too long")
    assert len(caplog.records) == 2


def test_nobody_asked_so_it_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with Guard("the machine"):
        raise Gan808Error("too busy")
    assert [record.getMessage() for record in caplog.records] == ["the machine: too busy"]


def test_what_is_to_end_a_thread_does() -> None:
    with pytest.raises(KeyboardInterrupt), Guard("MIDI"):
        raise KeyboardInterrupt


@pytest.mark.parametrize(("level", "shown"), [(logging.WARNING, False), (logging.DEBUG, True)])
def test_debug_shows_the_traceback(
    level: int, shown: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    log = logging.getLogger("gan808")
    monkeypatch.setattr(log, "handlers", [])
    before = log.level
    speak_up(level)
    try:
        try:
            {}["what was forgotten"]
        except KeyError as error:
            log.error("failed", exc_info=error)
    finally:
        log.setLevel(before)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "gan808: failed"
    assert (len(lines) > 1) is shown
    assert any("KeyError" in line for line in lines) is shown


def test_an_expected_error_stays_what_it_is() -> None:
    error = ConfigError("as it is")
    assert as_error("anything", error) is error
