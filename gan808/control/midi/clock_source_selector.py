"""Whose MIDI clock is followed where several ports send one. The thread that reads MIDI.

Clock, start, continue, stop and song position of that one port go to the machine's MidiClock; two
clocks mixed would be no tempo at all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from gan808.control.midi.byte_stream import CLOCK, CONTINUE, SONG_POSITION, START, STOP
from gan808.sequencer.midi_clock import LOST_S, MidiClock

CLOCK_MESSAGES = frozenset({CLOCK, START, CONTINUE, STOP, SONG_POSITION})


class ClockMaster:
    """Hands the messages of one port on to a clock.

    The first port that sends is the master. Another takes over when the master has been silent, or
    when it starts while the master's song stands still: many keyboards send clock all the time.
    """

    def __init__(self, clock: MidiClock, look: Callable[[], None]) -> None:
        """look: called when the song starts, stops or jumps, for whoever should know at once."""
        self.source: str | None = None
        self._clock = clock
        self._look = look
        self._heard_s = -math.inf

    def receive(self, message: Sequence[int], source: str, arrival_s: float) -> None:
        """Act on one whole message of CLOCK_MESSAGES from a port."""
        status = message[0]
        if source != self.source and not self._takes_over(status, source, arrival_s):
            return
        self._heard_s = arrival_s
        clock = self._clock
        if status == CLOCK:
            if clock.tick(arrival_s):
                self._look()
        elif status == START:
            clock.start()
        elif status == CONTINUE:
            clock.resume()
        elif status == STOP:
            clock.stop()
            self._look()
        else:
            clock.locate(message[1] | message[2] << 7)

    def _takes_over(self, status: int, source: str, arrival_s: float) -> bool:
        silent = arrival_s - self._heard_s >= LOST_S
        stands = not self._clock.reading.running
        if not silent and not (stands and status in (START, CONTINUE)):
            return False
        if self.source is not None:
            self._clock.new_master()
        self.source = source
        return True
