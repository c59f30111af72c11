"""The notes, tempos and metres of a Standard MIDI File, however carelessly it was written.

Passed over, as lenient readers do: bytes that have no meaning in a file, short meta events, a wrong
number of tracks. A track that breaks off is read up to there. Pure; any thread.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

HEADER, TRACK = b"MThd", b"MTrk"
END_OF_TRACK, TEMPO, METER = 0x2F, 0x51, 0x58
# Data bytes after a status byte, by its upper half; and those of the system's, which files should
# not have but some do.
_LENGTHS = {0x8: 2, 0x9: 2, 0xA: 2, 0xB: 2, 0xC: 1, 0xD: 1, 0xE: 2}
_SYSTEM_LENGTHS = {0xF1: 1, 0xF2: 2, 0xF3: 1}


@dataclass
class MidiTrack:
    """Events by tick: (tick, note, velocity 1..127, channel 0..15), (tick, us a beat), (tick,
    numerator, denominator). end: the tick of the last event; damage: "" or what is wrong."""

    notes: list[tuple[int, int, int, int]] = field(default_factory=list)
    tempos: list[tuple[int, int]] = field(default_factory=list)
    meters: list[tuple[int, int, int]] = field(default_factory=list)
    end: int = 0
    damage: str = ""


@dataclass(frozen=True)
class MidiEvents:
    """A file: its format 0..2, ticks a beat (negative: it counts in film frames), its tracks."""

    kind: int
    ticks_per_beat: int
    tracks: list[MidiTrack]

    @property
    def damage(self) -> str:
        """What is wrong with the first track that is damaged; "" where none is."""
        return next((track.damage for track in self.tracks if track.damage), "")


def read_events(data: bytes) -> MidiEvents:
    """Read a file's content. Raises ValueError for what has no header or no track."""
    start = data.find(HEADER, 0, 1024)  # some are wrapped in RIFF
    if start < 0 or len(data) < start + 14:
        raise ValueError("it has no header")
    length, kind, _, ticks = struct.unpack_from(">IHHh", data, start + 4)
    tracks = []
    whole = memoryview(data)
    at = data.find(TRACK, start + 8 + (length if length < 64 else 6))
    while at >= 0 and at + 8 <= len(data):
        said = int.from_bytes(data[at + 4:at + 8], "big")
        track, used = _track(whole[at + 8:at + 8 + said])
        if at + 8 + said > len(data) and not track.damage and not used:
            track.damage = "it breaks off"
        tracks.append(track)
        at = data.find(TRACK, at + 8 + (used or said))
    if not tracks:
        raise ValueError("it has no track")
    return MidiEvents(kind, ticks, tracks)


def _track(data: memoryview) -> tuple[MidiTrack, int]:
    """A track, and where its end was told; 0 where it was not."""
    track = MidiTrack()
    reader = _Reader(data)
    try:
        for tick, status, values in reader.events():
            track.end = tick
            if status == END_OF_TRACK:
                return track, reader.at
            if status == TEMPO and len(values) >= 3:
                track.tempos.append((tick, int.from_bytes(values[:3], "big")))
            elif status == METER and len(values) >= 2:
                track.meters.append((tick, values[0], 1 << min(values[1], 16)))
            elif status >> 4 == 0x9 and values[1]:
                track.notes.append(
                    (tick, min(values[0], 127), min(values[1], 127), status & 0x0F))
    except IndexError:
        track.damage = "it breaks off"
    return track, 0


class _Reader:
    """Goes through a track's bytes once. Raises IndexError where they break off."""

    def __init__(self, data: memoryview) -> None:
        self._data = data
        self.at = 0

    def events(self) -> Iterator[tuple[int, int, memoryview]]:
        """(tick, status or number of a meta event, data) of channel messages and meta events."""
        data, tick, running = self._data, 0, 0
        while self.at < len(data):
            tick += self._number()
            status = data[self.at]
            if status >= 0x80:
                self.at += 1
            else:
                status = running
            if status == 0xFF:
                self.at += 1
                yield tick, data[self.at - 1] & 0x7F, self._take(self._number())
            elif status in (0xF0, 0xF7):
                self._take(self._number())
            elif status >= 0xF0:
                self._take(_SYSTEM_LENGTHS.get(status, 0))
            elif status == 0:  # data that belongs to nothing
                self.at += 1
            else:  # running status goes on after system exclusive as well
                running = status
                yield tick, status, self._take(_LENGTHS[status >> 4])

    def _number(self) -> int:
        """A number of variable length, four bytes at most."""
        value = 0
        for _ in range(4):
            byte = self._data[self.at]
            self.at += 1
            value = value << 7 | byte & 0x7F
            if byte < 0x80:
                break
        return value

    def _take(self, count: int) -> memoryview:
        if self.at + count > len(self._data):
            raise IndexError("the track breaks off")
        self.at += count
        return self._data[self.at - count:self.at]
