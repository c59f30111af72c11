"""Plays a pattern into the engine: every hit at its exact frame, ahead of time.

`advance` is pure of time: it schedules what falls before a frame, on whichever thread calls it
(the sequencer's own in live use, the one that mixes offline). The other methods may come from the
machine thread; one lock keeps them apart. Notes played by hand never come here.
"""

from __future__ import annotations

import copy
import heapq
import math
import threading
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from gan808.config import Quantise
from gan808.engine.protocols import StepPort
from gan808.sequencer.clock import STEPS_PER_BAR, STEPS_PER_BEAT, TempoLine, Transport, swung
from gan808.sequencer.hits import HitLog, ScheduledHit, TakenBack
from gan808.sequencer.patterns import Pattern
from gan808.sequencer.score import Score
from gan808.sequencer.steps import ACCENT, SOFT, Step

Result = TypeVar("Result")
# A sequencer further behind its line than this leaps there: hours of steps are not walked through.
MOST_BEHIND_STEPS = STEPS_PER_BAR
COUNTED_ON = ("RS", "CL", "SS", "CH")  # the first of these that a kit has
Hit = tuple[float, float, float, float]  # velocity, pan, tune in semitones, decay


class SequencerListener(Protocol):
    """Who hears of beats and hits, just before they are scheduled; must return at once."""

    def on_beat(self, index: int, frame: int, next_frame: int) -> None: ...

    def on_hit(self, slot: int, frame: int) -> None: ...


