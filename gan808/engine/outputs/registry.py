"""Where blocks go, and which place a spec names: a device (JACK included), a file, or nowhere.

A new output is a class in OUTPUTS. Nothing is opened, and PortAudio is not loaded, before
`open_output` or `list_outputs` is called.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from gan808.engine.outputs.devices import AUTO, OutputInfo
from gan808.engine.outputs.file import FileOutput, NullOutput
from gan808.engine.outputs.jack import JackOutput
from gan808.engine.outputs.output import JackPresence, Output, OutputRequest
from gan808.engine.outputs.portaudio_output import PortAudioOutput
from gan808.errors import DeviceError

__all__ = ["OUTPUTS", "Output", "OutputInfo", "list_outputs", "open_output"]

# A request is offered to each in turn, and the first that takes it has it: JACK, where it runs,
# before the system's own devices.
OUTPUTS: tuple[type[Output], ...] = (NullOutput, FileOutput, JackOutput, PortAudioOutput)


def open_output(
    spec: str,
    *,
    sample_rate_hz: int | None,
    block_frames: int | None,
    seconds: float | None = None,
    fast: bool = False,
    by_slot: bool = False,
    file_dir: Path | None = None,
    before_block: Callable[[int], None] | None = None,
    presence: JackPresence | None = None,
) -> Output:
    """Finds the output a spec names: auto, part of a device or host name, file:PATH or null.

    auto is the default device (JACK where a JACK server runs); without one it is a WAV file in
    file_dir (default: the current folder), named in `notice`. The rest is as OutputRequest says.
    Nothing plays before `start`. Raises DeviceError.
    """
    request = OutputRequest(
        spec, sample_rate_hz, block_frames, seconds, fast, before_block, by_slot, presence)
    _check(request)
    try:
        return _first_to_take(request)
    except DeviceError as error:
        if spec != AUTO or fast:
            raise
        output = FileOutput.in_folder(file_dir or Path.cwd(), request)
        output.notice = f"{error}; playing into {output.path}"
        return output


def list_outputs() -> list[OutputInfo]:
    """The stereo playback devices of this machine, JACK's first; empty when there are none.

    At most one is the default. Raises DeviceError when there is neither JACK nor PortAudio.
    """
    found: list[OutputInfo] = []
    missing: DeviceError | None = None
    for kind in OUTPUTS:
        try:
            devices = kind.devices()
        except DeviceError as error:
            missing = error
            continue
        has_default = any(info.is_default for info in found)
        found += [replace(info, is_default=info.is_default and not has_default)
                  for info in devices]
    if missing is not None and not found:
        raise missing
    return found


def _first_to_take(request: OutputRequest) -> Output:
    for kind in OUTPUTS:
        output = kind.from_request(request)
        if output is not None:
            return output
    raise _nobody(request)


def _nobody(request: OutputRequest) -> DeviceError:
    """Why no output has taken it, in a line."""
    if request.fast:
        return DeviceError("--fast needs an output without a clock, file:PATH or null: not "
                           f"{request.spec}")
    if request.spec == AUTO:
        return DeviceError("no sound device")
    names = ", ".join(info.name for info in list_outputs())
    if names:
        return DeviceError(f"no sound device matches {request.spec!r}; there are: {names}")
    return DeviceError(f"no sound device at all, so no {request.spec!r}; --output file:beat.wav "
                       "plays into a file, auto too where there is none")


def _check(request: OutputRequest) -> None:
    rate_hz, block, seconds = request.sample_rate_hz, request.block_frames, request.seconds
    if rate_hz is not None and not 8_000 <= rate_hz <= 384_000:
        raise DeviceError(f"sample rate must be 8000 to 384000 Hz, not {rate_hz}")
    if block is not None and not 1 <= block <= 16_384:
        raise DeviceError(f"block must be 1 to 16384 frames, not {block}")
    if seconds is not None and not seconds > 0:
        raise DeviceError(f"seconds must be more than 0, not {seconds:g}")
