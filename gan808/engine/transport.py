"""What a transport that several programs share says, and the hits it begins with. Immutable values.

A position is in the transport's own frames, which count on while it rolls and jump where somebody
relocates it; frames are the engine's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

TransportState = Literal["stopped", "starting", "rolling"]


@dataclass(frozen=True, slots=True)
class TransportReading:
    """The transport at the beginning of one cycle: `frame` and `position` are the same moment.

    starts counts how often it began to roll; start_frame is when it did last, start_position where.
    sent_until: hits of that start below this frame have been played by whoever made the reading; 0:
    none. tempo_bpm: quarters a minute as its timebase master says, None where there is none or we
    are it; step: where that is, in sixteenths, and tick_steps how coarsely it is told.
    """

    frame: int
    position: int
    state: TransportState
    starts: int = 0
    start_frame: int = 0
    start_position: int = 0
    sent_until: int = 0
    tempo_bpm: float | None = None
    step: float = 0.0
    tick_steps: float = 0.0


@dataclass(frozen=True, slots=True)
class PreparedHit:
    """A hit that sounds `frame` frames after the transport has begun to roll."""

    frame: int
    slot: int
    velocity: float
    pan: float
    tune_semitones: float
    decay: float
