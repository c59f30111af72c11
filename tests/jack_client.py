"""A JACK client in a process of its own: records two audio inputs and MIDI, sends MIDI notes.

Run by tests.jack_server.JackMeter. Reads JSON lines from stdin; answers each with a JSON line,
followed by raw float32 where it says so. JACK's thread runs the Python callback here, so that a
slow interpreter disturbs only the measuring process.
"""

from __future__ import annotations

import ctypes
import json
import sys
import time
from typing import Any, BinaryIO

import numpy as np

AUDIO_TYPE, MIDI_TYPE = b"32 bit float mono audio", b"8 bit raw midi"
IS_INPUT, IS_OUTPUT = 1, 2
TRANSPORT_ROLLING = 1
NO_START_SERVER = 1
CHANNELS = 2
CONNECT_TIMEOUT_S = 20.0
POINTER, FRAMES = ctypes.c_void_p, ctypes.c_uint32
PROCESS = ctypes.CFUNCTYPE(ctypes.c_int, FRAMES, POINTER)

# name: (result, arguments); those of the process callback keep the interpreter lock.
WAITING = {
    "jack_client_open": (POINTER, [ctypes.c_char_p, ctypes.c_int, POINTER]),
    "jack_activate": (ctypes.c_int, [POINTER]),
    "jack_client_close": (ctypes.c_int, [POINTER]),
    "jack_set_process_callback": (ctypes.c_int, [POINTER, PROCESS, POINTER]),
    "jack_port_register": (POINTER, [POINTER, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong,
                                     ctypes.c_ulong]),
    "jack_get_ports": (ctypes.POINTER(ctypes.c_char_p), [POINTER, ctypes.c_char_p,
                                                         ctypes.c_char_p, ctypes.c_ulong]),
    "jack_connect": (ctypes.c_int, [POINTER, ctypes.c_char_p, ctypes.c_char_p]),
    "jack_get_sample_rate": (FRAMES, [POINTER]),
    "jack_free": (None, [POINTER]),
    "jack_transport_start": (None, [POINTER]),
    "jack_transport_stop": (None, [POINTER]),
    "jack_transport_locate": (ctypes.c_int, [POINTER, FRAMES]),
}
INSTANT = {
    "jack_port_get_buffer": (POINTER, [POINTER, FRAMES]),
    "jack_last_frame_time": (FRAMES, [POINTER]),
    "jack_transport_query": (ctypes.c_int, [POINTER, POINTER]),
    "jack_midi_clear_buffer": (None, [POINTER]),
    "jack_midi_get_event_count": (ctypes.c_uint32, [POINTER]),
    "jack_midi_event_get": (ctypes.c_int, [POINTER, POINTER, ctypes.c_uint32]),
    "jack_midi_event_write": (ctypes.c_int, [POINTER, FRAMES, ctypes.c_char_p, ctypes.c_size_t]),
}


class MidiEvent(ctypes.Structure):
    """jack_midi_event_t."""

    _fields_ = [("time", ctypes.c_uint32), ("size", ctypes.c_size_t), ("buffer", POINTER)]


class JackLibrary:
    """libjack's functions, typed."""

    def __init__(self) -> None:
        for loader, table in ((ctypes.CDLL, WAITING), (ctypes.PyDLL, INSTANT)):
            library = loader("libjack.so.0")
            for name, (result, arguments) in table.items():
                function = getattr(library, name)
                function.restype, function.argtypes = result, arguments
                setattr(self, name, function)


