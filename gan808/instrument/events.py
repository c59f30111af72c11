"""What the machine tells its listeners, and its answer to "how are you". Immutable values.

Made on the machine thread, read on any.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from gan808.errors import Guard
from gan808.instrument.parameter import Value


@dataclass(frozen=True, slots=True)
class SoundChanged:
    """A slot (0..15) gets the sound `id` at `frame` (0 = from the next trigger on)."""

    slot: int
    code: str
    id: str
    seed: int
    frame: int


@dataclass(frozen=True, slots=True)
class ParameterChanged:
    """A value was set: address after /gan808 with the slot's code in it, and the new values."""

    address: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class KitLoaded:
    """Another kit plays from `frame` on."""

    name: str
    frame: int


@dataclass(frozen=True, slots=True)
class PoolEmpty:
    """A swap was wanted and the pool had nothing for it; the slot keeps its sound."""

    slot: int
    code: str
    class_name: str


@dataclass(frozen=True, slots=True)
class Notice:
    """One line for the user."""

    text: str


Event = SoundChanged | ParameterChanged | KitLoaded | PoolEmpty | Notice


@dataclass(frozen=True, slots=True)
class Status:
    """A moment of the machine. load 0..1; peak is full scale 1.0, since the last time asked."""

    kit: str
    voices: int
    pool: int
    stock: dict[str, int]
    load: float
    peak: float
    xruns: int
    late_commands: int
    dropped_commands: int
    stolen_voices: int
    sample_rate_hz: int
    latency_ms: float
    pattern: str
    playing: bool
    tempo_bpm: float
    clock: str
    swaps_per_bar: float
    sounds: tuple[str, ...]


class Subscribers:
    """Who is told of events. Any thread subscribes; one thread, the machine's, tells."""

    def __init__(self) -> None:
        self._callbacks: tuple[Callable[[Event], None], ...] = ()
        self._lock = threading.Lock()
        self._guard = Guard("an event")

    def subscribe(self, callback: Callable[[Event], None]) -> Callable[[], None]:
        """Call back with every event until the returned function is called."""
        with self._lock:
            self._callbacks += (callback,)
        return partial(self._unsubscribe, callback)

    def _unsubscribe(self, callback: Callable[[Event], None]) -> None:
        with self._lock:
            self._callbacks = tuple(c for c in self._callbacks if c is not callback)

    def emit(self, event: Event) -> None:
        """Tell every listener; a mistake of one keeps no other from being told."""
        for callback in self._callbacks:
            with self._guard:
                callback(event)
