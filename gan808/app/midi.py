"""The MIDI of a live run, in and out, started in that order. For the main thread."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

from gan808.config import Settings
from gan808.control.midi.input import MidiInput
from gan808.control.midi.jack_port import VIRTUAL_NAME, JackSource
from gan808.control.midi.ports import OFF
from gan808.engine.outputs.jack import JackOutput
from gan808.engine.outputs.registry import Output
from gan808.errors import DeviceError
from gan808.instrument.machine import Machine

if TYPE_CHECKING:
    from gan808.control.midi.sender import MidiSource


def start_midi(
    running: ExitStack, machine: Machine, settings: Settings, output: Callable[[], Output],
    opened: Callable[[MidiInput], None],
) -> str:
    """Open the ports of the settings and play from them; one line for the user.

    output: tells which output plays now; where that is JACK's, MIDI is its client's. opened is told
    of the ports; running stops what was started. Raises DeviceError.
    """
    jack = _jack_source(output)
    midi = MidiInput(machine, settings, jack=jack)
    running.callback(midi.stop)
    midi.start()
    opened(midi)
    sent = _start_sending(running, machine, settings, midi, jack)
    return "; ".join(filter(None, (midi.notice, *sent)))


def _start_sending(running: ExitStack, machine: Machine, settings: Settings, midi: MidiInput,
                   jack: JackSource | None) -> list[str]:
    """Clock and notes, from one port where both are to go to the same; a line for each port."""
    chosen = settings.midi
    choices = [each for each in dict.fromkeys((chosen.clock_out, chosen.notes_out))
               if each != OFF]
    if not choices:
        return []
    from gan808.control.midi.clock_out import ClockSource
    from gan808.control.midi.notes_out import NoteSource
    from gan808.control.midi.outputs import JackOutPort, MidiOutputs
    from gan808.control.midi.sender import MidiSender

    def followed() -> str | None:
        return midi.clock_source if machine.sync.clock == "midi" else None

    lines = []
    for choice in choices:
        sources: list[MidiSource] = []
        if chosen.clock_out == choice:
            sources.append(ClockSource(machine, choice, followed))
        if chosen.notes_out == choice:
            sources.append(NoteSource(machine, chosen.channel))
        name = f"{VIRTUAL_NAME} {' and '.join(source.name for source in sources)}"
        outputs = MidiOutputs(choice, name, open_jack=jack and partial(JackOutPort, jack))
        sender = MidiSender(machine, outputs, sources)
        running.callback(sender.stop)
        sender.start()
        lines.append(sender.notice)
    return lines


def _jack_source(output: Callable[[], Output]) -> JackSource | None:
    """What tells JACK's output of the moment; None where the sound goes elsewhere."""

    def playing() -> JackOutput:
        found = output()
        if not isinstance(found, JackOutput):
            raise DeviceError("nothing plays on JACK")
        return found

    return playing if isinstance(output(), JackOutput) else None
