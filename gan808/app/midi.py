"""The MIDI of a live run, in and out, started in that order. For the main thread."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from gan808.config import Settings
from gan808.control.midi.input import MidiInput
from gan808.control.midi.jack_port import JackSource
from gan808.engine.outputs.jack import JackOutput
from gan808.engine.outputs.registry import Output
from gan808.errors import DeviceError
from gan808.instrument.machine import Machine


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
    clock = _start_clock_out(running, machine, settings.midi.clock_out, midi, jack)
    return "; ".join(filter(None, (midi.notice, clock)))


def _start_clock_out(running: ExitStack, machine: Machine, choice: str, midi: MidiInput,
                     jack: JackSource | None) -> str:
    if choice == "off":
        return ""
    from gan808.control.midi.clock_out import MidiClockOut
    from gan808.control.midi.outputs import JackClockPort, MidiOutputs

    outputs = MidiOutputs(choice, open_jack=jack and partial(JackClockPort, jack))
    clock = MidiClockOut(
        machine, outputs, lambda: midi.clock_source if machine.sync.clock == "midi" else None)
    running.callback(clock.stop)
    clock.start()
    return clock.notice


def _jack_source(output: Callable[[], Output]) -> JackSource | None:
    """What tells JACK's output of the moment; None where the sound goes elsewhere."""

    def playing() -> JackOutput:
        found = output()
        if not isinstance(found, JackOutput):
            raise DeviceError("nothing plays on JACK")
        return found

    return playing if isinstance(output(), JackOutput) else None
