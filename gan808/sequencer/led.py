"""What following any leader has in common: how soon a start sounds, and what a jump is.

For whoever leads the sequencer; no thread, no time of its own.
"""

from __future__ import annotations

import math

from gan808.engine.protocols import EngineLike
from gan808.sequencer.clock import STEPS_PER_BAR, TempoLine
from gan808.sequencer.sequencer import Sequencer

# A line that is this far from where the sequencer is, in steps, is a jump and not a new tempo.
JUMP_STEPS = 2.0
# A start sounds in the next block but one: what is due in the block being mixed comes late.
LEAD_S = 0.003


def soonest(engine: EngineLike, now: int) -> int:
    """The first frame at which what is sent now is not late."""
    return now + round(LEAD_S * engine.sample_rate_hz)


def go_on(
    sequencer: Sequencer, engine: EngineLike, line: TempoLine, now: int, *,
    pattern_start: int | None,
) -> None:
    """Along the leader's line; a jump in it is played as a start in its new place. pattern_start:
    the step on which the pattern begins then, None for the bar that the line is in."""
    before = sequencer.transport
    place = line.step_at(now)
    if before.playing and abs(place - before.line.step_at(now)) > JUMP_STEPS:
        bar = math.floor(place / STEPS_PER_BAR) * STEPS_PER_BAR
        sequencer.play_along(line, place, soonest(engine, now),
                             pattern_start=bar if pattern_start is None else pattern_start)
    else:
        sequencer.follow(line)
