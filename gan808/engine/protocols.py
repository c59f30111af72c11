"""What those who play need of the engine, as protocols: ports, clock, counters, arena.

The real engine satisfies them by shape, and so does the fake of the tests. No thread, no state.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from gan808.engine.engine import SlotParameter
from gan808.engine.keymap import Keymap


class NotePort(Protocol):
    """What a note goes through; False means it was full."""

    def trigger(
        self,
        slot: int,
        velocity: float,
        frame: int = 0,
        *,
        gain: float = 1.0,
        pan: float = 0.0,
        tune_semitones: float = 0.0,
        decay: float = 1.0,
    ) -> bool: ...

    def stop(self, slot: int = ..., frame: int = 0) -> bool: ...

    def release(self, slot: int, frame: int = 0) -> bool: ...

    def midi(self, status: int, number: int, value: int, frame: int = 0) -> bool: ...


class StepPort(Protocol):
    """What steps are scheduled on, and taken back from."""

    def trigger(
        self, slot: int, velocity: float, frame: int = 0, *, pan: float = 0.0,
        tune_semitones: float = 0.0, decay: float = 1.0,
    ) -> bool: ...

    def forget(self, frame: int = 0) -> bool: ...


class PortLike(NotePort, Protocol):
    """One producing thread's ring into the engine."""

    @property
    def room(self) -> int: ...

    def forget(self, frame: int = 0) -> bool: ...

    def assign(self, slot: int, cell: int, frame: int = 0, *, mark: int = 0) -> bool: ...

    def set_slot(
        self, slot: int, parameter: SlotParameter, value: float, frame: int = 0
    ) -> bool: ...

    def set_master(self, gain: float, frame: int = 0) -> bool: ...

    def set_keymap(self, keymap: Keymap, frame: int = 0) -> bool: ...


class ClockLike(Protocol):
    """The engine's time: frames since the stream began."""

    def frame_now(self) -> int: ...

    def frame_at(self, monotonic_s: float) -> int: ...

    def time_at(self, frame: int) -> float: ...


class StatsLike(Protocol):
    """What the callback counted."""

    @property
    def voices(self) -> int: ...
    @property
    def load(self) -> float: ...
    @property
    def peak(self) -> float: ...
    @property
    def xruns(self) -> int: ...
    @property
    def late_commands(self) -> int: ...
    @property
    def dropped_commands(self) -> int: ...
    @property
    def stolen_voices(self) -> int: ...


class EngineLike(Protocol):
    """The mixer and its arena of sounds."""

    @property
    def clock(self) -> ClockLike: ...
    @property
    def sample_rate_hz(self) -> int: ...
    @property
    def latency_frames(self) -> int: ...
    @property
    def frames(self) -> int: ...
    @property
    def plays(self) -> bool: ...

    def change_rate(self, sample_rate_hz: int) -> None: ...

    def begun(self, since: int) -> tuple[int, list[tuple[int, float]]]: ...

    def port(self, name: str) -> PortLike: ...

    def write_sound(self, audio: np.ndarray) -> int | None: ...

    def discard(self, cell: int) -> None: ...

    def stats(self, *, reset_peak: bool = True) -> StatsLike: ...
