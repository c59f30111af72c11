"""Sound to a JACK server, through a client of our own.

PortAudio speaks JACK too, but does not survive its server: it waits for it without end, or aborts
the process. A client of our own is closed, and opened again when there is a server again. JACK's
thread runs the engine's callback; a thread of ours only watches that it does.
"""

from __future__ import annotations

import ctypes
import weakref

import numpy as np

from gan808.engine.engine import Engine
from gan808.engine.jack.client import JackClient, callbacks
from gan808.engine.jack.layout import OUTPUT
from gan808.engine.jack.libjack import (
    AUDIO_TYPE,
    CLIENT_NAME,
    IS_OUTPUT,
    JACK_HOST_API,
    PLAYBACK_LATENCY,
    PORTS,
    address_of,
    libjack,
    play_into,
    players,
)
from gan808.engine.outputs.device_output import DeviceOutput
from gan808.errors import DeviceError

__all__ = ["JACK_HOST_API", "PORTS", "JackOutput", "jack_devices"]


def jack_devices() -> tuple[int, list[str]]:
    """The server's rate in Hz, and who can play: clients with two audio inputs or more, the one
    with the sound card first. Raises DeviceError where no server runs."""
    client = JackClient(f"{CLIENT_NAME}-list")
    try:
        rate_hz = int(libjack().jack_get_sample_rate(client.handle))
        return rate_hz, players(client.handle)
    finally:
        client.close()


class JackOutput(DeviceOutput):
    """Plays into the first two audio inputs of a JACK client such as `system`, or, where there is
    none, into ports that are connected to nothing yet."""

    def __init__(self, device: str | None, sample_rate_hz: int | None,
                 seconds: float | None) -> None:
        """Raises DeviceError where no server runs, or for another rate than the server's."""
        self._client = JackClient(CLIENT_NAME)
        self._device = device
        jack, handle = libjack(), self._client.handle
        rate_hz = int(jack.jack_get_sample_rate(handle))
        # JACK fixes the block itself.
        super().__init__(f"{JACK_HOST_API}: {device or 'not connected'}", rate_hz,
                         int(jack.jack_get_buffer_size(handle)))
        self.end_frame = None if seconds is None else round(seconds * rate_hz)
        # JACK keeps neither the callback's memory nor the engine alive.
        self._memory = np.zeros(1, OUTPUT)
        self._engine: Engine | None = None
        if sample_rate_hz not in (None, rate_hz):
            self._client.close()
            raise DeviceError(f"JACK runs at {rate_hz} Hz, not {sample_rate_hz}: "
                              "leave the sample rate to it")
        # An output that is dropped without `stop` must not be called any more.
        weakref.finalize(self, self._client.close)

    def stop(self) -> None:
        """Stops and leaves JACK; safe to call twice and before `start`."""
        super().stop()
        self._close()

    def _active(self) -> bool:
        return self._client.alive

    def _open(self, engine: Engine) -> None:
        self._engine = engine
        engine.set_live(True)
        ports = self._prepare(engine)
        jack, handle, before = libjack(), self._client.handle, engine.blocks
        if not all(ports) or jack.jack_activate(handle):
            self._client.close()
            raise DeviceError(f"{self.name} refuses two audio ports; is the server still there?")
        self._await_first_block(engine, before)
        if self._device is not None:
            play_into(handle, self._device)
        self.latency_s = self._latency_frames(ports) / self.sample_rate_hz

    def _prepare(self, engine: Engine) -> list[int]:
        """Ports and callbacks, ready to be activated."""
        jack, handle = libjack(), self._client.handle
        ports = [int(jack.jack_port_register(handle, name, AUDIO_TYPE, IS_OUTPUT, 0) or 0)
                 for name in PORTS]
        memory, routines = self._memory[0], callbacks()
        memory["left_port"], memory["right_port"] = ports
        memory["get_buffer"] = address_of("jack_port_get_buffer")
        memory["callback"] = engine.callback_address
        memory["engine"] = engine.memory_address
        jack.jack_set_process_callback(handle, routines["process"], self._memory.ctypes.data)
        jack.jack_set_xrun_callback(handle, routines["count"], memory["xruns"].ctypes.data)
        return ports

    def _latency_frames(self, ports: list[int]) -> int:
        """From mixing to hearing, as the server tells; what is mixed is heard a block later."""
        range_frames = (ctypes.c_uint32 * 2)()
        latest = self.block_frames
        for port in ports:
            libjack().jack_port_get_latency_range(port, PLAYBACK_LATENCY, range_frames)
            latest = max(latest, int(range_frames[1]))
        return latest

    def _close(self) -> None:
        self._client.close()
