"""How everything stands, in one answer: what a panel begins with. Machine thread only."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gan808 import __version__
from gan808.instrument.slots import Slot
from gan808.instrument.state import KEPT_VALUES
from gan808.sequencer.steps import Row

if TYPE_CHECKING:
    from gan808.instrument.commands.handlers import Answer, Call, Handler
    from gan808.instrument.machine import Machine

# Whatever has one value and belongs to the whole machine.
READ = (*KEPT_VALUES, "/seq/clock", "/seq/pattern", "/scene", "/state", "/record")


class Overview:
    """Answers /snapshot, /evolve/next, /renderer and /midi/ports."""

    def __init__(self, machine: Machine, read: Callable[[str], Answer]) -> None:
        """read: the present value of a row that belongs to the whole machine."""
        self._machine = machine
        self._read = read
        self._began_s = time.monotonic()

    def handlers(self) -> dict[str, Handler]:
        """What the rows of the table do."""
        return {
            "/snapshot": self._snapshot,
            "/evolve/next": lambda _: tuple(self._next()),
            "/slots": lambda _: tuple(part for s in self._machine.kit.slots for part in (
                s.code, s.name, s.class_name, s.notes[0])),
            "/renderer": self._renderer,
            "/midi/ports": lambda _: tuple(self._machine.midi_ports()),
        }

    def _snapshot(self, _: Call) -> Answer:
        machine = self._machine
        values = {row: list(self._read(row)) for row in READ}
        rows = machine.sequencer.with_score(
            lambda score: [score.row(slot) for slot in range(len(machine.codes))])
        told = {
            "version": __version__, "kit": machine.kit.name, "classes": machine.kit.classes,
            "playing": machine.sequencer.playing, "values": values, "next": self._next(),
            "stock": machine.pool.stock(), "output": machine.output,
            "slots": [_slot(slot) for slot in machine.swaps.slots],
            "rows": {code: _row(row) for code, row in zip(machine.codes, rows, strict=True)},
        }
        return (json.dumps(told, separators=(",", ":")),)

    def _next(self) -> list[str]:
        machine, evolution = self._machine, self._machine.evolution
        if not evolution.swaps_per_bar or evolution.mode == "fresh":
            return []
        used = set(machine.sequencer.used_slots())
        free = [slot.index for slot in machine.swaps.slots if not slot.locked]
        if evolution.mode == "all":
            return [machine.codes[slot] for slot in free]
        order = evolution.order([slot for slot in free if slot in used] or free)
        return [machine.codes[slot] for slot in order[:1]]

    def _renderer(self, _: Call) -> Answer:
        status = self._machine.filler.status()
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
    """Each step as [velocity, chance, ratchet, nudge, tune, pan, condition], a plain rest as 0."""
    return [[step.velocity, step.chance, step.ratchet, step.nudge, step.tune_semitones, step.pan,
             step.condition] if step.sounds else 0 for step in row]
