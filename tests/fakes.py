"""Stand-ins for engine, pool, filler and kit: same behaviour at the edges, no audio, no processes.

They pass the same contract as the real parts (tests/instrument/test_contract.py). Time is a number
that the test moves: `FakeEngine.process`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from gan808.engine.engine import ALL_SLOTS, NO_CELL, EngineStats, SlotParameter
from gan808.engine.keymap import Keymap
from gan808.errors import KitError
from gan808.sequencer.patterns import Pattern
from gan808.sound.kit.slots import TR808, SlotLayout
from gan808.sound.sound import Descriptors, Sound
from tests.fake_clock import FakeClock
from tests.fake_patterns import FakePatterns

SLOTS = 16


def fake_sound(
    class_name: str = "kick",
    seed: int = 0,
    *,
    pitch_hz: float = 100.0,
    brightness_hz: float = 1000.0,
    length_s: float = 0.1,
    confidence: float = 0.9,
    kit: str = "fake",
    n_frames: int = 64,
    rate_hz: int = 48000,
    trail: str = "",
) -> Sound:
    """A sound whose audio is constant at a level that tells its seed; stereo if trail says so."""
    shape = (n_frames, 2) if "+w@" in trail else (n_frames,)
    return Sound(
        kit=kit, class_asked=class_name, seed=seed, class_heard=class_name, confidence=confidence,
        realness=0.5, audio=np.full(shape, (1 + seed * 37 % 997) / 1024, np.float32),
        sample_rate_hz=rate_hz,
        descriptors=Descriptors(length_s, brightness_hz, pitch_hz, -12.0),
        trail=trail,
    )


@dataclass
class FakeKit:
    """The sixteen slots of the default kit, three factory sounds a class."""

    name: str = "fake"
    slots: tuple[SlotLayout, ...] = TR808
    sounds: list[Sound] | None = None
    folder: Path = Path("fake")

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(slot.class_name for slot in self.slots))

    def balanced(self, audio: np.ndarray, sample_rate_hz: int, class_name: str) -> np.ndarray:
        return audio

    def factory_sounds(self, sample_rate_hz: int) -> list[Sound]:
        if self.sounds is not None:
            return self.sounds
        return [
            fake_sound(name, seed, pitch_hz=100.0 * (seed + 1), kit=self.name,
                       rate_hz=sample_rate_hz)
            for name in self.classes for seed in range(3)
        ]


@dataclass(frozen=True)
class Command:
    """One command as it reached the engine. name: trigger stop release assign set master."""

    port: str
    name: str
    frame: int
    slot: int = ALL_SLOTS
    value: float = 0.0
    parameter: SlotParameter | None = None
    gain: float = 1.0
    pan: float = 0.0
    tune_semitones: float = 0.0
    decay: float = 1.0


@dataclass(frozen=True)
class Hit:
    """A note as it was heard: where it began, and the cell and audio the slot had then."""

    frame: int
    slot: int
    velocity: float
    cell: int
    audio: np.ndarray


class FakePort:
    """Records; `full` makes it refuse like a ring that is never drained."""

    def __init__(self, engine: FakeEngine, name: str) -> None:
        self.name = name
        self.full = False
        self._engine = engine

    @property
    def room(self) -> int:
        return 0 if self.full else self._engine.ring_commands - len(self._engine.queued)

    def _push(self, command: Command) -> bool:
        if self.full or len(self._engine.queued) >= self._engine.ring_commands:
            self._engine.dropped += 1
            return False
        self._engine.commands.append(command)
        self._engine.queued.append(command)
        return True

    def trigger(self, slot: int, velocity: float, frame: int = 0, *, gain: float = 1.0,
                pan: float = 0.0, tune_semitones: float = 0.0, decay: float = 1.0) -> bool:
        return self._push(Command(self.name, "trigger", frame, slot, velocity, None, gain, pan,
                                  tune_semitones, decay))

    def stop(self, slot: int = ALL_SLOTS, frame: int = 0) -> bool:
        return self._push(Command(self.name, "stop", frame, slot))

    def release(self, slot: int, frame: int = 0) -> bool:
        return self._push(Command(self.name, "release", frame, slot))

    def forget(self, frame: int = 0) -> bool:
        kept = [c for c in self._engine.queued
                if (c.port, c.name) != (self.name, "trigger") or c.frame < frame]
        self._engine.queued[:] = kept
        return not self.full

    def assign(self, slot: int, cell: int, frame: int = 0, *, mark: int = 0) -> bool:
        if not (0 <= slot < SLOTS and NO_CELL <= cell < self._engine.cells):
            raise IndexError(f"slot {slot}, cell {cell}")
        pushed = self._push(Command(self.name, "assign", frame, slot, cell))
        if pushed and cell != NO_CELL:
            self._engine.claimed.discard(cell)
        return pushed

    def set_slot(self, slot: int, parameter: SlotParameter, value: float, frame: int = 0) -> bool:
        return self._push(Command(self.name, "set", frame, slot, value, parameter))

    def set_keymap(self, keymap: Keymap, frame: int = 0) -> bool:
        if not self._engine.no_keymap:
            self._engine.keymaps.append((frame, keymap))
        return not self._engine.no_keymap

    def midi(self, status: int, number: int, value: int, frame: int = 0) -> bool:
        self._engine.messages.append((status, number, value, frame))
        return True

    def set_master(self, gain: float, frame: int = 0) -> bool:
        return self._push(Command(self.name, "master", frame, value=gain))


@dataclass
class _Voice:
    cell: int
    slot: int
    until: int


@dataclass
class FakeEngine:
    """Carries commands out at their frames as the real one does, and writes down the hits."""

    sample_rate_hz: int = 48000
    cells: int = 256
    latency_frames: int = 128
    plays: bool = True
    ring_commands: int = 1024
    frame: int = 0
    blocks: int = 0
    dropped: int = 0
    late: int = 0
    commands: list[Command] = field(default_factory=list)
    queued: list[Command] = field(default_factory=list)
    claimed: set[int] = field(default_factory=set)
    hits: list[Hit] = field(default_factory=list)
    written: list[int] = field(default_factory=list)
    slot_cells: list[int] = field(default_factory=lambda: [NO_CELL] * SLOTS)
    slot_values: dict[tuple[int, SlotParameter], float] = field(default_factory=dict)
    master: float = 1.0
    keymaps: list[tuple[int, Keymap]] = field(default_factory=list)
    no_keymap: bool = False
    messages: list[tuple[int, int, int, int]] = field(default_factory=list)
    peaks_reset: int = 0

    def __post_init__(self) -> None:
        self.clock = FakeClock(self)
        self._ports: dict[str, FakePort] = {}
        self._arena: dict[int, np.ndarray] = {}
        self._voices: list[_Voice] = []
        self._next_cell = 0

    @property
    def frames(self) -> int:
        return self.frame

    def change_rate(self, sample_rate_hz: int) -> None:
        self.sample_rate_hz = sample_rate_hz
        self._voices.clear()
        self.queued.clear()
        self.slot_cells = [NO_CELL] * SLOTS

    def begun(self, since: int) -> tuple[int, list[tuple[int, float]]]:
        return len(self.hits), [(hit.slot, hit.velocity) for hit in self.hits[since:]]

    def port(self, name: str) -> FakePort:
        return self._ports.setdefault(name, FakePort(self, name))

    def used_cells(self) -> set[int]:
        """Cells that a slot, a voice, a queued command or their writer holds."""
        queued = {int(c.value) for c in self.queued if c.name == "assign"}
        held = {voice.cell for voice in self._voices} | set(self.slot_cells) | self.claimed
        return (queued | held) - {NO_CELL}

    def write_sound(self, audio: np.ndarray) -> int | None:
        good = audio.ndim == 1 or audio.shape[1:] == (2,)
        if not good or audio.size == 0 or not np.isfinite(audio).all():
            raise ValueError("a sound is finite float32 (n,) or (n, 2)")
        used = self.used_cells()
        for offset in range(self.cells):
            cell = (self._next_cell + offset) % self.cells
            if cell not in used:
                self._arena[cell] = np.array(audio, np.float32)
                self.claimed.add(cell)
                self.written.append(cell)
                self._next_cell = (cell + 1) % self.cells
                return cell
        return None

    def discard(self, cell: int) -> None:
        self.claimed.discard(cell)

    def stats(self, *, reset_peak: bool = True) -> EngineStats:
        self.peaks_reset += reset_peak
        return EngineStats(
            blocks=self.blocks, frames=self.frame, xruns=0, late_commands=self.late,
            dropped_commands=self.dropped, stolen_voices=0, voices=len(self._voices), peak=0.5,
            load=0.1,
        )

    def process(self, out: np.ndarray) -> None:
        """Carry out everything due in the next len(out) frames; out is filled with silence."""
        until = self.frame + len(out)
        due, self.queued = ([c for c in self.queued if (c.frame < until) == now]
                            for now in (True, False))
        self.late += sum(0 < c.frame < self.frame for c in due)
        setters = ("assign", "set", "master")
        due.sort(key=lambda c: (max(c.frame, self.frame), c.name not in setters))
        for command in due:
            self._carry_out(command, max(command.frame, self.frame))
        self.frame = until
        self.blocks += 1
        self._voices = [voice for voice in self._voices if voice.until > until]
        out[:] = 0.0

    def run(self, frames: int) -> None:
        """Process that many frames in blocks of 128."""
        end = self.frame + frames
        while self.frame < end:
            self.process(np.zeros((min(128, end - self.frame), 2), np.float32))

    def _carry_out(self, command: Command, frame: int) -> None:
        if command.name == "assign":
            self.slot_cells[command.slot] = int(command.value)
        elif command.name == "set" and command.parameter is not None:
            self.slot_values[command.slot, command.parameter] = command.value
        elif command.name == "master":
            self.master = command.value
        elif command.name == "trigger" and self.slot_cells[command.slot] != NO_CELL:
            cell = self.slot_cells[command.slot]
            audio = self._arena[cell]
            self.hits.append(Hit(frame, command.slot, command.value, cell, audio))
            self._voices.append(_Voice(cell, command.slot, frame + len(audio)))
        elif command.name in ("stop", "release"):
            self._voices = [voice for voice in self._voices
                            if command.slot not in (ALL_SLOTS, voice.slot)]


class FakePool:
    """Lists by class, first in first out, as large as the test fills them."""

    def __init__(self, classes: Sequence[str], *, limit: int = 24) -> None:
        self._stock: dict[str, list[Sound]] = {name: [] for name in classes}
        self._limit = limit
        self.wanted: dict[str, set[float]] = {}

    def want(self, widths: Mapping[str, Iterable[float]]) -> None:
        self.wanted = {name: set(each) for name, each in widths.items()}

    def put(self, sound: Sound) -> bool:
        stock = self._stock.get(sound.class_heard)
        if stock is None or len(stock) >= self._limit:
            return False
        stock.append(sound)
        return True

    def take(self, class_name: str, third: int | None = None, *,
             width: float = 0.0) -> Sound | None:
        stock = self._of_width(class_name, width)
        wanted = stock
        if third is not None and stock:
            ranked, n = sorted(stock, key=lambda s: s.descriptors.pitch_hz), len(stock)
            wanted = ranked[third * n // 3:(third + 1) * n // 3] if n >= 3 else [
                ranked[round(third * (n - 1) / 2)]]
        return self._removed(class_name, next((s for s in stock if s in wanted), None))

    def take_by(self, class_name: str, descriptor: str, value: float, *, above: bool,
                third: int | None = None, width: float = 0.0) -> Sound | None:
        del third
        beyond = [s for s in self._of_width(class_name, width)
                  if (getattr(s.descriptors, descriptor) > value) == above
                  and getattr(s.descriptors, descriptor) != value]
        return self._removed(class_name, min(
            beyond, key=lambda s: abs(getattr(s.descriptors, descriptor) - value), default=None))

    def stock(self) -> dict[str, int]:
        return {name: len(sounds) for name, sounds in self._stock.items()}

    def sounds(self) -> list[Sound]:
        return [sound for sounds in self._stock.values() for sound in sounds]

    def reset(self, classes: Sequence[str]) -> None:
        self._stock = {name: [] for name in classes}

    def _of_width(self, class_name: str, width: float) -> list[Sound]:
        return [s for s in self._stock.get(class_name, []) if (s.width > 0) == (width > 0)]

    def _removed(self, class_name: str, sound: Sound | None) -> Sound | None:
        if sound is not None:
            self._stock[class_name].remove(sound)
        return sound


@dataclass
class FakeLibrary(FakePatterns):
    """Kits by name, shipped patterns, and a list of what was written."""

    kits: dict[str, FakeKit] = field(default_factory=dict)
    patterns: dict[str, Pattern] = field(default_factory=dict)
    kept: list[Sound] = field(default_factory=list)

    def kit_names(self) -> list[str]:
        return list(self.kits)

    def kit(self, name: str) -> FakeKit:
        if name not in self.kits:
            raise KitError(f"kit {name!r}: no such kit; there are {', '.join(self.kits)}")
        return self.kits[name]

    kit_at = kit

    def keep(self, sound: Sound) -> Path:
        self.kept.append(sound)
        return Path("favourites") / f"{sound.seed}.flac"

    def save_kit(self, kit: FakeKit, sounds: Sequence[Sound], name: str) -> Path:
        self.kits[name] = FakeKit(name, kit.slots, list(sounds))
        return Path("kits") / name

    def export(self, sound: Sound, name: str) -> Path:
        self.kept.append(sound)
        return Path("exports") / f"{name}.wav"

    def kit_place(self, kit: FakeKit) -> str:
        return kit.name

    def export_kit(
        self, kit: FakeKit, state: object, format_name: str, rate_hz: int, name: str
    ) -> Path:
        return Path("exports") / f"{name}.{format_name}"
