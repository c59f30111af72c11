"""The MIDI systems of this machine, what ports each has, and how one of them is opened for input.

RtMidi's own threads deliver what arrives. On JACK there is no such thread but JACK's process
thread, where Python must never run: there the client that makes the sound plays what it can and
keeps all messages (engine/jack/midi_input.py) until they are polled.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from gan808.control.midi.arrival_times import Arrival, ArrivalClock
from gan808.control.midi.byte_stream import MessageReader
from gan808.control.midi.jack_port import VIRTUAL_NAME, JackPort, JackSource
from gan808.engine.jack.midi_input import JackMidiScanner
from gan808.engine.outputs.jack import JackOutput
from gan808.errors import DeviceError, Guard
from gan808.stderr import quiet_stderr

CLIENT_NAME = "gan808"
RESCAN_S = 1.0

log = logging.getLogger("gan808")


@dataclass(frozen=True, slots=True)
class MidiInputInfo:
    """A port that can be listened to: its name and the system it belongs to."""

    name: str
    system: str


class InputPort(Protocol):
    """One open port of any system."""

    @property
    def name(self) -> str: ...
    @property
    def lost(self) -> int:
        """Messages for which there was no room before they were read."""
        ...

    def poll(self) -> Iterable[Arrival]:
        """What has come since the last poll, for systems that are polled."""
        ...

    def close(self) -> None: ...


class OpenPort:
    """One open RtMidi input. Nothing is filtered out, or the deltas would not add up."""

    lost = 0  # counted where the queue is

    def __init__(self, rt: Any, name: str, deliver: Callable[[Arrival], None]) -> None:
        self.name = name
        self._reader = MessageReader()
        self._rt = rt
        self._clock = ArrivalClock()
        self._deliver = deliver
        rt.ignore_types(sysex=False, timing=False, active_sense=False)
        rt.set_callback(self._arrived)

    def _arrived(self, event: tuple[list[int], float], _data: object = None) -> None:
        """On RtMidi's thread."""
        arrival_s = self._clock.arrival(event[1], time.monotonic())
        for message in self._reader.read(event[0]):
            self._deliver(Arrival(message, arrival_s, self.name))

    def poll(self) -> Iterable[Arrival]:
        """Nothing: what comes has been delivered."""
        return ()

    def close(self) -> None:
        """Close the port; nothing is delivered afterwards."""
        self._rt.cancel_callback()
        self._rt.close_port()
        self._rt.delete()


class MidiSystem:
    """One of RtMidi's interfaces: a way to list its ports and to open them."""

    polled = False

    def __init__(self, api: int, name: str) -> None:
        self.api = api
        self.name = name

    def scanner(self) -> Any:
        """A client to list ports with. Raises DeviceError where the system is not running."""
        import rtmidi

        try:
            return rtmidi.MidiIn(self.api, name=f"{CLIENT_NAME}-scan")
        except OSError as error:
            raise DeviceError(f"{self.name} MIDI is not available: {first_line(error)}") from error

    def open(self, name: str, deliver: Callable[[Arrival], None]) -> InputPort:
        """Open a port of a scanner's list, if it is still there."""
        return self._opened(name, deliver, lambda rt: _open_named(rt, name))

    def open_virtual(self, deliver: Callable[[Arrival], None]) -> InputPort:
        """Open a port of our own that others connect to."""
        return self._opened(VIRTUAL_NAME, deliver, lambda rt: rt.open_virtual_port(VIRTUAL_NAME))

    def _opened(
        self, name: str, deliver: Callable[[Arrival], None], connect: Callable[[Any], object]
    ) -> OpenPort:
        import rtmidi

        try:
            rt = rtmidi.MidiIn(self.api, name=CLIENT_NAME)
            connect(rt)
            return OpenPort(rt, name, deliver)
        except (OSError, NotImplementedError, ValueError) as error:
            raise DeviceError(
                f"{self.name} MIDI port {name!r} cannot be opened: {first_line(error)}"
            ) from error


class JackSystem(MidiSystem):
    """JACK, through the client that plays: RtMidi's knows only the cycle a message came in."""

    polled = True

    def __init__(self, output: JackSource) -> None:
        super().__init__(0, "JACK")
        self._output = output

    def scanner(self) -> Any:
        """A client to list ports with. Raises DeviceError where no server runs."""
        return JackMidiScanner(f"{CLIENT_NAME}-scan")

    def open(self, name: str, deliver: Callable[[Arrival], None]) -> InputPort:
        """Open a port that listens to a port of a scanner's list."""
        return JackPort(name, self._output, source=name)

    def open_virtual(self, deliver: Callable[[Arrival], None]) -> InputPort:
        """Open a port of our own that others connect to."""
        return JackPort(VIRTUAL_NAME, self._output)


def native_systems() -> list[tuple[int, str]]:
    """RtMidi's number and the name of the systems that are the machine's own."""
    import rtmidi

    native = {
        rtmidi.API_LINUX_ALSA: "ALSA",
        rtmidi.API_MACOSX_CORE: "CoreMIDI",
        rtmidi.API_WINDOWS_MM: "Windows",
    }
    return [(api, native[api]) for api in rtmidi.get_compiled_api() if api in native]


def systems(*, jack: JackSource | None) -> list[MidiSystem]:
    """The MIDI systems of this machine that run, the machine's own first; JACK where the output
    that plays on it is given."""
    wanted = [MidiSystem(api, name) for api, name in native_systems()]
    if jack is not None:
        wanted.append(JackSystem(jack))
    return [system for system in wanted if _runs(system)]


def list_midi_inputs() -> list[MidiInputInfo]:
    """Every port that could be listened to, JACK's included where a server runs."""
    found = []
    for system in systems(jack=_no_output):
        scanner = system.scanner()
        found += [MidiInputInfo(name, system.name) for name in names_of(scanner)]
        scanner.delete()
    return found


def _no_output() -> JackOutput:
    raise DeviceError("nothing plays on JACK")


def _open_named(rt: Any, name: str) -> None:
    """RtMidi opens by number, and a port that goes shifts the numbers of the others."""
    names = names_of(rt)
    if name not in names:
        raise OSError("it has gone")
    rt.open_port(names.index(name), VIRTUAL_NAME)


def names_of(rt: Any) -> list[str]:
    """Port names in RtMidi's order; the second of two that are called the same gets a number."""
    names: list[str] = []
    for name in rt.get_ports():
        count = sum(other == name or other.startswith(f"{name} #") for other in names)
        names.append(f"{name} #{count + 1}" if count else name)
    return names


def _runs(system: MidiSystem) -> bool:
    """Whether the system answers. What ALSA and JACK print about it is suppressed."""
    try:
        with quiet_stderr():
            system.scanner().delete()
    except DeviceError:
        return False
    return True


def first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def rescan_until(stopping: threading.Event, rescan: Callable[[], None]) -> None:
    """Look every second for ports that have come or gone, on a thread of its own."""
    guard = Guard("the list of MIDI ports")
    while not stopping.wait(RESCAN_S):
        with guard:
            try:
                rescan()
            except OSError as error:
                log.debug("MIDI ports cannot be listed: %s", first_line(error))
