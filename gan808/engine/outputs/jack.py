"""Sound to a JACK server and MIDI from and to it, through one client of our own.

PortAudio speaks JACK too, but does not survive its server: it waits for it without end, or aborts
the process. A client of our own is closed, and opened again when there is a server again. JACK's
thread runs the engine's callback; a thread of ours only watches that it does. MIDI is read by the
same client in the same cycle, so that a note begins at the very frame that brings it; its ports are
opened by the threads that use them.
"""

from __future__ import annotations

import ctypes
import threading
import weakref
from collections.abc import Sequence

import numpy as np

from gan808.engine.engine import Engine
from gan808.engine.jack.client import JackClient, callbacks
from gan808.engine.jack.layout import MIDI_INPUTS, MIDI_OUTPUTS, OUTPUT
from gan808.engine.jack.libjack import (
    AUDIO_TYPE,
    CLIENT_NAME,
    IS_OUTPUT,
    JACK_HOST_API,
    PLAYBACK_LATENCY,
    PORTS,
    SIDES,
    address_of,
    libjack,
    play_into,
    players,
)
from gan808.engine.jack.midi_input import JackMidiInput
from gan808.engine.jack.midi_output import JackMidiOutput
from gan808.engine.jack.transport import JackTransport
from gan808.engine.kernels.clock_source import clock_source
from gan808.engine.layout import CHANNELS, SLOTS
from gan808.engine.outputs.device_output import DeviceOutput
from gan808.engine.outputs.devices import OutputInfo, find_device
from gan808.engine.outputs.output import JackPresence, OutputRequest
from gan808.errors import DeviceError

__all__ = ["JACK_HOST_API", "PORTS", "JackOutput", "JackPresence", "jack_devices"]


def jack_devices() -> tuple[int, list[str]]:
    """The server's rate in Hz, and who can play: clients with two audio inputs or more, the one
    with the sound card first. Raises DeviceError where no server runs."""
    client = JackClient(f"{CLIENT_NAME}-list")
    try:
        rate_hz = int(libjack().jack_get_sample_rate(client.handle))
        return rate_hz, players(client.handle)
    finally:
        client.close()


# Whose ring of the engine the process callback fills.
ENGINE_PORT = "jack"
FUNCTIONS = {
    "get_buffer": "jack_port_get_buffer",
    "get_event_count": "jack_midi_get_event_count",
    "get_event": "jack_midi_event_get",
    "get_cycle_times": "jack_get_cycle_times",
    "get_time": "jack_get_time",
    "clear_buffer": "jack_midi_clear_buffer",
    "write_event": "jack_midi_event_write",
    "query_transport": "jack_transport_query",
}


