"""Standard MIDI Files as patterns: drum notes onto steps, with what is between the steps kept.

Reads a file, a large one in a process of its own; disk thread and command line.
"""

from __future__ import annotations

import logging
import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from gan808.errors import ConfigError
from gan808.exchange.midi_apart import read_apart
from gan808.exchange.midi_events import MidiEvents, read_events
from gan808.paths import ordinary
from gan808.sequencer.clock import STEPS_PER_BAR, STEPS_PER_BEAT, swung
from gan808.sequencer.patterns import Pattern
from gan808.sequencer.steps import MAX_NUDGE, MAX_RATCHET, MAX_STEPS, REST, Row, Step
from gan808.sound.kit.slots import SlotLayout

log = logging.getLogger("gan808")

MAX_FILE_BYTES = 1 << 20
# Of more, a process of its own is started: it is up in an eighth of a second, and so long the
# file takes.
APART_BYTES = 1 << 16
DRUM_CHANNEL = 9  # channel 10, as people count
# A note this far before a bar, in steps, belongs to it.
_EARLY = 0.25
# Notes of a slot this near to each other, in steps, are a run and say nothing of the swing.
_RUN = 0.7
# Less than this, in steps, is no swing, and no nudge: a quarter of a millisecond at 120 BPM.
_LEAST_SWING, _LEAST_NUDGE = 0.04, 0.002

# General MIDI percussion that the sixteen slots have no note for, and what comes nearest.
SUBSTITUTES = {
    31: "RS", 33: "CL", 34: "CB", 52: "CY", 53: "CY", 54: "MA", 55: "CY", 58: "MA", 59: "CY",
    60: "HC", 61: "LC", 65: "HT", 66: "MT", 67: "CB", 68: "CB", 69: "MA", 73: "MA", 74: "MA",
    76: "CL", 77: "RS", 78: "HC", 79: "LC", 80: "CY", 81: "CY", 82: "MA", 83: "MA", 84: "CY",
    85: "CL", 86: "LT", 87: "LT",
}


class _Onset(NamedTuple):
    """A note: where it begins in steps, and its velocity 0..1."""

    position: float
    velocity: float


@dataclass(frozen=True)
class _Song:
    """What a file says: (onset, note) in order, (position, us a beat) of tempos, the length of a
    bar and of all, in steps."""

    notes: Sequence[tuple[_Onset, int]]
    tempos: Sequence[tuple[float, int]]
    bar_steps: int
    end: float


def read_midi_file(path: Path, slots: Sequence[SlotLayout]) -> Pattern:
    """The drums of a MIDI file as a pattern for these slots, as `pattern_of` makes it; where the
    file is large, in a process of its own. Raises ConfigError, one line."""
    try:
        apart = APART_BYTES < ordinary(path).st_size <= MAX_FILE_BYTES
    except (OSError, ValueError):  # pattern_of says what is wrong
        apart = False
    return read_apart(path, slots) if apart else pattern_of(path, slots)


