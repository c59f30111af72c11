"""Who leads the sequencer: its own tempo, a MIDI clock, a Link session or JACK's transport.

`Sync.advance` runs on the sequencer's thread just before steps are scheduled; the other methods
come from the machine's. One lock keeps the two apart; the MIDI thread never takes it, it only
replaces the clock's reading.
"""

from __future__ import annotations

import heapq
import itertools
import math
import threading
from collections.abc import Callable
from typing import Protocol

from gan808.config import SyncMode
from gan808.engine.protocols import EngineLike
from gan808.errors import ConfigError
from gan808.sequencer.clock import STEPS_PER_BAR, STEPS_PER_BEAT, TempoLine
from gan808.sequencer.jack_sync import JackFollower, JackTransportLike
from gan808.sequencer.led import go_on, soonest
from gan808.sequencer.midi_clock import LOST_S, TICKS_PER_STEP, ClockReading, MidiClock
from gan808.sequencer.sequencer import Sequencer

# What follows JACK's transport, and what sets its tempo and starts it too.
JACK, JACK_LEAD = "jack", "jack-lead"
# While a tempo rests on few ticks nothing is scheduled further ahead than it can be trusted.
LEAST_HORIZON_S = 0.04


class LinkLike(Protocol):
    """A peer of an Ableton Link session; any thread."""

    @property
    def peers(self) -> int: ...
    @property
    def tempo_bpm(self) -> float: ...
    @property
    def playing(self) -> bool | None:
        """Whether the session plays; None where starts and stops are not shared."""

    def beat(self) -> tuple[float, float]:
        """The session's beat and the time.monotonic at which it was that beat."""

    def set_tempo(self, tempo_bpm: float) -> None: ...

    def set_playing(self, playing: bool) -> None: ...

    def close(self) -> None: ...


