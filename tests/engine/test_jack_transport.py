"""JACK's transport in the compiled callbacks, without a server: exact starts, stops and places."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from gan808.engine.engine import Engine
from gan808.engine.jack.client import SOURCES
from gan808.engine.jack.transport import JackTransport, reading_of
from gan808.engine.jack.transport_layout import (
    BBT,
    BBT_OFFSET,
    MOST_HITS,
    POSITION,
    REAL,
    ROLLING,
    STARTING,
    STOPPED,
    TICK_DOUBLE,
    WHOLE,
)
from gan808.engine.jit import object_cache
from gan808.engine.transport import PreparedHit
from tests.engine.rig import load, new_engine
from tests.engine.test_jack_callback import ADDRESS, Server

QUERY = ctypes.CFUNCTYPE(ctypes.c_int, ADDRESS, ADDRESS)
SYNC = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ADDRESS, ADDRESS)
TIMEBASE = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_uint32, ADDRESS, ctypes.c_int, ADDRESS)
RATE_HZ, BLOCK = 48000, 128


class FakeClient:
    """A client of a server that does what it is asked and writes it down."""

    alive = True

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.refuses = ""

    def ask(self, function: str, *arguments: int | None) -> int:
        self.asked.append(function)
        return int(function == self.refuses)


class RollingServer(Server):
    """The stand-in for libjack with a transport."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine, 4096)
        self.state = STOPPED
        self.place = np.zeros(1, POSITION)
        self._query = QUERY(self._answer)
        self.memory[0]["query_transport"] = ctypes.cast(self._query, ctypes.c_void_p).value
        routines = object_cache.addresses("jack.callbacks", SOURCES)
        self._sync, self._timebase = SYNC(routines["sync"]), TIMEBASE(routines["timebase"])

    def _answer(self, _client: int, out: int) -> int:
        ctypes.memmove(out, self.place.ctypes.data, POSITION.itemsize)
        return self.state

    def ready(self) -> bool:
        """Whether a start at this place may go ahead."""
        at = self.place.ctypes.data, self.memory.ctypes.data
        return bool(self._sync(self.state, *at))

    def told(self, frame: int) -> np.void:
        """What the timebase master says of a frame."""
        place = np.zeros(1, POSITION)
        place["frame"] = frame
        self._timebase(ROLLING, BLOCK, place.ctypes.data, 0, self.memory.ctypes.data)
        return place[0]

    def roll(self, cycles: int) -> np.ndarray:
        """So many cycles; the frames at which clicks were heard, from the first one's beginning."""
        heard = []
        for _ in range(cycles):
            heard.append(self.cycle(BLOCK)[0])
            if self.state == ROLLING:
                self.place["frame"] += BLOCK
        return np.flatnonzero(np.concatenate(heard))


def rig(*, lead: bool = False) -> tuple[Engine, RollingServer, JackTransport]:
    engine, port = new_engine()
    load(engine, 0, [0.5, 0.0])
    server = RollingServer(engine)
    transport = JackTransport(
        FakeClient(), server.memory, RATE_HZ, port.index, lead=lead)  # type: ignore[arg-type]
    return engine, server, transport


def hits(*frames: int) -> list[PreparedHit]:
    return [PreparedHit(frame, 0, 1.0, 0.0, 0.0, 1.0) for frame in frames]


@pytest.mark.parametrize("at", [0, 1, 48017])
def test_a_start_plays_what_is_laid_out_for_its_place_on_their_very_frames(at: int) -> None:
    engine, server, transport = rig()
    server.place["frame"] = at
    transport.prepare(at, 7200, hits(0, 1, 127, 128, 1000))
    server.roll(3)
    assert server.roll(20).size == 0, "it stands"
    server.state = ROLLING
    before = engine.frames
    assert server.roll(10).tolist() == [0, 1, 127, 128, 1000]
    reading = transport.reading()
    assert reading is not None
    assert (reading.starts, reading.start_frame, reading.start_position) == (1, before, at)
    assert reading.sent_until == before + 7200
    assert reading.frame - before == reading.position - at == 9 * BLOCK
    assert engine.stats().late_commands == 0


def test_a_start_elsewhere_plays_nothing_of_it_and_says_so() -> None:
    _, server, transport = rig()
    transport.prepare(100, 7200, hits(0))
    server.state = ROLLING
    server.place["frame"] = 228
    assert server.roll(5).size == 0
    reading = transport.reading()
    assert reading is not None
    assert reading.sent_until == 0


def test_a_stop_silences_what_was_scheduled_from_its_very_frame_on() -> None:
    engine, server, transport = rig()
    transport.prepare(0, 7200, hits(0, 600, 900))
    server.state = ROLLING
    steps = engine.port("test")
    for frame in (500, 639, 640, 700):
        steps.trigger(0, 1.0, frame)
    engine.port("others").trigger(0, 1.0, 800)
    heard = server.roll(5).tolist()
    server.state = STOPPED
    assert heard == [0, 500, 600, 639]
    assert (server.roll(20) + 640).tolist() == [800], "what others play is none of its business"


def test_everybody_waits_for_the_first_hits_but_not_for_ever() -> None:
    _, server, transport = rig()
    server.state = STARTING
    server.place["frame"] = 4800
    server.roll(1)
    assert not server.ready()
    transport.prepare(4800, 7200, hits(0))
    assert server.ready()
    server.place["frame"] = 9600
    waited = 0
    while not server.ready():
        server.roll(1)
        waited += BLOCK
        assert waited < RATE_HZ
    assert waited == pytest.approx(RATE_HZ / 4, abs=3 * BLOCK)
    transport.close()
    assert server.ready()


