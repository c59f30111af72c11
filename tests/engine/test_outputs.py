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
from gan808.engine.outputs.devices import find_device
from gan808.engine.outputs.file import FileOutput, NullOutput
from gan808.engine.outputs.output import Output, OutputRequest
from gan808.engine.outputs.registry import OutputInfo, list_outputs, open_output
from gan808.engine.outputs.sound_file import FileWriter
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


def test_each_slot_is_a_file_as_long_as_the_mix_and_together_they_are_it(tmp_path: Path) -> None:
    """Named by the kit's codes; in floats, as no limiter keeps a slot under full scale. A slot that
    only a later kit has begins with silence, at the same frame."""
    engine, path = ready_engine(), tmp_path / "take.flac"
    port = engine.port("test")
    for slot, height in ((1, 0.2), (4, 0.1), (5, 1.7)):
        load(engine, slot, sine(4800, height=height))
    for slot, frame in ((1, 500), (4, 7000), (5, 9600)):
        port.trigger(slot, 1.0, frame)
    output = opened(f"file:{path}", seconds=0.3, fast=True, by_slot=True)
    output.start(engine, lambda: ("BD", "SD", "CH"))
    assert output.wait(10)
    output.stop()
    assert output.failure is None
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "take-BD.wav", "take-CH.wav", "take-SD.wav", "take-slot5.wav", "take-slot6.wav",
        "take.flac"]
    mix, _ = soundfile.read(path, dtype="float32")
    stems = {each.stem.removeprefix("take-"): soundfile.read(each, dtype="float32")[0]
             for each in tmp_path.glob("*.wav")}
    assert {stem.shape for stem in stems.values()} == {mix.shape} == {(14_400, 2)}
    first = {code: np.flatnonzero(stem[:, 0])[:1].tolist() for code, stem in stems.items()}
    assert first == {"BD": [1001], "SD": [501], "CH": [], "slot5": [7001], "slot6": [9601]}
    assert np.abs(stems["slot6"]).max() > 1.0
    before = slice(0, 9600)  # where the limiter has nothing to do
    assert sum(stems.values())[before] == pytest.approx(mix[before], abs=2**-22)
    assert np.abs(mix).max() <= 1.0


def test_a_slots_file_that_is_somebody_elses_is_left_alone_and_the_mix_too(tmp_path: Path) -> None:
    path, stem = tmp_path / "take.wav", tmp_path / "take-SD.wav"
    output = opened(f"file:{path}", seconds=0.01, fast=True, by_slot=True)
    output.start(ready_engine(), lambda: ("BD", "SD"))
    assert output.wait(10)
    output.stop()
    mix = path.read_bytes()
    soundfile.write(stem, np.full((480, 2), 0.25), RATE_HZ)
    theirs = stem.read_bytes()
    again = opened(f"file:{path}", seconds=0.02, fast=True, by_slot=True)
    with pytest.raises(DeviceError, match="take-SD.wav: is there, and GAN-808 did not write it"):
        again.start(ready_engine(), lambda: ("BD", "SD"))
    assert (path.read_bytes(), stem.read_bytes()) == (mix, theirs)


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
    writer = FileWriter(tmp_path / "long.wav", RATE_HZ, part_frames=250)
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
    monkeypatch.setattr(registry, "OUTPUTS", (NullOutput, FileOutput))


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
    with pytest.raises(DeviceError, match="no sound device at all, so no 'USB'"):
        opened("USB", file_dir=tmp_path)


class Studio(NullOutput):
    """An output with two devices."""

    @classmethod
    def devices(cls) -> list[OutputInfo]:
        return [OutputInfo(name, "test", 2, RATE_HZ, name == "desk") for name in ("desk", "booth")]

    @classmethod
    def from_request(cls, request: OutputRequest) -> Studio | None:
        if find_device(cls.devices(), request.spec) is None:
            return None
        return cls(request)


class Attic(Studio):
    """The same, behind it in the registry."""


def test_a_class_in_the_registry_is_listed_and_opened_by_what_it_takes(
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "OUTPUTS", (NullOutput, FileOutput, Studio, Attic))
    assert [(info.name, info.is_default) for info in list_outputs()] == [
        ("desk", True), ("booth", False), ("desk", False), ("booth", False)]
    assert type(opened("booth")) is type(opened("auto")) is Studio
    assert type(opened("null")) is NullOutput
    with pytest.raises(DeviceError, match="no sound device matches 'hall'; there are: desk, booth"):
        opened("hall")


def test_auto_is_a_file_where_what_took_it_cannot_have_it(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Busy(NullOutput):
        @classmethod
        def from_request(cls, request: OutputRequest) -> Busy | None:
            raise DeviceError("the device is busy")

    monkeypatch.setattr(registry, "OUTPUTS", (NullOutput, FileOutput, Busy, Studio))
    output = opened("auto", file_dir=tmp_path)
    assert isinstance(output, FileOutput)
    assert output.notice == f"the device is busy; playing into {output.path}"
    with pytest.raises(DeviceError, match="busy"):
        opened("desk")


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
