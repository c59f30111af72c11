"""Sound devices: list, find, play. JACK through a client of our own, the rest through PortAudio
(python-sounddevice).

While a stream plays, PortAudio's own thread runs the engine's callback; a thread of ours only
watches that it does.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import Any

from gan808.engine.engine import Engine
from gan808.engine.layout import CHANNELS
from gan808.engine.outputs.device_output import DeviceOutput
from gan808.engine.outputs.jack import JACK_HOST_API, JackOutput, JackPresence, jack_devices
from gan808.engine.outputs.portaudio import PORTAUDIO
from gan808.errors import DeviceError
from gan808.stderr import quiet_stderr

JACK_INDEX = -1


@dataclass(frozen=True, slots=True)
class OutputInfo:
    """One device that can be played on; is_default marks what `auto` would choose."""

    name: str
    host_api: str
    channels: int
    default_sample_rate_hz: int
    is_default: bool


@dataclass(frozen=True, slots=True)
class Device:
    """A device and PortAudio's number for it, which holds until PortAudio is released; JACK's have
    JACK_INDEX."""

    index: int
    info: OutputInfo


def list_outputs() -> list[OutputInfo]:
    """The stereo playback devices of this machine, JACK's first; empty when there are none.

    Raises DeviceError when there is neither JACK nor PortAudio.
    """
    jack = _jack()
    try:
        sounddevice = PORTAUDIO.acquire()
    except DeviceError:
        if jack:
            return [device.info for device in jack]
        raise
    try:
        return [device.info for device in jack + _devices(sounddevice, default=not jack)]
    finally:
        PORTAUDIO.release()


def open_device(name: str | None, sample_rate_hz: int | None, block_frames: int | None,
                seconds: float | None, presence: JackPresence | None = None) -> DeviceOutput:
    """An output on the default device, or on the one whose name or host contains `name`.

    The default is JACK's where a JACK server runs: then PortAudio is not needed. Raises
    DeviceError when none or more than one fits, or it refuses the sample rate.
    """
    jack = _jack()
    if jack and (name is None or _fits(name, jack[0].info)):
        return JackOutput(_device_name(jack[0]), sample_rate_hz, seconds, presence)
    sounddevice = PORTAUDIO.acquire()
    try:
        device = _find_device(jack + _devices(sounddevice, default=not jack), name)
        if device.index != JACK_INDEX:
            return PortAudioOutput(sounddevice, device, sample_rate_hz, block_frames, seconds)
    except DeviceError:
        PORTAUDIO.release()
        raise
    PORTAUDIO.release()
    return JackOutput(_device_name(device), sample_rate_hz, seconds, presence)


def _fits(name: str, info: OutputInfo) -> bool:
    wanted = name.casefold()
    return wanted in f"{info.host_api}: {info.name}".casefold()


def _find_device(devices: list[Device], name: str | None) -> Device:
    if not devices:
        raise DeviceError("no sound device" if name is None else
                          f"no sound device at all, so no {name!r}; --output file:beat.wav plays "
                          "into a file, auto too where there is none")
    if name is None:
        return next((device for device in devices if device.info.is_default), devices[0])
    wanted = name.casefold()
    fitting = [each for each in devices if wanted == each.info.name.casefold()] or [
        each for each in devices if _fits(name, each.info)]
    if not fitting:
        known = ", ".join(each.info.name for each in devices)
        raise DeviceError(f"no sound device matches {name!r}; there are: {known}")
    return _preferred(name, fitting)


def _preferred(name: str, fitting: list[Device]) -> Device:
    """The default among devices that fit, or the only one; one device may have several hosts."""
    for device in fitting:
        if device.info.is_default:
            return device
    if len({each.info.name for each in fitting}) == 1:
        return fitting[0]
    wanted = name.casefold()
    if all(wanted in each.info.host_api.casefold() for each in fitting):
        return fitting[0]
    names = ", ".join(each.info.name for each in fitting)
    raise DeviceError(f"{name!r} fits several sound devices: {names}; give more of the name")


def _jack() -> list[Device]:
    """JACK's devices, its default first; none where no server runs. A server without any still
    takes our ports."""
    try:
        rate_hz, names = jack_devices()
    except DeviceError:
        return []
    return [
        Device(JACK_INDEX, OutputInfo(name, JACK_HOST_API, CHANNELS, rate_hz, index == 0))
        for index, name in enumerate(names or [""])
    ]


def _device_name(device: Device) -> str | None:
    return device.info.name or None


def _devices(sounddevice: Any, *, default: bool) -> list[Device]:
    """PortAudio's devices; default: whether the system's own is what `auto` chooses."""
    hosts = sounddevice.query_hostapis()
    chosen = int(sounddevice.default.device[1]) if default else None
    return [
        Device(index, OutputInfo(
            name=each["name"],
            host_api=hosts[each["hostapi"]]["name"],
            channels=each["max_output_channels"],
            default_sample_rate_hz=round(each["default_samplerate"]),
            is_default=index == chosen,
        ))
        for index, each in enumerate(sounddevice.query_devices())
        if each["max_output_channels"] >= CHANNELS
    ]


class PortAudioOutput(DeviceOutput):
    """Plays on a device; its callback runs without Python. Owns one use of PortAudio."""

    def __init__(self, sounddevice: Any, device: Device, sample_rate_hz: int | None,
                 block_frames: int | None, seconds: float | None) -> None:
        info = device.info
        rate_hz = sample_rate_hz or info.default_sample_rate_hz
        self._asked_block_frames = block_frames or 0
        super().__init__(f"{info.host_api}: {info.name}", rate_hz, self._asked_block_frames)
        self._device = device
        self.end_frame = None if seconds is None else round(seconds * rate_hz)
        self._sounddevice = sounddevice
        self._stream: Any = None
        # The stream keeps neither callback nor memory alive.
        self._engine: Engine | None = None
        self._check_settings()
        # An output that is dropped without `stop` gives PortAudio back too.
        self._use = weakref.finalize(self, PORTAUDIO.release)

    def stop(self) -> None:
        """Stops and closes; safe to call twice and before `start`."""
        super().stop()
        self._release()

    def _check_settings(self) -> None:
        with quiet_stderr():
            try:
                self._sounddevice.check_output_settings(
                    device=self._device.index, channels=CHANNELS, dtype="float32",
                    samplerate=self.sample_rate_hz)
            except self._sounddevice.PortAudioError as error:
                raise self._refusal(error) from error

    def _open(self, engine: Engine) -> None:
        self._engine = engine
        engine.set_live(True)
        with quiet_stderr():
            try:
                # The base class is what accepts a C function pointer as callback: no Python runs.
                self._stream = self._sounddevice._StreamBase(
                    "output", samplerate=self.sample_rate_hz,
                    blocksize=self._asked_block_frames,
                    device=self._device.index, channels=CHANNELS, dtype="float32", latency="low",
                    callback=engine.callback, userdata=engine.userdata, wrap_callback=None)
                self._stream.start()
            except self._sounddevice.PortAudioError as error:
                self.failure = self._refusal(error)
                self._close()
                raise self.failure from error
        self.block_frames = self._measured_block_frames(engine)
        # Some drivers say 0; what is mixed is heard one block later at the earliest.
        self.latency_s = max(float(self._stream.latency), self.block_frames / self.sample_rate_hz)

    def _measured_block_frames(self, engine: Engine) -> int:
        """The frames of a block as the device asks for them: those of the first one."""
        blocks, frames = engine.blocks, engine.frames
        self._await_first_block(engine, blocks)
        return (engine.frames - frames) // max(1, engine.blocks - blocks) or self.block_frames

    def _active(self) -> bool:
        return bool(self._stream.active)

    def _close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            with quiet_stderr():
                stream.close(ignore_errors=True)
        self._release()

    def _release(self) -> None:
        if self._use.detach() is not None:
            PORTAUDIO.release()

    def _refusal(self, error: Exception) -> DeviceError:
        reason = str(error.args[0]) if error.args else "unknown reason"
        return DeviceError(f"{self.name} cannot play at {self.sample_rate_hz} Hz: {reason}; "
                           "choose another --output (see gan808 devices)")
