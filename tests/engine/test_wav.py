"""The WAV of a recording: the samples to the bit, whole at any moment and when the disk is full."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile

from gan808.engine.outputs.wav import WavFile
from gan808.errors import DeviceError

RATE_HZ = 48_000


def noise(frames: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, (frames, 2)).astype(np.float32)


def read(path: Path) -> np.ndarray:
    audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
    assert rate == RATE_HZ
    return np.asarray(audio)


@contextmanager
def full_after(n_bytes: int) -> Iterator[None]:
    """A disk that takes so many bytes a file: the system's own limit, whose error is as sudden."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_samples_come_back_to_the_bit(tmp_path: Path) -> None:
    file = WavFile(tmp_path / "a.wav", RATE_HZ)
    blocks = [noise(frames, frames) for frames in (1, 128, 777)]
    for block in blocks:
        file.write(block)
    file.close()
    assert read(tmp_path / "a.wav").tobytes() == np.concatenate(blocks).tobytes()
    assert soundfile.info(tmp_path / "a.wav").subtype == "FLOAT"


def test_a_file_that_was_never_closed_opens(tmp_path: Path) -> None:
    file = WavFile(tmp_path / "a.wav", RATE_HZ)
    file.write(noise(1000))
    file.keep()
    file.write(noise(10))
    assert len(read(tmp_path / "a.wav")) >= 1000
    file.close()
    assert len(read(tmp_path / "a.wav")) == 1010


def test_a_full_file_goes_on_in_another_part(tmp_path: Path) -> None:
    audio = noise(250)
    file = WavFile(tmp_path / "a.wav", RATE_HZ, part_bytes=100 * 8)
    file.write(audio)
    file.close()
    parts = [read(tmp_path / name) for name in ("a.wav", "a-part2.wav", "a-part3.wav")]
    assert [len(part) for part in parts] == [100, 100, 50]
    assert np.concatenate(parts).tobytes() == audio.tobytes()


def test_a_full_disk_leaves_a_whole_file_of_what_fitted(tmp_path: Path) -> None:
    audio = noise(5000)
    file = WavFile(tmp_path / "a.wav", RATE_HZ)
    with full_after(10_003):
        file.write(audio[:500])
        with pytest.raises(DeviceError, match=r"a\.wav: cannot be written") as caught:
            file.write(audio[500:])
        file.close()
    assert "\n" not in str(caught.value)
    there = read(tmp_path / "a.wav")
    assert len(there) == (10_003 - 58) // 8
    assert there.tobytes() == audio[: len(there)].tobytes()


def test_no_file_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_text("mine")
    with pytest.raises(DeviceError, match="there is one already"):
        WavFile(tmp_path / "a.wav", RATE_HZ)
    assert (tmp_path / "a.wav").read_text() == "mine"


@pytest.mark.parametrize("room", [0, 30])
def test_a_disk_without_room_for_the_header_leaves_no_file(tmp_path: Path, room: int) -> None:
    with full_after(room), pytest.raises(DeviceError, match=r"a\.wav: cannot be written"):
        WavFile(tmp_path / "a.wav", RATE_HZ)
    assert list(tmp_path.iterdir()) == []
    WavFile(tmp_path / "a.wav", RATE_HZ).close()
