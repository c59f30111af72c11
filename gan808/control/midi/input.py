"""MIDI in: notes, controllers, program changes and clock become hits and machine commands.

`MidiInput` owns the ports and one thread, `midi`, which reads them and plays on its own engine
port. `MidiNotes` is the translation alone: messages in, machine calls out, never an error.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gan808.config import Settings, VelocityCurve
from gan808.control.midi.byte_stream import CONTROL_CHANGE, NOTE_OFF, NOTE_ON, PROGRAM_CHANGE
from gan808.control.midi.channel import EXPRESSION, HOLD, PAN, MidiChannel
from gan808.control.midi.clock_source_selector import CLOCK_MESSAGES, ClockMaster
from gan808.control.midi.controls import MidiControls
from gan808.control.midi.jack_port import JackSource
from gan808.control.midi.ports import MidiPorts
from gan808.engine.engine import ALL_SLOTS
from gan808.engine.protocols import NotePort
from gan808.errors import Guard
from gan808.instrument.controllers import controllers, from_controller
from gan808.instrument.learning import Control, ControlKind, ControlTarget
from gan808.instrument.live import LIVE
from gan808.instrument.midi_map import ALL_CHANNELS, CYMBALS, velocity_of
from gan808.instrument.note_maps import HIHAT_PEDAL, OPEN_HATS, decay_of_pedal
from gan808.instrument.parameter import SLOT, Kind
from gan808.instrument.parameters import BY_ADDRESS
from gan808.realtime import request_realtime

if TYPE_CHECKING:
    from gan808.instrument.machine import Machine

DECAY = BY_ADDRESS[f"/slot/{SLOT}/decay"]
FULL = 127  # what a button sends
HALF = 64
# Channel messages of MIDI 1.0: the upper half of the status byte, and how many bytes each has.
KEY_PRESSURE = 0xA0
MESSAGE_BYTES = {NOTE_OFF: 3, NOTE_ON: 3, KEY_PRESSURE: 3, CONTROL_CHANGE: 3,
                 PROGRAM_CHANGE: 2, 0xD0: 2, 0xE0: 3}
HIGHEST_VALUE = 127
ALL_SOUND_OFF, RESET_CONTROLLERS, ALL_NOTES_OFF = 120, 121, 123
# What notes depend on that the callback plays, wherever it comes from.
OF_ALL_NOTES = (PAN, EXPRESSION, HOLD, RESET_CONTROLLERS)
# Channel mode messages 124-127 are all-notes-off too, by the standard.
MODE_MESSAGES = range(ALL_NOTES_OFF, 128)
READ_TIMEOUT_S = 0.2
LOSS_TOLD_S = 5.0

log = logging.getLogger("gan808")


class PlayedPort:
    """Takes what the audio callback has played already: there is nothing left to send."""

    def trigger(self, slot: int, velocity: float, frame: int = 0, *, gain: float = 1.0,
                pan: float = 0.0, tune_semitones: float = 0.0, decay: float = 1.0) -> bool:
        return True

    def stop(self, slot: int = ALL_SLOTS, frame: int = 0) -> bool:
        return True

    def release(self, slot: int, frame: int = 0) -> bool:
        return True

    def midi(self, status: int, number: int, value: int, frame: int = 0) -> bool:
        return True


PLAYED = PlayedPort()


class MidiNotes:
    """What each MIDI message does. One thread, the owner of `port`."""

    def __init__(self, machine: Machine, port: NotePort, settings: Settings) -> None:
        self._machine = machine
        self._own_port = self._port = port
        self._channel = settings.midi.channel
        self._curve: VelocityCurve = settings.midi.velocity_curve
        steady = settings.engine.note_mode == "steady"
        self._delay_s = settings.engine.steady_delay_ms / 1000 if steady else None
        self._has_pedal = settings.midi.map != "gm"
        self._controllers = controllers()
        self._channels = [MidiChannel() for _ in range(16)]
        self._controls = MidiControls(
            machine.post, machine.submit, machine.load_numbered_kit)
        self._learning = machine.learning
        self._master = ClockMaster(machine.sync.midi, machine.look_at_clock)
        self.unusable = 0

    @property
    def clock_source(self) -> str | None:
        """The name of the port whose clock was followed last."""
        return self._master.source

    def receive(self, data: Sequence[int], arrival_s: float, source: str = "", *,
                played: bool = False) -> None:
        """Act on one message that arrived at arrival_s (time.monotonic); never raises.

        played: the audio callback has already started, released or stopped what the message says;
        everything else about it is still to be done here.
        """
        if not data:
            return
        self._port = PLAYED if played else self._own_port
        if data[0] >= 0xF0:
            if data[0] in CLOCK_MESSAGES and len(data) == (3 if data[0] == 0xF2 else 1):
                self._master.receive(data, source, arrival_s)
            return  # active sensing, system exclusive: nothing here listens to them
        kind, channel = data[0] & 0xF0, data[0] & 0x0F
        if len(data) != MESSAGE_BYTES.get(kind) or max(data[1:]) > HIGHEST_VALUE:
            self.unusable += 1
            return
        if self._is_learned(kind, channel + 1, data, arrival_s):
            return
        if self._channel not in (ALL_CHANNELS, channel + 1):
            return
        if kind == NOTE_ON and data[2] > 0:
            self._note_on(data[1], data[2], arrival_s, self._channels[channel])
        elif kind in (NOTE_ON, NOTE_OFF):
            self._note_off(data[1], arrival_s, self._channels[channel])
        elif kind == CONTROL_CHANGE:
            if data[1] in OF_ALL_NOTES:
                self._port.midi(*data)
            self._control(data[1], data[2], arrival_s, self._channels[channel])
        elif kind == PROGRAM_CHANGE and self._channels[channel].takes_program():
            self._controls.choose(data[1])
        elif kind == KEY_PRESSURE and data[2] >= HALF:
            self._choke(data[1], arrival_s)

    def _frame(self, arrival_s: float) -> int:
        """When a note that arrived then is due: 0, at once, or a fixed delay after arrival."""
        if self._delay_s is None:
            return 0
        return max(0, self._machine.engine.clock.frame_at(arrival_s + self._delay_s))

    def _note_on(self, note: int, value: int, arrival_s: float, channel: MidiChannel) -> None:
        slot = self._machine.slot_for_note(note)
        if slot is not None:
            channel.strike(slot)
            self._hit(slot, value, arrival_s, channel.gain, channel.pan)

    def _hit(self, slot: int, value: int, arrival_s: float, gain: float = 1.0,
             pan: float = 0.0) -> None:
        velocity = velocity_of(value, self._curve)
        self._machine.trigger(
            self._port, slot, velocity, self._frame(arrival_s), gain=gain, pan=pan)

    def _note_off(self, note: int, arrival_s: float, channel: MidiChannel) -> None:
        slot = self._machine.slot_for_note(note)
        if slot is not None and not channel.keeps(slot):
            self._machine.release(self._port, slot, self._frame(arrival_s))

    def _choke(self, note: int, arrival_s: float) -> None:
        """A hand on a cymbal: what an electronic drum kit sends as pressure on its key."""
        slot, slots = self._machine.slot_for_note(note), self._machine.swaps.slots
        if slot is not None and slot < len(slots) and slots[slot].layout.class_name in CYMBALS:
            self._port.stop(slot, self._frame(arrival_s))

    def _control(self, number: int, value: int, arrival_s: float, channel: MidiChannel) -> None:
        if number == ALL_SOUND_OFF:
            # As late as the notes before it are: or those would sound after it.
            self._port.stop(frame=self._frame(arrival_s))
            channel.silence()
            return
        if number in MODE_MESSAGES:
            # As if every key was let go: it ends gated slots, one-shots ring out.
            for index in range(len(self._machine.codes)):
                if not channel.keeps(index):
                    self._machine.release(self._port, index, self._frame(arrival_s))
            return
        if number == RESET_CONTROLLERS:
            channel.reset()
        elif not channel.control(number, value):
            self._turn(number, value)
        for index in channel.let_go():
            self._machine.release(self._port, index, self._frame(arrival_s))

    def _turn(self, number: int, value: int) -> None:
        """A controller of the table, or the hi-hat pedal of a drum module."""
        if number == HIHAT_PEDAL and self._has_pedal:
            for index, layout in enumerate(self._machine.kit.slots):
                if layout.class_name in OPEN_HATS:
                    self._controls.move(DECAY, index, (decay_of_pedal(value),))
            return
        parameter, slot = self._controllers.get(number, (None, None))
        if parameter is None or (slot is not None and slot >= len(self._machine.codes)):
            return
        values = from_controller(parameter, value)
        if values is not None:
            self._controls.move(parameter, slot, values)

    # Learned controls: heard on the channel they were learned on

    def _is_learned(
        self, kind: int, channel: int, data: Sequence[int], arrival_s: float
    ) -> bool:
        """Whether the message was a learned control's, or the one that is being learned."""
        learning = self._learning
        if learning.pending is None and not learning.bindings:
            return False
        if kind not in (NOTE_ON, NOTE_OFF, CONTROL_CHANGE):
            return False
        name: ControlKind = "cc" if kind == CONTROL_CHANGE else "note"
        control: Control = (name, channel, data[1])
        let_go = kind == NOTE_OFF or data[2] == 0
        if learning.pending is not None and not (let_go and name == "note"):
            self._machine.post(learning.take, control)
            return True
        target = learning.bindings.get(control)
        if target is None:
            return False
        self._act(target, name, 0 if let_go else data[2], arrival_s)
        return True

    def _act(self, target: ControlTarget, name: ControlKind, value: int, arrival_s: float) -> None:
        if target.row.kind is Kind.LIVE:
            self._act_live(target, value, arrival_s)
            return
        if name == "note":
            if not value:
                return  # letting go of a key sets nothing off
            value = value if target.filled is not None else FULL
        values = target.arguments(value)
        if values is not None:
            self._controls.move(target.row, target.slot, values)

    def _act_live(self, target: ControlTarget, value: int, arrival_s: float) -> None:
        """A row that is played, as quick as the notes of the kit."""
        row, slot, frame = LIVE[target.row.address], target.slot, self._frame(arrival_s)
        if value:
            hit = () if target.filled is None else (velocity_of(value, self._curve),)
            row.play(self._machine, self._port, slot, (*target.given, *hit), frame)
        elif row.releases and slot is not None:
            self._machine.release(self._port, slot, frame)