class Client:
    """The client: `process` runs on JACK's thread, everything else on the main thread."""

    def __init__(self, name: str) -> None:
        self.jack: Any = JackLibrary()
        self.client = self.jack.jack_client_open(name.encode(), NO_START_SERVER, None)
        if not self.client:
            raise ConnectionError("no JACK server")
        self.inputs = [self._port(f"in_{channel + 1}", AUDIO_TYPE, IS_INPUT)
                       for channel in range(CHANNELS)]
        self.midi = self._port("midi_out", MIDI_TYPE, IS_OUTPUT)
        self.midi_in = self._port("midi_in", MIDI_TYPE, IS_INPUT)
        self.rate_hz = self.jack.jack_get_sample_rate(self.client)
        self.name = name
        # Scheduled notes wait for the capture that gives their frames a meaning.
        self.notes: list[tuple[int, bytes]] = []
        self.urgent: list[bytes] = []
        self.take: Take | None = None
        self._callback = PROCESS(self.process)
        self.jack.jack_set_process_callback(self.client, self._callback, None)
        if self.jack.jack_activate(self.client):
            raise ConnectionError("JACK refused the client")

    def _port(self, name: str, kind: bytes, flags: int) -> Any:
        return self.jack.jack_port_register(self.client, name.encode(), kind, flags, 0)

    def process(self, frames: int, _argument: Any) -> int:
        """Records one period and sends the notes due in it."""
        midi = self.jack.jack_port_get_buffer(self.midi, frames)
        self.jack.jack_midi_clear_buffer(midi)
        while self.urgent:
            message = self.urgent.pop(0)
            self.jack.jack_midi_event_write(midi, 0, message, len(message))
        take = self.take
        if take is None or take.complete:
            return 0
        first = take.first_of_period(self.jack.jack_last_frame_time(self.client))
        while self.notes and self.notes[0][0] < first + frames:
            at_frame, message = self.notes.pop(0)
            self.jack.jack_midi_event_write(midi, max(0, at_frame - first), message, len(message))
            take.sent.append(max(first, at_frame))
        take.transport.append((first, self._rolling_at()))
        self._hear(take, first, self.jack.jack_port_get_buffer(self.midi_in, frames))
        for channel, port in enumerate(self.inputs):
            buffer = self.jack.jack_port_get_buffer(port, frames)
            period = np.frombuffer((ctypes.c_float * frames).from_address(buffer), np.float32)
            take.store(channel, first, period)
        return 0

    def _rolling_at(self) -> int | None:
        """The transport's frame at this period's beginning; None where it does not roll."""
        place = (ctypes.c_uint32 * 64)()
        state = self.jack.jack_transport_query(self.client, place)
        return place[5] if state == TRANSPORT_ROLLING else None

    def move(self, frame: int | None, rolls: bool | None) -> None:
        """Relocates the transport, has it roll or stand."""
        if frame is not None:
            self.jack.jack_transport_locate(self.client, frame)
        if rolls:
            self.jack.jack_transport_start(self.client)
        elif rolls is not None:
            self.jack.jack_transport_stop(self.client)

    def _hear(self, take: Take, first: int, buffer: Any) -> None:
        event = MidiEvent()
        for index in range(self.jack.jack_midi_get_event_count(buffer)):
            if not self.jack.jack_midi_event_get(ctypes.addressof(event), buffer, index):
                data = ctypes.string_at(event.buffer, event.size)
                take.midi.append((first + event.time, list(data)))

    def connect(self, part: str, kind: bytes, within_s: float) -> list[str]:
        """Connects the ports whose name contains `part`, waiting for them to appear."""
        audio = kind == AUDIO_TYPE
        deadline_s = time.monotonic() + within_s
        while time.monotonic() < deadline_s:
            found = self._ports(part, kind, IS_OUTPUT if audio else IS_INPUT)
            if len(found) >= (CHANNELS if audio else 1):
                break
            time.sleep(0.02)
        else:
            raise LookupError(f"no JACK port like {part!r}; there are {self._ports('', kind, 0)}")
        for index, port in enumerate(found[:CHANNELS] if audio else found[:1]):
            own = f"{self.name}:in_{index + 1}" if audio else f"{self.name}:midi_out"
            ends = (port, own) if audio else (own, port)
            self.jack.jack_connect(self.client, *(end.encode() for end in ends))
        return found

    def _ports(self, part: str, kind: bytes, flags: int) -> list[str]:
        listed = self.jack.jack_get_ports(self.client, None, kind, flags)
        names = []
        while listed and listed[len(names)]:
            names.append(listed[len(names)].decode())
        if listed:
            self.jack.jack_free(listed)
        return [name for name in names if part.casefold() in name.casefold()
                and not name.startswith(f"{self.name}:")]


