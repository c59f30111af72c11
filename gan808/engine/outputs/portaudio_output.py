"""Sound to a device through PortAudio (python-sounddevice).

While a stream plays, PortAudio's own thread runs the engine's callback; a thread of ours only
watches that it does.
"""

from __future__ import annotations

import weakref
from typing import Any

from gan808.engine.engine import Engine
from gan808.engine.layout import CHANNELS
from gan808.engine.outputs.device_output import DeviceOutput
from gan808.engine.outputs.devices import OutputInfo, find_device
from gan808.engine.outputs.output import OutputRequest
from gan808.engine.outputs.portaudio import PORTAUDIO
from gan808.errors import DeviceError
from gan808.stderr import quiet_stderr

# A device and PortAudio's number for it, which holds until PortAudio is released.
Numbered = tuple[int, OutputInfo]


def _playback_devices(sounddevice: Any) -> list[Numbered]:
    hosts = sounddevice.query_hostapis()
    chosen = int(sounddevice.default.device[1])
    return [
        (index, OutputInfo(
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

    def __init__(self, sounddevice: Any, device: Numbered, request: OutputRequest) -> None:
        self._device, info = device
        rate_hz = request.sample_rate_hz or info.default_sample_rate_hz
        self._asked_block_frames = request.block_frames or 0
        super().__init__(f"{info.host_api}: {info.name}", rate_hz, self._asked_block_frames)
        self.end_frame = request.end_frame(rate_hz)
        if request.by_slot:
            self.notice = "an output for each slot is had on JACK and in files; here the mix alone"
        self._sounddevice = sounddevice
        self._stream: Any = None
        # The stream keeps neither callback nor memory alive.
        self._engine: Engine | None = None
        self._check_settings()
        # An output that is dropped without `stop` gives PortAudio back too.
        self._use = weakref.finalize(self, PORTAUDIO.release)

    @classmethod
    def devices(cls) -> list[OutputInfo]:
        """The stereo playback devices. Raises DeviceError where PortAudio is missing."""
        sounddevice = PORTAUDIO.acquire()
        try:
            return [info for _, info in _playback_devices(sounddevice)]
        finally:
            PORTAUDIO.release()

    @classmethod
    def from_request(cls, request: OutputRequest) -> PortAudioOutput | None:
        """The default device, or the one that is named. Raises DeviceError where PortAudio is
        missing, more than one fits, or it refuses the sample rate."""
        if request.fast:
            return None
        sounddevice = PORTAUDIO.acquire()
        try:
            devices = _playback_devices(sounddevice)
            place = find_device([info for _, info in devices], request.spec)
            if place is not None:
                return cls(sounddevice, devices[place], request)
        except DeviceError:
            PORTAUDIO.release()
            raise
        PORTAUDIO.release()
        return None

    def stop(self) -> None:
        """Stops and closes; safe to call twice and before `start`."""
        super().stop()
        self._release()

    def _check_settings(self) -> None:
        with quiet_stderr():
            try:
                self._sounddevice.check_output_settings(
                    device=self._device, channels=CHANNELS, dtype="float32",
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
                    device=self._device, channels=CHANNELS, dtype="float32", latency="low",
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
