"""MIDI output ports of a choice, found by name, picked up again when they return.

The thread that sends takes `ports`; a second one, `midi-out-ports`, looks every second for ports
that have come or gone. What has gone is closed by the thread that sends, never in mid-message.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, Protocol

from gan808.control.midi.jack_port import VIRTUAL_NAME, JackSource
from gan808.control.midi.ports import OFF, VIRTUAL
from gan808.control.midi.systems import (
    CLIENT_NAME,
    RESCAN_S,
    first_line,
    names_of,
    native_systems,
    rescan_until,
)
from gan808.engine.jack.libjack import IS_INPUT
from gan808.engine.jack.midi_input import JackMidiScanner
from gan808.engine.jack.midi_output import JackMidiOutput
from gan808.errors import DeviceError
from gan808.stderr import quiet_stderr

JACK = "JACK"
GONE = "MIDI port %s has gone; it is sent to again when it returns"

log = logging.getLogger("gan808")


class OutputPort(Protocol):
    """One port that messages are sent to, by one thread. takes_ahead: it keeps a message until the
    frame of the engine at which it is due is heard; otherwise it sends at once."""

    name: str
    takes_ahead: bool

    def send(self, data: bytes, frame: float) -> bool: ...

    def take_back(self, frame: float) -> None: ...

    def close(self) -> None: ...


class RtOutput:
    """One open RtMidi output."""

    takes_ahead = False

    def __init__(self, rt: Any, name: str) -> None:
        self.name = name
        self._rt = rt

    def send(self, data: bytes, frame: float) -> bool:
        """Send at once; False where the system refuses it: the port has gone."""
        try:
            self._rt.send_message(data)
        except (OSError, ValueError):
            return False
        return True

    def take_back(self, frame: float) -> None:
        """Nothing is kept, so there is nothing to take back."""

    def close(self) -> None:
        """Close the port."""
        self._rt.close_port()
        self._rt.delete()


class JackOutPort:
    """An output of the client that plays, whose cables are laid here too; it comes back with its
    server.

    `send` and `tend` belong to the thread that sends, cables to any.
    """

    takes_ahead = True

    def __init__(self, output: JackSource, name: str) -> None:
        """name: without the client's. Raises DeviceError where nothing plays on JACK."""
        self._output = output
        self._own_name = name
        self._port = self._opened()
        self._tried_s = 0.0
        self.name = self._port.name

    def _opened(self) -> JackMidiOutput:
        return self._output().open_midi_output(self._own_name)

    def send(self, data: bytes, frame: float) -> bool:
        """Send at a frame; False where JACK has stopped calling."""
        return self._port.send(data, frame)

    def take_back(self, frame: float) -> None:
        """Send no note on that is due at a frame or later and has not been sent."""
        self._port.take_back(frame)

    def tend(self) -> None:
        """Go over to the output that plays now, where the server of the last one has gone."""
        now_s = time.monotonic()
        if self._port.alive or now_s - self._tried_s < RESCAN_S or not self._output().alive:
            return
        self._tried_s = now_s
        self._port.close()
        try:
            self._port = self._opened()
        except DeviceError as error:
            log.debug("%s", error)

    def inputs(self) -> list[str]:
        """What could be connected."""
        return self._port.inputs()

    def connect(self, target: str) -> bool:
        """Whether it is connected now."""
        return self._port.connect(target)

    def disconnect(self, target: str) -> bool:
        """True where it was connected before."""
        return self._port.disconnect(target)

    def close(self) -> None:
        """Take the port away."""
        self._port.close()


class OutputSystem:
    """One of RtMidi's interfaces: its output ports, and how to open them."""

    def __init__(self, api: int, name: str) -> None:
        self.api = api
        self.name = name

    def scanner(self) -> Any:
        """A client to list ports with. Raises DeviceError where the system is not running."""
        import rtmidi

        try:
            return rtmidi.MidiOut(self.api, name=f"{CLIENT_NAME}-scan")
        except OSError as error:
            raise DeviceError(f"{self.name} MIDI is not available: {first_line(error)}") from error

    def open(self, name: str, own_name: str) -> OutputPort:
        """Open a port of the scanner's list, if it is still there. Raises DeviceError."""
        return self._opened(name, lambda rt: rt.open_port(names_of(rt).index(name), own_name))

    def open_virtual(self, own_name: str) -> OutputPort:
        """Open a port of our own that others connect to. Raises DeviceError."""
        return self._opened(own_name, lambda rt: rt.open_virtual_port(own_name))

    def _opened(self, name: str, connect: Callable[[Any], object]) -> OutputPort:
        import rtmidi

        try:
            rt = rtmidi.MidiOut(self.api, name=CLIENT_NAME)
            connect(rt)
            return RtOutput(rt, name)
        except (OSError, NotImplementedError, ValueError) as error:
            raise DeviceError(
                f"{self.name} MIDI port {name!r} cannot be opened: {first_line(error)}"
            ) from error


def output_systems() -> list[OutputSystem]:
    """RtMidi's systems of this machine that run."""
    found = []
    for api, name in native_systems():
        system = OutputSystem(api, name)
        try:
            with quiet_stderr():
                system.scanner().delete()
        except DeviceError:
            continue
        found.append(system)
    return found