class Sync:
    """Leads a sequencer as the mode says.

    internal: its own tempo. midi: MIDI clock, start and stop; it waits for them. link: a Link
    session's tempo and bar. jack: JACK's transport, its starts and its place; jack-lead: sets its
    tempo and starts it. auto: its own tempo until a MIDI start comes, MIDI from then on.
    A clock that is lost is carried on with at its last tempo, and taken up when it returns.
    """

    def __init__(
        self,
        sequencer: Sequencer,
        engine: EngineLike,
        mode: SyncMode = "internal",
        *,
        offset_s: float = 0.0,
        say: Callable[[str], None] = lambda text: None,
        open_link: Callable[[float], LinkLike] | None = None,
        open_jack: Callable[[bool], JackTransportLike] | None = None,
    ) -> None:
        """offset_s moves steps against the master, negative is earlier. open_link(tempo_bpm)
        joins the Link session, open_jack(lead) JACK's transport; both raise ConfigError where that
        cannot be done. None: nobody can.
        """
        self.midi = MidiClock(sequencer.tempo_bpm)
        self._open_link = open_link
        self._open_jack = open_jack
        self._sequencer = sequencer
        self._engine = engine
        self._offset_s = offset_s
        self._say = say
        self._lock = threading.Lock()
        self._mode: SyncMode = mode
        self._link: LinkLike | None = None
        self._jack: JackFollower | None = None
        self._session_plays: bool | None = None
        self._following = False
        self._bound = False  # auto has heard a start
        self._lost = False
        self._changes = 0
        self._shift_steps = 0.0
        self._scheduled_until = 0
        # Starts and stops to come, by frame and then in the order they were asked for.
        self._to_come: list[tuple[int, int, Callable[[int], None]]] = []
        self._order = itertools.count()

    @property
    def mode(self) -> SyncMode:
        return self._mode

    @property
    def clock(self) -> str:
        """Who leads now, for people: internal, midi, midi lost, link 2, jack, jack lead."""
        link, jack = self._link, self._jack
        if self._mode in (JACK, JACK_LEAD):
            return jack.clock if jack is not None else "jack off"
        if self._mode == "link":
            return f"link {link.peers}" if link is not None else "link off"
        if self._following:
            return "midi"
        return "midi lost" if self._lost else "internal"

    def set_mode(self, mode: SyncMode) -> None:
        """Another leader from now on; the sequencer plays on, along JACK's transport if that
        rolls. Raises ConfigError where Link is not installed or the sound is not on JACK."""
        with self._lock:
            if mode in (JACK, JACK_LEAD):
                self._take_transport(mode == JACK_LEAD)
            else:
                self._leave_transport()
            if mode == "link" and self._link is None:
                self._link = self._joined()
            elif mode != "link":
                self._leave_link()
            self._mode = mode
            self._changes = self.midi.reading.changes
            self._following = self._bound = self._lost = False
            self._sequencer.go_alone()

    def begin(self, frame: int, *, playing: bool = True) -> None:
        """The start of the program: play at `frame`, if so wanted, or wait for whoever leads to
        say so. Raises ConfigError as set_mode does."""
        if self._mode in ("link", JACK, JACK_LEAD):
            self.set_mode(self._mode)
        if playing and self._jack is not None:
            self._jack.begin()
        elif playing and self._mode != "midi":
            self.play(frame)

    def close(self) -> None:
        """Leave Link session and transport, if there is one; safe to call twice."""
        with self._lock:
            self._leave_link()
            self._leave_transport()

    def play(self, frame: int) -> None:
        """From the first step: at `frame`, at the next tick of a clock or the next bar of a
        session; as JACK's leader with the transport, that begins anew. Until then it goes on as it
        is. Raises ConfigError where others start JACK's transport, and have not."""
        with self._lock:
            if self._to_come or (self._sequencer.playing and frame > self._scheduled_until):
                self._put_off(frame, self._play)
            else:
                self._play(frame)

    def stop(self, frame: int) -> None:
        """At `frame`, now or later."""
        with self._lock:
            if self._to_come:
                self._put_off(frame, self._stop)
            else:
                self._stop(frame)

    def _put_off(self, frame: int, act: Callable[[int], None]) -> None:
        heapq.heappush(self._to_come, (frame, next(self._order), act))

    def _play(self, frame: int) -> None:
        if self._jack is not None:
            self._jack.play(frame)
        elif self._link is not None:
            self._link.set_playing(True)
            self._join(self._link_line(self._link), frame, forget_from=frame)
        elif self._following:
            line = self._midi_line(self.midi.reading)
            ticks = math.ceil(line.step_at(frame) * TICKS_PER_STEP)
            self._shift_steps -= ticks / TICKS_PER_STEP
            self._sequencer.play_along(
                self._midi_line(self.midi.reading), 0.0, frame, forget_from=frame)
        else:
            self._sequencer.play(frame)

    def _stop(self, frame: int) -> None:
        if self._jack is not None:
            self._jack.stop(frame)
            return
        if self._link is not None:
            self._link.set_playing(False)
        self._sequencer.stop(frame)

    def set_tempo(self, tempo_bpm: float) -> None:
        """The tempo, in a session everybody's. Raises ConfigError while a MIDI clock or JACK's
        timebase master sets it."""
        with self._lock:
            if self._following:
                raise ConfigError("tempo: the MIDI clock sets it; /seq/sync internal ends that")
            if self._jack is not None:
                self._jack.set_tempo(tempo_bpm, self._scheduled_until)
            elif self._link is not None:
                self._link.set_tempo(tempo_bpm)
                self._sequencer.follow(self._link_line(self._link))
            else:
                self._sequencer.set_tempo(tempo_bpm)

    # The sequencer's thread

    def advance(self, until_frame: int, not_before: int = 0) -> None:
        """Take over what the leader says now, then schedule steps as Sequencer.advance does."""
        with self._lock:
            if self._jack is not None:
                self._jack.advance(until_frame)
            elif self._link is not None:
                self._along_link(self._link)
            elif self._mode in ("midi", "auto"):
                until_frame = self._along_midi(until_frame)
            self._scheduled_until = until_frame
            while self._to_come and self._to_come[0][0] <= until_frame:
                frame, _, act = heapq.heappop(self._to_come)
                self._sequencer.advance(frame, not_before)
                act(frame)
        self._sequencer.advance(until_frame, not_before)

    def _along_midi(self, until_frame: int) -> int:
        """Follow the MIDI clock; how far ahead it can be trusted."""
        reading, now = self.midi.reading, self._engine.clock.frame_now()
        changed, self._changes = reading.changes != self._changes, reading.changes
        if changed and reading.running:
            self._bound = True
        if self._mode == "auto" and not self._bound:
            return until_frame
        if changed:
            self._change(reading, now)
        elif self._alive(reading, now):
            self._follow(reading, now)
        elif self._following:
            self._lose()
        return min(until_frame, self._horizon(reading)) if self._following else until_frame

    def _change(self, reading: ClockReading, now: int) -> None:
        """Start, continue or stop, as the master has said."""
        if not reading.running:
            self._sequencer.stop(now)
            return
        self._following, self._lost, self._shift_steps = True, False, 0.0
        self._sequencer.play_along(
            self._midi_line(reading), reading.began / TICKS_PER_STEP, soonest(self._engine, now))

    def _follow(self, reading: ClockReading, now: int) -> None:
        before = self._sequencer.transport
        if not self._following:
            # Ticks say nothing of the place in the song: it goes on from the nearest of ours.
            self._shift_steps = 0.0
            if before.playing:
                apart = before.line.step_at(now) - self._midi_line(reading).step_at(now)
                self._shift_steps = round(apart * TICKS_PER_STEP) / TICKS_PER_STEP
            if self._lost:
                self._say(f"the MIDI clock is back: {reading.tempo_bpm:.1f} BPM")
            self._following, self._lost = True, False
        go_on(
            self._sequencer, self._engine, self._midi_line(reading), now, pattern_start=0)

    def _lose(self) -> None:
        self._following, self._lost = False, True
        self._sequencer.go_alone()
        if self._sequencer.playing:
            self._say(f"the MIDI clock has stopped coming; the beat goes on at "
                      f"{self._sequencer.tempo_bpm:.1f} BPM")

    def _alive(self, reading: ClockReading, now: int) -> bool:
        if reading.settled == 0:
            return False
        silent = now - self._engine.clock.frame_at(reading.arrival_s)
        return silent < LOST_S * self._engine.sample_rate_hz

    def _horizon(self, reading: ClockReading) -> int:
        trusted_s = max(LEAST_HORIZON_S, reading.period_s * max(2.0, reading.settled / 2))
        last = self._engine.clock.frame_at(reading.tick_s)
        return last + round(trusted_s * self._engine.sample_rate_hz)

    def _midi_line(self, reading: ClockReading) -> TempoLine:
        rate = self._engine.sample_rate_hz
        frame = self._heard_at(reading.tick_s)
        return TempoLine(rate, reading.tempo_bpm, frame, reading.step + self._shift_steps)

    def _heard_at(self, monotonic_s: float) -> float:
        """The frame that is heard then: mixed one output latency before."""
        frame = self._engine.clock.frame_at(monotonic_s) - self._engine.latency_frames
        return frame + self._offset_s * self._engine.sample_rate_hz

    # JACK's transport, Link; with the lock held

    def _take_transport(self, lead: bool) -> None:
        if self._open_jack is None:
            raise ConfigError("sync jack needs the sound on JACK")
        before, self._jack = self._jack, None
        if before is not None:
            before.close()
        self._jack = JackFollower(
            self._sequencer, self._engine, self._open_jack, lead=lead, offset_s=self._offset_s,
            say=self._say)
        if self._sequencer.playing:
            self._jack.begin()

    def _leave_transport(self) -> None:
        if self._jack is not None:
            self._jack.close()
            self._jack = None

    def _joined(self) -> LinkLike:
        if self._open_link is None:
            raise ConfigError("sync link: this output cannot join a Link session")
        link = self._open_link(self._sequencer.tempo_bpm)
        self._session_plays = link.playing
        return link

    def _leave_link(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None

    def _along_link(self, link: LinkLike) -> None:
        now, plays = self._engine.clock.frame_now(), link.playing
        line = self._link_line(link)
        if plays is not None and plays != self._session_plays:
            if plays and not self._sequencer.playing:
                self._join(line, now)
            elif not plays and self._sequencer.playing:
                self._sequencer.stop(now)
        self._session_plays = plays
        go_on(self._sequencer, self._engine, line, now, pattern_start=None)

    def _join(self, line: TempoLine, frame: int, forget_from: int = 0) -> None:
        """Begin the pattern on the session's next bar."""
        bar = math.ceil(line.step_at(frame) / STEPS_PER_BAR - 1e-6) * STEPS_PER_BAR
        self._sequencer.play_along(
            line, float(bar), frame, pattern_start=bar, forget_from=forget_from)

    def _link_line(self, link: LinkLike) -> TempoLine:
        beat, at_s = link.beat()
        return TempoLine(self._engine.sample_rate_hz, link.tempo_bpm, self._heard_at(at_s),
                         STEPS_PER_BEAT * beat)
