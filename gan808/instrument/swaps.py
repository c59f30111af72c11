"""Sounds into slots: draws from the pool, writes to the engine's arena, remembers, undoes.

Machine thread only. A swap is one `write_sound` and one `assign` that carries its frame; a sound
that does not get through goes back where it came from, and the slot plays on as before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gan808.engine.engine import NO_CELL
from gan808.engine.layout import MASTER_MOST
from gan808.engine.protocols import EngineLike, PortLike
from gan808.errors import Gan808Error
from gan808.instrument.events import Event, Notice, PoolEmpty, SoundChanged
from gan808.instrument.protocols import DescriptorName, KitLike, PoolLike
from gan808.instrument.slots import ENGINE_PARAMETERS, Slot, first_sounds
from gan808.instrument.sound_marks import SoundMarks
from gan808.instrument.state import KeptSlot
from gan808.sound.kit.kit import at_rate
from gan808.sound.kit.slots import SlotLayout
from gan808.sound.sound import Sound

MAX_SLOTS = 16
# An empty class is reported once, and again after this long of it staying empty.
REPEAT_S = 60.0
# A wish for "brighter" should be heard: a tenth beyond the present sound, if there is one.
AUDIBLE_RATIO = 1.1


@dataclass(frozen=True, slots=True)
class Wish:
    """What a player asks for with a word: which descriptor, and to which side."""

    descriptor: DescriptorName
    above: bool


@dataclass(frozen=True, slots=True)
class Placement:
    """A kit's slots on their way: what each begins with from `frame` on."""

    layouts: Sequence[SlotLayout]
    sounds: Sequence[Sound | None]
    kept: Mapping[str, KeptSlot]
    frame: int


WISHES = {
    "brighter": Wish("brightness_hz", above=True),
    "darker": Wish("brightness_hz", above=False),
    "longer": Wish("length_s", above=True),
    "shorter": Wish("length_s", above=False),
    "higher": Wish("pitch_hz", above=True),
    "lower": Wish("pitch_hz", above=False),
}


