"""Notes before the rest is loaded: what the MIDI thread does with them, by tables of the image.

One thread, `midi`, from the first note until the ordinary MIDI thread takes over. What is no note
for a slot waits, with the time it came, for that one.
"""

from __future__ import annotations

import threading
import time

from gan808.app.realtime import hurry
from gan808.control.midi.byte_stream import CONTROL_CHANGE, NOTE_OFF, NOTE_ON, MessageReader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gan808.early.clients import EarlyInput
    from gan808.early.memory import EarlyEngine
    from gan808.early.slots import FirstSlot

POLL_S = 0.001
MOST_WAITING = 4096  # some seconds of clock and knobs; a flood must not fill memory
ALL_CHANNELS = 0
NOTE_BYTES, HIGHEST_VALUE = 3, 127
ALL_SOUND_OFF = 120


class EarlyNotes:
    """Reads the input and plays on the engine, from `start` until `hand_over`."""

    def __init__(self, facts: dict[str, Any], slots: list[FirstSlot], source: EarlyInput,
                 engine: EarlyEngine) -> None:
        self.reader = MessageReader()
        self.thread_id: int | None = None
        self._source = source
        self._engine = engine
        self._channel: int = facts["channel"]
        self._slot_of_note = {int(note): slot for note, slot in facts["notes"].items()}
        self._velocities: list[float] = facts["velocities"]
        self._learned = {tuple(control) for control in facts["learned"]}
        self._gated = [bool(slot.values["gate"]) for slot in slots]
        self._waiting: list[tuple[list[int], float]] = []
        self._lost = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="midi-early", daemon=True)

    def start(self) -> None:
        """Begin to play."""
        self._thread.start()

    def hand_over(self) -> list[tuple[list[int], float]]:
        """Stop playing; messages that have waited for the ordinary thread, which calls this, and
        when each came. All that has not been read is still in the input's ring. Safe to call
        twice."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._engine.hand_over()
        waited, self._waiting = self._waiting, []
        return waited

    def _run(self) -> None:
        hurry()
        self.thread_id = threading.get_native_id()
        while not self._stopping.is_set():
            for data, arrival_s in self._source.read():
                for message in self.reader.read(data):
                    if not self._play(message) and len(self._waiting) < MOST_WAITING:
                        self._waiting.append((message, arrival_s))
            time.sleep(POLL_S)

    def _play(self, message: list[int]) -> bool:
        """Whether it was a message that is dealt with here."""
        kind, channel = message[0] & 0xF0, (message[0] & 0x0F) + 1
        if kind not in (NOTE_ON, NOTE_OFF, CONTROL_CHANGE) or len(message) != NOTE_BYTES \
                or max(message[1:]) > HIGHEST_VALUE:
            return False
        control = ("cc" if kind == CONTROL_CHANGE else "note", channel, message[1])
        if control in self._learned:
            return False
        if self._channel not in (ALL_CHANNELS, channel):
            return True
        if kind == CONTROL_CHANGE:
            if message[1] != ALL_SOUND_OFF:
                return False
            self._engine.stop()
            return True
        slot = self._slot_of_note.get(message[1])
        if slot is not None:
            self._strike(slot, message[2] if kind == NOTE_ON else 0)
        return True

    def _strike(self, slot: int, value: int) -> None:
        if value:
            self._engine.trigger(slot, self._velocities[value])
        elif self._gated[slot]:
            self._engine.release(slot)
