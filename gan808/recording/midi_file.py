"""A recording as a Standard MIDI File: notes for any sequencer, and the journal for a replay.

Track 1 has the tempo, track 2 the notes, with a text for each swap and setting, and track 3 the
journal's lines, each a sequencer-specific event that other programs pass over. The notes begin
where the pattern was: bars in the file are bars of the pattern, and a marker says where the WAV
begins. Pure but for the file; any thread.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import mido

from gan808 import atomic
from gan808.engine import layout
from gan808.errors import Gan808Error
from gan808.recording.format import ROW, Line, parsed
from gan808.sequencer.clock import STEPS_PER_BAR, STEPS_PER_BEAT

# 32 us at 120 BPM: finer than any ear; exact frames are in the journal.
TICKS_PER_BEAT = 15_360
NOTE_TICKS = TICKS_PER_BEAT // 8
CHANNEL = 9
US_A_MINUTE = 60_000_000
LONGEST_BEAT_US = (1 << 24) - 1
# 7D is the number for makers that have none; the name keeps us from reading others' events.
SIGN = b"\x7dGAN808"
# Before anything that plays.
FIRST_NOTE = 36
FRAME, KIND, SLOT, PARAMETER, VALUE, GAIN = (ROW.index(name) for name in (
    "frame", "kind", "slot", "parameter", "value", "gain"))
_SETTINGS = {layout.LEVEL: "level", layout.TUNE: "tune", layout.DECAY: "decay", layout.PAN: "pan",
             layout.MUTE: "mute", layout.CHOKE: "choke"}
Timed = tuple[int, Any]


class TickMap:
    """Frames to ticks, along the tempos of a recording."""

    def __init__(self, rate_hz: int, began_frame: int, tempos: Sequence[Line]) -> None:
        """tempos: the journal's lines, the first for the tempo it began with."""
        self._rate_hz = rate_hz
        first = tempos[0] if tempos else {"tempo": 120.0, "step": 0.0, "frame": began_frame}
        step = float(first["step"]) % STEPS_PER_BAR
        self.first_tick = round(step / STEPS_PER_BEAT * TICKS_PER_BEAT)
        self._parts: list[tuple[float, float, float]] = []
        self.events: list[Timed] = []
        self._begin(float(began_frame), self.first_tick, float(first["tempo"]), tick=0)
        for line in tempos[1:]:
            frame = max(float(line["frame"]), self._parts[-1][0])
            # Where a tempo falls between ticks its part begins with the tick: nothing adds up.
            tick = self.tick_of(frame)
            frame, before, ticks = self._parts[-1]
            self._begin(frame + (tick - before) / ticks, tick, float(line["tempo"]), tick=tick)

    def _begin(self, frame: float, at: int, tempo_bpm: float, *, tick: int) -> None:
        beat_us = min(max(round(US_A_MINUTE / tempo_bpm), 1), LONGEST_BEAT_US)
        ticks_a_frame = TICKS_PER_BEAT * 1e6 / beat_us / self._rate_hz
        self._parts.append((frame, float(at), ticks_a_frame))
        self.events.append((tick, mido.MetaMessage("set_tempo", tempo=beat_us)))

    def tick_of(self, frame: float) -> int:
        """The tick nearest to a frame."""
        for start, tick, ticks in reversed(self._parts):
            if frame >= start:
                return round(tick + (frame - start) * ticks)
        return self.first_tick


def write_midi(path: Path, lines: Sequence[Line]) -> None:
    """Write a recording's lines, whole or not at all. Raises Gan808Error."""
    head = lines[0] if lines else {}
    began = next((int(line["state"]["frame"]) for line in lines if "state" in line), 0)
    tempos = [line for line in lines if "tempo" in line]
    ticks = TickMap(int(head.get("rate", 48_000)), began, tempos)
    begins = mido.MetaMessage("marker", text=_plain(f"{path.stem}.wav begins here"))
    tempo = [(0, mido.MetaMessage("time_signature", numerator=4, denominator=4)), *ticks.events,
             (ticks.first_tick, begins)]
    file = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT)
    file.tracks.append(_track(_plain(path.stem), tempo))
    file.tracks.append(_track("GAN-808", _notes(lines, ticks)))
    file.tracks.append(_track("GAN-808 journal", _journal(lines, ticks)))
    try:
        with atomic.replacing_file(path, durable=True) as unfinished:
            file.save(str(unfinished))
    except OSError as error:
        raise Gan808Error(f"{path}: cannot be written: {error.strerror}") from error


def _track(name: str, timed: list[Timed]) -> mido.MidiTrack:
    track = mido.MidiTrack([mido.MetaMessage("track_name", name=name)])
    now = 0
    for tick, message in sorted(timed, key=lambda each: each[0]):
        track.append(message.copy(time=max(0, tick - now)))
        now = max(now, tick)
    return track