class Swaps:
    """The slots and the way sounds get into them."""

    def __init__(
        self, engine: EngineLike, port: PortLike, pool: PoolLike, emit: Callable[[Event], None],
        width: float = 0.0,
    ) -> None:
        """width: what slots begin with."""
        self._width = width
        self._engine = engine
        self._port = port
        self._pool = pool
        self._emit = emit
        self._told_empty: dict[str, int] = {}
        self.sound_marks = SoundMarks()
        self.sent_until = 0  # the latest frame of a swap that is on its way
        # Replaced whole: the threads that play look at it too.
        self.slots: tuple[Slot, ...] = ()
        self._kept: Mapping[str, KeptSlot] = {}

    def begin_with(self, kept: Mapping[str, KeptSlot]) -> None:
        """What the slots of the next kit to be placed are to be, by their code."""
        self._kept = kept

    def prepare(self, kit: KitLike, sounds: Sequence[Sound], frame: int = 0, *,
                own: bool = True) -> Placement:
        """Have the engine go over to the kit's slots and their first sounds at `frame`, wholly or
        not at all; `commit` follows when that frame has come.

        A slot that was given to `begin_with` has the sound of before, another one of its class and
        pitch third out of finished ones. own: the pool is this kit's, and a slot whose class is
        not among them draws from it. Raises Gan808Error where the engine has no room; then nothing
        has changed.
        """
        kept, self._kept = self._kept, {}
        drawn: list[Sound] = []
        chosen = self._chosen(kit, sounds, kept, drawn if own else None)
        settings = self._settings(kit, kept)
        cells: list[int] = []
        try:
            if self._port.room < MAX_SLOTS + sum(map(len, settings)):
                raise Gan808Error("the engine is too busy; try again")
            for layout, sound in zip(kit.slots, chosen, strict=True):
                cells.append(NO_CELL if sound is None else self._written(layout.code, sound))
        except Gan808Error as error:
            for cell in set(cells) - {NO_CELL}:
                self._engine.discard(cell)
            for sound in drawn:
                self._pool.put(sound)
            raise type(error)(f"kit {kit.name} cannot be loaded: {error}") from error
        for index, values in enumerate(settings):
            for name, value in values.items():
                self._port.set_slot(index, ENGINE_PARAMETERS[name], float(value), frame)
        for index in range(MAX_SLOTS):
            cell = cells[index] if index < len(cells) else NO_CELL
            sound = chosen[index] if index < len(cells) else None
            mark = 0 if sound is None else self.sound_marks.enter(cell, sound)
            self._port.assign(index, cell, frame, mark=mark)
        return Placement(kit.slots, chosen, kept, frame)

    def _chosen(self, kit: KitLike, sounds: Sequence[Sound], kept: Mapping[str, KeptSlot],
                drawn: list[Sound] | None) -> list[Sound | None]:
        """A sound for each slot of a kit, at the engine's rate; those from the pool in drawn too,
        None where nothing is to be drawn."""
        chosen: list[Sound | None] = []
        for layout, found in zip(kit.slots, first_sounds(kit.slots, sounds), strict=True):
            before = kept.get(layout.code)
            sound = (before.sound if before is not None else None) or found
            if sound is None and drawn is not None:
                width = round(float(before.values.get("width", self._width)), 2) \
                    if before is not None else self._width
                sound = self._pool.take(layout.class_name, layout.third, width=width) or (
                    self._pool.take(layout.class_name, layout.third))
                drawn += [sound] if sound is not None else []
            chosen.append(sound and at_rate(sound, self._engine.sample_rate_hz))
        return chosen

    def _settings(self, kit: KitLike, kept: Mapping[str, KeptSlot]) -> list[dict[str, float]]:
        """What the engine must be told of each slot: all of one that is new or kept, else the
        choke group, which is the kit's."""
        settings = []
        for index, layout in enumerate(kit.slots):
            known = index < len(self.slots)
            slot = Slot(index, layout, self._width)
            if known:
                slot.values.update(self.slots[index].values)
            slot.values["choke"] = layout.choke
            if layout.code in kept:
                slot.values.update(kept[layout.code].values)
            names = ENGINE_PARAMETERS if not known or layout.code in kept else ("choke",)
            settings.append({name: float(slot.values[name]) for name in names})
        return settings

    def commit(self, placement: Placement) -> None:
        """The frame of a placement has come: the slots are the kit's.

        Settings of a slot stay as the player left them, except the choke group: that is the kit's.
        What was given to `begin_with` comes before both.
        """
        slots, silent = [], []
        for index, layout in enumerate(placement.layouts):
            known = index < len(self.slots)
            slot = self.slots[index] if known else Slot(index, layout, self._width)
            slot.change_layout(layout)
            if layout.code in placement.kept:
                slot.values.update(placement.kept[layout.code].values)
            slot.sound, slot.since = placement.sounds[index], placement.frame
            silent += [layout.code] if slot.sound is None else []
            slots.append(slot)
        self.slots = tuple(slots)
        for slot in slots:
            if (sound := slot.sound) is not None:
                self._emit(SoundChanged(slot.index, slot.layout.code, sound.id, sound.seed,
                                        placement.frame))
        if silent:
            self._emit(Notice(f"no sound yet for {', '.join(silent)}; the renderer will bring one"))

    def send(self, index: int, name: str, frame: int = 0) -> None:
        """Tell the engine one setting of a slot. Raises Gan808Error when its ring is full."""
        value = float(self._heard(index, name))
        if not self._port.set_slot(index, ENGINE_PARAMETERS[name], value, frame):
            raise Gan808Error(f"{self.slots[index].layout.code} {name}: the engine is too busy; "
                              "send it again")

    def send_volume(self, volume: float, frame: int = 0) -> None:
        """Tell the engine the master volume 0..1. Raises Gan808Error when its ring is full."""
        if not self._port.set_master(MASTER_MOST * volume, frame):
            raise Gan808Error("volume: the engine is too busy; send it again")

    def _heard(self, index: int, name: str) -> float | int:
        """A setting as the engine has it."""
        return int(self.is_silenced(index)) if name == "mute" else self.slots[index].values[name]

    def is_silenced(self, index: int) -> bool:
        """Whether a slot is mute, or others are solo. Any thread."""
        slots = self.slots
        if index >= len(slots):
            return False
        values, solo = slots[index].values, any(slot.values["solo"] for slot in slots)
        return bool(values["mute"]) or (solo and not values["solo"])

    def put(self, index: int, sound: Sound, frame: int = 0, *, remember: bool = True) -> None:
        """Make `sound` the slot's from `frame` on. Raises Gan808Error; nothing has changed then."""
        slot = self.slots[index]
        # The stock may still have sounds of a rate the output had before.
        sound = at_rate(sound, self._engine.sample_rate_hz)
        cell = self._written(slot.layout.code, sound)
        if not self._port.assign(index, cell, frame, mark=self.sound_marks.enter(cell, sound)):
            self._engine.discard(cell)
            raise Gan808Error(f"{slot.layout.code}: the engine is too busy; try again")
        self.sent_until = max(self.sent_until, frame)
        slot.since = frame
        if remember:
            slot.swap(sound)
        else:
            slot.sound = sound
        self._emit(SoundChanged(index, slot.layout.code, sound.id, sound.seed, frame))

    def _written(self, code: str, sound: Sound) -> int:
        """The cell a sound was written to. Raises Gan808Error."""
        try:
            cell = self._engine.write_sound(sound.audio)
        except ValueError as error:
            raise Gan808Error(f"{code}: cannot play {sound.id}: {error}") from error
        if cell is None:
            raise Gan808Error(f"{code}: every cell of the arena is in use; "
                              "try again when some sounds have ended")
        return cell

    def draw(self, index: int, frame: int = 0) -> Sound | None:
        """Swap the slot to a fresh sound out of the pool; None when it has none for it."""
        sound = self._drawn(self.slots[index])
        return None if sound is None else self._put_drawn(index, sound, frame)

    def _drawn(self, slot: Slot) -> Sound | None:
        return self._pool.take(slot.layout.class_name, slot.layout.third, width=slot.width)

    def evolve(self, index: int, frame: int = 0) -> Sound | None:
        """Swap to the next sound that was made for the slot, or else to a fresh one; None when
        there is neither."""
        slot = self.slots[index]
        if not slot.coming:
            return self.draw(index, frame)
        sound = slot.coming[0]
        self.put(index, sound, frame)
        return sound

    def draw_by(self, index: int, word: str, frame: int = 0) -> Sound:
        """Swap to a sound from the pool that is brighter, darker... than the present one.

        Raises Gan808Error when the slot is silent or nothing in stock qualifies.
        """
        slot, wish = self.slots[index], WISHES[word]
        layout = slot.layout
        if slot.sound is None:
            raise Gan808Error(f"{layout.code} has no sound yet to be {word} than")
        present = getattr(slot.sound.descriptors, wish.descriptor)
        clearly = present * AUDIBLE_RATIO if wish.above else present / AUDIBLE_RATIO
        for value in (clearly, present):
            sound = self._pool.take_by(
                layout.class_name, wish.descriptor, value, above=wish.above, width=slot.width)
            if sound is not None:
                return self._put_drawn(index, sound, frame)
        stock = self._pool.stock().get(layout.class_name, 0)
        raise Gan808Error(f"{layout.code}: none of the {stock} {layout.class_name} sounds in stock "
                          f"is {word}; try again when more are rendered")

    def _put_drawn(self, index: int, sound: Sound, frame: int) -> Sound:
        try:
            self.put(index, sound, frame)
        except Gan808Error:
            self._pool.put(sound)
            raise
        self._told_empty.pop(self.slots[index].layout.class_name, None)
        return sound

    def undo(self, index: int, frame: int = 0) -> Sound:
        """Back to the sound before. Raises Gan808Error when there is none."""
        slot = self.slots[index]
        if not slot.history:
            raise Gan808Error(f"{slot.layout.code} has no sound before this one")
        before, sound = slot.sound, slot.history[-1]
        self.put(index, sound, frame, remember=False)
        slot.history.pop()
        if before is not None:
            slot.undone.append(before)
        return sound

    def redo(self, index: int, frame: int = 0) -> Sound:
        """Forward to the sound that undo has left. Raises Gan808Error when there is none."""
        slot = self.slots[index]
        if not slot.undone:
            raise Gan808Error(f"{slot.layout.code} has nothing to redo")
        sound, rest = slot.undone[-1], list(slot.undone)[:-1]
        self.put(index, sound, frame)
        slot.undone.extend(rest)
        return sound

    def change_rate(self) -> None:
        """The engine has gone over to another rate and forgotten the sounds: each slot gets its
        own again, at that rate."""
        for slot in self.slots:
            if slot.sound is not None:
                self.put(slot.index, slot.sound, remember=False)

    def say_empty(self, index: int) -> None:
        """Report once, and then once a minute, that the pool has nothing for a slot."""
        layout, now = self.slots[index].layout, self._engine.clock.frame_now()
        told = self._told_empty.get(layout.class_name)
        if told is None or now - told >= REPEAT_S * self._engine.sample_rate_hz:
            self._told_empty[layout.class_name] = now
            self._emit(PoolEmpty(index, layout.code, layout.class_name))

    def sound(self, index: int) -> Sound:
        """The slot's sound. Raises Gan808Error when it has none."""
        slot = self.slots[index]
        if slot.sound is None:
            raise Gan808Error(f"{slot.layout.code} has no sound yet")
        return slot.sound
