"""The sequencer along JACK's transport: begun, stopped and placed with everybody else's.

A step lies on a frame of the transport, at the tempo its timebase master tells or, without one, at
our own from its frame 0 on. While it stands, the first hits of a start are laid out for the audio
callback, so that a start is heard on its very frame; from there on steps are scheduled as ever.
`Sync` owns it and calls it with its lock held, mostly on the sequencer's thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal, Protocol

from gan808.engine.protocols import EngineLike
from gan808.engine.transport import PreparedHit, TransportReading
from gan808.errors import ConfigError, Gan808Error
from gan808.sequencer.clock import TempoLine
from gan808.sequencer.led import go_on, soonest
from gan808.sequencer.sequencer import Sequencer

SAME_TEMPO = 1e-6
# Between a told place and a line that goes through it; floats blur, ticks are told cut off.
SAME_STEP = 1e-3


class JackTransportLike(Protocol):
    """The server's transport, as long as that runs; see gan808.engine.jack.transport."""

    @property
    def alive(self) -> bool: ...
    @property
    def leads(self) -> bool: ...

    def reading(self) -> TransportReading | None: ...

    def prepare(self, position: int, frames: int, hits: Sequence[PreparedHit]) -> None: ...

    def lead_along(
        self, frame: float, step: float, tempo_bpm: float, sample_rate_hz: int
    ) -> None: ...

    def start(self, position: int | None = None) -> None: ...

    def stop(self) -> None: ...

    def close(self) -> None: ...


class HitList:
    """A port that writes down what is played on it."""

    def __init__(self) -> None:
        self.hits: list[PreparedHit] = []

    def trigger(self, slot: int, velocity: float, frame: int = 0, *, pan: float = 0.0,
                tune_semitones: float = 0.0, decay: float = 1.0) -> bool:
        """One more."""
        self.hits.append(PreparedHit(frame, slot, velocity, pan, tune_semitones, decay))
        return True

    def forget(self, frame: int = 0) -> bool:
        """Nothing has been played before."""
        return True


