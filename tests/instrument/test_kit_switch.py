"""Another kit's sounds are read beside the machine: its thread goes on with everything else."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from gan808.errors import ConfigError, Gan808Error, KitError
from gan808.instrument.machine import Machine
from gan808.sequencer.patterns import Pattern
from gan808.sound.kit.kit import load_kit
from gan808.sound.kit.slots import SlotLayout
from gan808.sound.sound import Sound
from tests.fake_filler import FakeFiller
from tests.fakes import FakeEngine, FakeKit, FakeLibrary, FakePool
from tests.instrument.rig import BAR, BLOCK, PATTERN, Rig

LONG_S = 20.0


@dataclass
class SlowKit(FakeKit):
    """Its sounds can be read only when the test lets them."""

    gate: threading.Event = field(default_factory=threading.Event)
    reading: threading.Event = field(default_factory=threading.Event)
    damaged: bool = False

    def factory_sounds(self, sample_rate_hz: int) -> list[Sound]:
        self.reading.set()
        self.gate.wait(LONG_S)
        if self.damaged:
            raise KitError("kit slow: a sound is cut short")
        return super().factory_sounds(sample_rate_hz)


class Live:
    """A machine whose threads run, a filler that answers when told to, a slow kit to load."""

    def __init__(self) -> None:
        kit = FakeKit()
        self.slow = SlowKit("slow")
        self.filler = FakeFiller()
        library = FakeLibrary({"slow": self.slow, "other": FakeKit("other")}, {"test": PATTERN})
        settings = Rig(sequencer={"playing": False}).machine.settings
        self.machine = Machine(kit, FakeEngine(), FakePool(kit.classes), self.filler, settings,
                               library)
        self.answers: queue.Queue[object] = queue.Queue()

    def ask(self, command: str, *arguments: object) -> object:
        answers: queue.Queue[object] = queue.Queue()
        self.machine.submit(command, *arguments, reply=answers.put)  # type: ignore[arg-type]
        return answers.get(timeout=LONG_S)

    def load(self, name: str) -> None:
        self.machine.submit("/kit/load", name, reply=self.answers.put)

    def answer(self) -> object:
        """The answer to a load; the filler's part happens as soon as it is asked."""
        for _ in range(2000):
            if not self.answers.empty():
                break
            self.filler.deliver_all()
            self.ask("/evolve")
        return self.answers.get(timeout=LONG_S)


@pytest.fixture
def live() -> Iterator[Live]:
    live = Live()
    live.machine.start()
    yield live
    live.slow.gate.set()
    live.machine.stop()


def test_the_machine_goes_on_while_a_kit_is_read(live: Live) -> None:
    live.load("slow")
    assert live.slow.reading.wait(LONG_S)
    assert live.ask("/slot/SLOT/level", 0, 0.5) == (0.5,)
    live.slow.gate.set()
    assert live.answer() == ("slow",)
    assert live.machine.kit.name == "slow"


def test_sounds_that_cannot_be_read_change_nothing(live: Live) -> None:
    live.slow.damaged = True
    live.slow.gate.set()
    live.load("slow")
    assert "cut short" in str(live.answer())
    assert live.machine.kit.name == "fake"


def test_the_last_kit_asked_for_is_the_one_that_comes(live: Live) -> None:
    live.load("slow")
    assert live.slow.reading.wait(LONG_S)
    live.load("other")
    live.slow.gate.set()
    assert "another was asked for" in str(live.answer())
    assert live.answer() == ("other",)
    assert live.machine.kit.name == "other"


SMALL = (SlotLayout("AA", "a", "kick", (36,)), SlotLayout("BB", "b", "snare", (38,)))


def heard(rig: Rig, slot: int) -> str:
    """The kit whose sound the engine has in a slot."""
    return rig.kit_of_cell[rig.engine.slot_cells[slot]]  # type: ignore[attr-defined]


