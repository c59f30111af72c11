"""Outputs without a device: files at two paces, nothing, and what `auto` does on a bare machine."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from gan808.engine.engine import Engine
from gan808.engine.outputs import registry
from gan808.engine.outputs.file import FileWriter
from gan808.engine.outputs.output import Output
from gan808.engine.outputs.registry import OutputInfo, list_outputs, open_output
from gan808.errors import DeviceError
from tests.engine.rig import RATE_HZ, load, render, sine
from tests.timing import SOON_S


def opened(spec: str, **options: object) -> Output:
    settings = {"sample_rate_hz": RATE_HZ, "block_frames": 100, **options}
    return open_output(spec, **settings)  # type: ignore[arg-type]


def ready_engine() -> Engine:
    engine = Engine(RATE_HZ, cells=4)
    load(engine, 0, sine(4800))
    engine.port("test").trigger(0, 1.0, 1000)
    return engine


def run(output: Output, engine: Engine, timeout_s: float = 10) -> None:
    output.start(engine)
    try:
        assert output.wait(timeout_s)
    finally:
        output.stop()


def test_a_fast_file_is_exact_and_steps_its_caller(tmp_path: Path) -> None:
    steps: list[int] = []
    path = tmp_path / "take.wav"
    output = opened(f"file:{path}", seconds=0.1234, fast=True, before_block=steps.append)
    assert output.notice is None
    run(output, ready_engine())
    assert output.failure is None
    frames = round(0.1234 * RATE_HZ)
    assert steps == [*range(100, frames, 100), frames]
    audio, rate_hz = soundfile.read(path, dtype="float32")
    assert (rate_hz, audio.shape, soundfile.info(path).subtype) == (RATE_HZ, (frames, 2), "PCM_24")
    expected = render(ready_engine(), frames)
    assert audio == pytest.approx(expected, abs=2**-23)


@pytest.mark.parametrize("spec", ["file", "null"])
def test_in_real_time_a_second_takes_a_second(tmp_path: Path, spec: str) -> None:
    path = tmp_path / "live.wav"
    output = opened("null" if spec == "null" else f"file:{path}", seconds=0.5)
    engine = ready_engine()
    began_s = time.monotonic()
    run(output, engine)
    took_s = time.monotonic() - began_s
    assert took_s > 0.45
    assert engine.frames == RATE_HZ // 2
    if spec == "file":
        assert soundfile.info(path).frames == RATE_HZ // 2


def test_stop_ends_it_soon_and_completes_the_file(tmp_path: Path) -> None:
    path = tmp_path / "stopped.flac"
    output = opened(f"file:{path}")
    engine = ready_engine()
    output.start(engine)
    while engine.frames <= 4096:
        assert not output.wait(0.02)
    began_s = time.monotonic()
    output.stop()
    output.stop()
    assert time.monotonic() - began_s < SOON_S
    assert output.wait(0)
    assert output.failure is None
    assert soundfile.info(path).frames > 4000


def test_a_long_take_goes_on_in_another_part(tmp_path: Path) -> None:
    writer = FileWriter(tmp_path / "long.wav", RATE_HZ, part_bytes=6 * 250)
    writer.open()
    audio = np.linspace(-0.5, 0.5, 1200, dtype=np.float32).reshape(600, 2)
    for first in range(0, 600, 128):
        writer.write(audio[first:first + 128])
    writer.close()
    parts = [soundfile.read(tmp_path / name)[0] for name in
             ("long.wav", "long-part2.wav", "long-part3.wav")]
    assert [len(part) for part in parts] == [250, 250, 100]
    assert np.concatenate(parts) == pytest.approx(audio, abs=2**-23)


FULL_DISK = """
import resource, sys
from pathlib import Path
from gan808.engine.engine import Engine
from gan808.engine.outputs.registry import open_output
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
output = open_output("file:" + sys.argv[1], sample_rate_hz=48000, block_frames=128, seconds=5,
                     fast=True)
output.start(Engine(48000, cells=1))
assert output.wait(20)
output.stop()
print(type(output.failure).__name__, output.failure)
"""


def test_a_full_disk_ends_the_output_with_one_line(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FULL_DISK, str(tmp_path / "full.wav")],
                          capture_output=True, text=True, timeout=60, check=True,
                          cwd=Path(__file__).parents[2])
    assert done.stdout.startswith("DeviceError cannot write")
    assert "full.wav" in done.stdout
    assert done.stdout.count("\n") == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("spec", "options", "message"), [
    ("file:", {}, "must end in"),
    ("file:/nowhere/at/all/x.wav", {}, "no folder /nowhere/at/all"),
    ("file:x.mp3", {}, "must end in .wav"),
    ("Scarlett", {"fast": True}, "--fast needs"),
    ("null", {"sample_rate_hz": 5}, "sample rate must be"),
    ("null", {"block_frames": 0}, "block must be"),
    ("null", {"seconds": 0.0}, "seconds must be"),
])
def test_what_cannot_be_is_refused_in_one_line(
        spec: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(DeviceError, match=message) as caught:
        opened(spec, **options)
    assert "\n" not in str(caught.value)


def test_an_engine_of_another_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="44100"):
        opened("null").start(Engine(44_100, cells=1))


def test_a_failing_caller_is_kept_not_raised(tmp_path: Path) -> None:
    def fail(frame: int) -> None:
        raise DeviceError(f"stopped at {frame}")

    output = opened("null", fast=True, before_block=fail)
    run(output, ready_engine())
    assert str(output.failure) == "stopped at 100"


@pytest.fixture
def no_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a sound card: what a bare container is."""
    def refuse(*_: object) -> Output:
        raise DeviceError("no sound device")

    monkeypatch.setattr(registry, "open_device", refuse)


@pytest.mark.usefixtures("no_device")
def test_auto_without_a_device_plays_into_a_file_and_says_which(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    first = opened("auto", file_dir=folder, seconds=0.05)
    assert first.notice is not None
    assert "\n" not in first.notice
    run(first, ready_engine())
    (path,) = folder.glob("*.wav")
    assert str(path) in first.notice
    assert "no sound device" in first.notice
    second = opened("auto", file_dir=folder, seconds=0.05)
    assert str(path) not in (second.notice or "")


@pytest.mark.usefixtures("no_device")
def test_a_named_device_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="no sound device"):
        opened("USB", file_dir=tmp_path)


def test_listing_prints_nothing_and_loads_nothing_before() -> None:
    script = ("import sys\nfrom gan808.engine.outputs.registry import list_outputs\n"
              "assert 'sounddevice' not in sys.modules\n"
              "print(all(each.channels >= 2 for each in list_outputs()))")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True,
                          timeout=60, check=True, cwd=Path(__file__).parents[2])
    assert done.stdout == "True\n"
    assert done.stderr == ""


def test_the_list_names_at_most_one_default() -> None:
    found = list_outputs()
    assert all(isinstance(each, OutputInfo) for each in found)
    assert sum(each.is_default for each in found) <= 1


@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_a_file_output_replaces_only_what_it_wrote(tmp_path, suffix):
    """Its own file again; never somebody else's."""
    path = tmp_path / f"beat.{suffix}"
    soundfile.write(path, np.full((480, 2), 0.25), 48_000)
    before = path.read_bytes()
    with pytest.raises(DeviceError, match="did not write it"):
        FileWriter(path, 48_000).open()
    assert path.read_bytes() == before
    path.unlink()
    for _ in range(2):
        writer = FileWriter(path, 48_000)
        writer.open()
        writer.write(np.zeros((480, 2), np.float32))
        writer.close()
    with soundfile.SoundFile(path) as file:
        assert file.frames == 480