def test_more_hits_than_there_is_room_for_are_played_up_to_where_they_are_all() -> None:
    _, server, transport = rig()
    laid_out = hits(*range(0, 2 * MOST_HITS, 2))
    transport.prepare(0, 7200, [*laid_out, *hits(5000, 5000)])
    server.state = ROLLING
    assert server.roll(60).tolist() == [hit.frame for hit in laid_out]
    reading = transport.reading()
    assert reading is not None
    assert reading.sent_until == 5000


def test_nobody_follows_and_nothing_is_asked() -> None:
    _, server, transport = rig()
    transport.prepare(0, 7200, hits(0))
    transport.close()
    server.memory[0]["query_transport"] = 0  # a call would crash
    server.state = ROLLING
    assert server.roll(3).size == 0


def test_one_that_is_opened_anew_knows_nothing_of_the_one_before() -> None:
    _, server, transport = rig()
    server.state = ROLLING
    server.roll(3)
    transport.close()
    again = JackTransport(FakeClient(), server.memory, RATE_HZ, 0, lead=False)  # type: ignore[arg-type]
    assert again.reading() is None
    server.roll(1)
    reading = again.reading()
    assert reading is not None
    assert reading.start_frame == 3 * BLOCK


def test_the_leader_tells_bars_beats_and_ticks_of_its_line() -> None:
    _, server, transport = rig(lead=True)
    assert transport.leads
    transport.lead_along(0.0, 0.0, 120.0, RATE_HZ)
    place = server.told(24000 * 6 + 12000)  # six beats and a half
    assert (place["bar"], place["beat"], place["tick"]) == (2, 3, 960)
    assert (place["beats_per_bar"], place["beat_type"], place["ticks_per_beat"]) == (4, 4, 1920)
    assert (place["beats_per_minute"], place["bar_start_tick"]) == (120.0, 4 * 1920)
    assert place["valid"] & BBT
    transport.lead_along(48000.0, 8.0, 60.0, RATE_HZ)  # from the third beat on at half the tempo
    place = server.told(48000 + 24000)
    assert (place["bar"], place["beat"], place["tick"]) == (1, 3, 960)


def test_our_own_places_are_not_taken_for_another_master_s_and_theirs_are() -> None:
    engine, server, transport = rig(lead=True)
    transport.lead_along(0.0, 0.0, 100.0, RATE_HZ)
    server.state = ROLLING
    for _ in range(4):
        server.place[0] = server.told(int(server.place["frame"][0]))
        server.roll(1)
    reading = transport.reading()
    assert reading is not None
    assert reading.tempo_bpm is None
    server.place["beats_per_minute"] = 90.0  # somebody else has taken over: we are not asked
    server.roll(2)
    reading = transport.reading()
    assert reading is not None
    assert reading.tempo_bpm == 90.0
    assert engine.frames == 6 * BLOCK  # and the engine was there all the time


def test_a_refused_leader_follows() -> None:
    engine, _ = new_engine()
    client = FakeClient()
    client.refuses = "jack_set_timebase_callback"
    transport = JackTransport(
        client, RollingServer(engine).memory, RATE_HZ, 0, lead=True)  # type: ignore[arg-type]
    assert not transport.leads
    transport.close()
    assert "jack_release_timebase" not in client.asked


@pytest.mark.parametrize(("beat_type", "bits", "step", "tick_steps"), [
    (4.0, BBT, 4 * (4 * 4 + 2 + 0.5), 4 / 1920),
    (8.0, BBT, 2 * (4 * 4 + 2 + 0.5), 2 / 1920),
    (4.0, BBT | TICK_DOUBLE, 4 * (4 * 4 + 2 + 960.5 / 1920), 0.0),
    (4.0, BBT | BBT_OFFSET, 4 * (4 * 4 + 2 + 0.5) + 100 * 8 / RATE_HZ, 0.0),
])
def test_bars_beats_and_ticks_become_sixteenths(
    beat_type: float, bits: int, step: float, tick_steps: float
) -> None:
    whole = dict.fromkeys(WHOLE, 0) | {
        "state": ROLLING, "valid": bits, "bar": 5, "beat": 3, "tick": 960, "bbt_offset": 100}
    real = dict.fromkeys(REAL, 0.0) | {
        "beats_per_bar": 4.0, "beat_type": beat_type, "ticks_per_beat": 1920.0,
        "beats_per_minute": 120.0, "tick_double": 960.5}
    reading = reading_of(whole, real, RATE_HZ)
    assert reading.step == pytest.approx(step, abs=1e-9)
    assert reading.tick_steps == pytest.approx(tick_steps)
    assert reading.tempo_bpm == 120.0 * 4 / beat_type


@pytest.mark.parametrize("damage", [
    {"beat_type": 0.0}, {"ticks_per_beat": 0.0}, {"beats_per_bar": -1.0},
    {"beats_per_minute": 0.0}, {"beats_per_minute": float("nan")}, {"beats_per_minute": 1e9},
])
def test_a_master_that_talks_nonsense_is_none(damage: dict[str, float]) -> None:
    whole = dict.fromkeys(WHOLE, 0) | {"state": ROLLING, "valid": BBT, "bar": 1, "beat": 1}
    real = {"beats_per_bar": 4.0, "beat_type": 4.0, "ticks_per_beat": 1920.0,
            "beats_per_minute": 120.0, "tick_double": 0.0} | damage
    assert reading_of(whole, real, RATE_HZ).tempo_bpm is None
