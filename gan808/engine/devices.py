"""Sound devices through PortAudio (python-sounddevice): list, find, play.

While a stream plays, PortAudio's own thread runs the engine's callback; a thread of ours only
watches that it does.
"""

from __future__ import annotations

import time
import weakref
from dataclasses import dataclass
from typing import Any

from gan808.engine.engine import Engine
from gan808.engine.layout import CHANNELS
from gan808.engine.output import Output
from gan808.engine.portaudio import PORTAUDIO
from gan808.errors import DeviceError
from gan808.stderr import quiet_stderr

JACK_HOST_API = "JACK Audio Connection Kit"
WATCH_INTERVAL_S = 0.1
FIRST_BLOCK_S = 0.5
# A device that asks for no sound for this long is gone, whatever its driver says.
STALLED_S = 2.0
# A stream that could not be closed may call back once more: its engine must not be freed.
_UNCLOSED: list[tuple[Any, Engine | None]] = []


@dataclass(frozen=True, slots=True)
class OutputInfo:
    """One device PortAudio can play on; is_default marks what `auto` would choose."""

    name: str
    host_api: str
    channels: int
    default_sample_rate_hz: int
    is_default: bool


@dataclass(frozen=True, slots=True)
class Device:
    """A device and PortAudio's number for it, which holds until PortAudio is released."""

    index: int
    info: OutputInfo


def list_outputs() -> list[OutputInfo]:
    """The stereo playback devices of this machine, empty when there are none.

    Raises DeviceError when PortAudio itself is missing.
    """
    sounddevice = PORTAUDIO.acquire()
    try:
        return [device.info for device in _devices(sounddevice)]
    finally:
        PORTAUDIO.release()


def open_device(name: str | None, sample_rate_hz: int | None, block_frames: int | None,
                seconds: float | None) -> PortAudioOutput:
    """An output on the default device, or on the one whose name or host contains `name`.

    Raises DeviceError when none or more than one fits, or it refuses the sample rate.
    """
    sounddevice = PORTAUDIO.acquire()
    try:
        device = _find_device(_devices(sounddevice), name)
        return PortAudioOutput(sounddevice, device, sample_rate_hz, block_frames, seconds)
    except DeviceError:
        PORTAUDIO.release()
        raise


def _find_device(devices: list[Device], name: str | None) -> Device:
    if not devices:
        raise DeviceError("no sound device" if name is None else
                          f"no sound device at all, so no {name!r}; --output file:beat.wav plays "
                          "into a file, auto too where there is none")
    if name is None:
        for device in devices:
            if device.info.is_default:
                return device
        return devices[0]
    wanted = name.casefold()
    fitting = [each for each in devices if wanted == each.info.name.casefold()] or [
        each for each in devices
        if wanted in each.info.name.casefold() or wanted in each.info.host_api.casefold()]
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


def _devices(sounddevice: Any) -> list[Device]:
    hosts = sounddevice.query_hostapis()
    default = _default_index(sounddevice, hosts)
    return [
        Device(index, OutputInfo(
            name=each["name"],
            host_api=hosts[each["hostapi"]]["name"],
            channels=each["max_output_channels"],
            default_sample_rate_hz=round(each["default_samplerate"]),
            is_default=index == default,
        ))
        for index, each in enumerate(sounddevice.query_devices())
        if each["max_output_channels"] >= CHANNELS
    ]


def _default_index(sounddevice: Any, hosts: tuple[dict[str, Any], ...]) -> int:
    """JACK's device when a JACK server runs (PortAudio lists it only then), else the system's."""
    for host in hosts:
        if host["name"] == JACK_HOST_API and host["default_output_device"] >= 0:
            return int(host["default_output_device"])
    return int(sounddevice.default.device[1])


class PortAudioOutput(Output):
    """Plays on a device; its callback runs without Python. Owns one use of PortAudio."""

    def __init__(self, sounddevice: Any, device: Device, sample_rate_hz: int | None,
                 block_frames: int | None, seconds: float | None) -> None:
        info = device.info
        rate_hz = sample_rate_hz or info.default_sample_rate_hz
        self._is_jack = info.host_api == JACK_HOST_API
        if self._is_jack and rate_hz != info.default_sample_rate_hz:
            raise DeviceError(f"JACK runs at {info.default_sample_rate_hz} Hz, not {rate_hz}: "
                              "leave the sample rate to it")
        # JACK fixes the block itself, and another one would only add delay.
        self._asked_block_frames = 0 if self._is_jack else block_frames or 0
        super().__init__(f"{info.host_api}: {info.name}", rate_hz, self._asked_block_frames)
        self._device = device
        self._end_frame = None if seconds is None else round(seconds * rate_hz)
        self._sounddevice = sounddevice
        self._stream: Any = None
        # The stream keeps neither callback nor memory alive.
        self._engine: Engine | None = None
        self._check_settings()
        # An output that is dropped without `stop` gives PortAudio back too; but not at exit, where
        # ending it after the death of its JACK server would abort the process.
        self._use = weakref.finalize(self, PORTAUDIO.release)
        self._use.atexit = False

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
        deadline_s = time.monotonic() + FIRST_BLOCK_S
        while engine.blocks == 0 and time.monotonic() < deadline_s:
            time.sleep(0.001)
        return engine.frames // max(1, engine.blocks) or self.block_frames

    def _run(self, engine: Engine) -> None:
        frames, moved_s = engine.frames, time.monotonic()
        while not self._stopping.wait(WATCH_INTERVAL_S):
            if self._end_frame is not None and engine.frames >= self._end_frame:
                return
            if engine.frames != frames:
                frames, moved_s = engine.frames, time.monotonic()
            elif time.monotonic() - moved_s > STALLED_S or not self._stream.active:
                raise DeviceError(f"the sound device {self.name} went away")

    def _close(self) -> None:
        stream, self._stream = self._stream, None
        # Closing a stream waits for its JACK server, without end when that has died.
        if stream is not None and not (self._is_jack and self.failure is not None):
            with quiet_stderr():
                stream.close(ignore_errors=True)
        self._release()

    def _release(self) -> None:
        if self._use.detach() is not None:
            PORTAUDIO.release(server_died=self._is_jack and self.failure is not None)

    def _refusal(self, error: Exception) -> DeviceError:
        reason = str(error.args[0]) if error.args else "unknown reason"
        return DeviceError(f"{self.name} cannot play at {self.sample_rate_hz} Hz: {reason}; "
                           "choose another --output (see gan808 devices)")
