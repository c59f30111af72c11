"""Where musical time meets frames: a tempo line, and whoever can lead the sequencer along one.

Immutable values, no thread.

A line is straight from its anchor on; a tempo change makes a new line through the same point, so
nothing jumps. Positions are in sixteenths since the sequencer started, frames are the engine's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

STEPS_PER_BEAT = 4
STEPS_PER_BAR = 16


@dataclass(frozen=True, slots=True)
class TempoLine:
    """Sixteenths against frames, from one anchor at one tempo."""

    sample_rate_hz: int
    tempo_bpm: float
    anchor_frame: float = 0.0
    anchor_step: float = 0.0

    @property
    def frames_per_step(self) -> float:
        return self.sample_rate_hz * 60.0 / self.tempo_bpm / STEPS_PER_BEAT

    def frame_of(self, step: float) -> float:
        """The exact frame, fraction and all, of a position."""
        return self.anchor_frame + (step - self.anchor_step) * self.frames_per_step

    def step_at(self, frame: float) -> float:
        """The position at a frame."""
        return self.anchor_step + (frame - self.anchor_frame) / self.frames_per_step

    def at_tempo(self, tempo_bpm: float, frame: float) -> TempoLine:
        """The line that goes on from this one's point at `frame` with another tempo."""
        return replace(
            self, tempo_bpm=tempo_bpm, anchor_frame=frame, anchor_step=self.step_at(frame)
        )

    def next_multiple(self, steps: int, frame: float) -> int:
        """The first frame, not before `frame`, of a position that is a multiple of `steps`."""
        # 1e-6 of a step: a boundary at exactly `frame` counts although floats blur it.
        count = math.ceil(self.step_at(frame) / steps - 1e-6)
        return max(round(self.frame_of(count * steps)), math.ceil(frame))


@dataclass(frozen=True, slots=True)
class Transport:
    """What the sequencer does now. starts counts how often it was started; first_step is where
    it began last."""

    playing: bool
    line: TempoLine
    starts: int
    first_step: int


def swung(step: int, swing: float) -> float:
    """Position in sixteenths of step number `step`; swing 0..1 delays every second one.

    0 is straight, 1 delays by half a sixteenth: 75 % of the pair in the words of an MPC.
    """
    return step + 0.5 * swing * (step % 2)
