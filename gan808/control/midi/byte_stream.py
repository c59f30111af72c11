"""From the bytes of one port to whole MIDI messages: running status, clock in between, damage.

A `MessageReader` belongs to one port and to the thread that reads it. Systems differ in what they
hand over (whole messages, several at once, parts of system exclusive); what comes out is the same.
"""

from __future__ import annotations

from collections.abc import Sequence

NOTE_OFF, NOTE_ON, CONTROL_CHANGE, PROGRAM_CHANGE = 0x80, 0x90, 0xB0, 0xC0
SYSTEM_EXCLUSIVE, SONG_POSITION, END_OF_EXCLUSIVE = 0xF0, 0xF2, 0xF7
CLOCK, START, CONTINUE, STOP = 0xF8, 0xFA, 0xFB, 0xFC
FIRST_REAL_TIME = 0xF8
UNDEFINED_REAL_TIME = (0xF9, 0xFD)
HIGHEST_DATA = 0x7F
# How many data bytes follow a status: by its upper half for channel messages, whole for system
# common ones. Undefined statuses (F4, F5) have none.
DATA_BYTES = {0x80: 2, 0x90: 2, 0xA0: 2, 0xB0: 2, 0xC0: 1, 0xD0: 1, 0xE0: 2,
              0xF1: 1, SONG_POSITION: 2, 0xF3: 1, 0xF6: 0}
NO_STATUS = 0


class MessageReader:
    """Takes the bytes of one port as they come; gives whole messages, never an error.

    System exclusive and undefined messages are passed over, real-time bytes may stand anywhere.
    unusable counts what made no message: data without a status, messages cut off by another.
    """

    def __init__(self) -> None:
        self.unusable = 0
        self._status = NO_STATUS  # what data bytes belong to; NO_STATUS: to nothing
        self._exclusive = False
        self._data: list[int] = []
        self._stray = False  # within a run of data bytes that has been counted

    def read(self, data: Sequence[int]) -> list[list[int]]:
        """The messages that end in these bytes, in order."""
        if len(data) == 3 and not self._data and 0x80 <= data[0] < 0xF0 \
                and DATA_BYTES[data[0] & 0xF0] == 2 and 0 <= data[1] <= HIGHEST_DATA \
                and 0 <= data[2] <= HIGHEST_DATA:
            # What nearly always comes: one whole note or controller.
            self._status, self._exclusive = data[0], False
            return [list(data)]
        messages: list[list[int]] = []
        for byte in data:
            if byte > HIGHEST_DATA:
                self._on_status(byte, messages)
            else:
                self._on_data(byte, messages)
        return messages

    def _on_status(self, byte: int, messages: list[list[int]]) -> None:
        if FIRST_REAL_TIME <= byte <= 0xFF:
            if byte not in UNDEFINED_REAL_TIME:
                messages.append([byte])
            return
        if self._data or byte > 0xFF:
            self.unusable += 1
        self._data, self._stray = [], False
        self._exclusive = byte == SYSTEM_EXCLUSIVE
        # Any other system message ends running status: it stands for itself, once.
        count = DATA_BYTES.get(byte & 0xF0 if byte < SYSTEM_EXCLUSIVE else byte)
        self._status = byte if count else NO_STATUS
        if count == 0:
            messages.append([byte])

    def _on_data(self, byte: int, messages: list[list[int]]) -> None:
        if self._exclusive:
            return
        if self._status == NO_STATUS or byte < 0:
            self.unusable += not self._stray
            self._stray = True
            return
        self._data.append(byte)
        status = self._status
        if len(self._data) == DATA_BYTES[status & 0xF0 if status < SYSTEM_EXCLUSIVE else status]:
            messages.append([status, *self._data])
            self._data = []
            if status >= SYSTEM_EXCLUSIVE:
                self._status = NO_STATUS
