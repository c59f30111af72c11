"""JACK's process callback without a server: cycles of any length, announced or not, and MIDI."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import pytest

from gan808.engine.engine import Engine
from gan808.engine.jack.client import SOURCES
from gan808.engine.jack.layout import CHUNK_FRAMES, OUTPUT
from gan808.engine.jack.midi_layout import RING_EVENTS
from gan808.engine.jit import object_cache
from gan808.engine.kernels.clock_source import clock_source
from gan808.engine.layout import MIDI_ANSWERS, SLOT_CHANNELS
from tests.engine.rig import load, new_engine
from tests.engine.test_keymap import drum_map

ON, KICK = 0x99, 36
LEFT, RIGHT, MIDI, FIRST_SLOT_PORT = 1, 2, 3, 4
ADDRESS = ctypes.c_int64
GET_BUFFER = ctypes.CFUNCTYPE(ADDRESS, ADDRESS, ctypes.c_uint32)
COUNT = ctypes.CFUNCTYPE(ctypes.c_uint32, ADDRESS)
GET_EVENT = ctypes.CFUNCTYPE(ctypes.c_int, ADDRESS, ADDRESS, ctypes.c_uint32)
CYCLE_TIMES = ctypes.CFUNCTYPE(ctypes.c_int, *[ADDRESS] * 5)
GET_TIME = ctypes.CFUNCTYPE(ctypes.c_uint64)
PROCESS = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_uint32, ADDRESS)


class Event(ctypes.Structure):
    """jack_midi_event_t."""

    _fields_ = [("time", ctypes.c_uint32), ("size", ctypes.c_size_t), ("buffer", ADDRESS)]


class Server:
    """Stands in for libjack: two audio ports and one MIDI input, in memory."""

    def __init__(self, engine: Engine, longest_frames: int, *, by_slot: bool = False) -> None:
        self.slots = np.full((SLOT_CHANNELS, longest_frames), np.nan, np.float32)
        self.audio = np.full((2, longest_frames), np.nan, np.float32)
        self.events: list[tuple[int, bytes]] = []
        self.deaf = False
        self._kept: list[Any] = []
        self.memory = np.zeros(1, OUTPUT)
        memory: Any = self.memory[0]
        memory["left_port"], memory["right_port"] = LEFT, RIGHT
        if by_slot:
            memory["slot_ports"] = FIRST_SLOT_PORT + np.arange(SLOT_CHANNELS)
        memory["midi_in"]["port"][0, 0] = MIDI
        memory["callback"] = engine.callback_address
        memory["engine"] = engine.memory_address
        memory["engine_port"] = engine.port("jack").index
        memory["clock_address"], memory["clock_id"] = clock_source()
        self._functions = {
            "get_buffer": GET_BUFFER(self._buffer), "get_event": GET_EVENT(self._event),
            "get_event_count": COUNT(lambda _: len(self.events)),
            "get_cycle_times": CYCLE_TIMES(lambda *_: 0), "get_time": GET_TIME(lambda: 0),
        }
        for name, function in self._functions.items():
            memory[name] = ctypes.cast(function, ctypes.c_void_p).value
        self._process = PROCESS(object_cache.addresses("jack.callbacks", SOURCES)["process"])

    def _buffer(self, port: int, _frames: int) -> int:
        if port == MIDI:
            return MIDI
        if self.deaf:
            return 0
        row = self.audio[port - 1] if port < MIDI else self.slots[port - FIRST_SLOT_PORT]
        return int(row.ctypes.data)

    def _event(self, out: int, _buffer: int, index: int) -> int:
        frame, data = self.events[index]
        kept = ctypes.create_string_buffer(data, len(data))
        self._kept.append(kept)
        event = Event.from_address(out)
        event.time, event.size, event.buffer = frame, len(data), ctypes.addressof(kept)
        return 0

    def cycle(self, frames: int, *events: tuple[int, bytes]) -> np.ndarray:
        """One cycle; what it left in the ports' buffers, float32 (2, frames)."""
        self.events = list(events)
        self.audio[:] = self.slots[:] = np.nan
        assert self._process(frames, self.memory.ctypes.data) == 0
        return self.audio[:, :frames].copy()

    def kept(self) -> list[tuple[bytes, int]]:
        """What waits for Python: bytes, and whether they were played."""
        ring = self.memory[0]["midi_in"][0]
        read, written = int(ring["read"][0]), int(ring["written"][0])
        ring["read"][0] = written
        events = [ring["events"][index % RING_EVENTS] for index in range(read, written)]
        return [(event["data"][:event["size"]].tobytes(), int(event["played"]))
                for event in events]


def playing(longest_frames: int = 4096) -> tuple[Engine, Server]:
    """An engine with a click on the kick's slot, and the stand-in that calls it."""
    engine, port = new_engine()
    load(engine, 0, [0.5, 0.0])
    assert port.set_keymap(drum_map())
    return engine, Server(engine, longest_frames)