class MidiInput:
    """The MIDI ports of the settings, read and played on a thread of its own.

    jack: gives the JACK output that plays now; None where the sound does not go to JACK. On JACK
    the ports belong to that output's client.
    """

    def __init__(self, machine: Machine, settings: Settings, *,
                 jack: JackSource | None = None) -> None:
        self._ports = MidiPorts(settings.midi.port, jack=jack)
        self._notes = MidiNotes(machine, machine.engine.port("midi"), settings)
        self._told_lost, self._told_lost_s = 0, 0.0
        self._seen: dict[str, str] = {}
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

    @property
    def clock_source(self) -> str | None:
        """The name of the port whose clock was followed last."""
        return self._notes.clock_source

    def ports_seen(self) -> list[str]:
        """The ports open now, each before what came from it last, in hexadecimal. Any thread."""
        seen = dict(self._seen)
        return [text for name in self.names for text in (name, seen.get(name, ""))]

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
        request_realtime()
        # A port that cannot be read may say so at once, every time.
        reading = Guard("MIDI", lambda _: self._stopping.wait(READ_TIMEOUT_S))
        playing = Guard("MIDI")
        while not self._stopping.is_set():
            with reading:
                for arrival in self._ports.read(READ_TIMEOUT_S):
                    with playing:
                        self._notes.receive(arrival.data, arrival.arrival_s, arrival.source,
                                            played=arrival.played)
                        self._seen[arrival.source] = bytes(arrival.data[:3]).hex(" ")
                self._tell_lost(time.monotonic())

    def _tell_lost(self, now_s: float) -> None:
        lost = self._ports.lost
        if lost > self._told_lost and now_s - self._told_lost_s >= LOSS_TOLD_S:
            log.warning("MIDI came faster than it can be played: %d messages were let go",
                        lost - self._told_lost)
            self._told_lost, self._told_lost_s = lost, now_s
