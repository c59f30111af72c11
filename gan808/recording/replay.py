"""A recording played again: its commands at their frames, through an engine of its own.

The engine begins in the state the recording began in and is given the same commands in the same
order, so that it plays the same samples, whatever the block. One thread, the caller's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan808.engine import layout
from gan808.engine.engine import Engine, SlotParameter
from gan808.engine.slot_buffers import SlotBuffers
from gan808.errors import Gan808Error
from gan808.recording.format import Line
from gan808.sound.sound import Sound

BLOCK_FRAMES = 512
CELLS = 512
# What a recording may say of itself: more is a damaged file.
RATES_HZ = (8_000, 384_000)
LONGEST_SOUND_FRAMES = 1 << 22
PLAIN_CODE = re.compile("[A-Z0-9]{1,4}")
Row = Sequence[Any]
Write = Callable[[NDArray[np.float32]], None]


class Replay:
    """One recording on its way through an engine.

    sounds: by mark, as many as could be made again; a slot whose sound is missing stays silent.
    """

    def __init__(self, lines: Sequence[Line], sounds: Mapping[int, Sound]) -> None:
        """Raises Gan808Error for a recording that is damaged or was never begun."""
        try:
            head = lines[0]
            state = next(line["state"] for line in lines if "state" in line)
            self.rate_hz = _within(head["rate"], *RATES_HZ)
            longest = _within(head["max_sound_frames"], 1, LONGEST_SOUND_FRAMES)
            self.engine = Engine(self.rate_hz, cells=CELLS, max_sound_s=longest / self.rate_hz,
                                 voices=_within(head["voices"], 1, layout.MAX_VOICES))
            self.first_frame = _within(state["frame"], 0, 1 << 60)
            self.end_frame = _end_of(lines)
            self.codes = codes_of(lines)
            self._rows: list[Row] = [row for line in lines for row in line.get("do", ())]
            self._rows = [row for row in self._rows if int(row[0]) < self.end_frame]
        except (StopIteration, LookupError, TypeError, ValueError) as error:
            raise Gan808Error(f"the recording is damaged, or nothing was played: {error}") from None
        self._port = self.engine.port("replay")
        self._sounds = sounds
        self._at = 0
        marks = {int(each["mark"]) for each in (*state["slots"], *state["voices"])}
        self.engine.restore(state, {mark: self._cell(mark) for mark in marks if mark})

    @property
    def seconds(self) -> float:
        """How long it is."""
        return (self.end_frame - self.first_frame) / self.rate_hz

    def play(self, write: Write, write_slots: Write | None = None) -> None:
        """Mix the whole recording, as fast as it goes, block by block: the mix, float32 (n, 2),
        into `write`, and each slot alone, float32 (SLOTS, 2, n), into `write_slots`."""
        slots = None if write_slots is None else SlotBuffers(BLOCK_FRAMES)
        block = np.zeros((BLOCK_FRAMES, layout.CHANNELS), np.float32)
        frame = self.first_frame
        while frame < self.end_frame:
            count = min(BLOCK_FRAMES, self.end_frame - frame)
            while not self.feed(frame + count):  # more than a ring holds: empty it
                self.engine.process(block[:0])
            self.engine.process(block[:count], slots)
            write(block[:count])
            if slots is not None and write_slots is not None:
                write_slots(slots.audio[:, :, :count])
            frame += count

    def feed(self, until_frame: int) -> bool:
        """Send what is due before a frame; False when the ring is full and there is more."""
        while self._at < len(self._rows) and self._rows[self._at][0] < until_frame:
            try:
                sent = self._send(self._rows[self._at])
            except (LookupError, TypeError, ValueError, OverflowError) as error:
                raise Gan808Error(f"the recording is damaged: {error}") from error
            if not sent:
                return False
            self._at += 1
        return True

    def _send(self, row: Row) -> bool:
        frame, kind, slot, parameter, value, gain, pan, tune, *more = row
        if kind == layout.COMMAND_TRIGGER:
            (decay,) = more or (1.0,)
            return self._port.trigger(slot, value, frame, gain=gain, pan=pan, tune_semitones=tune,
                                      decay=decay)
        if kind == layout.COMMAND_ASSIGN:
            return self._assign(frame, slot, parameter)
        if kind == layout.COMMAND_STOP:
            return self._port.stop(slot, frame)
        if kind == layout.COMMAND_RELEASE:
            return self._port.release(slot, frame)
        if kind == layout.COMMAND_SET:
            return self._port.set_slot(slot, SlotParameter(parameter), value, frame)
        if kind == layout.COMMAND_MASTER:
            return self._port.set_master(value, frame)
        raise ValueError(f"an unknown command, {kind}")

    def _assign(self, frame: int, slot: int, mark: int) -> bool:
        cell = self._cell(mark)
        if self._port.assign(slot, cell, frame, mark=mark):
            return True
        if cell != layout.NO_CELL:
            self.engine.discard(cell)
        return False

    def _cell(self, mark: int) -> int:
        sound = self._sounds.get(mark)
        if sound is None:
            return layout.NO_CELL
        cell = self.engine.write_sound(sound.audio)
        if cell is None:
            raise Gan808Error("the recording has more sounds at once than there is room for")
        return cell


def _within(value: Any, low: int, high: int) -> int:
    number = int(value)
    if not low <= number <= high:
        raise ValueError(f"{value} is not from {low} to {high}")
    return number


def _end_of(lines: Sequence[Line]) -> int:
    """The frame after the last: as the recording says, or as far as a kill let it come."""
    ends = [int(line[key]) for line in lines for key in ("end", "until") if key in line]
    if not ends:
        raise ValueError("it has no sound in it")
    return max(ends)


def codes_of(lines: Sequence[Line]) -> tuple[str, ...]:
    """The slots' codes in the kit a recording began with. A damaged one is left out, for it may
    name a file. Raises Gan808Error."""
    kit = next((line for line in lines if "kit" in line), {"slots": ()})
    try:
        codes = [str(code) for code, _ in kit["slots"][:layout.SLOTS]]
    except (LookupError, TypeError, ValueError) as error:
        raise Gan808Error(f"the recording is damaged: {error}") from error
    return tuple(code if PLAIN_CODE.fullmatch(code) else f"slot{number}"
                 for number, code in enumerate(codes, 1))