def note(velocity: int = 127) -> bytes:
    return bytes([ON, KICK, velocity])


@pytest.mark.parametrize("frames", [1, 63, 128, CHUNK_FRAMES, CHUNK_FRAMES + 1, 20_000])
def test_a_cycle_of_any_length_is_filled_and_its_notes_are_on_their_frames(frames: int) -> None:
    """As PipeWire may call: longer or shorter than it has said, and never the same twice."""
    engine, server = playing(20_000)
    at = sorted({0, frames // 3, frames - 1})
    for before in (17, 256):
        server.cycle(before)
        heard = server.cycle(frames, *((frame, note()) for frame in at))
        assert np.isfinite(heard).all()
        assert np.flatnonzero(heard[0]).tolist() == at
        assert np.array_equal(heard[0], heard[1])
        assert np.isnan(server.audio[:, frames:]).all()
    assert engine.frames == 17 + 256 + 2 * frames
    assert int(server.memory[0]["frames"]) == frames
    assert server.kept() == [(note(), 1)] * (2 * len(at))


def test_a_cycle_without_buffers_goes_by_unheard() -> None:
    engine, server = playing()
    server.deaf = True
    server.cycle(128)
    assert engine.frames == 128
    server.deaf = False
    assert np.flatnonzero(server.cycle(128, (5, note()))[0]).tolist() == [5]


@pytest.mark.parametrize("frames", [1, 128, CHUNK_FRAMES + 1, 20_000])
def test_each_slot_goes_to_its_own_ports_in_a_cycle_of_any_length(frames: int) -> None:
    """Slot 2 hit besides the note that the cycle brings for slot 0; the mix has both."""
    engine, port = new_engine()
    for slot in (0, 2):
        load(engine, slot, [0.5, 0.0])
    assert port.set_keymap(drum_map())
    server = Server(engine, 20_000, by_slot=True)
    server.cycle(17)
    port.trigger(2, 1.0, 17 + frames // 2)
    heard = server.cycle(frames, (frames - 1, note()))
    slots = server.slots.reshape(-1, 2, 20_000)
    assert np.isnan(slots[:, :, frames:]).all()
    for slot, at in ((0, [frames - 1]), (1, []), (2, [frames // 2]), (15, [])):
        for side in range(2):
            assert np.flatnonzero(slots[slot, side, :frames]).tolist() == at
    assert np.flatnonzero(heard[0]).tolist() == sorted({frames // 2, frames - 1})
    engine.process(np.zeros((128, 2), np.float32))  # JACK's buffers are not written again
    assert np.isnan(slots[:, :, frames:]).all()
    server.deaf = True
    server.cycle(frames)
    assert np.isnan(slots).all()


def test_what_is_not_one_whole_channel_message_is_left_to_python() -> None:
    engine, server = playing()
    two = note() + note()
    odd = [b"\xf8", b"\xc9\x01", two[:4], two[4:], b"\x24\x10\x10", b"\x99\x90\x10"]
    server.cycle(128, *((0, data) for data in odd))
    assert server.kept() == [(data, 0) for data in odd]
    assert engine.begun(0)[0] == 0


def test_system_exclusive_is_passed_over_and_what_stands_behind_it_is_not() -> None:
    _, server = playing()
    server.cycle(128, (0, b"\xf0" + bytes(100) + b"\xf7" + note()))
    assert b"".join(data for data, _ in server.kept()) == b"\xf0\xf7" + note()


def test_more_than_the_engine_takes_in_a_cycle_is_left_to_python() -> None:
    engine, server = playing()
    events = [(index // 10, bytes([0xB9, 10, 64])) for index in range(MIDI_ANSWERS + 50)]
    server.cycle(128, *events)
    assert [played for _, played in server.kept()] == [1] * MIDI_ANSWERS + [0] * 50
    assert engine.stats().dropped_commands == 0


def test_what_nobody_reads_is_counted_and_played_all_the_same() -> None:
    engine, server = playing()
    for _ in range(3):
        server.cycle(128, *[(0, bytes([0xB9, 10, 64]))] * (RING_EVENTS // 3))
    server.cycle(128, *[(index, note()) for index in range(4)])
    ring = server.memory[0]["midi_in"][0]
    assert int(ring["lost"]) == 3 * (RING_EVENTS // 3) + 4 - RING_EVENTS
    assert engine.begun(0)[0] == 4


def test_a_note_that_only_python_can_play_is_not_played_twice() -> None:
    """An engine that has no keymap yet: everything is kept, and nothing sounds."""
    engine, _ = new_engine()
    load(engine, 0, [0.5, 0.0])
    server = Server(engine, 256)
    assert not server.cycle(128, (3, note())).any()
    assert server.kept() == [(note(), 0)]