class JackOutput(DeviceOutput):
    """Plays into the first two audio inputs of a JACK client such as `system`, or, where there is
    none, into ports that are connected to nothing yet."""

    def __init__(self, device: str | None, request: OutputRequest) -> None:
        """Raises DeviceError where no server runs, or for another rate than the server's."""
        presence = request.presence or JackPresence(CLIENT_NAME)
        self._client = JackClient(presence.name)
        self._device = device = device if presence.connects else None
        jack, handle = libjack(), self._client.handle
        rate_hz = int(jack.jack_get_sample_rate(handle))
        own = jack.jack_get_client_name(handle).decode()
        # JACK fixes the block itself.
        super().__init__(f"{JACK_HOST_API}: {device or 'not connected'}", rate_hz,
                         int(jack.jack_get_buffer_size(handle)))
        if own != presence.name:
            self.notice = (f"another {presence.name} plays on this JACK server: this one and its "
                           f"ports are {own} there")
        self.end_frame = request.end_frame(rate_hz)
        # JACK keeps neither the callback's memory nor the engine alive.
        self._memory = np.zeros(1, OUTPUT)
        self._engine: Engine | None = None
        self._ports: list[int] = []
        self.by_slot = request.by_slot
        self._slot_ports: list[int] = []  # left and right of each slot
        self._named: Sequence[str] = ()  # the codes they have as names besides
        self._midi_inputs: list[JackMidiInput | None] = [None] * MIDI_INPUTS
        self._midi_outputs: list[JackMidiOutput | None] = [None] * MIDI_OUTPUTS
        self._midi_lock = threading.Lock()
        if request.sample_rate_hz not in (None, rate_hz):
            self._client.close()
            raise DeviceError(f"JACK runs at {rate_hz} Hz, not {request.sample_rate_hz}: "
                              "leave the sample rate to it")
        # An output that is dropped without `stop` must not be called any more.
        weakref.finalize(self, self._client.close)

    @classmethod
    def devices(cls) -> list[OutputInfo]:
        """Who can play on JACK, its default first; none where no server runs. A server without any
        still takes our ports."""
        try:
            rate_hz, names = jack_devices()
        except DeviceError:
            return []
        return [OutputInfo(name, JACK_HOST_API, CHANNELS, rate_hz, index == 0)
                for index, name in enumerate(names or [""])]

    @classmethod
    def from_request(cls, request: OutputRequest) -> JackOutput | None:
        """The default where a server runs, or the client that is named. Raises DeviceError when
        more than one fits, or it runs at another rate."""
        if request.fast:
            return None
        devices = cls.devices()
        place = find_device(devices, request.spec)
        return None if place is None else cls(devices[place].name or None, request)

    def open_midi_input(self, name: str) -> JackMidiInput:
        """A MIDI input of this client, `name` or, where it has that already, with a number. Any
        thread. Raises DeviceError."""
        with self._midi_lock:
            inputs, memory = self._midi_inputs, self._memory[0]
            free = [index for index, port in enumerate(inputs) if port is None or not port.alive]
            if not free:
                raise DeviceError(f"JACK MIDI: no more than {MIDI_INPUTS} ports are listened to")
            index = free[0]
            numbered = name if index == 0 else f"{name} {index + 1}"
            port = JackMidiInput(self._client, numbered, memory, memory["midi_in"][index])
            inputs[index] = port
            return port

    def open_midi_output(self, name: str) -> JackMidiOutput:
        """A MIDI output of this client. Any thread. Raises DeviceError."""
        with self._midi_lock:
            outputs, memory = self._midi_outputs, self._memory[0]
            free = [index for index, port in enumerate(outputs) if port is None or not port.alive]
            if not free:
                raise DeviceError(f"JACK MIDI: no more than {MIDI_OUTPUTS} ports are sent to")
            port = JackMidiOutput(self._client, name, memory, memory["midi_out"][free[0]])
            outputs[free[0]] = port
            return port

    def open_transport(self, steps_port: int, *, lead: bool) -> JackTransport:
        """The server's transport; one at a time. steps_port: the engine's port on which steps are
        scheduled. lead: as its timebase master, if there is none. Any thread."""
        return JackTransport(
            self._client, self._memory, self.sample_rate_hz, steps_port, lead=lead)

    @property
    def alive(self) -> bool:
        """Whether the server still runs and knows this client."""
        return self._client.alive

    def stop(self) -> None:
        """Stops and leaves JACK; safe to call twice and before `start`."""
        super().stop()
        self._close()

    def _active(self) -> bool:
        return self._client.alive

    def _open(self, engine: Engine) -> None:
        self._engine = engine
        engine.set_live(True)
        self._ports = ports = self._prepare(engine)
        jack, handle, before = libjack(), self._client.handle, engine.blocks
        if not all((*ports, *self._slot_ports)) or jack.jack_activate(handle):
            self._client.close()
            raise DeviceError(f"{self.name} refuses our audio ports; is the server still there?")
        self._name_slots()
        self._await_first_block(engine, before)
        if self._device is not None:
            play_into(handle, self._device)
        self.latency_s = self._latency_frames(ports, self.block_frames) / self.sample_rate_hz

    def _follow_block(self, engine: Engine) -> None:
        """Follow the cycles as the callback gets them: PipeWire's JACK may announce none. And the
        kit, which names the slots."""
        self._name_slots()
        frames = int(self._memory[0]["frames"])
        if not frames or not self._client.alive:
            return
        latency_frames = self._latency_frames(self._ports, frames)
        self.latency_s = latency_frames / self.sample_rate_hz
        engine.latency_frames = latency_frames
        self.block_frames = frames

    def _prepare(self, engine: Engine) -> list[int]:
        """Ports and callbacks, ready to be activated."""
        jack, handle = libjack(), self._client.handle
        def register(name: bytes) -> int:
            return int(jack.jack_port_register(handle, name, AUDIO_TYPE, IS_OUTPUT, 0) or 0)

        ports = [register(name) for name in PORTS]
        memory, routines = self._memory[0], callbacks()
        if self.by_slot:  # as many for every kit, so that connections outlive a change
            self._slot_ports = [register(f"slot_{slot + 1:02}_{side}".encode())
                                for slot in range(SLOTS) for side in SIDES]
            memory["slot_ports"] = self._slot_ports
        memory["left_port"], memory["right_port"] = ports
        for field, function in FUNCTIONS.items():
            memory[field] = address_of(function)
        memory["client"] = handle
        memory["clock_address"], memory["clock_id"] = clock_source()
        memory["callback"] = engine.callback_address
        memory["engine"] = engine.memory_address
        memory["engine_port"] = engine.port(ENGINE_PORT).index
        jack.jack_set_process_callback(handle, routines["process"], self._memory.ctypes.data)
        jack.jack_set_xrun_callback(handle, routines["count"], memory["xruns"].ctypes.data)
        return ports

    def _name_slots(self) -> None:
        """Gives the slots' ports the kit's codes as names besides their own, once they change."""
        before, codes = self._named, self._slot_codes()
        if not self._slot_ports or codes == before:
            return
        self._named = codes
        for index, port in enumerate(self._slot_ports):
            self._client.rename(port, _alias(before, index), _alias(codes, index))

    def _latency_frames(self, ports: list[int], block_frames: int) -> int:
        """From mixing to hearing, as the server tells; what is mixed is heard a block later."""
        range_frames = (ctypes.c_uint32 * 2)()
        latest = block_frames
        for port in ports:
            libjack().jack_port_get_latency_range(port, PLAYBACK_LATENCY, range_frames)
            latest = max(latest, int(range_frames[1]))
        return latest

    def _close(self) -> None:
        self._client.close()


def _alias(codes: Sequence[str], index: int) -> str:
    """What a slot's port, the left and the right of each in turn, is called by the kit's codes; ""
    where the kit has no such slot."""
    slot, side = divmod(index, CHANNELS)
    return f"{codes[slot]}_{SIDES[side]}" if slot < len(codes) else ""
