"""Where blocks go, and which place a spec names: a device (JACK included), a file, or nowhere.

Nothing is opened, and PortAudio is not loaded, before `open_output` or `list_outputs` is called.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from gan808.engine.outputs.devices import OutputInfo, list_outputs, open_device
from gan808.engine.outputs.jack import JackPresence
from gan808.engine.outputs.output import Output
from gan808.errors import DeviceError

__all__ = ["Output", "OutputInfo", "list_outputs", "open_output"]

DEFAULT_SAMPLE_RATE_HZ = 48_000
DEFAULT_BLOCK_FRAMES = 128
FILE_PREFIX = "file:"
FILE_ENDINGS = (".wav", ".flac")


def open_output(
    spec: str,
    *,
    sample_rate_hz: int | None,
    block_frames: int | None,
    seconds: float | None = None,
    fast: bool = False,
    file_dir: Path | None = None,
    before_block: Callable[[int], None] | None = None,
    presence: JackPresence | None = None,
) -> Output:
    """Finds the output a spec names: auto, part of a device or host name, file:PATH or null.

    auto is the default device (JACK where a JACK server runs); without one it is a WAV file in
    file_dir (default: the current folder), named in `notice`. sample_rate_hz and block_frames
    None: the device's own. seconds: ends by itself after so much sound. fast: a file or null is
    driven as fast as it goes; before_block(frame_until) is then called before each block, with
    the frame at which the block ends. presence: how we appear on JACK, None as ever. Nothing plays
    before `start`. Raises DeviceError.
    """
    _check(sample_rate_hz, block_frames, seconds)
    rate_hz = sample_rate_hz or DEFAULT_SAMPLE_RATE_HZ
    block = block_frames or DEFAULT_BLOCK_FRAMES

    def paced(path: Path | None) -> Output:
        from gan808.engine.outputs.file import FileWriter, PacedOutput  # brings libsndfile along

        writer = None if path is None else FileWriter(path, rate_hz)
        return PacedOutput(writer, rate_hz, block, seconds, before_block if fast else None, fast)

    if spec == "null":
        return paced(None)
    if spec.startswith(FILE_PREFIX):
        return paced(_checked_path(spec))
    if fast:
        raise DeviceError(f"--fast needs an output without a clock, file:PATH or null: not {spec}")
    if spec != "auto":
        return open_device(spec, sample_rate_hz, block_frames, seconds, presence)
    try:
        return open_device(None, sample_rate_hz, block_frames, seconds, presence)
    except DeviceError as error:
        path = _recording_path(file_dir or Path.cwd())
        output = paced(path)
        output.notice = f"{error}; playing into {path}"
        return output


def _check(sample_rate_hz: int | None, block_frames: int | None, seconds: float | None) -> None:
    if sample_rate_hz is not None and not 8_000 <= sample_rate_hz <= 384_000:
        raise DeviceError(f"sample rate must be 8000 to 384000 Hz, not {sample_rate_hz}")
    if block_frames is not None and not 1 <= block_frames <= 16_384:
        raise DeviceError(f"block must be 1 to 16384 frames, not {block_frames}")
    if seconds is not None and not seconds > 0:
        raise DeviceError(f"seconds must be more than 0, not {seconds:g}")


def _checked_path(spec: str) -> Path:
    path = Path(spec.removeprefix(FILE_PREFIX)).expanduser()
    if path.suffix.lower() not in FILE_ENDINGS:
        raise DeviceError(f"{spec!r} must end in {' or '.join(FILE_ENDINGS)}")
    if not path.absolute().parent.is_dir():
        raise DeviceError(f"no folder {path.absolute().parent} to write {path.name} in: make it")
    return path


def _recording_path(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DeviceError(f"cannot make the folder {folder}: {error.strerror}") from error
    stem = f"gan808-{time.strftime('%Y%m%d-%H%M%S')}"
    path = folder / f"{stem}.wav"
    count = 1
    while path.exists():
        count += 1
        path = folder / f"{stem}-{count}.wav"
    return path
