"""MIDI clock as the sequencer needs it: when each tick really was, and where the song is.

`TickLoop` takes the jitter out of arrival times; `MidiClock` turns clock, start, stop, continue
and song position into a `ClockReading`. Both belong to the thread that reads MIDI. A reading is
immutable and replaced whole, so any thread may look at it without a lock.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from gan808.sequencer.clock import STEPS_PER_BEAT

TICKS_PER_BEAT = 24
TICKS_PER_STEP = TICKS_PER_BEAT // STEPS_PER_BEAT
# Adriaensen's bandwidth: 1 ms of random jitter leaves the tempo within 0.05 BPM of the truth.
BANDWIDTH_HZ = 0.2
# Ticks further apart or closer together than 16 to 500 BPM are no tempo.
SHORTEST_PERIOD_S, LONGEST_PERIOD_S = 60.0 / TICKS_PER_BEAT / 500.0, 60.0 / TICKS_PER_BEAT / 16.0
# Without a tick for so long the clock is lost: four ticks of the slowest tempo.
LOST_S = 0.5
# The mean of the last few errors tells a new tempo from jitter once it passes five deviations.
MEAN_WEIGHT = 1.0 / 6.0
DEVIATIONS = 5.0 * math.sqrt(MEAN_WEIGHT / (2.0 - MEAN_WEIGHT))
JITTER_WEIGHT = 1.0 / 48.0
LEAST_JITTER_S, FIRST_JITTER_S = 0.0004, 0.001
# What is known of the old tempo counts for so many ticks of the new one.
TICKS_KEPT = 6


class TickLoop:
    """A delay-locked loop on ticks (F. Adriaensen, "Using a DLL to filter time", LAC 2005).

    Its first ticks weigh as in a least-squares line through all of them, which locks fastest; from
    then on its bandwidth is BANDWIDTH_HZ. When the tempo changes it begins again with the fast
    weights.
    """

    def __init__(self, period_s: float) -> None:
        """period_s: the first guess, before two ticks have told better."""
        self.period_s = period_s
        self.tick_s = 0.0
        self.settled = 0
        self._phased = 0
        self._mean_error_s = 0.0
        self._jitter_s = FIRST_JITTER_S

    def restart(self) -> None:
        """Forget everything but the tempo, which stays as the first guess."""
        self.settled = self._phased = 0

    def begin_beat(self, arrival_s: float) -> None:
        """The next tick begins the beat at a time of its own; only the tempo so far is kept."""
        if abs(arrival_s - self.tick_s - self.period_s) > self.period_s / 4:
            self._phased = 0

    def tick(self, arrival_s: float) -> None:
        """One more tick, read off at arrival_s; tick_s is then when it was, without jitter."""
        self.settled += 1
        self._phased += 1
        if self._phased == 1:
            self.tick_s, self._mean_error_s = arrival_s, 0.0
            return
        error_s = arrival_s - (self.tick_s + self.period_s)
        if self._phased > TICKS_KEPT and self._new_tempo(error_s):
            self.settled = self._phased = TICKS_KEPT
        n, m = self.settled, self._phased
        omega = 2.0 * math.pi * BANDWIDTH_HZ * self.period_s
        phase_gain = max(math.sqrt(2.0) * omega, 2.0 * (2 * m - 1) / (m * (m + 1)))
        period_gain = max(omega * omega, 6.0 / (n * (n + 1)))
        self.tick_s += self.period_s + phase_gain * error_s
        wanted_s = self.period_s + period_gain * error_s
        self.period_s = min(max(wanted_s, SHORTEST_PERIOD_S), LONGEST_PERIOD_S)

    def _new_tempo(self, error_s: float) -> bool:
        """Whether the tempo has changed: the errors of several ticks are all on one side. One late
        tick alone is no change."""
        limit_s = DEVIATIONS * max(self._jitter_s, LEAST_JITTER_S)
        most_s = 0.9 * limit_s / MEAN_WEIGHT
        heard_s = min(max(error_s, -most_s), most_s)
        self._mean_error_s += MEAN_WEIGHT * (heard_s - self._mean_error_s)
        # A deviation is 1.25 mean absolute ones; about the mean, or a ramp would count as jitter.
        spread_s = 1.25 * abs(heard_s - self._mean_error_s)
        self._jitter_s += JITTER_WEIGHT * (spread_s - self._jitter_s)
        if abs(self._mean_error_s) < limit_s:
            return False
        self._mean_error_s = 0.0
        return True


@dataclass(frozen=True, slots=True)
class ClockReading:
    """The clock as of its last tick.

    ticks counts them all; tick_s is when the last one was, free of jitter, and arrival_s when it
    came (time.monotonic). settled: how many ticks the tempo rests on. origin: the tick at which
    the song began. changes counts starts, stops and jumps; began: how many ticks into the song
    the last start was; running: whether the song goes on.
    """

    ticks: int = 0
    tick_s: float = 0.0
    period_s: float = 60.0 / TICKS_PER_BEAT / 120.0
    arrival_s: float = -math.inf
    settled: int = 0
    origin: int = 0
    changes: int = 0
    began: int = 0
    running: bool = False

    @property
    def tempo_bpm(self) -> float:
        return 60.0 / TICKS_PER_BEAT / self.period_s

    @property
    def step(self) -> float:
        """The song's position at the last tick, in sixteenths."""
        return (self.ticks - self.origin) / TICKS_PER_STEP


class MidiClock:
    """Follows one master's real-time messages; the thread that reads MIDI calls its methods."""

    def __init__(self, tempo_bpm: float = 120.0) -> None:
        """tempo_bpm: what is assumed between the first tick and the second."""
        self._loop = TickLoop(60.0 / TICKS_PER_BEAT / tempo_bpm)
        self._ticks = 0
        self._arrival_s = -math.inf
        self._origin = 0
        self._position = 0  # ticks into the song, while it stands still or waits for its tick
        self._waits_for_tick = False
        self._running = False
        self._changes = 0
        self.reading = ClockReading()

    def tick(self, arrival_s: float) -> bool:
        """A clock message. True where the song starts or jumps with it."""
        if arrival_s - self._arrival_s >= LOST_S:
            self._loop.restart()
        self._arrival_s = arrival_s
        self._ticks += 1
        begins = self._waits_for_tick
        if begins:
            self._origin = self._ticks - self._position
            self._waits_for_tick, self._running = False, True
            self._changes += 1
            self._loop.begin_beat(arrival_s)
        self._loop.tick(arrival_s)
        self._publish()
        return begins

    def new_master(self) -> None:
        """Ticks come from another source now. Of the old ones only the tempo is kept, as a first
        guess."""
        self._loop.restart()

    def start(self) -> None:
        """The song from its beginning, with the next tick."""
        self._position = 0
        self._waits_for_tick = True

    def resume(self) -> None:
        """Continue: from where it stands, with the next tick."""
        if not self._running:
            self._waits_for_tick = True

    def stop(self) -> None:
        """At once; the place is kept."""
        if self._running:
            # The tick after the last one is the next to be played.
            self._position = self._ticks + 1 - self._origin
        self._waits_for_tick = self._running = False
        self._changes += 1
        self._publish()

    def locate(self, sixteenths: int) -> None:
        """Song position pointer: where the song goes on, with the next tick if it runs."""
        self._position = sixteenths * TICKS_PER_STEP
        self._waits_for_tick = self._waits_for_tick or self._running

    def _publish(self) -> None:
        loop = self._loop
        self.reading = ClockReading(
            self._ticks, loop.tick_s, loop.period_s, self._arrival_s, loop.settled, self._origin,
            self._changes, self._position, self._running,
        )
