"""What systemd is told of a run: that it can be played, how it is, that it lives, that it ends.

sd_notify(3): a line a fact, one datagram to the socket that NOTIFY_SOCKET names. Where nobody asks
(no such variable) nothing is opened or sent. Main thread.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, MutableMapping

# Its queue is full only when systemd itself hangs; the beat is on other threads meanwhile.
SEND_WITHIN_S = 1.0
log = logging.getLogger("gan808")


class ServiceManager:
    """The service manager that started this process with Type=notify; without one every method does
    nothing. It takes its variables out of the environment: they are for this process, not for its
    children."""

    def __init__(
        self, environment: MutableMapping[str, str] = os.environ,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._address = environment.pop("NOTIFY_SOCKET", "")
        period, owner = (environment.pop(name, "") for name in ("WATCHDOG_USEC", "WATCHDOG_PID"))
        ours = period.isdecimal() and owner in ("", str(os.getpid()))
        # Half of the time it grants, as sd_watchdog_enabled(3) recommends; 0: it does not watch.
        self._every_s = int(period) / 2e6 if self._address and ours else 0.0
        self._told_s = clock()
        self._frames = -1

    def ready(self, status: str) -> None:
        """Now it can be played."""
        self._tell("READY=1", f"STATUS={status}")

    def status(self, status: str) -> None:
        """One line for `systemctl status`."""
        self._tell(f"STATUS={status}")

    def alive(self, frames: int | None = None) -> None:
        """Tell the watchdog that this process lives. Called many times a second; passed on as often
        as the watchdog wants to hear it. With a count of frames, only while that grows: a process
        whose sound stands still is hung."""
        if not self._every_s or frames == self._frames:
            return
        now_s = self._clock()
        if now_s - self._told_s < self._every_s:
            return
        self._told_s, self._frames = now_s, -1 if frames is None else frames
        self._tell("WATCHDOG=1")

    def stopping(self) -> None:
        """It was told to end, or ends by itself."""
        self._tell("STOPPING=1")

    def _tell(self, *facts: str) -> None:
        if not self._address:
            return
        import socket  # only for the one who asks

        # "@" stands for the zero byte that begins the name of a socket outside the file system.
        name = self._address
        address = "\0" + name[1:] if name.startswith("@") else name
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.settimeout(SEND_WITHIN_S)
                sender.sendto("\n".join(facts).encode(), address)
        except (OSError, ValueError) as error:
            log.warning("NOTIFY_SOCKET %s: %s; the service manager is told nothing more",
                        name, error)
            self._address, self._every_s = "", 0.0
