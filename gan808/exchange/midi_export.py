"""Patterns as Standard MIDI Files: what the sequencer plays, as notes of a kit's slots.

Writes a file; command line.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import mido

from gan808 import atomic
from gan808.errors import ConfigError, Gan808Error
from gan808.sequencer.clock import STEPS_PER_BAR, STEPS_PER_BEAT, swung
from gan808.sequencer.patterns import Pattern
from gan808.sequencer.score import Score
from gan808.sound.kit.slots import SlotLayout

TICKS_PER_BEAT = 960
TICKS_PER_STEP = TICKS_PER_BEAT // STEPS_PER_BEAT
NOTE_TICKS = TICKS_PER_STEP // 2
DRUM_CHANNEL = 9  # channel 10, as people count
MOST_BARS = 64
# Rows of lengths that never meet would make a file without end.
MOST_BARS_BY_ITSELF = 16


def bars_until_again(pattern: Pattern) -> int:
    """The bars after which every row begins together with a bar again, at most 16."""
    lengths = [len(row) for row in pattern.rows.values()]
    repeats = [int(step.condition.rpartition(":")[2]) for row in pattern.rows.values()
               for step in row if ":" in step.condition]
    steps = math.lcm(STEPS_PER_BAR, *lengths) * math.lcm(*repeats)
    return min(steps // STEPS_PER_BAR, MOST_BARS_BY_ITSELF)


def write_pattern(
    path: Path, pattern: Pattern, slots: Sequence[SlotLayout], *, bars: int = 0, seed: int = 0
) -> tuple[int, int]:
    """Write so many bars of a pattern; 0: until it begins again. The notes and bars written.

    seed: what chances bring, as in a run. What comes before the first bar sounds at its beginning.
    Raises ConfigError for a file that is there, Gan808Error for one that cannot be written.
    """
    if path.exists():
        raise ConfigError(f"{path}: is there already; give another name")
    bars = bars or bars_until_again(pattern)
    score = Score(pattern, [slot.code for slot in slots], seed=seed)
    score.begin(0)
    track = mido.MidiTrack([
        mido.MetaMessage("track_name", name=pattern.name.encode("ascii", "replace").decode()),
        mido.MetaMessage("set_tempo", tempo=round(60e6 / pattern.tempo_bpm)),
        mido.MetaMessage("time_signature", numerator=4, denominator=4),
    ])
    events = sorted(_events(score, slots, pattern.swing, bars * STEPS_PER_BAR))
    now = 0
    for tick, on, note, velocity in events:
        kind = "note_on" if on else "note_off"
        track.append(mido.Message(kind, channel=DRUM_CHANNEL, note=note, velocity=velocity,
                                  time=tick - now))
        now = tick
    end = bars * STEPS_PER_BAR * TICKS_PER_STEP
    track.append(mido.MetaMessage("end_of_track", time=max(0, end - now)))
    file = mido.MidiFile(type=0, ticks_per_beat=TICKS_PER_BEAT, tracks=[track])
    try:
        with atomic.replacing_file(path) as unfinished:
            file.save(str(unfinished))
    except OSError as error:
        raise Gan808Error(f"{path}: cannot be written: {error.strerror}") from error
    return len(events) // 2, bars


def _events(
    score: Score, slots: Sequence[SlotLayout], swing: float, steps: int
) -> list[tuple[int, bool, int, int]]:
    """(tick, whether it begins, note, velocity), a note's end before the next one's beginning."""
    hits: dict[int, dict[int, int]] = {}  # by note: tick and velocity
    for step in range(steps):
        if step % STEPS_PER_BAR == 0:
            score.begin_bar(step)
        place = swung(step, swing)
        length = swung(step + 1, swing) - place
        for slot, found in score.sounding(step):
            for count in range(found.ratchet):
                position = max(0.0, place + found.nudge + count * length / found.ratchet)
                of_note = hits.setdefault(slots[slot].notes[0], {})
                of_note[round(position * TICKS_PER_STEP)] = max(1, round(127 * found.velocity))
    events = []
    for note, begun in hits.items():
        ticks = sorted(begun)
        for tick, following in zip(ticks, [*ticks[1:], math.inf], strict=True):
            events += [(tick, True, note, begun[tick]),
                       (int(min(tick + NOTE_TICKS, following)), False, note, 0)]
    return events