def watched(rig: Rig) -> Rig:
    """Writes down which kit's sound each cell has."""
    rig.run(BLOCK)
    cells: dict[int, str] = {-1: ""}
    really = rig.machine.swaps._written

    def written(code: str, sound: Sound) -> int:
        cell = really(code, sound)
        cells[cell] = sound.kit
        return cell

    rig.machine.swaps._written = written  # type: ignore[method-assign]
    rig.kit_of_cell = cells  # type: ignore[attr-defined]
    for index, cell in enumerate(rig.engine.slot_cells):
        cells[cell] = "" if index >= len(rig.machine.codes) else rig.kit.name
    return rig


@pytest.mark.parametrize("quantise", ["bar", "beat", "now"])
def test_sounds_codes_and_notes_change_at_one_frame(quantise: str) -> None:
    """Whichever block one looks at: note 36 plays the kit whose codes are told."""
    rig = watched(Rig(evolve={"swaps_per_bar": 16.0, "quantise": quantise}, stock=40))
    rig.library.kits["small"] = FakeKit("small", slots=SMALL)
    rig.run(BAR + 1000)
    answers = rig.send("/kit/load", "small")
    rig.run(BLOCK)
    rig.filler.deliver_all()
    changed = None
    for _ in range(BAR // BLOCK + 2):
        rig.run(BLOCK)
        kits = {heard(rig, slot) for slot in range(16)} - {""}
        assert kits == {rig.machine.kit.name}
        assert len(rig.machine.codes) == (2 if kits == {"small"} else 16)
        assert rig.machine.slot_for_note(42) == (None if kits == {"small"} else 15)
        assert len(rig.machine.sequencer.with_score(lambda s: s.codes)) in (2, 16)
        if kits == {"small"} and changed is None:
            changed = rig.engine.frame
            assert answers == [("small",)]
            assert rig.filler.verdicts == [("small", True)]
    assert changed is not None
    due = {"bar": 2 * BAR, "beat": BAR + BAR // 4, "now": BAR + 1000}[quantise]
    late = BAR // 4 if quantise == "now" else 4 * BLOCK  # after the swaps that were sent already
    assert due <= changed <= due + late


def test_a_program_and_a_scene_lead_from_one_shipped_kit_to_the_other_at_the_bar() -> None:
    """With the slots that they have: while it plays, every block has one kit's sounds and notes."""
    shipped = Path(__file__).parents[2] / "kits"
    kits = {name: FakeKit(name, load_kit(shipped / name).slots) for name in ("gan808", "acoustic")}
    rig = watched(Rig(kit=kits["gan808"]))
    rig.library.kits = dict(kits)
    assert rig.ask("/scene/save", "machines") == ("machines",)
    for bar, (name, ask) in enumerate((
        ("acoustic", lambda: rig.machine.load_numbered_kit(1)),
        ("gan808", lambda: rig.send("/scene/recall", "machines")),
    ), 1):
        rig.run(bar * BAR - BAR // 3 - rig.engine.frame)
        ask()
        rig.run(BLOCK)
        rig.filler.deliver_all()
        before, changed = rig.machine.kit.name, None
        for _ in range(BAR // 2 // BLOCK):
            rig.run(BLOCK)
            assert {heard(rig, slot) for slot in range(16)} - {""} == {rig.machine.kit.name}
            notes = {note: i for i, slot in enumerate(kits[rig.machine.kit.name].slots)
                     for note in slot.notes}
            assert all(rig.machine.slot_for_note(n) == notes.get(n) for n in range(30, 90))
            if rig.machine.kit.name != before and changed is None:
                changed = rig.engine.frame
        assert rig.machine.kit.name == name
        assert changed is not None
        assert bar * BAR <= changed <= bar * BAR + 4 * BLOCK


@pytest.mark.parametrize("cells", [24, 31])
def test_with_a_full_arena_the_old_kit_plays_on_wholly(cells: int) -> None:
    rig = watched(Rig(cells=cells))
    rig.run(BLOCK)
    before, used = rig.machine.status().sounds, rig.engine.used_cells()
    answers = rig.send("/kit/load", "other")
    rig.run(BLOCK)
    rig.filler.deliver_all()
    rig.run(BAR)
    (answer,) = answers
    assert "kit other cannot be loaded" in str(answer)
    assert "every cell of the arena is in use" in str(answer)
    assert rig.machine.status().sounds == before
    assert rig.engine.used_cells() == used, "what was reserved is free again"
    assert {heard(rig, slot) for slot in range(16)} == {"fake"}
    assert (rig.machine.kit.name, rig.filler.verdicts) == ("fake", [("other", False)])
    assert rig.pool.stock() == FakePool(rig.kit.classes).stock()


def test_a_ring_without_room_changes_nothing_either() -> None:
    rig = watched(Rig(sequencer={"playing": False}))
    rig.run(BLOCK)
    rig.engine.port("machine").full = True
    with pytest.raises(Gan808Error, match="too busy"):
        rig.machine.switches.schedule(FakeKit("other"), FakeKit("other").factory_sounds(48000), 0)
    assert rig.machine.kit.name == "fake"
    assert {heard(rig, slot) for slot in range(16)} == {"fake"}
    assert not rig.engine.claimed


def test_two_kits_on_their_way_come_in_their_order() -> None:
    rig = watched(Rig())
    rig.library.kits["small"] = FakeKit("small", slots=SMALL)
    rig.run(1000)
    for name in ("small", "other"):
        rig.send("/kit/load", name)
        rig.run(BLOCK)
        rig.filler.deliver_all()
    rig.run(BAR)
    assert rig.machine.kit.name == "other"
    assert {heard(rig, slot) for slot in range(16)} == {"other"}
    assert rig.filler.verdicts == [("small", True), ("other", True)]


def test_the_machine_goes_on_while_a_midi_file_is_read(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()

    def slow(name: str, slots: object = ()) -> Pattern:
        if name == "broken.mid":
            raise ConfigError("broken.mid: not a whole MIDI file")
        if name.endswith(".mid"):
            gate.wait(LONG_S)
        return replace(PATTERN, name=name)

    monkeypatch.setattr(live.machine.library, "own_pattern", slow)
    for name in ("large.mid", "other.mid", "broken.mid", "plain"):
        live.machine.submit("/seq/pattern", name, reply=live.answers.put)
    assert live.ask("/slot/SLOT/level", 0, 0.5) == (0.5,)
    assert live.answers.empty()
    gate.set()
    told = [str(live.answers.get(timeout=LONG_S)) for _ in range(4)]
    late = "pattern {}.mid: another was asked for meanwhile"
    assert told == [late.format("large"), late.format("other"),
                    "broken.mid: not a whole MIDI file", "('plain',)"]
    assert live.machine.sequencer.pattern.name == "plain"


def test_what_follows_a_pattern_is_done_to_that_pattern(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though it is read on another thread: edits, a start and a second pattern keep their order."""
    gate, library = threading.Event(), live.machine.library

    def slow(name: str, slots: object = ()) -> Pattern:
        gate.wait(LONG_S)
        return replace(PATTERN, name=name)

    monkeypatch.setattr(library, "own_pattern", slow)
    submit, answers = live.machine.submit, []
    for call in (("/seq/pattern", "one"), ("/seq/step", 2, 1, 0.5), ("/seq/save", "mine"),
                 ("/seq/play",), ("/seq/pattern", "two"), ("/seq/step", 2, 1)):
        answers.append(submit(*call))
    assert live.ask("/evolve")
    gate.set()
    assert [answer.result(LONG_S)[-1:] for answer in answers] == [
        ("one",), (0.5,), ("patterns/mine.toml",), (), ("two",), (0.0,)]
    saved = library.pattern("mine")
    assert (saved.rows["LT"][0].velocity, live.machine.sequencer.playing) == (0.5, True)
