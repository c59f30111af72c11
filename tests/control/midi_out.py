"""Fakes of what MIDI is sent through, and a machine of fakes that sends."""

from __future__ import annotations

from typing import Any

from gan808.control.midi.clock_out import ClockSource
from gan808.control.midi.notes_out import NoteSource
from gan808.control.midi.outputs import MidiOutputs, OutputPort, OutputSystem
from gan808.control.midi.sender import MidiSender, MidiSource
from gan808.errors import DeviceError
from tests.instrument.rig import Rig

NOTE_ON = 0x90


class FakeOutput:
    """Writes down what it is told to send, and at which frame."""

    def __init__(self, name: str, *, takes_ahead: bool = False) -> None:
        self.name = name
        self.takes_ahead = takes_ahead
        self.sent: list[tuple[float, bytes]] = []
        self.closed = False

    def send(self, data: bytes, frame: float) -> bool:
        assert not self.closed
        self.sent.append((frame, data))
        return True

    def take_back(self, frame: float) -> None:
        self.sent = [(at, data) for at, data in self.sent
                     if at < frame or data[0] & 0xF0 != NOTE_ON]

    def close(self) -> None:
        self.closed = True


class FakeScanner:
    def __init__(self, system: FakeSystem) -> None:
        self._system = system

    def get_ports(self) -> list[str]:
        return list(self._system.plugged)

    def delete(self) -> None:
        pass


class FakeSystem(OutputSystem):
    """A MIDI system whose cables the test plugs."""

    def __init__(self, *plugged: str) -> None:
        super().__init__(0, "ALSA")
        self.plugged = list(plugged)
        self.opened: dict[str, FakeOutput] = {}

    def scanner(self) -> Any:
        return FakeScanner(self)

    def open(self, name: str, own_name: str) -> OutputPort:
        if name not in self.plugged:
            raise DeviceError("it has gone")
        self.opened[name] = port = FakeOutput(name)
        return port

    def open_virtual(self, own_name: str) -> OutputPort:
        self.opened["virtual"] = port = FakeOutput(own_name)
        return port


class FakeJack(FakeOutput):
    """A JACK port of ours, and the inputs of other programs."""

    def __init__(self, *inputs: str) -> None:
        super().__init__("gan808:GAN-808 clock", takes_ahead=True)
        self.others = list(inputs)
        self.connected: set[str] = set()
        self.ready = True

    def tend(self) -> None:
        pass

    def inputs(self) -> list[str]:
        return [self.name, *self.others]

    def connect(self, target: str) -> bool:
        if self.ready:
            self.connected.add(target)
        return self.ready

    def disconnect(self, target: str) -> bool:
        self.connected.discard(target)
        return True


def outputs(choice: str, *systems: FakeSystem, jack: FakeJack | None = None) -> MidiOutputs:
    return MidiOutputs(
        choice, "GAN-808 clock", find_systems=lambda: list(systems),
        open_jack=None if jack is None else lambda _: jack)  # type: ignore[arg-type, return-value]


class Sending:
    """A machine of fakes that sends its clock, its notes or both, in a time that the test moves."""

    def __init__(self, choice: str, *systems: FakeSystem, jack: FakeJack | None = None,
                 what: tuple[str, ...] = ("clock",), ahead_frames: int = 0,
                 **rig: Any) -> None:
        """ahead_frames: how far the sequencer schedules beyond the block that is mixed."""
        self.rig = Rig(sequencer={"playing": False}, **rig)
        self._ahead_frames = ahead_frames
        self.followed: str | None = None
        self.outputs = outputs(choice, *systems, jack=jack)
        sources: dict[str, MidiSource] = {
            "clock": ClockSource(self.rig.machine, choice, lambda: self.followed),
            "notes": NoteSource(self.rig.machine, self.rig.machine.settings.midi.channel)}
        self.sender = MidiSender(self.rig.machine, self.outputs, [sources[name] for name in what])
        self.outputs.open(self.sender.shuns)
        self.now_s = self.rig.engine.clock.time_at(0)

    def run(self, seconds: float) -> None:
        end_s = self.now_s + seconds
        while self.now_s < end_s:
            self.now_s += 0.004
            self.rig.machine.sync.advance(self.rig.engine.frame + self._ahead_frames)
            self.rig.run(192)
            self.sender.look(self.now_s)
            self.sender.send_due(self.now_s)