def pattern_of(path: Path, slots: Sequence[SlotLayout]) -> Pattern:
    """The drums of a MIDI file as a pattern for these slots.

    Notes of channel 10, or of all channels where it has none, go to the slots that answer to them.
    At most 64 steps, in whole bars from the first with a note on; a longer file is cut there.
    Raises ConfigError, one line, for a file that cannot be read or has no note for any slot.
    """
    song = _song(path)
    code_of = {note: slot.code for slot in reversed(slots) for note in slot.notes}
    codes = {slot.code for slot in slots}
    code_of |= {note: code for note, code in SUBSTITUTES.items()
                if note not in code_of and code in codes}
    played = [(onset, note) for onset, note in song.notes if note in code_of]
    if not played:
        raise ConfigError(f"{path}: no notes that a slot answers to; they are "
                          f"{', '.join(map(str, sorted(code_of)))}")
    bar = song.bar_steps
    first = _bar_of(played[0][0], bar)
    last = max(_bar_of(onset, bar) for onset, _ in played)
    if song.end % bar == 0 and song.end <= (first + MAX_STEPS // bar) * bar:
        last = max(last, int(song.end) // bar - 1)  # made to be looped, its end may be rests
    bars = min(last - first + 1, max(MAX_STEPS // bar, 1))
    start, steps = first * bar, bars * bar
    onsets: dict[str, list[_Onset]] = defaultdict(list)
    for onset, note in played:
        if -_EARLY <= onset.position - start < steps - _EARLY:
            onsets[code_of[note]].append(_Onset(onset.position - start, onset.velocity))
    swing = _swing(onsets.values())
    rows = {slot.code: _shortest(_row(onsets[slot.code], steps, swing), bar)
            for slot in slots if slot.code in onsets}
    strange = sorted({note for _, note in song.notes} - set(code_of))
    return Pattern(path.stem or "midi", _tempo_bpm(song, start), swing,
                   _description(path, first, bars, last, strange), rows)


def _description(path: Path, first: int, bars: int, last: int, strange: Sequence[int]) -> str:
    told = f"from {path.name}"
    if bars < last - first + 1:
        told += f", bars {first + 1} to {first + bars} of {last + 1}"
    if strange:
        told += f"; no slot for notes {', '.join(map(str, strange))}"
    return told


def _bar_of(onset: _Onset, bar_steps: int) -> int:
    return int((onset.position + _EARLY) // bar_steps)


def _song(path: Path) -> _Song:
    """Read and check a file. Raises ConfigError."""
    try:
        if ordinary(path).st_size > MAX_FILE_BYTES:
            raise ConfigError(f"{path}: too large for a pattern")
        file = read_events(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise ConfigError(f"{path}: not a whole MIDI file: {error}") from error
    if file.ticks_per_beat <= 0:
        raise ConfigError(f"{path}: its time is counted in film frames, not in beats")
    if file.damage and not any(track.notes for track in file.tracks):
        raise ConfigError(f"{path}: not a whole MIDI file: {file.damage}")
    if file.damage:
        log.warning("%s: damaged: %s; what comes before that is played", path, file.damage)
    return _collected(file)


def _collected(file: MidiEvents) -> _Song:
    tracks = file.tracks
    if file.kind == 2:  # each track is a song of its own: the first that plays anything
        tracks = [track for track in tracks if track.notes][:1]
    steps = STEPS_PER_BEAT / file.ticks_per_beat
    notes = [note for track in tracks for note in track.notes]
    drums = [note for note in notes if note[3] == DRUM_CHANNEL] or notes
    meters = [meter for track in tracks for meter in track.meters]
    _, above, below = min(meters, default=(0, 4, 4))
    bar, rest = divmod(STEPS_PER_BAR * above, below)
    return _Song(
        [(_Onset(tick * steps, round(velocity / 127, 3)), note)
         for tick, note, velocity, _ in sorted(drums, key=lambda each: each[0])],
        sorted((tick * steps, tempo) for track in tracks for tick, tempo in track.tempos),
        STEPS_PER_BAR if rest or not 1 <= bar <= MAX_STEPS else bar,
        max((track.end for track in tracks), default=0) * steps)


def _tempo_bpm(song: _Song, start: float) -> float:
    """The tempo in force where the pattern begins; 120 where nothing has been said by then."""
    said = [tempo for position, tempo in song.tempos if position <= start + _EARLY]
    return min(max(round(6e7 / max(said[-1] if said else 500_000, 1), 3), 20.0), 400.0)


def _swing(rows: Iterable[Sequence[_Onset]]) -> float:
    """The median delay of every second sixteenth, as a pattern has it: 0..1."""
    late = [
        onset.position % 2 - 1
        for row in rows
        for before, onset, after in zip([None, *row], row, [*row[1:], None], strict=False)
        if 0.5 <= onset.position % 2 < 1.75
        and (before is None or onset.position - before.position >= _RUN)
        and (after is None or after.position - onset.position >= _RUN)
    ]
    middle = statistics.median(late) if len(late) >= 2 else 0.0
    return round(min(2 * middle, 1.0), 3) if middle >= _LEAST_SWING else 0.0


def _row(onsets: Sequence[_Onset], steps: int, swing: float) -> Row:
    """Onsets on their steps; of two that only one step could have, the louder is kept."""
    row: list[Step] = [REST] * steps
    rest = list(onsets)
    while rest:
        step, count = _run(rest, swing)
        velocity = round(sum(onset.velocity for onset in rest[:count]) / count, 3)
        places = [step] if count > 1 else _near(rest[0].position, swing)
        free = [place for place in places if not row[place % steps].sounds]
        place = (free or places)[0]
        nudge = round(rest[0].position - swung(place, swing), 3)
        found = Step(velocity, ratchet=count, nudge=nudge if abs(nudge) >= _LEAST_NUDGE else 0.0)
        if free or found.velocity > row[place % steps].velocity:
            row[place % steps] = found
        rest = rest[count:]
    return tuple(row)


def _near(position: float, swing: float) -> list[int]:
    """The steps, the nearest first, from which a position can be reached by a nudge."""
    first = int(position // 1)
    apart = {place: abs(position - swung(place, swing)) for place in range(first - 1, first + 3)}
    return sorted((place for place, by in apart.items() if by <= MAX_NUDGE),
                  key=lambda place: apart[place]) or [first]


def _run(onsets: Sequence[_Onset], swing: float) -> tuple[int, int]:
    """The step the first onset is at and how many of them fill it evenly: 1 for no ratchet."""
    position = onsets[0].position
    step = _near(position, swing)[0]
    length = swung(step + 1, swing) - swung(step, swing)
    if abs(position - swung(step, swing)) < _EARLY:
        for count in range(min(MAX_RATCHET, len(onsets)), 1, -1):
            apart = length / count
            if all(abs(onset.position - position - number * apart) < 0.15 * apart
                   for number, onset in enumerate(onsets[:count])):
                return step, count
    return step, 1


def _shortest(row: Row, bar_steps: int) -> Row:
    """A row that repeats itself bar by bar, once."""
    for bars in range(1, len(row) // bar_steps):
        steps = bars * bar_steps
        if len(row) % steps == 0 and all(a == b for a, b in pairwise(
                row[at:at + steps] for at in range(0, len(row), steps))):
            return row[:steps]
    return row