class JackFollower:
    """Follows the transport from when it is made to `close`; lead: sets its tempo and starts it."""

    def __init__(
        self, sequencer: Sequencer, engine: EngineLike,
        open_transport: Callable[[bool], JackTransportLike], *, lead: bool, offset_s: float,
        say: Callable[[str], None],
    ) -> None:
        """open_transport(lead) raises a Gan808Error where the sound is not on JACK."""
        self._sequencer = sequencer
        self._engine = engine
        self._open = open_transport
        self._lead = lead
        self._offset_s = offset_s
        self._say = say
        self._starts = 0
        self._told: TempoLine | None = None  # along a master's places
        self._start: Literal["", "join", "restart"] = ""
        self._stop_frame: int | None = None
        # Steps along the transport's frames where nobody tells.
        self._own = TempoLine(engine.sample_rate_hz, sequencer.tempo_bpm)
        self._transport: JackTransportLike | None = self._opened()

    @property
    def clock(self) -> str:
        """Who sets the tempo, for people."""
        transport = self._transport
        if transport is None or not transport.alive:
            return "jack off"
        return "jack lead" if transport.leads else "jack"

    def close(self) -> None:
        """Leave the transport to the others."""
        if self._transport is not None:
            self._transport.close()

    # What is asked for here

    def begin(self) -> None:
        """Play as soon as the transport can be started, or with it where it rolls already; where
        others start it there is nothing to do."""
        if self._lead:
            self._start = "join"

    def play(self, frame: int) -> None:
        """As leader start the transport from its beginning; else join in at `frame`, where it is.
        Raises ConfigError where it stands."""
        if self._lead:
            self._start, self._stop_frame = "restart", None
            return
        reading = self._transport.reading() if self._transport is not None else None
        if reading is None or reading.state != "rolling":
            raise ConfigError("play: JACK's transport starts it; with /seq/sync jack-lead that is "
                              "started from here")
        line = self._on_engine(self._line(reading), reading)
        self._sequencer.play_along(line, line.step_at(frame), frame)

    def stop(self, frame: int) -> None:
        """Stop at `frame`; as leader the transport too, within a moment."""
        self._sequencer.stop(frame)
        self._start = ""
        if self._lead:
            self._stop_frame = frame

    def set_tempo(self, tempo_bpm: float, from_frame: int) -> None:
        """Our own tempo, from what is not scheduled yet. Raises ConfigError where another sets
        it."""
        reading = self._transport.reading() if self._transport is not None else None
        if reading is not None and reading.tempo_bpm is not None:
            raise ConfigError("tempo: JACK's timebase master sets it; /seq/sync internal ends that")
        if reading is None or reading.state != "rolling":
            self._sequencer.set_tempo(tempo_bpm)
            return
        frame = max(from_frame, self._engine.clock.frame_now())
        self._own = self._own.at_tempo(
            tempo_bpm, frame - reading.frame + reading.position - self._offset_frames)
        self._tell_place()
        self._sequencer.follow(self._on_engine(self._own, reading))

    # The sequencer's thread

    def advance(self, until_frame: int) -> None:
        """Take over what the transport does now."""
        transport, now = self._present(), self._engine.clock.frame_now()
        reading = transport.reading() if transport is not None else None
        if transport is None or reading is None:
            return
        if reading.state == "rolling":
            self._roll(reading, now, until_frame)
        else:
            self._stand(transport, reading, until_frame - now)
        if self._stop_frame is not None and now >= self._stop_frame:
            self._stop_frame = None
            transport.stop()
        elif self._start:
            rolls = reading.state == "rolling"
            if not rolls or self._start == "restart":
                transport.start(0 if self._start == "restart" else None)
            self._start = ""

    def _present(self) -> JackTransportLike | None:
        """The transport; that of a new server, once there is one."""
        if self._transport is not None and self._transport.alive:
            return self._transport
        if self._transport is not None:
            self._transport = None
            if self._sequencer.playing:
                self._sequencer.stop(self._engine.clock.frame_now())
                self.begin()
        try:
            self._transport = self._opened()
        except Gan808Error:
            return None
        return self._transport

    def _opened(self) -> JackTransportLike:
        transport = self._open(self._lead)
        self._starts, self._told = 0, None
        self._own = replace(self._own, sample_rate_hz=self._engine.sample_rate_hz)
        if self._lead and not transport.leads:
            self._say("another program is JACK's timebase master: its tempo is followed")
        return transport

    def _stand(
        self, transport: JackTransportLike, reading: TransportReading, ahead_frames: int
    ) -> None:
        """It stands, or waits until everybody is ready: so are we, with our first hits."""
        if self._sequencer.playing:
            self._sequencer.stop(max(1, reading.frame))
        if reading.tempo_bpm is None:
            self._own = TempoLine(self._engine.sample_rate_hz, self._sequencer.tempo_bpm)
            self._tell_place()
        line = self._line(reading)
        if reading.tempo_bpm is not None:
            self._sequencer.follow(self._on_engine(line, reading))
        from_start = replace(
            line, anchor_frame=line.anchor_frame - reading.position + self._offset_frames)
        written = HitList()
        twin = self._sequencer.twin(written)
        twin.play_along(from_start, from_start.step_at(0), 0)
        twin.advance(ahead_frames)
        transport.prepare(reading.position, ahead_frames, written.hits)

    def _roll(self, reading: TransportReading, now: int, until_frame: int) -> None:
        line = self._on_engine(self._line(reading), reading)
        if reading.starts == self._starts:
            if self._sequencer.playing:
                go_on(self._sequencer, self._engine, line, now, pattern_start=0)
            return
        self._starts = reading.starts
        begun, first = reading.start_frame, soonest(self._engine, now)
        if now - begun > until_frame - now:  # it has been rolling for a while
            begun = first
        self._sequencer.play_along(
            line, line.step_at(begun), begun if reading.sent_until else first,
            sent_until=reading.sent_until)

    # Lines

    @property
    def _offset_frames(self) -> float:
        return self._offset_s * self._engine.sample_rate_hz

    def _line(self, reading: TransportReading) -> TempoLine:
        """Steps along the transport's frames. A place is told cut off to a tick: as long as one
        line goes through all of them it is kept, and one through frame 0 is as good as any."""
        tempo_bpm, step = reading.tempo_bpm, reading.step
        if tempo_bpm is None:
            return self._own
        rate = self._engine.sample_rate_hz
        for line in (self._told, self._own, TempoLine(rate, tempo_bpm)):
            if line is None or abs(line.tempo_bpm / tempo_bpm - 1.0) > SAME_TEMPO:
                continue
            if -SAME_STEP <= line.step_at(reading.position) - step \
                    <= reading.tick_steps + SAME_STEP:
                self._told = line
                return line
        self._told = TempoLine(rate, tempo_bpm, float(reading.position), step)
        return self._told

    def _on_engine(self, line: TempoLine, reading: TransportReading) -> TempoLine:
        """A line along the transport's frames as one along the engine's."""
        apart = reading.frame - reading.position + self._offset_frames
        return replace(line, anchor_frame=line.anchor_frame + apart)

    def _tell_place(self) -> None:
        if self._transport is not None and self._transport.leads:
            own = self._own
            self._transport.lead_along(
                own.anchor_frame, own.anchor_step, own.tempo_bpm, own.sample_rate_hz)