class Sequencer:
    """A pattern, a tempo and a swing on their way into one port.

    tempo_bpm and swing: None follows each pattern's own. Steps are sixteenths, four a beat.
    seed, vary, fills: as Score has them.
    """

    def __init__(
        self, pattern: Pattern, codes: Sequence[str], port: StepPort, sample_rate_hz: int, *,
        tempo_bpm: float | None = None, swing: float | None = None,
        listener: SequencerListener | None = None, seed: int = 0, vary: float = 0.0, fills: int = 0,
    ) -> None:
        self._lock = threading.Lock()
        self._port = port
        self._listener = listener
        self._score = Score(pattern, codes, seed=seed, vary=vary, fills=fills)
        self._own_tempo = tempo_bpm is not None
        self._own_swing = swing is not None
        self._swing = pattern.swing if swing is None else swing
        self._line = TempoLine(sample_rate_hz, tempo_bpm or pattern.tempo_bpm)
        self._playing = False
        # The next step and the next beat to come, and hits of steps that have come but are not
        # due: (position in steps, slot, the hit), the earliest first.
        self._step = 0
        self._beat = 0
        self._hits: list[tuple[float, int, Hit]] = []
        self._new_tempo: tuple[int, float] | None = None
        self._new_codes: tuple[int, Sequence[str]] | None = None
        self._frontier = 0
        self._sent_until = 0
        self._skipped = 0
        self._led = False
        self._stop_frame: int | None = None
        self._starts = 0
        self._first_step = 0
        # Beats counted before a start of its own; not before one that another clock leads.
        self.count_in_beats = 0
        self.hits = HitLog()

    @property
    def playing(self) -> bool:
        return self._playing

    @property
    def tempo_bpm(self) -> float:
        return self._line.tempo_bpm

    @property
    def swing(self) -> float:
        return self._swing

    @property
    def own_tempo_bpm(self) -> float | None:
        """The tempo that was set, None where it is the pattern's."""
        return self._line.tempo_bpm if self._own_tempo else None

    @property
    def own_swing(self) -> float | None:
        """The swing that was set, None where it is the pattern's."""
        return self._swing if self._own_swing else None

    @property
    def pattern(self) -> Pattern:
        """The pattern that plays, or the one that takes over at the next bar, as it was chosen."""
        return self._score.original

    @property
    def edited(self) -> Pattern:
        """The same as it stands now, with every edit: what set_pattern(edited, pattern) brings
        back."""
        return self._score.pattern

    @property
    def skipped_steps(self) -> int:
        """Hits left out because their time had passed."""
        return self._skipped

    @property
    def transport(self) -> Transport:
        """Whether and along which line it plays: what a clock sent to others is made from."""
        with self._lock:
            return Transport(self._playing, self._line, self._starts, self._first_step)

    def play(self, frame: int) -> None:
        """Start from the first step at `frame`; what was scheduled from there on is taken back."""
        with self._lock:
            self._take_pattern(0)
            if frame < self._frontier:
                self._forget(max(frame, 1))  # 0 would be everything
            self._frontier = self._counted_in(frame)
            self._line = TempoLine(
                self._line.sample_rate_hz, self._line.tempo_bpm, float(self._frontier), 0.0
            )
            self._begin(0)

    def _counted_in(self, frame: int) -> int:
        """Beats on the rim shot from `frame` on, as many as are wanted; the frame after them."""
        codes, beats = list(self._score.codes), self.count_in_beats
        slot = next((codes.index(code) for code in COUNTED_ON if code in codes), 0)
        line = TempoLine(self._line.sample_rate_hz, self._line.tempo_bpm, float(frame), 0.0)
        for beat in range(beats):
            velocity = ACCENT if beat % (STEPS_PER_BAR // STEPS_PER_BEAT) == 0 else SOFT
            self._port.trigger(slot, velocity, round(line.frame_of(beat * STEPS_PER_BEAT)))
        return round(line.frame_of(beats * STEPS_PER_BEAT))

    def play_along(
        self, line: TempoLine, step: float, frame: int, *, pattern_start: int = 0,
        forget_from: int = 0, sent_until: int = 0,
    ) -> None:
        """Start on a line that comes from elsewhere, at its first whole step from `step` on.

        Nothing of it sounds before `frame`, and what was scheduled is taken back, from forget_from
        on. pattern_start: the step of the line on which the pattern begins. sent_until: hits below
        that frame are on their way already, as a twin has told them.
        """
        with self._lock:
            self._led = True
            self._take_pattern(pattern_start)
            self._forget(forget_from)
            self._frontier = frame
            self._line = line
            # 1e-6 of a step: a whole step that floats blur counts as that step.
            self._begin(math.ceil(step - 1e-6))
            self._sent_until = sent_until

    def twin(self, port: StepPort) -> Sequencer:
        """One in the same state that plays into another port, and of which nobody hears."""
        with self._lock:
            twin = copy.copy(self)
            twin._score, twin._hits = copy.copy(self._score), list(self._hits)
        twin._lock, twin._port, twin._listener = threading.Lock(), port, None
        return twin

    def follow(self, line: TempoLine) -> None:
        """Go on along a line that comes from elsewhere: another's tempo, the same steps."""
        with self._lock:
            self._led = True
            self._line = line

    def change_rate(self, sample_rate_hz: int, frame: int) -> None:
        """Frames are of that rate from `frame` on; the pattern goes on where it is there. What
        was scheduled beyond it is taken back and comes again."""
        with self._lock:
            place = self._line.step_at(frame)
            self._line = TempoLine(sample_rate_hz, self._line.tempo_bpm, float(frame), place)
            self._forget(0)
            self._frontier = frame
            self._hits.clear()
            self._step = math.ceil(place - 1e-6)
            self._beat = math.ceil(self._step / STEPS_PER_BEAT)
            self._score.begin_bar(self._step // STEPS_PER_BAR * STEPS_PER_BAR)

    def go_alone(self) -> None:
        """Follow nobody any more: the tempo of now stays."""
        with self._lock:
            if self._led:
                self._led, self._own_tempo = False, True

    def stop(self, frame: int = 0) -> None:
        """Stop at `frame`: what is before it is still played, what was scheduled for later is
        taken back."""
        with self._lock:
            self._forget(frame)
            self._stop_frame = frame
            self._end(self._frontier)

    def _forget(self, frame: int) -> None:
        self._port.forget(frame)
        self.hits.write(TakenBack(frame))

    def _end(self, until_frame: int) -> None:
        """Stop, if that is wanted before until_frame."""
        if self._stop_frame is not None and until_frame >= self._stop_frame:
            self._playing, self._frontier, self._stop_frame = False, self._stop_frame, None

    def _begin(self, step: int) -> None:
        self._stop_frame = None
        self._sent_until = 0
        self._step = self._first_step = step
        self._beat = math.ceil(step / STEPS_PER_BEAT)
        self._hits.clear()
        self._score.begin(step)
        self._starts += 1
        self._playing = True

    def set_tempo(self, tempo_bpm: float) -> None:
        """Change tempo from the first hit not scheduled yet; the beat goes on from there."""
        with self._lock:
            self._own_tempo = True
            self._line = self._line.at_tempo(tempo_bpm, self._frontier)

    def set_swing(self, swing: float) -> None:
        """Swing 0..1, from the first step not scheduled yet."""
        with self._lock:
            self._own_swing = True
            self._swing = swing

    def set_pattern(self, pattern: Pattern, original: Pattern | None = None) -> None:
        """Another pattern, from the next bar on; at once when nothing plays.

        original: the pattern it is an edit of, which Score.revert brings back.
        """
        with self._lock:
            self._score.choose(pattern, original)
            if not self._playing:
                self._take_pattern(0)

    def set_codes(self, codes: Sequence[str], frame: int = 0) -> None:
        """Another kit: lay the pattern out for its slots, from the first step at `frame` or after
        it."""
        with self._lock:
            self._new_codes = (frame, codes)
            if not self._playing or frame <= self._frontier:
                self._turn_codes(frame)

    def with_score(self, work: Callable[[Score], Result]) -> Result:
        """What `work` gives, done to the score: edits, fills, variation. It must be quick."""
        with self._lock:
            return work(self._score)

    def step(self, slot: int, step: int) -> Step:
        """A step, counted from 1. Raises ConfigError beyond the row's end."""
        return self.with_score(lambda score: score.step(slot, step))

    def set_step(self, slot: int, step: int, **values: float | str) -> Step:
        """Change fields of a step until another pattern is chosen. Raises ConfigError."""
        return self.with_score(lambda score: score.set_step(slot, step, **values))

    def used_slots(self) -> list[int]:
        """Slots with at least one step."""
        return self._score.used_slots()

    def next_frame(self, quantise: Quantise, frame: int) -> int:
        """The first beat or bar from `frame` on that is still open; 0, at once, when stopped."""
        with self._lock:
            if quantise == "now" or not self._playing:
                return 0
            steps = STEPS_PER_BEAT if quantise == "beat" else STEPS_PER_BAR
            return self._line.next_multiple(steps, max(frame, self._frontier))

    def place_at(self, frame: int) -> int:
        """The step, from 0 where the pattern began, that a frame falls into; -1 when stopped."""
        with self._lock:
            if not self._playing:
                return -1
            return max(0, int(self._line.step_at(frame) + 0.01) - self._score.start)

    def bar_at(self, frame: int) -> int:
        """The bar, counted from 1, that a frame falls into at the present tempo."""
        # A hundredth of a step: the frame of a bar line is rounded, and belongs to its bar.
        return int((self._line.step_at(frame) + 0.01) // STEPS_PER_BAR) + 1

    def advance(self, until_frame: int, not_before: int = 0) -> None:
        """Schedule every hit whose frame is below until_frame and was not scheduled yet.

        Hits below not_before are left out: after a machine was asleep, a burst of everything
        it missed is worse than silence. Where the line is bars ahead it leaps there.
        """
        with self._lock:
            self._leap(max(self._frontier, not_before))
            limit = until_frame if self._stop_frame is None else min(until_frame, self._stop_frame)
            while self._playing:
                # A step comes as early as anything of it may sound; then its beat, then hits.
                step_at = swung(self._step, self._swing) - self._score.earliest(self._step)
                beat_at = float(self._beat * STEPS_PER_BEAT)
                hit_at = self._hits[0][0] if self._hits else math.inf
                position = min(step_at, beat_at, hit_at)
                frame = self._frame_of(position)
                if frame >= limit:
                    self._frontier = max(self._frontier, limit)
                    break
                self._frontier = frame
                if position == step_at:
                    self._begin_step()
                elif position == beat_at:
                    self._begin_beat(frame)
                else:
                    self._hit(frame, not_before)
            self._end(until_frame)

    def _leap(self, frame: int) -> None:
        """Go on from where the line is at `frame`, if that is far; a pattern that was to take over
        on the way has done so."""
        place = self._line.step_at(frame)
        if not self._playing or place - self._step <= MOST_BEHIND_STEPS:
            return
        self._hits.clear()
        self._step = math.ceil(place - 1e-6)
        self._beat = math.ceil(self._step / STEPS_PER_BEAT)
        bar = self._step // STEPS_PER_BAR * STEPS_PER_BAR
        if self._score.changes_next:
            self._turn_pattern(bar)
            self._turn_tempo(bar, self._score.playing.tempo_bpm)
        self._score.begin_bar(bar)

    def _frame_of(self, position: float) -> int:
        # What lies before what is scheduled already, because of less swing than before, a tempo
        # that has changed or a nudge before the start, comes next.
        return max(round(self._line.frame_of(position)), self._frontier)

    def _begin_step(self) -> None:
        """Work out the hits of a step, each at its position."""
        step, swing = self._step, self._swing
        self._turn_codes(round(self._line.frame_of(step)))
        if step % STEPS_PER_BAR == 0:
            if self._score.changes_next:
                self._turn_pattern(step)
                # What sounds early, before the bar, is still at the old tempo.
                self._new_tempo = (step, self._score.playing.tempo_bpm)
                swing = self._swing
            self._score.begin_bar(step)
        place = swung(step, swing)
        length = swung(step + 1, swing) - place
        for slot, found in self._score.sounding(step):
            hit = found.velocity, found.pan, found.tune_semitones, found.decay
            for count in range(found.ratchet):
                position = place + found.nudge + count * length / found.ratchet
                heapq.heappush(self._hits, (position, slot, hit))
        self._step += 1

    def _begin_beat(self, frame: int) -> None:
        if self._new_tempo is not None and self._new_tempo[0] == self._beat * STEPS_PER_BEAT:
            self._turn_tempo(*self._new_tempo)
        if self._listener is not None:
            beat_end = round(self._line.frame_of((self._beat + 1) * STEPS_PER_BEAT))
            self._listener.on_beat(self._beat, frame, beat_end)
        self._beat += 1

    def _take_pattern(self, at_step: int) -> None:
        """The pattern that was chosen, or else the one that plays, begins at a step, at once."""
        self._turn_pattern(at_step)
        self._turn_tempo(at_step, self._score.playing.tempo_bpm)

    def _turn_pattern(self, at_step: int) -> None:
        self._score.turn(at_step)
        if not self._own_swing:
            self._swing = self._score.playing.swing

    def _turn_codes(self, frame: int) -> None:
        if self._new_codes is not None and self._new_codes[0] <= frame:
            (_, codes), self._new_codes = self._new_codes, None
            self._score.set_codes(codes)

    def _turn_tempo(self, at_step: int, tempo_bpm: float) -> None:
        self._new_tempo = None
        if not self._own_tempo and not self._led:
            self._line = self._line.at_tempo(tempo_bpm, self._line.frame_of(at_step))

    def _hit(self, frame: int, not_before: int) -> None:
        _, slot, (velocity, pan, tune_semitones, decay) = heapq.heappop(self._hits)
        sent = frame < self._sent_until
        if frame < not_before and not sent:
            self._skipped += 1
            return
        if self._listener is not None:
            self._listener.on_hit(slot, frame)
        if sent or self._port.trigger(
                slot, velocity, frame, pan=pan, tune_semitones=tune_semitones, decay=decay):
            self.hits.write(ScheduledHit(slot, velocity, frame))
