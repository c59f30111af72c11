"""Storms of MIDI bytes: nothing breaks, no note with its status is lost, the beat keeps its frames.

The bytes go the whole way: the reader of each port, the translation, the machine, the engine.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gan808.config import Settings
from gan808.control.midi.byte_stream import MessageReader
from gan808.control.midi.input import MidiInput, MidiNotes
from gan808.control.midi.ports import MOST_WAITING, MidiPorts
from gan808.engine.engine import Engine
from gan808.instrument.machine import Machine
from tests.control.rig import until
from tests.control.test_midi import Deck
from tests.control.test_midi_ports import FakeRt, FakeSystem
from tests.fake_filler import FakeFiller
from tests.fake_library import SceneLibrary
from tests.fakes import FakeKit, FakePool, fake_sound
from tests.instrument.rig import Rig

BLOCK = 128
MESSAGES = 50_000
PER_BLOCK = 25  # a storm: nine thousand messages a second
STATUSES = (0x80, 0x90, 0x99, 0x99, 0x89, 0xB9, 0xB9, 0xB0, 0xC9, 0xD9, 0xE9, 0xA9, 0xF0, 0xF2,
            0xF7, 0xF8, 0xFA, 0xFB, 0xFC, 0xFE, 0xFF, 0xF4)
MARK = 0xF7  # never left out of the pot: it ends whatever the storm began


def storm(seed: int, count: int) -> Iterator[list[int]]:
    """Chunks of bytes: whole messages, cut ones, runs of data, noise."""
    chance = random.Random(seed)
    for _ in range(count):
        kind = chance.randrange(8)
        if kind < 4:
            yield [chance.choice(STATUSES), chance.randrange(128), chance.randrange(128)]
        elif kind == 4:
            yield [chance.choice(STATUSES), *[chance.randrange(128)] * chance.randrange(3)]
        elif kind == 5:
            yield [chance.randrange(128) for _ in range(chance.randrange(6))]
        elif kind == 6:
            yield [0xF0, *(chance.randrange(128) for _ in range(chance.randrange(40)))]
        else:
            yield [chance.randrange(256) for _ in range(chance.randrange(12))]


class Errors(logging.Handler):
    """Keeps what is logged as an error, or with a traceback."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.ERROR or record.exc_info:
            self.lines.append(record.getMessage())


@pytest.fixture
def errors() -> Iterator[Errors]:
    handler, log = Errors(), logging.getLogger()
    log.addHandler(handler)
    yield handler
    log.removeHandler(handler)


def stocked(pool: FakePool) -> None:
    """As the filler would, so that every knob for new sounds has some to draw."""
    for name in pool.stock():
        for seed in range(24):
            pool.put(fake_sound(name, seed, pitch_hz=50.0 + seed, n_frames=24000))


def sequenced(rig: Rig) -> list[tuple[int, int]]:
    return [(c.frame, c.slot) for c in rig.engine.commands
            if c.port == "sequencer" and c.name == "trigger"]


def test_the_beat_keeps_its_frames_in_a_storm(errors: Errors) -> None:
    """50,000 messages while the pattern plays: its steps are where they are without them."""
    # Its own tempo: the storm's clocks come at times that the fake engine's clock knows nothing of.
    own = {"pattern": "test", "sync": "internal"}
    storms, calm = Rig(sequencer=own), Rig(sequencer=own)
    readers = [MessageReader() for _ in range(4)]
    notes = MidiNotes(storms.machine, storms.port, storms.machine.settings)
    played = 0
    for number, chunk in enumerate(storm(808, MESSAGES)):
        for message in readers[number % 4].read(chunk):
            notes.receive(message, number / 9000, f"port {number % 4}")
        if number % PER_BLOCK == 0:
            storms.run(BLOCK)
            calm.run(BLOCK)
            storms.filler.deliver_all()
        if number % 2500 == 0:
            stocked(storms.pool)
    played = sum(c.port == "midi" and c.name == "trigger" for c in storms.engine.commands)
    assert sequenced(storms) == sequenced(calm)
    assert len(sequenced(storms)) > 10
    assert played > 500, "and the storm was heard"
    assert (storms.engine.late, storms.engine.dropped) == (0, 0)
    assert errors.lines == []


