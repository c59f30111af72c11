"""An open MIDI input on JACK that comes back with its server. Polled on the reading thread."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable

from gan808.control.midi.arrival_times import Arrival
from gan808.control.midi.byte_stream import MessageReader
from gan808.engine.jack.midi_input import JackMidiInput
from gan808.errors import DeviceError

CLIENT_NAME = "gan808-midi"
VIRTUAL_NAME = "GAN-808"
RETRY_S = 1.0

log = logging.getLogger("gan808")


class JackPort:
    """A port of our own, which listens to `source`, another program's port, where one is given.

    What arrives waits in its ring until it is polled. When the server goes, the port is opened
    again as soon as there is one.
    """

    def __init__(self, name: str, source: str | None = None) -> None:
        """Raises DeviceError where no server runs, or the source has gone."""
        self.name = name
        self._source = source
        self._reader = MessageReader()
        self._input = self._opened()
        self._tried_s = 0.0
        self._lost_before = 0  # by the ports of servers that have gone

    def _opened(self) -> JackMidiInput:
        port = JackMidiInput(CLIENT_NAME, VIRTUAL_NAME)
        try:
            if self._source is not None:
                port.connect(self._source)
        except DeviceError:
            port.close()
            raise
        return port

    def poll(self) -> Iterable[Arrival]:
        """What has come since the last poll."""
        if not self._input.alive:
            self._revive()
            return ()
        return [Arrival(message, arrival_s, self.name) for data, arrival_s in self._input.read()
                for message in self._reader.read(data)]

    @property
    def lost(self) -> int:
        """Messages for which JACK's ring had no room."""
        return self._lost_before + self._input.lost

    def _revive(self) -> None:
        now_s = time.monotonic()
        if now_s - self._tried_s < RETRY_S:
            return
        self._tried_s = now_s
        self._input.close()
        try:
            port = self._opened()
            self._lost_before, self._input = self.lost, port
        except DeviceError as error:
            log.debug("%s", error)

    def close(self) -> None:
        """Close the port."""
        self._input.close()
