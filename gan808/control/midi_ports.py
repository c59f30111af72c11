"""MIDI input ports: which there are, which to open, and the bytes that arrive on them.

One thread reads (`MidiPorts.read`); a second one, `midi-ports`, looks every second for ports that
have come or gone. RtMidi's own threads put what arrives into a queue. On JACK there is no such
thread but JACK's process thread, where Python must never run: there a compiled callback keeps the
messages (engine/jack_midi.py), and `read` polls it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, Protocol

from gan808.control.jack_port import VIRTUAL_NAME, JackPort
from gan808.control.midi_times import Arrival, ArrivalClock
from gan808.engine.jack_midi import JackMidiScanner
from gan808.errors import DeviceError
from gan808.stderr import quiet_stderr

CLIENT_NAME = "gan808"
AUTO, VIRTUAL, OFF = "auto", "virtual", "off"
POLL_S = 0.001
RESCAN_S = 1.0
# ALSA's loopback port is on every Linux machine and no instrument.
NOT_INSTRUMENTS = ("Midi Through",)

__all__ = ["VIRTUAL_NAME", "Arrival", "MidiInputInfo", "MidiPorts", "list_midi_inputs"]

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

    def poll(self) -> Iterable[Arrival]:
        """What has come since the last poll, for systems that are polled."""
        ...

    def close(self) -> None: ...


class OpenPort:
    """One open RtMidi input. Nothing is filtered out, or the deltas would not add up."""

    def __init__(self, rt: Any, name: str, deliver: Callable[[Arrival], None]) -> None:
        self.name = name
        self._rt = rt
        self._clock = ArrivalClock()
        self._deliver = deliver
        rt.ignore_types(sysex=False, timing=False, active_sense=False)
        rt.set_callback(self._arrived)

    def _arrived(self, event: tuple[list[int], float], _data: object = None) -> None:
        """On RtMidi's thread."""
        self._deliver(Arrival(event[0], self._clock.arrival(event[1], time.monotonic())))

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
            raise DeviceError(f"{self.name} MIDI is not available: {_first_line(error)}") from error

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
                f"{self.name} MIDI port {name!r} cannot be opened: {_first_line(error)}"
            ) from error


class JackSystem(MidiSystem):
    """JACK, through a client of our own: RtMidi's knows only the cycle a message came in."""

    polled = True

    def __init__(self) -> None:
        super().__init__(0, "JACK")

    def scanner(self) -> Any:
        """A client to list ports with. Raises DeviceError where no server runs."""
        return JackMidiScanner(f"{CLIENT_NAME}-scan")

    def open(self, name: str, deliver: Callable[[Arrival], None]) -> InputPort:
        """Open a port that listens to a port of a scanner's list."""
        return JackPort(name, source=name)

    def open_virtual(self, deliver: Callable[[Arrival], None]) -> InputPort:
        """Open a port of our own that others connect to."""
        return JackPort(VIRTUAL_NAME)


def systems(*, jack: bool) -> list[MidiSystem]:
    """The MIDI systems of this machine that run, the machine's own first; JACK if asked for."""
    import rtmidi

    native = {
        rtmidi.API_LINUX_ALSA: "ALSA",
        rtmidi.API_MACOSX_CORE: "CoreMIDI",
        rtmidi.API_WINDOWS_MM: "Windows",
    }
    compiled = rtmidi.get_compiled_api()
    wanted = [MidiSystem(api, native[api]) for api in compiled if api in native]
    if jack:
        wanted.append(JackSystem())
    return [system for system in wanted if _runs(system)]


def list_midi_inputs() -> list[MidiInputInfo]:
    """Every port that could be listened to, JACK's included where a server runs."""
    found = []
    for system in systems(jack=True):
        scanner = system.scanner()
        found += [MidiInputInfo(name, system.name) for name in _names(scanner)]
        scanner.delete()
    return found


