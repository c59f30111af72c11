"""What every output has in common. `start`, `stop` and `wait` belong to the wiring thread."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gan808.engine.engine import Engine
from gan808.engine.outputs.devices import OutputInfo
from gan808.errors import Gan808Error

STOP_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class JackPresence:
    """How we appear on JACK: our client's name, and whether we connect its audio ports ourselves.
    """

    name: str
    connects: bool = True


@dataclass(frozen=True, slots=True)
class OutputRequest:
    """What is asked of an output.

    spec: auto, part of a device's or host's name, file:PATH or null. sample_rate_hz and
    block_frames None: the output's own. seconds: it ends by itself after so much sound. fast: as
    fast as it goes, which only an output without a clock can; before_block(frame_until) is then
    called before each block, with the frame at which the block ends. by_slot: each slot alone
    besides the mix, where the output can. presence: how we appear on JACK, None as ever.
    """

    spec: str
    sample_rate_hz: int | None = None
    block_frames: int | None = None
    seconds: float | None = None
    fast: bool = False
    before_block: Callable[[int], None] | None = None
    by_slot: bool = False
    presence: JackPresence | None = None

    def end_frame(self, sample_rate_hz: int) -> int | None:
        """How many frames it plays; None: until it is stopped."""
        return None if self.seconds is None else max(1, round(self.seconds * sample_rate_hz))


def no_codes() -> Sequence[str]:
    """For an engine whose slots have no names."""
    return ()


class Output(ABC):
    """Plays one engine, once. A failure while playing is kept in `failure`, never raised.

    latency_s is the time from mixing to hearing, and block_frames what is mixed at once; where
    the device decides, both are 0 until started. notice is a line the user should see, or None.
    by_slot: whether each slot is played alone besides the mix.
    """

    def __init__(self, name: str, sample_rate_hz: int, block_frames: int) -> None:
        self.name = name
        self.sample_rate_hz = sample_rate_hz
        self.block_frames = block_frames
        self.latency_s = 0.0
        self.notice: str | None = None
        self.by_slot = False
        self.failure: Gan808Error | None = None
        self._ended = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._slot_codes: Callable[[], Sequence[str]] = no_codes

    @classmethod
    def devices(cls) -> list[OutputInfo]:
        """The devices that a spec can name; none where an output has no device. Raises DeviceError
        where what they are listed by is missing."""
        return []

    @classmethod
    @abstractmethod
    def from_request(cls, request: OutputRequest) -> Output | None:
        """An output, if the request's spec is for this class; None where it is for another. Raises
        DeviceError when it is for this one and cannot be had."""

    def start(self, engine: Engine, slot_codes: Callable[[], Sequence[str]] = no_codes) -> None:
        """Begins to play. slot_codes: the kit's now, in order, which name what plays by slot; asked
        by any thread. Raises DeviceError when the device or file cannot be opened."""
        if engine.sample_rate_hz != self.sample_rate_hz:
            raise ValueError(f"the engine runs at {engine.sample_rate_hz} Hz, "
                             f"the output at {self.sample_rate_hz}")
        self._slot_codes = slot_codes
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
