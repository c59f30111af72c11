"""What every output has in common. `start`, `stop` and `wait` belong to the wiring thread."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod

from gan808.engine.engine import Engine
from gan808.errors import Gan808Error

STOP_TIMEOUT_S = 5.0


class Output(ABC):
    """Plays one engine, once. A failure while playing is kept in `failure`, never raised.

    latency_s is the time from mixing to hearing, and block_frames what is mixed at once; where
    the device decides, both are 0 until started. notice is a line the user should see, or None.
    """

    def __init__(self, name: str, sample_rate_hz: int, block_frames: int) -> None:
        self.name = name
        self.sample_rate_hz = sample_rate_hz
        self.block_frames = block_frames
        self.latency_s = 0.0
        self.notice: str | None = None
        self.failure: Gan808Error | None = None
        self._ended = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, engine: Engine) -> None:
        """Begins to play. Raises DeviceError when the device or file cannot be opened."""
        if engine.sample_rate_hz != self.sample_rate_hz:
            raise ValueError(f"the engine runs at {engine.sample_rate_hz} Hz, "
                             f"the output at {self.sample_rate_hz}")
        self._open(engine)
        engine.plays = True
        engine.latency_frames = round(self.latency_s * self.sample_rate_hz)
        self._thread = threading.Thread(
            target=self._run_to_end, args=(engine,), name="gan808-output", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stops and closes; safe to call twice and before `start`."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(STOP_TIMEOUT_S)

    def wait(self, timeout_s: float) -> bool:
        """Waits until the output has ended: seconds reached, stopped or failed. True if so."""
        return self._ended.wait(timeout_s)

    def _run_to_end(self, engine: Engine) -> None:
        try:
            self._run(engine)
        except Gan808Error as error:
            self.failure = error
        finally:
            try:
                self._close()
            except Gan808Error as error:
                self.failure = self.failure or error
            engine.plays = False
            self._ended.set()

    @abstractmethod
    def _open(self, engine: Engine) -> None:
        """Opens device or file, on the thread that starts the output."""

    @abstractmethod
    def _run(self, engine: Engine) -> None:
        """Plays, or watches what plays, until the end; on the output's own thread."""

    @abstractmethod
    def _close(self) -> None:
        """Closes what `_open` opened; on the output's own thread."""
