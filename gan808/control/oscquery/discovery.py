"""How other programs find the instrument: OSCQuery over HTTP, and zeroconf where asked for.

`Discovery` owns both and one thread, `osc-discovery`, which begins its work some time after the
start. Nobody waits for it; what it cannot do becomes one line.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from gan808.config import OscSettings
from gan808.control.web.address import tell
from gan808.control.web.process import WebProcess
from gan808.errors import DeviceError, Gan808Error, Guard

# By then the start is over, and a library that takes a tenth of a second to load is in nobody's
# way.
SETTLED_S = 0.5
STOP_S = 0.7
INSTALL = "pip install 'gan808[announce]'"


class Discovery:
    """OSCQuery and zeroconf from start to stop. say and warn take one line each, on the thread
    `osc-discovery`."""

    def __init__(
        self,
        settings: OscSettings,
        osc_address: tuple[str, int],
        say: Callable[[str], None],
        warn: Callable[[str], None],
        *,
        settled_s: float = SETTLED_S,
        panel_file: Path | None = None,
    ) -> None:
        """panel_file: where to say at which address the panel is."""
        self._panel_file = panel_file
        self._take_back: Callable[[], None] = lambda: None
        self._settings = settings
        self._osc_address = osc_address
        self._say = say
        self._warn = warn
        self._settled_s = settled_s
        self._web: WebProcess | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="osc-discovery", daemon=True)

    @property
    def panel(self) -> str:
        """Where the panel is, once started; "" without."""
        return f"{self._web.url}/panel/" if self._web is not None else ""

    def start(self) -> None:
        """Take the HTTP port and begin soon; returns at once."""
        if self._settings.query:
            web = WebProcess(self._osc_address, self._settings.query_port, self._warn)
            try:
                web.bind()
                self._web = web
                if self._panel_file is not None:
                    self._take_back = tell(self._panel_file, self.panel)
            except DeviceError as error:
                self._warn(str(error))
        if self._settings.query or self._settings.announce != "off":
            self._thread.start()

    def stop(self) -> None:
        """Take everything back, in well under a second; safe to call twice, or without start."""
        self._stopping.set()
        self._take_back()
        if self._thread.is_alive():
            self._thread.join(timeout=STOP_S)
        if self._web is not None:
            self._web.stop()

    def _run(self) -> None:
        if self._stopping.wait(self._settled_s):
            return
        with ExitStack() as running:
            query_port = None
            with Guard("OSCQuery", self._refused):
                query_port = self._described()
            with Guard("zeroconf", self._refused):
                self._announced(running, query_port)
            self._stopping.wait()

    def _refused(self, error: Gan808Error) -> None:
        self._warn(str(error))

    def _described(self) -> int | None:
        """Start the description and the panel; their port."""
        if self._web is None:
            return None
        self._web.start()
        self._say(f"OSC is described at {self._web.url} (OSCQuery)")
        return self._web.port

    def _announced(self, running: ExitStack, query_port: int | None) -> None:
        """Announce where it is asked for, or where others can reach us and nobody said no."""
        from gan808.control.oscquery.announcement import Announcement, can_announce, is_loopback

        host, port = self._osc_address
        asked = self._settings.announce == "on"
        if self._settings.announce == "off" or (is_loopback(host) and not asked):
            return
        if not can_announce():
            if asked:
                self._warn(f"OSC is not announced: that needs zeroconf; {INSTALL}")
            return
        announcement = Announcement(host, port, query_port)
        running.callback(announcement.stop)
        try:
            announcement.start()
        except DeviceError as error:
            if asked:
                self._warn(str(error))
            return
        if not self._stopping.is_set():
            self._say(f"OSC is announced as {announcement.name!r} (zeroconf)")
