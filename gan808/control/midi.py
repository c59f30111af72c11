"""MIDI in: notes, controllers and program changes become hits and machine commands.

`MidiInput` owns the ports and one thread, `midi`, which reads them and plays on its own engine
port. `MidiNotes` is the translation alone: bytes in, machine calls out, never an error.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gan808.config import Settings, VelocityCurve
from gan808.control.midi_ports import MidiInputInfo, MidiPorts, list_midi_inputs
from gan808.errors import Gan808Error
from gan808.machine.needs import PortLike
from gan808.machine.parameters import Kind, controllers, from_controller
from gan808.realtime import hurry

if TYPE_CHECKING:
    from gan808.machine.machine import Machine

FIXED_VELOCITY = 100 / 127  # what most keyboards send when they have no velocity
ALL_CHANNELS = 0
# Channel messages of MIDI 1.0: the upper half of the status byte, and how many bytes each has.
NOTE_OFF, NOTE_ON, CONTROL_CHANGE, PROGRAM_CHANGE = 0x80, 0x90, 0xB0, 0xC0
MESSAGE_BYTES = {NOTE_OFF: 3, NOTE_ON: 3, 0xA0: 3, CONTROL_CHANGE: 3, PROGRAM_CHANGE: 2, 0xD0: 2,
                 0xE0: 3}
HIGHEST_VALUE = 127
ALL_SOUND_OFF, RESET_CONTROLLERS, ALL_NOTES_OFF = 120, 121, 123
# Channel mode messages 124-127 are all-notes-off too, by the standard.
MODE_MESSAGES = range(ALL_NOTES_OFF, 128)
READ_TIMEOUT_S = 0.2

log = logging.getLogger("gan808")

__all__ = ["MidiInput", "MidiInputInfo", "MidiNotes", "list_midi_inputs", "velocity_of"]


def velocity_of(value: int, curve: VelocityCurve) -> float:
    """Velocity 0..1 of a MIDI velocity 1..127.

    soft: little force is enough (square root); hard: it takes force (square); fixed: always the
    same, whatever the force.
    """
    share = value / 127
    if curve == "soft":
        return float(share**0.5)
    if curve == "hard":
        return share * share
    return FIXED_VELOCITY if curve == "fixed" else share


class MidiNotes:
    """What each MIDI message does. One thread, the owner of `port`."""

    def __init__(self, machine: Machine, port: PortLike, settings: Settings) -> None:
        self._machine = machine
        self._port = port
        self._channel = settings.midi.channel
        self._curve: VelocityCurve = settings.midi.velocity_curve
        steady = settings.engine.note_mode == "steady"
        self._delay_s = settings.engine.steady_delay_ms / 1000 if steady else None
        self._controllers = controllers()
        self.unusable = 0

    def receive(self, data: Sequence[int], arrival_s: float) -> None:
        """Act on one message that arrived at arrival_s (time.monotonic); never raises."""
        if not data or data[0] >= 0xF0:
            return  # clock, active sensing, system exclusive: nothing here listens to them
        kind, channel = data[0] & 0xF0, data[0] & 0x0F
        if len(data) != MESSAGE_BYTES.get(kind) or max(data[1:]) > HIGHEST_VALUE:
            self.unusable += 1
            return
        if self._channel not in (ALL_CHANNELS, channel + 1):
            return
        if kind == NOTE_ON and data[2] > 0:
            self._note_on(data[1], data[2], arrival_s)
        elif kind in (NOTE_ON, NOTE_OFF):
            self._note_off(data[1], arrival_s)
        elif kind == CONTROL_CHANGE:
            self._control(data[1], data[2])
        elif kind == PROGRAM_CHANGE:
            self._machine.load_numbered_kit(data[1], _say_failure)

    def _frame(self, arrival_s: float) -> int:
        """When a note that arrived then is due: 0, at once, or a fixed delay after arrival."""
        if self._delay_s is None:
            return 0
        return max(0, self._machine.engine.clock.frame_at(arrival_s + self._delay_s))

    def _note_on(self, note: int, value: int, arrival_s: float) -> None:
        slot = self._machine.slot_for_note(note)
        if slot is not None:
            velocity = velocity_of(value, self._curve)
            self._machine.trigger(self._port, slot, velocity, self._frame(arrival_s))

    def _note_off(self, note: int, arrival_s: float) -> None:
        slot = self._machine.slot_for_note(note)
        if slot is not None:
            self._machine.release(self._port, slot, self._frame(arrival_s))

    def _control(self, number: int, value: int) -> None:
        if number == ALL_SOUND_OFF:
            self._port.stop()
            return
        if number in MODE_MESSAGES:
            # As if every key was let go: it ends gated slots, one-shots ring out.
            for index in range(len(self._machine.codes)):
                self._machine.release(self._port, index)
            return
        if number == RESET_CONTROLLERS:
            # RP-015: volume, pan and sound controllers keep their values, and we have no others.
            return
        parameter, slot = self._controllers.get(number, (None, None))
        if parameter is None or (slot is not None and slot >= len(self._machine.codes)):
            return
        values = from_controller(parameter, value)
        if values is None:
            return
        arguments = values if slot is None else (slot, *values)
        reply = _say_failure if parameter.kind is Kind.ACTION else None
        self._machine.submit(parameter.address, *arguments, reply=reply)


class MidiInput:
    """The MIDI ports of the settings, played on a thread of its own.

    jack: whether the sound goes to JACK, so that a JACK port is opened too.
    """

    def __init__(self, machine: Machine, settings: Settings, *, jack: bool = False) -> None:
        self._ports = MidiPorts(settings.midi.port, jack=jack)
        self._notes = MidiNotes(machine, machine.engine.port("midi"), settings)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="midi", daemon=True)

    @property
    def notice(self) -> str:
        """One line for the user: what is listened to."""
        return self._ports.notice

    @property
    def names(self) -> list[str]:
        """The names of the ports that are open now."""
        return self._ports.names

    def start(self) -> None:
        """Open the ports and begin to play from them. Raises DeviceError."""
        self._ports.open()
        self._thread.start()

    def stop(self) -> None:
        """Close the ports; safe to call twice, or without start."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2.0)
        self._ports.close()

    def _run(self) -> None:
        hurry()
        while not self._stopping.is_set():
            for arrival in self._ports.read(READ_TIMEOUT_S):
                self._notes.receive(arrival.data, arrival.arrival_s)


def _say_failure(result: object) -> None:
    if isinstance(result, Gan808Error):
        log.warning("%s", result)
