"""What `gan808 run` prints: what it plays and on what, then a line for each swap.

Called on the main thread and, for events, on the machine thread; a line is one write.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from gan808.columns import columns
from gan808.instrument.events import Event, KitLoaded, Notice, PoolEmpty, SoundChanged

if TYPE_CHECKING:
    from gan808.instrument.machine import Machine


class Display:
    """Plain lines on stdout, problems on stderr; quiet leaves only the problems."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet

    def facts(self, rows: list[tuple[str, str]]) -> None:
        """Name and value pairs, aligned."""
        for line in columns(rows):
            self.say(line)

    def say(self, line: str) -> None:
        """One line of news."""
        if not self._quiet:
            _write(sys.stdout, line)

    def warn(self, line: str) -> None:
        """One line that something is not as wished; the sound goes on."""
        _write(sys.stderr, f"gan808: {' '.join(line.split())}")

    def follow(self, machine: Machine) -> None:
        """Print the machine's events from now on."""
        machine.subscribe(lambda event: self._show(event, machine))

    def _show(self, event: Event, machine: Machine) -> None:
        """On the machine thread, or offline on the one that mixes."""
        if isinstance(event, SoundChanged):
            self.say(_swap_line(event, machine))
        elif isinstance(event, PoolEmpty):
            self.say(f"no {event.class_name} in stock yet: {event.code} keeps its sound")
        elif isinstance(event, KitLoaded):
            self.say(f"kit {event.name}")
        elif isinstance(event, Notice):
            self.warn(event.text)


def _swap_line(event: SoundChanged, machine: Machine) -> str:
    bar = machine.sequencer.bar_at(event.frame or machine.now())
    sound = machine.swaps.slots[event.slot].sound
    heard = f"heard {sound.class_heard} {sound.confidence:.2f}" if sound else ""
    when = f"bar {bar:<4}" if machine.sequencer.playing else ""
    return f"{when} {event.code:<2}  {event.id:<28} {heard}".strip()


def _write(stream: object, line: str) -> None:
    """Write a line; a reader that has gone (`gan808 run | head`) must not stop the sound."""
    try:
        stream.write(line + "\n")  # type: ignore[attr-defined]
        stream.flush()  # type: ignore[attr-defined]
    except (OSError, ValueError):
        return
