"""What the rows of kind LIVE do: played at once on the caller's own port, with no lock and no wait.

A new one is a row of the table and an entry here. Any thread, each on its own port.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from gan808.engine.engine import ALL_SLOTS
from gan808.engine.keymap import Act
from gan808.engine.protocols import NotePort
from gan808.instrument.parameter import Value
from gan808.instrument.superdirt import hit_of_pairs

Values = tuple[Value, ...]


class Player(Protocol):
    """The machine, as far as a hit goes."""

    @property
    def codes(self) -> tuple[str, ...]: ...

    def trigger(
        self, port: NotePort, slot: int, velocity: float, frame: int = 0, *, gain: float = 1.0,
        pan: float = 0.0, tune_semitones: float = 0.0,
    ) -> bool: ...

    def release(self, port: NotePort, slot: int, frame: int = 0) -> bool: ...


@dataclass(frozen=True, slots=True)
class LiveRow:
    """play(player, port, slot 0..15 or None, values, frame) returns False when the port was full.

    act: what the audio callback does by itself for a learned key on JACK; None for nothing.
    releases: whether letting go of the key ends a gated slot.
    """

    play: Callable[[Player, NotePort, int | None, Values, int], bool]
    act: Act | None = None
    releases: bool = False


def _trig(player: Player, port: NotePort, slot: int | None, values: Values, frame: int) -> bool:
    return player.trigger(port, slot or 0, float(values[0]) if values else 1.0, frame)


def _stop(_: Player, port: NotePort, slot: int | None, values: Values, frame: int) -> bool:
    del values
    return port.stop(ALL_SLOTS if slot is None else slot, frame)


def _play(player: Player, port: NotePort, _: int | None, values: Values, frame: int) -> bool:
    """SuperDirt-style pairs. Raises ConfigError."""
    hit = hit_of_pairs(values, player.codes)
    return (not hit.cut or port.stop(hit.slot, frame)) and player.trigger(
        port, hit.slot, 1.0, frame, gain=hit.gain, pan=hit.pan, tune_semitones=hit.tune_semitones)


LIVE: Mapping[str, LiveRow] = MappingProxyType({
    "/trig": LiveRow(_trig, Act.HIT, releases=True),
    "/stop": LiveRow(_stop, Act.STOP),
    "/play": LiveRow(_play),
})
