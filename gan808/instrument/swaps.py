"""Sounds into slots: draws from the pool, writes to the engine's arena, remembers, undoes.

Machine thread only. A swap is one `write_sound` and one `assign` that carries its frame; a sound
that does not get through goes back where it came from, and the slot plays on as before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from gan808.engine.engine import NO_CELL
from gan808.errors import Gan808Error
from gan808.instrument.events import Event, Notice, PoolEmpty, SoundChanged
from gan808.instrument.protocols import DescriptorName, EngineLike, KitLike, PoolLike, PortLike
from gan808.instrument.slots import ENGINE_PARAMETERS, Slot, first_sounds
from gan808.instrument.sound_marks import Ledger
from gan808.instrument.state import KeptSlot
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
        self.ledger = Ledger()
        self.slots: list[Slot] = []
        self._kept: Mapping[str, KeptSlot] = {}

    def begin_with(self, kept: Mapping[str, KeptSlot]) -> None:
        """What the slots of the next kit to be placed are to be, by their code."""
        self._kept = kept

    def place(self, kit: KitLike, sounds: Sequence[Sound], frame: int = 0) -> None:
        """Lay the kit's slots out and give them their first sounds at `frame`.

        Settings of a slot stay as the player left them, except the choke group: that is the kit's.
        What was given to `begin_with` comes before both.
        """
        before, (kept, self._kept) = len(self.slots), (self._kept, {})
        for index, layout in enumerate(kit.slots):
            changed: Iterable[str] = ENGINE_PARAMETERS
            if index >= before:
                self.slots.append(Slot(index, layout, self._width))
            else:
                self.slots[index].take_place(layout)
                changed = changed if layout.code in kept else ("choke",)
            if layout.code in kept:
                self.slots[index].values.update(kept[layout.code].values)
            for name in changed:
                self.send(index, name, frame)
        del self.slots[len(kit.slots):]
        for index in range(len(kit.slots), before):
            self._port.assign(index, NO_CELL, frame)
        self.fill_from(sounds, frame, kept)

    def fill_from(
        self, sounds: Sequence[Sound], frame: int = 0, kept: Mapping[str, KeptSlot] | None = None
    ) -> None:
        """Give every slot a sound of its class and pitch third out of finished ones.

        A slot that is among the kept has the sound of before. One whose class is not among them
        draws from the pool; with nothing there either it stays silent, and a notice says so.
        """
        chosen = first_sounds([slot.layout for slot in self.slots], sounds)
        of_before = {code: slot.sound for code, slot in (kept or {}).items()}
        silent = []
        for slot, sound in zip(self.slots, chosen, strict=True):
            sound = of_before.get(slot.layout.code) or sound or self._drawn(slot) or (
                self._pool.take(slot.layout.class_name, slot.layout.third))
            slot.sound = None
            slot.history.clear()
            slot.coming.clear()
            if sound is None:
                self._port.assign(slot.index, NO_CELL, frame)
                silent.append(slot.layout.code)
            else:
                self.put(slot.index, sound, frame)
        if silent:
            self._emit(Notice(f"no sound yet for {', '.join(silent)}; the renderer will bring one"))

    def send(self, index: int, name: str, frame: int = 0) -> None:
        """Tell the engine one setting of a slot. Raises Gan808Error when its ring is full."""
        value = float(self._heard(index, name))
        if not self._port.set_slot(index, ENGINE_PARAMETERS[name], value, frame):
            raise Gan808Error(f"{self.slots[index].layout.code} {name}: the engine is too busy; "
                              "send it again")

    def _heard(self, index: int, name: str) -> float | int:
        """A setting as the engine has it: a slot is mute too while others are solo."""
        values = self.slots[index].values
        if name == "mute" and any(slot.values["solo"] for slot in self.slots):
            return max(values["mute"], 1 - int(values["solo"]))
        return values[name]

    def put(self, index: int, sound: Sound, frame: int = 0, *, remember: bool = True) -> None:
        """Make `sound` the slot's from `frame` on. Raises Gan808Error; nothing has changed then."""
        slot = self.slots[index]
        try:
            cell = self._engine.write_sound(sound.audio)
        except ValueError as error:
            raise Gan808Error(f"{slot.layout.code}: cannot play {sound.id}: {error}") from error
        if cell is None:
            raise Gan808Error(f"{slot.layout.code}: every cell of the arena is in use; "
                              "try again when some sounds have ended")
        if not self._port.assign(index, cell, frame, mark=self.ledger.enter(cell, sound)):
            self._engine.discard(cell)
            raise Gan808Error(f"{slot.layout.code}: the engine is too busy; try again")
        slot.since = frame
        if remember:
            slot.swap(sound)
        else:
            slot.sound = sound
        self._emit(SoundChanged(index, slot.layout.code, sound.id, sound.seed, frame))

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