@pytest.mark.parametrize("seed", [1, 2])
def test_no_voice_sticks_and_the_sound_stays_sound(seed: int, errors: Errors) -> None:
    """The real engine, gates open and shut at random: two seconds later all is silent."""
    sounds = [fake_sound(name, seed, n_frames=24000) for name in FakeKit().classes
              for seed in range(3)]
    kit, other = FakeKit(sounds=sounds), FakeKit("other", sounds=sounds)
    pool, engine = FakePool(kit.classes), Engine(48000)
    machine = Machine(
        kit, engine, pool, FakeFiller(pool),  # type: ignore[arg-type]
        Settings().replace({"sequencer": {"playing": False}, "evolve": {"swaps_per_bar": 0.0}}),
        SceneLibrary({"fake": kit, "other": other}))
    machine.start(live=False)
    stocked(pool)
    for slot in range(0, 16, 3):
        machine.submit("/slot/SLOT/gate", slot, 1)
    reader, notes = MessageReader(), MidiNotes(machine, engine.port("midi"), machine.settings)
    out, most = np.zeros((BLOCK, 2), np.float32), 0

    def mix() -> None:
        machine.before_block(engine.frames + BLOCK)
        engine.process(out)
        assert np.isfinite(out).all()
        assert np.abs(out).max() <= 1.0

    for number, chunk in enumerate(storm(seed, 10_000)):
        for message in reader.read(chunk):
            notes.receive(message, 0.0)
        if number % PER_BLOCK == 0:
            mix()
            most = max(most, engine.stats().voices)
    assert most > 8, "there was something to stick"
    for _ in range(2 * 48000 // BLOCK):
        mix()
    assert engine.stats().voices == 0
    reader.read([MARK])
    for message in reader.read([0x99, 38, 127]):
        notes.receive(message, 0.0)
    machine.submit("/volume", 1.0)
    machine.submit("/slot/SLOT/level", 1, 1.0)
    mix()
    assert engine.stats().voices == 1
    assert errors.lines == []


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.one_of(
    st.lists(st.integers(0, 255), max_size=10), st.just("note")), max_size=12))
def test_every_whole_note_plays_whatever_stands_around_it(parts: list[Any]) -> None:
    deck, reader = DECK, MessageReader()
    deck.engine.commands.clear()
    deck.engine.queued.clear()
    for part in parts:
        chunk = [0x99, 38, 77] if part == "note" else part
        for message in reader.read(chunk):
            deck.notes.receive(message, 0.0)
    deck.machine.before_block(1)
    deck.filler.deliver_all()
    marked = [c for c in deck.engine.commands
              if c.name == "trigger" and c.slot == 1 and abs(c.value - 77 / 127) < 1e-9]
    assert len(marked) >= parts.count("note")


DECK = Deck()


def test_ports_and_threads_survive_a_storm(
    errors: Errors, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four ports at once into the running machine, the clock in it followed; then a note plays."""
    system = FakeSystem(plugged=tuple(f"Keys {number}:0" for number in range(4)))
    rig = Rig(sequencer={"pattern": "test", "sync": "auto"})
    rig.engine.ring_commands = 10**6
    machine = Machine(
        rig.kit, rig.engine, rig.pool, rig.filler, rig.machine.settings, rig.library)
    machine.start()
    midi = MidiInput(machine, machine.settings)
    midi._ports = MidiPorts("auto", find_systems=lambda *, jack: [system])
    midi.start()
    threads_before = threading.active_count()
    try:
        def play(number: int, rt: FakeRt) -> None:
            for chunk in storm(number, MESSAGES // 4):
                rt.arrive(chunk)

        players = [threading.Thread(target=play, args=pair)
                   for pair in enumerate(system.opened.values())]
        for player in players:
            player.start()
        for player in players:
            player.join()
        # Kits asked for by program changes are read by at most a handful of threads.
        assert threading.active_count() <= threads_before + 8
        rt = next(iter(system.opened.values()))
        rt.arrive([MARK])

        def heard() -> bool:
            rt.arrive([0x99, 36, 99])
            time.sleep(0.01)
            return any(c.name == "trigger" and c.port == "midi"
                       and abs(c.value - 99 / 127) < 1e-9 for c in rig.engine.commands)

        rig.engine.commands.clear()
        until(heard)
    finally:
        midi.stop()
        machine.stop()
    assert errors.lines == []


def test_a_flood_nobody_reads_is_bounded_and_counted() -> None:
    system = FakeSystem(plugged=("Keys 24:0",))
    ports = MidiPorts("auto", find_systems=lambda *, jack: [system])
    ports.open()
    rt = system.opened["Keys 24:0"]
    for _ in range(MOST_WAITING + 100):
        rt.arrive([0x99, 36, 100])
    assert ports.lost == 100
    count = 0
    while ports.read(0.0):
        count += 1
    assert count == MOST_WAITING
    rt.arrive([0x99, 36, 100])
    assert len(ports.read(1.0)) == 1
    ports.close()


def test_a_knob_that_never_rests_takes_one_place_in_the_machine_s_queue() -> None:
    deck = Deck()
    for value in range(10_000):
        deck.notes.receive((0xB9, 16, value % 128), 0.0)
        deck.notes.receive((0xC9, value % 128), 0.0)
    assert deck.machine._inbox.qsize() == 2
    deck.machine.before_block(1)
    sets = [c for c in deck.engine.commands if c.name == "set"]
    assert [c.value for c in sets] == [pytest.approx((9999 % 128) / 127)], "the last one counts"