def _journal(lines: Iterable[Line], ticks: TickMap) -> list[Timed]:
    events, tick = [], 0
    for line in lines:
        frame = line["do"][0][FRAME] if line.get("do") else line.get("frame", line.get("until"))
        tick = tick if frame is None else max(tick, ticks.tick_of(frame))
        data = SIGN + json.dumps(line, separators=(",", ":")).encode("ascii")
        events.append((tick, mido.MetaMessage("sequencer_specific", data=data)))
    return events


def _notes(lines: Iterable[Line], ticks: TickMap) -> list[Timed]:
    """The hits as notes of the slots, and what happened besides as texts."""
    events: list[Timed] = []
    slots: list[tuple[str, int]] = []
    names: dict[int, str] = {0: "nothing"}
    ends: dict[int, int] = {}  # by note: where in events its last note off is
    for line in lines:
        if "kit" in line:
            slots = [(str(code), int(note)) for code, note in line["slots"]]
            events.append((ticks.tick_of(line["frame"]), _text(f"kit {line['kit']}")))
        elif "sound" in line:
            names[int(line["sound"])] = str(line["id"])
        elif "state" in line:
            tick = ticks.first_tick
            for index, slot in enumerate(line["state"]["slots"]):
                if slot["mark"]:
                    events.append((tick, _text(f"{_code(slots, index)} {names.get(slot['mark'])}")))
        elif "set" in line:
            values = " ".join(str(value) for value in line["values"])
            events.append((ticks.tick_of(line["frame"]), _text(f"{line['set']} {values}")))
        for row in line.get("do", ()):
            if row[KIND] == layout.COMMAND_TRIGGER:
                _hit(events, ends, ticks.tick_of(row[FRAME]), row, slots)
            elif (text := _told(row, slots, names)) is not None:
                events.append((ticks.tick_of(row[FRAME]), _text(text)))
    return events


def _hit(events: list[Timed], ends: dict[int, int], tick: int, row: Sequence[Any],
         slots: Sequence[tuple[str, int]]) -> None:
    note = slots[row[SLOT]][1] if 0 <= row[SLOT] < len(slots) else FIRST_NOTE
    # The engine plays velocity to the power 1.5, and gain on top of it.
    loudness = max(0.0, row[VALUE]) * max(0.0, row[GAIN]) ** (2 / 3)
    velocity = min(max(round(127 * loudness), 1), 127)
    on = mido.Message("note_on", channel=CHANNEL, note=note, velocity=velocity)
    if note in ends:
        off, (begun, before) = ends[note], events[ends[note] + 1]
        if begun == tick:  # two hits at once are one note, the louder
            events[off + 1] = (tick, before.copy(velocity=max(velocity, before.velocity)))
            return
        if events[off][0] > tick:
            events[off] = (tick, events[off][1])
    ends[note] = len(events)
    events.append((tick + NOTE_TICKS, on.copy(velocity=0)))
    events.append((tick, on))


def _told(
    row: Sequence[Any], slots: Sequence[tuple[str, int]], names: dict[int, str]
) -> str | None:
    """A command other than a hit in a few words."""
    kind, code = row[KIND], _code(slots, row[SLOT])
    if kind == layout.COMMAND_ASSIGN:
        return f"{code} {names.get(row[PARAMETER], 'an unknown sound')}"
    if kind == layout.COMMAND_SET:
        return f"{code} {_SETTINGS.get(row[PARAMETER], 'setting')} {row[VALUE]:.6g}"
    if kind == layout.COMMAND_MASTER:
        return f"volume {row[VALUE]:.6g}"
    if kind == layout.COMMAND_STOP:
        return f"stop {code}"
    return None


def _code(slots: Sequence[tuple[str, int]], slot: int) -> str:
    return slots[slot][0] if 0 <= slot < len(slots) else "all"


def _text(text: str) -> mido.MetaMessage:
    return mido.MetaMessage("text", text=_plain(text))


def _plain(text: str) -> str:
    """A text as a MIDI file can hold it: in latin-1, as most programs read it."""
    return text.encode("latin-1", "replace").decode("latin-1")


def read_midi(path: Path) -> list[Line]:
    """The journal in a recording's MIDI file; empty for a file of another origin. Raises
    Gan808Error for one that is damaged."""
    try:
        file = mido.MidiFile(str(path))
    except OSError as error:
        raise Gan808Error(f"{path}: cannot be read: {error}") from error
    except (EOFError, ValueError, KeyError, IndexError, TypeError, LookupError) as error:
        raise Gan808Error(f"{path}: not a MIDI file, or damaged: {error}") from error
    found = [bytes(message.data) for track in file.tracks for message in track
             if message.type == "sequencer_specific"]
    return [parsed(data[len(SIGN):], path) for data in found if data.startswith(SIGN)]
