"""An open MIDI input on JACK that comes back with its server. Polled on the reading thread."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable

from gan808.control.midi.arrival_times import Arrival
from gan808.control.midi.byte_stream import MessageReader
from gan808.engine.jack.midi_input import JackMidiInput
from gan808.engine.outputs.jack import JackOutput
from gan808.errors import DeviceError

VIRTUAL_NAME = "GAN-808"
RETRY_S = 1.0

log = logging.getLogger("gan808")

# The output that plays now: it is another one after a server has gone and come back.
JackSource = Callable[[], JackOutput]


class JackPort:
    """A MIDI input of the JACK client that plays; when the server goes, the port is opened again as
    soon as an output plays on a server.

    source: another program's output port that it is connected to. What arrives waits in a ring
    until it is polled.
    """

    def __init__(self, name: str, output: JackSource, source: str | None = None) -> None:
        """Raises DeviceError where nothing plays on JACK, or the source has gone."""
        self.name = name
        self._output = output
        self._source = source
        self._reader = MessageReader()
        self._input = self._opened()
        self._tried_s = 0.0
        self._lost_before = 0  # by the ports of servers that have gone

    def _opened(self) -> JackMidiInput:
        port = self._output().open_midi_input(VIRTUAL_NAME)
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
        return [Arrival(message, event.time_s, self.name, event.played)
                for event in self._input.read() for message in self._reader.read(event.data)]

    @property
    def lost(self) -> int:
        """Messages for which JACK's ring had no room."""
        return self._lost_before + self._input.lost

    def _revive(self) -> None:
        now_s = time.monotonic()
        if now_s - self._tried_s < RETRY_S or not self._output().alive:
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