def list_midi_outputs() -> list[tuple[str, str]]:
    """System and name of every port that could be sent to, JACK's included where it runs."""
    found = []
    for system in output_systems():
        scanner = system.scanner()
        found += [(system.name, name) for name in names_of(scanner)]
        scanner.delete()
    try:
        with quiet_stderr():
            jack = JackMidiScanner(f"{CLIENT_NAME}-scan", IS_INPUT)
    except DeviceError:
        return found
    found += [(JACK, name) for name in jack.get_ports()]
    jack.delete()
    return found


class MidiOutputs:
    """The open outputs of a choice: virtual, off or part of a port's name.

    With open_jack there is a port of ours on JACK, which named ports are connected to. A port that
    is not there is waited for.
    """

    def __init__(
        self,
        choice: str,
        name: str,
        *,
        find_systems: Callable[[], list[OutputSystem]] = output_systems,
        open_jack: Callable[[str], JackOutPort] | None = None,
    ) -> None:
        """name: of ports of our own, and what others see of us."""
        self.choice = choice
        self._name = name
        self.ports: tuple[OutputPort, ...] = ()
        self._find_systems = find_systems
        self._open_jack = open_jack
        self._jack: JackOutPort | None = None
        self._cables: set[str] = set()
        self._shunned: Callable[[str], bool] = lambda name: False
        self._open: dict[tuple[str, str], OutputPort] = {}
        self._gone: SimpleQueue[OutputPort] = SimpleQueue()
        self._scanners: list[tuple[OutputSystem, Any]] = []
        self._stopping = threading.Event()
        self._watcher: threading.Thread | None = None

    @property
    def names(self) -> list[str]:
        """Where messages go now."""
        return [name for _, name in list(self._open)] + sorted(self._cables)

    def open(self, shunned: Callable[[str], bool]) -> None:
        """Open what there is of the choice and watch for more. Raises DeviceError, one line.

        shunned(name): ports on JACK that nothing is sent to for now.
        """
        if self.choice == OFF:
            return
        self._shunned = shunned
        systems = self._find_systems()
        if self._open_jack is not None:
            self._jack = self._open_jack(self._name)
        if not systems and self._jack is None:
            raise DeviceError(f"{self._name} to {self.choice!r}: there is no MIDI system here; "
                              'use clock_out = "off" and notes_out = "off" in [midi]')
        if self.choice == VIRTUAL:
            if self._jack is None:
                self._open[systems[0].name, self._name] = systems[0].open_virtual(self._name)
            else:
                self._open[JACK, self._jack.name] = self._jack
            self._publish()
            return
        self._scanners = [(system, system.scanner()) for system in systems]
        self.rescan()
        self._watcher = threading.Thread(
            target=rescan_until, args=(self._stopping, self.rescan), name="midi-out-ports",
            daemon=True)
        self._watcher.start()

    def close(self) -> None:
        """Close every port, once nobody sends any more; safe to call twice."""
        self._stopping.set()
        if self._watcher is not None:
            self._watcher.join(timeout=2.0)
        self._publish()
        for port in self.ports:
            port.close()
        self.ports, self._open, self._jack = (), {}, None
        self.close_gone()
        for _, scanner in self._scanners:
            scanner.delete()
        self._scanners = []

    def close_gone(self) -> None:
        """Close what has gone; for the thread that sends."""
        if self._jack is not None:
            self._jack.tend()
        with suppress(Empty):  # two threads may come here at the end
            while True:
                self._gone.get_nowait().close()

    def rescan(self) -> None:
        """Open the ports that have come, let go of those that have gone."""
        for system, scanner in self._scanners:
            present = [name for name in names_of(scanner) if self._wants(name)]
            for name in present:
                if (system.name, name) not in self._open:
                    self._try_open(system, name)
            for key in [k for k in self._open if k[0] == system.name and k[1] not in present]:
                self._gone.put(self._open.pop(key))
                log.warning(GONE, key[1])
        if self._jack is not None:
            self._lay_cables(self._jack)
        self._publish()

    def _lay_cables(self, jack: JackOutPort) -> None:
        wanted = {name for name in jack.inputs() if self._wants(name)}
        for name in sorted(self._cables - wanted):
            log.warning(GONE, name)
        self._cables &= wanted
        for name in sorted(wanted):
            if self._shunned(name):
                jack.disconnect(name)
                self._cables.discard(name)
            elif name not in self._cables and jack.connect(name):
                # Laid once: a cable that a person pulls out stays out.
                self._cables.add(name)
                log.info("MIDI to %s", name)

    def _publish(self) -> None:
        jack = (self._jack,) if self._jack is not None else ()
        self.ports = (*(p for p in self._open.values() if p is not self._jack), *jack)

    def _wants(self, name: str) -> bool:
        own = CLIENT_NAME in name.split(":")[0] or VIRTUAL_NAME in name
        return not own and self.choice.lower() in name.lower()

    def _try_open(self, system: OutputSystem, name: str) -> None:
        try:
            self._open[system.name, name] = system.open(name, self._name)
            log.info("MIDI to %s", name)
        except DeviceError as error:
            # It left meanwhile, or another program holds it; the next round tries again.
            log.debug("%s", error)
