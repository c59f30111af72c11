"""The daemon: it starts, it is reproducible, it stops at any moment, it leaves nothing behind."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile

from gan808.app import daemon as daemon_module
from gan808.app.daemon import Daemon, RunOrder
from gan808.app.run_options import RunOptions
from gan808.app.supervision import noticing_broken_threads, stopping_on_signals
from gan808.config import Settings
from gan808.engine.engine import Engine
from gan808.engine.outputs.file import NullOutput
from gan808.engine.outputs.output import OutputRequest
from gan808.errors import DeviceError
from tests.running import STOPS_WITHIN_S, Running, environment
from tests.timing import SOON_S, WITHIN_S

pytestmark = pytest.mark.real_time

ALONE = ("--output", "null", "--midi", "off", "--osc", "off")


def test_it_ends_by_itself_after_so_much_sound(tiny_kit: Path, tmp_path: Path) -> None:
    file = tmp_path / "beat.wav"
    options = ["--kit", str(tiny_kit), *ALONE, "--output", f"file:{file}", "--seconds", "1.5"]
    with Running(tmp_path, *options, "--outputs", "slots") as running:
        facts = running.introduction()
        assert facts["kit"].startswith("tiny: 16 slots, 12 classes")
        assert "BPM, 1 new sound a bar" in facts["pattern"]
        assert str(file) in facts["sound"]
        assert running.process.wait(20) == 0
        assert running.left_over() == []
        assert running.errors() == []
    audio, rate_hz = soundfile.read(file)
    assert len(audio) == 1.5 * rate_hz
    # the factory sounds play from the first bar on: no waiting for the renderer
    assert np.abs(audio[: rate_hz // 2]).max() > 0.05
    kick, _ = soundfile.read(tmp_path / "beat-BD.wav")
    assert len(kick) == len(audio)
    assert np.abs(kick).max() > 0.05


def test_sounds_are_swapped_while_it_plays(one_class_kit: Path, tmp_path: Path) -> None:
    options = ["--kit", str(one_class_kit), *ALONE, "--evolve", "4", "--tempo", "300"]
    with Running(tmp_path, *options, "--seed", "5") as running:
        assert running.introduction()["seed"] == "5"
        lines = [running.out.get(timeout=60) for _ in range(12)]
        swaps = [line for line in lines if line.startswith("bar ")]
        assert swaps, lines
        assert "BD  kicks/kick/" in swaps[0]
        assert "heard kick 1.00" in swaps[0]
        assert running.interrupt() < STOPS_WITHIN_S


def test_quiet_says_nothing(tiny_kit: Path, tmp_path: Path) -> None:
    options = ["--kit", str(tiny_kit), *ALONE, "--quiet", "--seconds", "0.3"]
    with Running(tmp_path, *options) as running:
        assert running.process.wait(30) == 0
        assert running.out.get(timeout=SOON_S) == ""
        assert running.errors() == []


def test_a_damaged_file_of_learned_controls_is_set_aside_and_it_plays(
    tiny_kit: Path, tmp_path: Path
) -> None:
    file = tmp_path / "data" / "gan808" / "controls.toml"
    file.parent.mkdir(parents=True)
    file.write_text("cc 1 = [")
    with Running(tmp_path, "--kit", str(tiny_kit), *ALONE, "--seconds", "0.3") as running:
        assert running.process.wait(60) == 0
        (line,) = running.errors()
    assert "controls.toml.damaged" in line
    assert file.with_name("controls.toml.damaged").read_text() == "cc 1 = ["


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_stops_while_the_renderer_loads(
    tiny_kit: Path, tmp_path: Path, number: signal.Signals
) -> None:
    with Running(tmp_path, "--kit", str(tiny_kit), *ALONE) as running:
        running.introduction()
        while running.renderer() is None:
            time.sleep(0.01)
        time.sleep(0.3)  # the child is importing by now
        assert running.interrupt(number) < STOPS_WITHIN_S
        assert running.process.returncode == 0
        assert running.left_over() == []
        assert running.errors() == []


@pytest.mark.parametrize("after_s", [0.05, 0.3, 0.6, 1.0])
def test_ctrl_c_at_any_moment_is_clean(tiny_kit: Path, tmp_path: Path, after_s: float) -> None:
    with Running(tmp_path, "--kit", str(tiny_kit), *ALONE) as running:
        time.sleep(after_s)
        assert running.interrupt() < STOPS_WITHIN_S
        assert running.left_over() == []
        shown = running.errors()
        # before any code of ours runs, the interpreter itself complains
        assert shown == [] or shown[-1] == "KeyboardInterrupt"


def test_nothing_survives_a_daemon_that_is_killed(tiny_kit: Path, tmp_path: Path) -> None:
    with Running(tmp_path, "--kit", str(tiny_kit), *ALONE) as running:
        running.introduction()
        while running.renderer() is None:
            time.sleep(0.01)
        running.process.kill()
        running.process.wait()
        assert running.left_over(within_s=3.0) == []


def test_a_reader_that_leaves_does_not_stop_the_sound(tiny_kit: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "gan808", "run", "--kit", str(tiny_kit), *ALONE, "--seconds", "1"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(tmp_path), cwd=tmp_path,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.wait(60) == 0
    assert process.stderr.read() == b""
    process.stderr.close()


def fast(kit: Path, home: Path, name: str, *more: str) -> np.ndarray:
    """The sound of an offline run."""
    file = home / name
    options = ["--kit", str(kit), "--output", f"file:{file}", "--fast", "--tempo", "240"]
    with Running(home, *options, "--seconds", "4", "--evolve", "2", *more) as running:
        assert running.process.wait(120) == 0
        assert running.errors() == []
        assert running.left_over() == []
    audio, _ = soundfile.read(file)
    return np.asarray(audio)


def test_a_seed_gives_the_same_file_and_another_seed_another(
    one_class_kit: Path, tmp_path: Path
) -> None:
    first, again, other = (
        fast(one_class_kit, tmp_path, f"{i}.wav", "--seed", seed)
        for i, seed in enumerate(("7", "7", "8"))
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first).max() > 0.05
    # the first bar plays the kit's own sounds; what is drawn after it differs
    bar = 48000
    np.testing.assert_array_equal(first[:bar], other[:bar])
    assert np.abs(first[bar:] - other[bar:]).max() > 0.01


@pytest.mark.parametrize(("options", "said"), [
    (["--output", "file:/nowhere/beat.wav"], "no folder /nowhere"),
    (["--output", "no such device"], "no sound device"),
    (["--kit", "nonsense"], "kit 'nonsense' not found"),
    (["--output", "null", "--midi", "off", "--osc", "256.0.0.1:9"], "256.0.0.1"),
])
def test_what_cannot_start_ends_with_one_line(
    tiny_kit: Path, tmp_path: Path, options: list[str], said: str
) -> None:
    with Running(tmp_path, "--kit", str(tiny_kit), *options) as running:
        assert running.process.wait(60) == 1
        lines = running.errors()
        assert len(lines) == 1
        assert said in lines[0]
        assert running.left_over() == []


def test_an_unknown_pattern_is_wrong_usage(tiny_kit: Path, tmp_path: Path) -> None:
    with Running(tmp_path, "--kit", str(tiny_kit), *ALONE, "--pattern", "polka") as running:
        assert running.process.wait(60) == 2
        assert "polka" in running.errors()[0]


def test_the_last_pool_is_there_at_the_next_start(one_class_kit: Path, tmp_path: Path) -> None:
    saved = tmp_path / "cache" / "gan808" / "pool" / "kicks"
    with Running(tmp_path, "--kit", str(one_class_kit), *ALONE, "--tempo", "300") as running:
        running.introduction()
        while not running.out.get(timeout=60).startswith("bar "):
            continue
        assert running.interrupt() < STOPS_WITHIN_S
    assert saved.stat().st_size > 1000
    with Running(tmp_path, "--kit", str(one_class_kit), *ALONE, "--tempo", "300") as running:
        running.introduction()
        # long before the renderer is up: TensorFlow's import alone takes longer than a bar here
        assert running.out.get(timeout=WITHIN_S).startswith("bar 2")


class Unplugged(NullOutput):
    """An output whose device goes away on demand."""

    def __init__(self, rate_hz: int = 48000) -> None:
        super().__init__(OutputRequest("null", rate_hz, 128))
        self.unplug = threading.Event()

    def _run(self, engine: Engine) -> None:
        block = np.zeros((128, 2), np.float32)
        while not self._stopping.wait(0.002):
            if self.unplug.is_set():
                raise DeviceError("the sound device went away")
            engine.process(block)


@pytest.mark.parametrize("rate_hz", [48000, 44100, 96000])
def test_a_device_that_returns_plays_on(
    tiny_kit: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str],
    tmp_path: Path, rate_hz: int,
) -> None:
    """At the rate it has then; the sounds are the same, and so is the place in the pattern."""
    outputs: list[Unplugged] = []
    absent = threading.Event()

    def live_output(*_: object) -> Unplugged:
        if absent.is_set():
            raise DeviceError("no sound device")
        outputs.append(Unplugged(rate_hz if outputs else 48000))
        return outputs[-1]

    monkeypatch.setattr(daemon_module, "live_output", live_output)
    monkeypatch.setattr(daemon_module, "may_return", lambda _: True)
    monkeypatch.setattr(daemon_module, "REOPEN_S", 0.05)
    monkeypatch.setattr(daemon_module.paths, "pool_folder", lambda name: tmp_path / name)
    monkeypatch.setattr(daemon_module.paths, "state_folder", lambda: tmp_path / "state")
    settings = Settings().replace({
        "kit": {"name": str(tiny_kit)}, "midi": {"port": "off"}, "osc": {"enabled": False},
    })
    order = RunOrder(settings, RunOptions())
    playing = Daemon(order)
    statuses: list[int] = []
    runner = threading.Thread(target=lambda: statuses.append(playing.run()), daemon=True)
    runner.start()
    try:
        wait_for(lambda: bool(outputs) and playing._engine.frames > 0)
        absent.set()
        outputs[0].unplug.set()
        wait_for(lambda: outputs[0].failure is not None)
        time.sleep(0.2)
        assert playing._machine.status().sample_rate_hz == 0, "no device is open"
        before = playing._engine.frames
        line, sounds = playing._machine.sequencer.transport.line, playing._machine.status().sounds
        absent.clear()
        wait_for(lambda: len(outputs) > 1 and playing._engine.frames > before + 100)
        assert playing._machine.status().sample_rate_hz == rate_hz
        assert playing._machine.status().sounds == sounds
        now = playing._machine.sequencer.transport.line
        assert now.step_at(before) == pytest.approx(line.step_at(before), abs=0.01)
        assert now.frames_per_step == pytest.approx(rate_hz * 60 / now.tempo_bpm / 4)
    finally:
        order.stop.set()
        runner.join(30)
    assert statuses == [0]
    shown = capfd.readouterr()
    assert shown.err.count("the sound device went away; it is opened again") == 1
    assert shown.out.count("playing again") == 1


def wait_for(condition: object, within_s: float = 30.0) -> None:
    deadline_s = time.monotonic() + within_s
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline_s, "it did not happen"
        time.sleep(0.01)


def test_a_thread_that_dies_of_a_mistake_is_told_and_stops_the_run(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stop = threading.Event()
    with noticing_broken_threads(stop) as broken, caplog.at_level(logging.WARNING, "gan808"):
        thread = threading.Thread(target=lambda: 1 / 0, name="gan808-machine")
        thread.start()
        thread.join()
    assert broken == ["gan808-machine"]
    assert stop.is_set()
    assert "gan808-machine failed with ZeroDivisionError" in caplog.text


def test_signals_set_the_event_and_are_given_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    stop = threading.Event()
    with stopping_on_signals(stop):
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait(SOON_S)
    assert signal.getsignal(signal.SIGTERM) is before


def test_the_tests_leave_no_process_of_ours() -> None:
    children = psutil.Process().children(recursive=True)
    names = [" ".join(child.cmdline()) for child in children if child.is_running()]
    assert not [name for name in names if "spawn_main" in name]
