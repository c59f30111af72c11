"""Which MIDI input ports are open, and the messages that arrive on them.

One thread reads (`MidiPorts.read`); a second one, `midi-ports`, looks every second for ports that
have come or gone. Ports of RtMidi deliver into a queue; JACK's are polled by `read`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

from gan808.control.midi.arrival_times import Arrival
from gan808.control.midi.jack_port import VIRTUAL_NAME, JackSource
from gan808.control.midi.systems import (
    CLIENT_NAME,
    InputPort,
    MidiSystem,
    names_of,
    rescan_until,
    systems,
)
from gan808.errors import DeviceError

AUTO, VIRTUAL, OFF = "auto", "virtual", "off"
POLL_S = 0.001
# More than any instrument sends while the reading thread is held up; a flood must not fill memory.
MOST_WAITING = 8192
# ALSA's loopback port is on every Linux machine and no instrument.
NOT_INSTRUMENTS = ("Midi Through",)

log = logging.getLogger("gan808")


class MidiPorts:
    """The open ports of a choice: auto, virtual, off or part of a port's name.

    auto opens every real port, and a virtual one where the output is JACK's or there is no real
    port. jack: that output, where it is JACK's. `notice` says in one line what is listened to.
    """

    def __init__(
        self,
        choice: str,
        *,
        jack: JackSource | None = None,
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
        self._lost = 0
        self._losing = threading.Lock()
        self._lost_of_gone = 0
        self.notice = "no MIDI"

    @property
    def names(self) -> list[str]:
        """The names of the ports that are open now."""
        return [name for _, name in list(self._open)]

    @property
    def lost(self) -> int:
        """Messages that came faster than they were read for so long that they were let go."""
        open_now = sum(port.lost for port in list(self._open.values()))
        return self._lost + self._lost_of_gone + open_now

    def _deliver(self, arrival: Arrival) -> None:
        """On RtMidi's threads."""
        if self._queue.qsize() < MOST_WAITING:
            self._queue.put(arrival)
        else:
            with self._losing:  # each port has a thread of RtMidi's
                self._lost += 1

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
                name for _, scanner in self._scanners for name in names_of(scanner)) or "none"
            self.close()
            raise DeviceError(
                f"midi port {self._choice!r}: no port has that in its name; ports: {known}; "
                "auto, virtual and off work too"
            )
        self.notice = "MIDI from " + ", ".join(self.names)
        if self._scanners:
            self._watcher = threading.Thread(
                target=rescan_until, args=(self._stopping, self.rescan), name="midi-ports",
                daemon=True)
            self._watcher.start()

    def _open_virtual(self, system: MidiSystem) -> None:
        """The virtual port, where the choice has one; JACK is the last system, if there."""
        wanted = self._choice == VIRTUAL or (
            self._choice == AUTO and (system.polled or not self._open)
        )
        if not wanted:
            return
        self._add((system.name, VIRTUAL_NAME), system.open_virtual(self._deliver))

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
        with suppress(Empty):  # two threads may come here at the end
            while True:
                self._gone.get_nowait().close()

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
            present = [name for name in names_of(scanner) if self._wants(system, name)]
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
            self._add((system.name, name), system.open(name, self._deliver))
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
        self._lost_of_gone += port.lost
        if port in self._polled:
            self._polled = tuple(other for other in self._polled if other is not port)
            self._gone.put(port)
        else:
            port.close()
