"""A minute of benchmarks/soak.py, the clock turned by the test: notes every 100 ms while it
plays and evolves. Nothing waits, so what is lost is lost by us."""

from __future__ import annotations

import numpy as np

from gan808.config import Settings
from gan808.control.midi.input import MidiNotes
from gan808.engine.engine import Engine
from gan808.instrument.machine import Machine
from gan808.sequencer.patterns import Pattern
from tests.fake_filler import FakeFiller
from tests.fake_library import SceneLibrary
from tests.fakes import FakeKit, FakePool, fake_sound

RATE_HZ, BLOCK, SECONDS, SPACING = 48_000, 128, 60, 4_800
HEARD = 1e-5  # the factory kick of the fake kit has a level of 1e-3


def test_of_notes_every_100_ms_while_it_plays_and_evolves_none_is_lost() -> None:
    """The kick is locked and short, all else is muted but plays; eight sounds a bar are swapped
    and asked for anew."""
    kit, engine = FakeKit(), Engine(RATE_HZ)
    pool = FakePool(kit.classes)
    filler = FakeFiller(pool)
    settings = Settings().replace({
        "sequencer": {"pattern": "busy"}, "evolve": {"swaps_per_bar": 8.0},
        "renderer": {"seed": 808}})
    rows = {slot.code: (1.0,) * 16 for slot in kit.slots if slot.code != "BD"}
    library = SceneLibrary({"fake": kit}, {"busy": Pattern("busy", 120.0, rows=rows)})
    machine = Machine(kit, engine, pool, filler, settings, library)
    machine.start(live=False)
    for slot in range(16):
        machine.submit("/slot/SLOT/mute", slot, int(slot > 0))
    machine.submit("/slot/SLOT/lock", 0, 1)
    notes, out = MidiNotes(machine, engine.port("midi"), settings), np.zeros((BLOCK, 2), np.float32)
    swapped: set[str] = set()
    heard, seed = [], 100
    for block in range(SECONDS * RATE_HZ // BLOCK):
        frame = block * BLOCK
        if due := -frame % SPACING < BLOCK:
            notes.receive((0x99, 36, 100), 0.0)
        machine.before_block(frame + BLOCK)
        if block % 100 == 0:  # as a renderer would: a sound of each class, whoever asked
            filler.deliver_all()
            for name in kit.classes:
                pool.put(fake_sound(name, seed := seed + 1))
            swapped |= {machine.swaps.sound(slot).id for slot in range(1, 16)}
        engine.process(out)
        if due:
            heard.append(float(np.abs(out).max()) > HEARD)
    assert len(heard) == SECONDS * RATE_HZ // SPACING
    assert all(heard)
    assert len(swapped) > 15 + 4 * SECONDS // 2, "it evolved meanwhile"
    stats = engine.stats()
    assert (stats.late_commands, stats.dropped_commands) == (0, 0)
