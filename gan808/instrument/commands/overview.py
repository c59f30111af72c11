"""How everything stands, in one answer: what a panel begins with. Machine thread only."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from gan808 import __version__
from gan808.instrument.evolution import Evolution
from gan808.instrument.host import Host
from gan808.instrument.slots import Slot
from gan808.instrument.state import KEPT_VALUES
from gan808.sequencer.sequencer import Sequencer
from gan808.sequencer.steps import Row

if TYPE_CHECKING:
    from gan808.instrument.calls import Answer, Call, Handler
    from gan808.instrument.context import Context
    from gan808.instrument.events import Event, Status

# Whatever has one value and belongs to the whole machine.
READ = (*KEPT_VALUES, "/seq/clock", "/seq/pattern", "/scene", "/state", "/record")


class StatusSource(Protocol):
    """What can be asked how it is: the machine."""

    def status(self, *, reset_peak: bool = False) -> Status: ...

    def soon(self) -> int: ...

    def subscribe(self, callback: Callable[[Event], None]) -> Callable[[], None]: ...


class Overview:
    """Answers /snapshot, /slots, /evolve/next, /renderer, /midi/ports and /state."""

    def __init__(self, context: Context, sequencer: Sequencer, evolution: Evolution, host: Host,
                 read: Callable[[str], Answer], machine: StatusSource) -> None:
        """read: the present value of a row that belongs to the whole machine."""
        self._context = context
        self._sequencer = sequencer
        self._evolution = evolution
        self._host = host
        self._read = read
        self._machine = machine
        self._began_s = time.monotonic()

    def handlers(self) -> dict[str, Handler]:
        """What the rows of the table do."""
        return {
            "/snapshot": self._snapshot,
            "/evolve/next": lambda _: tuple(self._next()),
            "/slots": lambda _: tuple(part for s in self._context.kit.slots for part in (
                s.code, s.name, s.class_name, s.notes[0])),
            "/renderer": self._renderer,
            "/status": self._status,
            "/counters": self._counters,
            "/pool": self._stock,
            "/midi/ports": lambda _: tuple(self._host.midi_ports()),
            "/state": lambda _: (self._host.state(),),
        }

    def _status(self, call: Call) -> Answer:
        status = self._machine.status(reset_peak=not any(call.arguments))
        return (status.voices, status.pool, status.load, status.peak, status.xruns,
                float(status.sample_rate_hz), status.latency_ms)

    def _counters(self, _: Call) -> Answer:
        status = self._machine.status()
        return status.late_commands, status.stolen_voices, status.dropped_commands

    def _stock(self, _: Call) -> Answer:
        return tuple(part for pair in self._context.pool.stock().items() for part in pair)

    def _snapshot(self, _: Call) -> Answer:
        context = self._context
        values = {row: list(self._read(row)) for row in READ}
        rows = self._sequencer.with_score(
            lambda score: [score.row(slot) for slot in range(len(context.codes))])
        told = {
            "version": __version__, "kit": context.kit.name, "classes": context.kit.classes,
            "playing": self._sequencer.playing, "values": values, "next": self._next(),
            "stock": context.pool.stock(), "output": self._host.output(),
            "slots": [_slot(slot) for slot in context.swaps.slots],
            "rows": {code: _row(row) for code, row in zip(context.codes, rows, strict=True)},
        }
        return (json.dumps(told, separators=(",", ":")),)

    def _next(self) -> list[str]:
        context, evolution = self._context, self._evolution
        if not evolution.swaps_per_bar or evolution.mode == "fresh":
            return []
        used = set(self._sequencer.used_slots())
        free = [slot.index for slot in context.swaps.slots if not slot.locked]
        if evolution.mode == "all":
            return [context.codes[slot] for slot in free]
        order = evolution.order([slot for slot in free if slot in used] or free)
        return [context.codes[slot] for slot in order[:1]]

    def _renderer(self, _: Call) -> Answer:
        status = self._context.filler.status()
        minutes = max(time.monotonic() - self._began_s, 1.0) / 60
        return int(status.ready), status.rendered, status.filed, status.filed / minutes


def _slot(slot: Slot) -> dict[str, Any]:
    sound, layout = slot.sound, slot.layout
    told: dict[str, Any] = {
        "code": layout.code, "name": layout.name, "class": layout.class_name,
        "note": layout.notes[0], "values": slot.values, "id": "",
        "undo": len(slot.history), "redo": len(slot.undone),
    }
    if sound is not None:
        told |= {
            "id": sound.id, "heard": sound.class_heard, "confidence": round(sound.confidence, 3),
            "realness": round(sound.realness, 3),
            "length": round(sound.descriptors.length_s, 3),
            "pitch": round(sound.descriptors.pitch_hz, 1),
            "brightness": round(sound.descriptors.brightness_hz),
        }
    return told


def _row(row: Row) -> list[list[float | str] | int]:
    """Each step as [velocity, chance, ratchet, nudge, tune, pan, condition, decay], a plain rest
    as 0."""
    return [[step.velocity, step.chance, step.ratchet, step.nudge, step.tune_semitones, step.pan,
             step.condition, step.decay] if step.sounds else 0 for step in row]