class Take:
    """One recording, float32 (channels, n), placed by JACK's own frame count."""

    def __init__(self, frames: int) -> None:
        self.audio = np.zeros((CHANNELS, frames), np.float32)
        self.start: int | None = None
        self.midi: list[tuple[int, list[int]]] = []
        # The first frame of each period, and the transport's there where it rolls.
        self.transport: list[tuple[int, int | None]] = []
        # Where scheduled notes were sent: later than asked for where the server lost a period.
        self.sent: list[int] = []
        self.last = 0
        self.skipped_frames = 0
        self.complete = False
        self._expected = 0

    def first_of_period(self, frame_time: int) -> int:
        """This period's first frame, counted from the start of the take."""
        if self.start is None:
            self.start = frame_time
        first = (frame_time - self.start) & 0xFFFFFFFF
        self.skipped_frames += first - self._expected
        return first

    def store(self, channel: int, first: int, period: np.ndarray) -> None:
        """Keeps one channel of one period; the last channel ends the period."""
        fits = max(0, min(len(period), self.audio.shape[1] - first))
        self.audio[channel, first:first + fits] = period[:fits]
        if channel == CHANNELS - 1:
            self._expected = first + len(period)
            self.complete = self._expected >= self.audio.shape[1]


def answer(out: BinaryIO, data: bytes = b"", **values: Any) -> None:
    """Writes one answer: a JSON line, then `data`."""
    out.write(json.dumps({**values, "bytes": len(data)}).encode() + b"\n" + data)
    out.flush()


def capture(client: Client, out: BinaryIO, seconds: float) -> None:
    """Records, sending the scheduled notes; answers once it does, and again with (n, 2) float32."""
    client.notes.sort()
    take = Take(round(seconds * client.rate_hz))
    client.take = take
    deadline_s = time.monotonic() + 3 * seconds + 30
    while take.start is None and time.monotonic() < deadline_s:
        time.sleep(0.001)
    answer(out)
    while not take.complete and time.monotonic() < deadline_s:
        time.sleep(0.01)
    client.take = None
    error = None if take.complete else "JACK stopped calling"
    answer(out, np.ascontiguousarray(take.audio.T).tobytes(), error=error,
           skipped_frames=take.skipped_frames, midi=take.midi, sent=take.sent, start=take.start,
           transport=take.transport)


def serve(client: Client, requests: BinaryIO, out: BinaryIO) -> None:
    """Answers requests until stdin ends."""
    answer(out, rate_hz=client.rate_hz)
    for line in requests:
        request = json.loads(line)
        kind = request.pop("do")
        if kind == "note":
            message = bytes(request["message"])
            if request["at_frame"] is None:
                client.urgent.append(message)
            else:
                client.notes.append((request["at_frame"], message))
            answer(out)
        elif kind == "move":
            client.move(request["frame"], request["rolls"])
            answer(out)
        elif kind == "capture":
            capture(client, out, request["seconds"])
        else:
            try:
                types = {"audio": AUDIO_TYPE, "midi": MIDI_TYPE}
                answer(out, ports=client.connect(
                    request["part"], types[request["type"]],
                    request.get("within_s", CONNECT_TIMEOUT_S)))
            except LookupError as error:
                answer(out, error=str(error))


def main() -> int:
    """Opens the client named on the command line and serves it."""
    try:
        client = Client(sys.argv[1])
    except (OSError, ConnectionError) as error:
        answer(sys.stdout.buffer, error=str(error))
        return 1
    serve(client, sys.stdin.buffer, sys.stdout.buffer)
    client.jack.jack_client_close(client.client)
    return 0


if __name__ == "__main__":
    sys.exit(main())
