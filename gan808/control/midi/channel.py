"""What a MIDI channel remembers between messages: expression, pan, the hold pedal, a bank chosen.

As MIDI 1.0 and RP-015 have it. One thread, the one that reads MIDI.
"""

from __future__ import annotations

HOLD, BANK_COARSE, BANK_FINE = 64, 0, 32
PAN, EXPRESSION = 10, 11
FULL, MIDDLE, HALF = 127, 64, 64


class MidiChannel:
    """gain and pan: of every note of the channel, 0..1 and -1..1. holding: the pedal is down."""

    def __init__(self) -> None:
        self.gain = 1.0
        self.pan = 0.0
        self.holding = False
        self._held: set[int] = set()  # slots whose key was let go while the pedal was down
        self._bank_chosen = False

    def control(self, number: int, value: int) -> bool:
        """Take over a controller of the channel itself; number and value 0..127. False for any
        other."""
        if number == EXPRESSION:
            self.gain = value / FULL
        elif number == PAN:
            self.pan = (value - MIDDLE) / (FULL - MIDDLE if value > MIDDLE else MIDDLE)
        elif number == HOLD:
            self.holding = value >= HALF
        elif number in (BANK_COARSE, BANK_FINE):
            self._bank_chosen = True
        else:
            return False
        return True

    def reset(self) -> None:
        """CC 121 after RP-015: expression and pedals; volume, pan and bank stay."""
        self.gain, self.holding = 1.0, False

    def strike(self, slot: int) -> None:
        """The slot is played again: the pedal no longer holds its earlier note."""
        self._held.discard(slot)

    def keeps(self, slot: int) -> bool:
        """The slot's key is let go. True where the pedal is down and so holds its note."""
        if self.holding:
            self._held.add(slot)
        return self.holding

    def let_go(self) -> set[int]:
        """The slots whose notes the pedal held and, now that it is up, holds no longer."""
        if self.holding:
            return set()
        held, self._held = self._held, set()
        return held

    def silence(self) -> None:
        """CC 120 has silenced all notes: the pedal holds none."""
        self._held.clear()

    def takes_program(self) -> bool:
        """Whether the next program change chooses a kit. One that follows a bank select does not:
        it is of that bank."""
        chosen, self._bank_chosen = self._bank_chosen, False
        return not chosen
