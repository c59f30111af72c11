"""The two JACK clients of a start, opened before NumPy: sound, and MIDI in.

The very callbacks, names and ports of engine/outputs/jack.py and engine/jack/midi_input.py, which adopt
them. Main thread; JACK's own threads run the callbacks.
"""

from __future__ import annotations

import ctypes

from gan808.early.image import Image, Unfit
from gan808.early.memory import WORD, EarlyEngine, Pages
from gan808.engine.jack.libjack import (
    AUDIO_TYPE,
    CLIENT_NAME,
    IS_INPUT,
    IS_OUTPUT,
    JACK_HOST_API,
    MIDI_TYPE,
    PORTS,
    address_of,
    libjack,
    open_client,
    play_into,
    players,
)
from gan808.engine.kernels.clock_source import clock_source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class EarlyClient:
    """An open client, and the memory of its callback. `ended` becomes 1 when the server goes."""

    def __init__(self, name: str, size: int, code: dict[str, int]) -> None:
        """Raises DeviceError where no server runs."""
        self.memory = Pages(size)
        self.ended = Pages(WORD.size)
        self.handle = open_client(name)
        libjack().jack_on_shutdown(self.handle, code["mark"], self.ended.address)

    def fill(self, at: dict[str, int], values: dict[str, int]) -> None:
        """Write int64 words of the callback's memory."""
        for name, value in values.items():
            WORD.pack_into(self.memory.pages, at[name], value)

    def close(self) -> None:
        """Leaves JACK; safe to call twice."""
        handle, self.handle = self.handle, 0
        if handle:
            libjack().jack_client_close(handle)


class EarlyOutput:
    """Sound into JACK. device: the client it is connected to, or None."""

    def __init__(self, image: Image, code: dict[str, int], spec: str) -> None:
        """Appears, and plays nothing yet. Raises DeviceError without a server, Unfit where the
        ordinary start would choose another device or rate."""
        about = image.facts["output"]
        jack = libjack()
        jack.jack_set_error_function(code["ignore"])
        jack.jack_set_info_function(code["ignore"])
        self._about, self._code = about, code
        self.client = EarlyClient(CLIENT_NAME, about["size"], code)
        self.rate_hz = int(jack.jack_get_sample_rate(self.client.handle))
        self.device = next(iter(players(self.client.handle)), None)
        self.ports: list[int] = []
        fits = spec.casefold() in f"{JACK_HOST_API}: {self.device or ''}".casefold()
        if self.rate_hz != image.facts["engine"]["rate_hz"] or not (fits or spec == "auto"):
            self.client.close()
            raise Unfit("another device or rate")

    def start(self, engine: EarlyEngine, callback: int) -> None:
        """Plays the engine. Raises Unfit when JACK refuses."""
        jack, client, at = libjack(), self.client, self._about["at"]
        self.ports = [
            int(jack.jack_port_register(client.handle, name, AUDIO_TYPE, IS_OUTPUT, 0) or 0)
            for name in PORTS]
        client.fill(at, {
            "left_port": self.ports[0], "right_port": self.ports[1],
            "get_buffer": address_of("jack_port_get_buffer"), "callback": callback,
            "engine": engine.memory.address,
        })
        jack.jack_set_process_callback(client.handle, self._code["process"], client.memory.address)
        jack.jack_set_xrun_callback(client.handle, self._code["count"],
                                    client.memory.address + at["xruns"])
        if not all(self.ports) or jack.jack_activate(client.handle):
            raise Unfit("JACK refuses two audio ports")
        if self.device is not None:
            play_into(client.handle, self.device)


class EarlyInput:
    """A MIDI port on JACK whose messages wait in a ring. `read` belongs to one thread."""

    def __init__(self, image: Image, code: dict[str, int], process: int,
                 engine: EarlyEngine) -> None:
        """Appears at once. Raises DeviceError or Unfit when JACK refuses."""
        about = image.facts["input"]
        jack = libjack()
        self._engine = engine
        self._at: dict[str, Any] = about["at"]
        self._events: int = about["ring_events"]
        self._event_size: int = about["event_size"]
        self.client = EarlyClient(about["client"], about["size"], code)
        self.name: str = about["port"]
        self._read = 0
        clock_address, clock_id = clock_source()
        port = jack.jack_port_register(
            self.client.handle, self.name.encode(), MIDI_TYPE, IS_INPUT, 0)
        self.client.fill(self._at, {
            "client": self.client.handle, "port": port or 0,
            "get_buffer": address_of("jack_port_get_buffer"),
            "get_event_count": address_of("jack_midi_get_event_count"),
            "get_event": address_of("jack_midi_event_get"),
            "get_cycle_times": address_of("jack_get_cycle_times"),
            "get_time": address_of("jack_get_time"),
            "clock_address": clock_address, "clock_id": clock_id,
        })
        jack.jack_set_process_callback(self.client.handle, process, self.client.memory.address)
        if not port or jack.jack_activate(self.client.handle):
            self.client.close()
            raise Unfit("JACK refuses a MIDI port")

    def read(self) -> list[tuple[bytes, float]]:
        """What has come since the last call: bytes, and time.monotonic seconds of their frames."""
        memory, at = self.client.memory, self._at
        written = self._engine.load(memory.address + at["written"])
        found = []
        while self._read < written:
            place = at["events"] + self._read % self._events * self._event_size
            time_s = ctypes.c_double.from_address(memory.address + place + at["time_s"]).value
            size = ctypes.c_int32.from_address(memory.address + place + at["size"]).value
            begin = place + at["data"]
            found.append((memory.pages[begin:begin + size], time_s))
            self._read += 1
        self._engine.store(memory.address + at["read"], self._read)
        return found
