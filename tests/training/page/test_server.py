"""Who may read the page, and what its stream tells: the whole state first, at last how it ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.training.page.run_rig import ServedRun, events, get, write_run, write_samples
from training.page import server


def test_it_is_read_from_this_machine_only_and_never_written(tmp_path: Path) -> None:
    with ServedRun(write_run(tmp_path / "run")) as served:
        port = served.port
        for path in ("/", "/page.js", "/base.css", "/vendor/uPlot.iife.min.js",
                     "/vendor/preact-htm.js"):
            status, body, headers = get(port, path)
            assert (status, bool(body)) == (200, True), path
            assert headers["Content-Security-Policy"].startswith("default-src 'self'")
        assert get(port, "/", Host="evil.example")[0] == 403
        assert get(port, "/events", Host="evil.example")[0] == 403
        for method in ("POST", "PUT", "DELETE"):
            assert get(port, "/", method)[0] == 405
        for path in ("/losses.csv", "/../losses.csv", "/samples/99.png", "/samples/20/99.wav",
                     "/samples/..%2f..%2fevents.csv", "/samples/20.wav"):
            assert get(port, path)[0] == 404, path
        status, body, headers = get(port, "/samples/20.png?v=1")
        assert (status, body[:4], headers["Content-Type"]) == (200, b"\x89PNG", "image/png")
        status, body, headers = get(port, "/samples/20/3.wav")
        assert (status, body[:4], headers["Content-Type"]) == (200, b"RIFF", "audio/wav")
    assert not [path for path in (tmp_path / "run").iterdir() if path.name.startswith(".")]


def test_a_stream_has_everything_first_then_what_changes_then_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "TICK_S", 0.05)
    run = write_run(tmp_path / "run")
    with ServedRun(run) as served:
        stream = events(served.port)
        first = dict(next(stream) for _ in range(3))
        assert set(first) == {"now", "curves", "samples"}
        assert (first["now"]["state"], first["now"]["step"]) == ("running", 40)
        served.hear(stage="train", fraction=0.25, text="step 40")
        served.hear(said="a line")
        served.hear(nonsense=1)
        write_samples(run, 60)
        waited = [next(stream)]
        while waited[-1][0] != "samples":
            waited.append(next(stream))
        assert waited[-1][1]["steps"][-1][0] == 60
        name, now = next(stream)
        while name != "now" or now["fraction"] is None:
            name, now = next(stream)
        assert (now["stage"], now["fraction"], now["said"]) == ("train", 0.25, ["a line"])
        served.hear(end="stopped", why="no more room")
    told = list(stream)
    assert told[-1][0] == "now" or told[-2][0] == "now"
    last = [now for name, now in told if name == "now"][-1]
    assert (last["state"], last["why"]) == ("stopped", "no more room")


def test_a_command_that_ends_without_a_word_has_died(tmp_path: Path) -> None:
    with ServedRun(write_run(tmp_path / "run")) as served:
        stream = events(served.port)
        next(stream)
    assert [now for name, now in stream if name == "now"][-1]["state"] == "gone"


def test_pages_have_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MOST_STREAMS", 1)
    with ServedRun(tmp_path / "not-yet") as served:
        stream = events(served.port)
        next(stream)
        assert get(served.port, "/events")[0] == 503
        assert get(served.port, "/")[0] == 200
