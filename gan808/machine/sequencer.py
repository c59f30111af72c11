"""Plays a pattern into the engine: every step at its exact frame, ahead of time.

`advance` is pure of time: it schedules what falls before a frame, on whichever thread calls it
(the sequencer's own in live use, the one that mixes offline). The other methods may come from the
machine thread; one lock keeps them apart. Notes played by hand never come here.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Protocol

from gan808.errors import ConfigError
from gan808.machine.clock import STEPS_PER_BAR, STEPS_PER_BEAT, TempoLine, Transport, swung
from gan808.machine.evolution import Quantise
from gan808.machine.needs import PortLike
from gan808.machine.patterns import Pattern
from gan808.machine.state import StepEdit


class Listener(Protocol):
    """Who hears of beats and hits, just before they are scheduled; must return at once."""

    def on_beat(self, index: int, frame: int, next_frame: int) -> None: ...

    def on_hit(self, slot: int, frame: int) -> None: ...


class Sequencer:
    """A pattern, a tempo and a swing on their way into one port.

    tempo_bpm and swing: None follows each pattern's own. Steps are sixteenths, four a beat.
    """

    def __init__(
        self,
        pattern: Pattern,
        codes: Sequence[str],
        port: PortLike,
        sample_rate_hz: int,
        *,
        tempo_bpm: float | None = None,
        swing: float | None = None,
        listener: Listener | None = None,
    ) -> None:
        self._lock = threading.Lock()
        self._port = port
        self._listener = listener
        self._codes = tuple(codes)
        self._pattern = pattern
        self._next_pattern: Pattern | None = None
        self._next_edits: tuple[StepEdit, ...] = ()
        self._edits: dict[tuple[str, int], StepEdit] = {}  # by slot code and step
        self._grid = pattern.laid_out(codes)
        self._own_tempo = tempo_bpm is not None
        self._own_swing = swing is not None
        self._swing = pattern.swing if swing is None else swing
        self._line = TempoLine(sample_rate_hz, tempo_bpm or pattern.tempo_bpm)
        self._playing = False
        self._step = 0
        self._pattern_start = 0
        self._frontier = 0
        self._skipped = 0
        self._led = False
        self._starts = 0
        self._first_step = 0

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
    def edits(self) -> tuple[StepEdit, ...]:
        """How the steps of `pattern` were changed since it was chosen."""
        with self._lock:
            changed = tuple(self._edits.values())
            return changed if self._next_pattern is None else self._next_edits

    @property
    def pattern(self) -> Pattern:
        """The pattern that plays, or the one that takes over at the next bar."""
        return self._next_pattern or self._pattern

    @property
    def skipped_steps(self) -> int:
        """Steps left out because their time had passed."""
        return self._skipped

    @property
    def transport(self) -> Transport:
        """Whether and along which line it plays: what a clock sent to others is made from."""
        with self._lock:
            return Transport(self._playing, self._line, self._starts, self._first_step)

    def play(self, frame: int) -> None:
        """Start from the first step at `frame`, or right after what is already scheduled."""
        with self._lock:
            self._take_pattern(self._next_pattern or self._pattern, 0)
            self._frontier = max(frame, self._frontier)
            self._line = TempoLine(
                self._line.sample_rate_hz, self._line.tempo_bpm, float(self._frontier), 0.0
            )
            self._begin(0)

    def play_along(
        self, line: TempoLine, step: float, frame: int, *, pattern_start: int = 0
    ) -> None:
        """Start on a line that comes from elsewhere, at its first whole step from `step` on.

        Nothing sounds before `frame`, and what was scheduled is taken back. pattern_start: the
        step of the line on which the pattern begins.
        """
        with self._lock:
            self._led = True
            self._take_pattern(self._next_pattern or self._pattern, pattern_start)
            self._port.forget()
            self._frontier = frame
            self._line = line
            # 1e-6 of a step: a whole step that floats blur counts as that step.
            self._begin(math.ceil(step - 1e-6))

    def follow(self, line: TempoLine) -> None:
        """Go on along a line that comes from elsewhere: another's tempo, the same steps."""
        with self._lock:
            self._led = True
            self._line = line

    def go_alone(self) -> None:
        """Follow nobody any more: the tempo of now stays."""
        with self._lock:
            if self._led:
                self._led, self._own_tempo = False, True

    def stop(self, frame: int = 0) -> None:
        """Stop at once; frame: now. Steps scheduled already are taken back."""
        with self._lock:
            self._playing = False
            self._port.forget()
            self._frontier = frame

    def _begin(self, step: int) -> None:
        self._step = self._first_step = step
        self._starts += 1
        self._playing = True

    def set_tempo(self, tempo_bpm: float) -> None:
        """Change tempo from the first step not scheduled yet; the beat goes on from there."""
        with self._lock:
            self._own_tempo = True
            self._line = self._line.at_tempo(tempo_bpm, self._frontier)

    def set_swing(self, swing: float) -> None:
        """Swing 0..1, from the first step not scheduled yet."""
        with self._lock:
            self._own_swing = True
            self._swing = swing

    def set_pattern(self, pattern: Pattern, edits: Sequence[StepEdit] = ()) -> None:
        """Another pattern, with these steps changed, from the next bar on; at once when nothing
        plays."""
        with self._lock:
            self._next_pattern, self._next_edits = pattern, tuple(edits)
            if not self._playing:
                self._take_pattern(pattern, 0)

    def set_codes(self, codes: Sequence[str]) -> None:
        """Another kit: lay the pattern out for its slots."""
        with self._lock:
            self._codes = tuple(codes)
            self._lay_out()

    def step(self, slot: int, step: int) -> float:
        """Velocity of a step, counted from 1. Raises ConfigError beyond the pattern's end."""
        return self._grid[slot][self._index(step)]

    def set_step(self, slot: int, step: int, velocity: float) -> None:
        """Change a step of the pattern that plays, until another is chosen. Raises ConfigError."""
        with self._lock:
            self._grid[slot][self._index(step)] = velocity
            code = self._codes[slot]
            self._edits[code, step] = StepEdit(code, step, velocity)

    def _index(self, step: int) -> int:
        if not 1 <= step <= self._pattern.n_steps:
            raise ConfigError(f"step {step}: {self._pattern.name} has steps 1 to "
                              f"{self._pattern.n_steps}")
        return step - 1

    def used_slots(self) -> list[int]:
        """Slots with at least one step."""
        return [slot for slot, row in enumerate(self._grid) if any(row)]

    def next_frame(self, quantise: Quantise, frame: int) -> int:
        """The first beat or bar from `frame` on that is still open; 0, at once, when stopped."""
        with self._lock:
            if quantise == "now" or not self._playing:
                return 0
            steps = STEPS_PER_BEAT if quantise == "beat" else STEPS_PER_BAR
            return self._line.next_multiple(steps, max(frame, self._frontier))

    def bar_at(self, frame: int) -> int:
        """The bar, counted from 1, that a frame falls into at the present tempo."""
        # A hundredth of a step: the frame of a bar line is rounded, and belongs to its bar.
        return int((self._line.step_at(frame) + 0.01) // STEPS_PER_BAR) + 1

    def advance(self, until_frame: int, not_before: int = 0) -> None:
        """Schedule every step whose frame is below until_frame and was not scheduled yet.

        Steps below not_before are left out: after a machine was asleep, a burst of everything
        it missed is worse than silence.
        """
        with self._lock:
            while self._playing:
                frame = self._frame_of(self._step)
                if frame >= until_frame:
                    self._frontier = max(self._frontier, until_frame)
                    break
                self._frontier = frame
                self._begin_step(frame)
                if frame < not_before:
                    self._skipped += 1
                else:
                    self._hit(frame)
                self._step += 1

    def _frame_of(self, step: int) -> int:
        # Less swing than before may put a step before what is scheduled: then it comes next.
        return max(round(self._line.frame_of(swung(step, self._swing))), self._frontier)

    def _begin_step(self, frame: int) -> None:
        if self._step % STEPS_PER_BAR == 0 and self._next_pattern is not None:
            self._take_pattern(self._next_pattern, self._step)
        if self._step % STEPS_PER_BEAT == 0 and self._listener is not None:
            beat_end = round(self._line.frame_of(self._step + STEPS_PER_BEAT))
            self._listener.on_beat(self._step // STEPS_PER_BEAT, frame, beat_end)

    def _take_pattern(self, pattern: Pattern, at_step: int) -> None:
        if self._next_pattern is not None:  # or it is the one of before, as it was changed
            self._edits = {(edit.code, edit.step): edit for edit in self._next_edits}
        self._pattern, self._next_pattern, self._next_edits = pattern, None, ()
        self._lay_out()
        self._pattern_start = at_step
        if not self._own_swing:
            self._swing = pattern.swing
        if not self._own_tempo and not self._led:
            self._line = self._line.at_tempo(pattern.tempo_bpm, self._line.frame_of(at_step))

    def _lay_out(self) -> None:
        self._grid = self._pattern.laid_out(self._codes)
        for edit in self._edits.values():
            if edit.code in self._codes and edit.step <= self._pattern.n_steps:
                self._grid[self._codes.index(edit.code)][edit.step - 1] = edit.velocity

    def _hit(self, frame: int) -> None:
        place = (self._step - self._pattern_start) % self._pattern.n_steps
        for slot, row in enumerate(self._grid):
            if row[place] > 0:
                if self._listener is not None:
                    self._listener.on_hit(slot, frame)
                self._port.trigger(slot, row[place], frame)


class SequencerThread:
    """Wakes every 20 ms and keeps the sequencer ahead of the engine's clock."""

    PERIOD_S = 0.02

    def __init__(
        self, advance: Callable[[int, int], None], frame_now: Callable[[], int], ahead_frames: int
    ) -> None:
        """advance(until_frame, not_before) is called on this thread; frame_now tells the time."""
        self._advance = advance
        self._frame_now = frame_now
        self._ahead_frames = ahead_frames
        self._wakes: SimpleQueue[bool] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="gan808-sequencer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Look at once, not at the end of the 20 ms. Any thread; never waits."""
        self._wakes.put(True)

    def stop(self) -> None:
        """Returns when the thread has ended."""
        self._wakes.put(False)
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while self._sleep():
            now = self._frame_now()
            # One lead of grace: a step that late is still heard as late, not as wrong.
            self._advance(now + self._ahead_frames, now - self._ahead_frames)

    def _sleep(self) -> bool:
        """Until the period is over or somebody wakes it; False when it is to end."""
        try:
            return self._wakes.get(timeout=self.PERIOD_S)
        except Empty:
            return True