class MidiPorts:
    """The open ports of a choice: auto, virtual, off or part of a port's name.

    auto opens every real port, and a virtual one where the output is JACK's (jack) or there is no
    real port. `notice` says in one line what is listened to.
    """

    def __init__(
        self,
        choice: str,
        *,
        jack: bool = False,
        find_systems: Callable[..., list[MidiSystem]] = systems,
    ) -> None:
        self._choice = choice
        self._jack = jack
        self._find_systems = find_systems
        self._queue: SimpleQueue[Arrival] = SimpleQueue()
        self._open: dict[tuple[str, str], InputPort] = {}
        self._polled: tuple[InputPort, ...] = ()
        # Polled ports that have gone; the reading thread closes them, so none is closed mid-poll.
        self._gone: SimpleQueue[InputPort] = SimpleQueue()
        self._scanners: list[tuple[MidiSystem, Any]] = []
        self._stopping = threading.Event()
        self._watcher: threading.Thread | None = None
        self.notice = "no MIDI"

    @property
    def names(self) -> list[str]:
        """The names of the ports that are open now."""
        return [name for _, name in list(self._open)]

    def open(self) -> None:
        """Open what the choice asks for and watch for more. Raises DeviceError, one line."""
        if self._choice == OFF:
            return
        running = self._find_systems(jack=self._jack)
        if not running:
            if self._choice == AUTO:
                self.notice = "no MIDI system here; playing without"
                return
            raise DeviceError(
                f"midi port {self._choice!r}: there is no MIDI system here; use --midi off"
            )
        if self._choice != VIRTUAL:
            # On JACK auto wants no port but our own: no client of ours is left there to look.
            self._scanners = [(system, system.scanner()) for system in running
                              if not (system.polled and self._choice == AUTO)]
            self.rescan()
        self._open_virtual(running[-1])
        if not self._open:
            known = ", ".join(
                name for _, scanner in self._scanners for name in _names(scanner)) or "none"
            self.close()
            raise DeviceError(
                f"midi port {self._choice!r}: no port has that in its name; ports: {known}; "
                "auto, virtual and off work too"
            )
        self.notice = "MIDI from " + ", ".join(self.names)
        if self._scanners:
            self._watcher = threading.Thread(target=self._watch, name="midi-ports", daemon=True)
            self._watcher.start()

    def _open_virtual(self, system: MidiSystem) -> None:
        """The virtual port, where the choice has one; JACK is the last system, if there."""
        wanted = self._choice == VIRTUAL or (
            self._choice == AUTO and (system.polled or not self._open)
        )
        if not wanted:
            return
        self._add((system.name, VIRTUAL_NAME), system.open_virtual(self._queue.put))

    def close(self) -> None:
        """Close every port, once nobody reads any more; safe to call twice."""
        self._stopping.set()
        if self._watcher is not None:
            self._watcher.join(timeout=2.0)
        for key in list(self._open):
            self._remove(key)
        self._close_gone()
        for _, scanner in self._scanners:
            scanner.delete()
        self._scanners = []

    def _close_gone(self) -> None:
        while not self._gone.empty():
            self._gone.get().close()

    def read(self, timeout_s: float) -> list[Arrival]:
        """What has arrived, waiting up to timeout_s for the first message."""
        if not self._polled:
            try:
                return [self._queue.get(timeout=timeout_s)]
            except Empty:
                return []
        deadline_s = time.monotonic() + timeout_s
        while True:
            self._close_gone()
            found = [arrival for port in self._polled for arrival in port.poll()]
            while not self._queue.empty():
                found.append(self._queue.get())
            if found or time.monotonic() >= deadline_s:
                return found
            time.sleep(POLL_S)

    def rescan(self) -> None:
        """Open the ports that have come, close those that have gone."""
        for system, scanner in self._scanners:
            present = [name for name in _names(scanner) if self._wants(system, name)]
            for name in present:
                if (system.name, name) not in self._open:
                    self._try_open(system, name)
            for key in [k for k in self._open if k[0] == system.name and k[1] != VIRTUAL_NAME]:
                if key[1] not in present:
                    self._remove(key)
                    log.warning("MIDI port %s has gone; it is picked up when it returns", key[1])

    def _wants(self, system: MidiSystem, name: str) -> bool:
        if CLIENT_NAME in name.split(":")[0] or VIRTUAL_NAME in name:
            return False
        if self._choice == AUTO:
            # JACK users connect what they want to the virtual port.
            return not system.polled and not name.startswith(NOT_INSTRUMENTS)
        return self._choice.lower() in name.lower()

    def _try_open(self, system: MidiSystem, name: str) -> None:
        try:
            self._add((system.name, name), system.open(name, self._queue.put))
        except DeviceError as error:
            # It left between the list and the opening, or another program holds it; the next
            # round tries again.
            log.debug("%s", error)

    def _add(self, key: tuple[str, str], port: InputPort) -> None:
        self._open[key] = port
        if key[0] == "JACK":
            self._polled = (*self._polled, port)
        log.info("MIDI from %s", port.name)

    def _remove(self, key: tuple[str, str]) -> None:
        port = self._open.pop(key)
        if port in self._polled:
            self._polled = tuple(other for other in self._polled if other is not port)
            self._gone.put(port)
        else:
            port.close()

    def _watch(self) -> None:
        while not self._stopping.wait(RESCAN_S):
            try:
                self.rescan()
            except OSError as error:
                log.debug("MIDI ports cannot be listed: %s", _first_line(error))


def _open_named(rt: Any, name: str) -> None:
    """RtMidi opens by number, and a port that goes shifts the numbers of the others."""
    names = _names(rt)
    if name not in names:
        raise OSError("it has gone")
    rt.open_port(names.index(name), VIRTUAL_NAME)


def _names(rt: Any) -> list[str]:
    """Port names in RtMidi's order; the second of two that are called the same gets a number."""
    names: list[str] = []
    for name in rt.get_ports():
        count = sum(other == name or other.startswith(f"{name} #") for other in names)
        names.append(f"{name} #{count + 1}" if count else name)
    return names


def _runs(system: MidiSystem) -> bool:
    """Whether the system answers. ALSA and JACK print their complaints; nobody wants them."""
    try:
        with quiet_stderr():
            system.scanner().delete()
    except DeviceError:
        return False
    return True


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
