"""JACK's transport through the client that makes the sound: read with the frame of each cycle,
begun with to the sample, and led where that is asked for.

What has to happen in JACK's own threads is compiled (transport_kernel.py); one thread of Python, at
a time, reads what they publish and lays out what they play.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gan808.engine.jack.client import JackClient, callbacks
from gan808.engine.jack.transport_layout import (
    BBT,
    BBT_OFFSET,
    MOST_HITS,
    REAL,
    ROLLING,
    STOPPED,
    TICK_DOUBLE,
    WHOLE,
)
from gan808.engine.kernel_api import routines
from gan808.engine.transport import PreparedHit, TransportReading, TransportState

# A start waits so long for its first hits; JACK itself goes ahead after two seconds.
PATIENCE_S = 0.25
SIXTEENTHS = 16.0  # in a whole note
SLOWEST_BPM, FASTEST_BPM = 1.0, 1000.0
READ_ATTEMPTS = 100
WORD_BYTES = 8


class JackTransport:
    """The transport from here to `close`. leads: whether it is its timebase master, in 4/4."""

    def __init__(self, client: JackClient, memory: np.ndarray, sample_rate_hz: int,
                 steps_port: int, *, lead: bool) -> None:
        """memory: the client's, an OUTPUT of shape (1,). steps_port: the engine's port on which
        steps are scheduled ahead; they are taken back where it stops. lead: become its timebase
        master, if nobody is."""
        self._client = client
        self._transport: Any = memory[0]["transport"]
        self._load, self._store = routines().load, routines().store
        self._prepared: tuple[object, ...] = ()
        self._line: tuple[float, ...] = ()
        self._sample_rate_hz = sample_rate_hz
        transport = self._transport
        self._before = self._load(transport["version"].ctypes.data)  # of an earlier one
        transport["patience_frames"] = round(PATIENCE_S * sample_rate_hz)
        transport["steps_port"] = steps_port
        transport["ours"] = 0
        self._put("prepared", 0)
        self.lead_along(0.0, 0.0, 120.0, sample_rate_hz)
        self._put("wanted", self._before + 1)
        at = memory.ctypes.data
        client.ask("jack_set_sync_callback", callbacks()["sync"], at)
        self.leads = lead and client.ask(
            "jack_set_timebase_callback", 1, callbacks()["timebase"], at) == 0
        transport["ours"] = int(self.leads)

    @property
    def alive(self) -> bool:
        """Whether its server still runs."""
        return self._client.alive

    def reading(self) -> TransportReading | None:
        """How it stood in the last cycle; None before the first."""
        transport = self._transport
        for _ in range(READ_ATTEMPTS):
            version = self._load(transport["version"].ctypes.data)
            if version <= self._before + 1:
                return None
            whole = self._words("whole", len(WHOLE))
            real = self._words("real", len(REAL)).view(np.float64)
            if version % 2 == 0 and self._load(transport["version"].ctypes.data) == version:
                return reading_of(dict(zip(WHOLE, whole.tolist(), strict=True)),
                                  dict(zip(REAL, real.tolist(), strict=True)),
                                  self._sample_rate_hz)
        return None

    def prepare(self, position: int, frames: int, hits: Sequence[PreparedHit]) -> None:
        """What a start at that position begins with: all hits of its first `frames` frames."""
        if len(hits) > MOST_HITS:
            frames, hits = hits[MOST_HITS].frame, hits[:MOST_HITS]
            hits = [hit for hit in hits if hit.frame < frames]
        wanted = (position, frames, *hits)
        if wanted == self._prepared:
            return
        self._prepared = wanted
        number = self._load(self._transport["prepared"].ctypes.data) + 1
        table = self._transport["tables"][number % 2]
        table["position"], table["frames"], table["count"] = position, frames, len(hits)
        for index, hit in enumerate(hits):
            table["hits"][index] = (hit.frame, hit.slot, hit.velocity, hit.pan, hit.tune_semitones,
                                    hit.decay)
        self._put("prepared", number)

    def lead_along(self, frame: float, step: float, tempo_bpm: float, sample_rate_hz: int) -> None:
        """As timebase master: at a frame of the transport is that step, at that tempo."""
        line = (frame, step, sample_rate_hz * 60.0 / tempo_bpm / 4.0, tempo_bpm)
        if line == self._line:
            return
        self._line = line
        number = self._load(self._transport["line"].ctypes.data) + 1
        self._transport["lines"][number % 2] = line
        self._put("line", number)

    def start(self, position: int | None = None) -> None:
        """Have everybody's transport roll, from a position or from where it stands."""
        if position is not None:
            self._client.ask("jack_transport_locate", position)
        self._client.ask("jack_transport_start")

    def stop(self) -> None:
        """Have everybody's transport stand still."""
        self._client.ask("jack_transport_stop")

    def close(self) -> None:
        """Neither follow nor lead it any more; safe to call twice."""
        self._put("wanted", 0)
        self._client.ask("jack_set_sync_callback", None, None)
        if self.leads:
            self._client.ask("jack_release_timebase")
            self.leads = False

    def _put(self, field: str, value: int) -> None:
        self._store(self._transport[field].ctypes.data, value)

    def _words(self, field: str, count: int) -> np.ndarray:
        at = self._transport[field].ctypes.data
        return np.array([self._load(at + WORD_BYTES * index) for index in range(count)], np.int64)


def reading_of(
    whole: dict[str, int], real: dict[str, float], sample_rate_hz: int
) -> TransportReading:
    """What the callback has published, in our terms: quarters and sixteenths, where a master tells
    bars, beats and ticks that can be understood."""
    states: dict[int, TransportState] = {ROLLING: "rolling", STOPPED: "stopped"}
    common = {name: whole[name] for name in ("frame", "position", "starts", "start_frame",
                                             "start_position", "sent_until")}
    state = states.get(whole["state"], "starting")
    beat_type, ticks = real["beat_type"], real["ticks_per_beat"]
    told = whole["valid"] & BBT and not whole["ours"]
    if not told or not (beat_type > 0 and ticks > 0 and real["beats_per_bar"] > 0):
        return TransportReading(state=state, **common)
    tempo_bpm = real["beats_per_minute"] * 4.0 / beat_type
    if not SLOWEST_BPM <= tempo_bpm <= FASTEST_BPM:
        return TransportReading(state=state, **common)
    tick = real["tick_double"] if whole["valid"] & TICK_DOUBLE else float(whole["tick"])
    beats = (whole["bar"] - 1) * real["beats_per_bar"] + whole["beat"] - 1 + tick / ticks
    step = beats * SIXTEENTHS / beat_type
    if whole["valid"] & BBT_OFFSET:  # told of a moment that many frames ago
        step += whole["bbt_offset"] * tempo_bpm * 4.0 / 60.0 / sample_rate_hz
    exact = whole["valid"] & (TICK_DOUBLE | BBT_OFFSET)
    return TransportReading(
        state=state, tempo_bpm=tempo_bpm, step=step,
        tick_steps=0.0 if exact else SIXTEENTHS / beat_type / ticks, **common)
