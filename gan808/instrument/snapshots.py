"""The machine as a value and back: what a restart or a scene brings is put in place here.

Machine thread only, but for `begin_with`, which comes before the machine is started.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from gan808.errors import Gan808Error
from gan808.instrument.events import Notice, ParameterChanged
from gan808.instrument.parameter import SLOT, Value
from gan808.instrument.parameters import BY_ADDRESS
from gan808.instrument.slots import ENGINE_PARAMETERS, Slot
from gan808.instrument.state import (
    KEPT_HISTORY,
    KEPT_VALUES,
    KeptPattern,
    KeptSlot,
    State,
)
from gan808.sequencer.patterns import OFF, Pattern
from gan808.sound.class_mix import require_classes
from gan808.sound.latent import parse_id
from gan808.sound.sound import Sound, parse_file_id

if TYPE_CHECKING:
    from gan808.instrument.calls import Answer
    from gan808.instrument.context import Context
    from gan808.instrument.widths import Widths
    from gan808.sequencer.sequencer import Sequencer

# Asked of the sequencer, which knows whether they are the pattern's own.
_SEQUENCERS = ("/seq/tempo", "/seq/swing")
SLOWEST_BPM, FASTEST_BPM = 20.0, 400.0


class Snapshots:
    """Takes the machine's state and puts one in place."""

    def __init__(self, context: Context, sequencer: Sequencer,
                 read: Callable[[str], Answer | None], widths: Widths) -> None:
        """read: the present value of a row that belongs to the whole machine."""
        self._context = context
        self._sequencer = sequencer
        self._read = read
        self._widths = widths
        # The last that was not `off`: that says whether to play, not what.
        self._pattern: KeptPattern | None = None
        self._written: tuple[Pattern, Pattern] | None = None  # what that is the text of

    # The machine as a value

    def state(self) -> State:
        """The present state; a snapshot of references, made in some tens of microseconds."""
        context = self._context
        return State(
            kit=context.library.kit_place(context.kit),
            values=MappingProxyType(self._values()),
            pattern=self._kept_pattern(),
            slots=tuple(_kept(slot) for slot in context.swaps.slots),
        )

    def _values(self) -> dict[str, Value]:
        sequencer = self._sequencer
        values: dict[str, Value] = {
                  address: value for address in KEPT_VALUES
                  if address not in _SEQUENCERS and (answer := self._read(address))
                  and not isinstance(value := answer[0], bytes)}
        if sequencer.own_tempo_bpm is not None:
            values["/seq/tempo"] = min(max(sequencer.own_tempo_bpm, SLOWEST_BPM), FASTEST_BPM)
        if sequencer.own_swing is not None:
            values["/seq/swing"] = sequencer.own_swing
        return values

    def _kept_pattern(self) -> KeptPattern | None:
        edited, original = self._sequencer.with_score(lambda s: (s.pattern, s.original))
        same = self._written is not None and (
            edited is self._written[0] and original is self._written[1])
        if original.name != OFF and not same:
            self._pattern = KeptPattern.of(edited, original)
            self._written = edited, original
        return self._pattern

    # And back

    def begin_with(self, state: State) -> None:
        """Begin where that state was left, as far as the settings do not say it already: slots
        and pattern. Before the machine is started.

        A pattern that was not edited is read from its file as it is now, if that is still there.
        """
        self._pattern = kept = state.pattern
        if kept is not None:
            own = original = kept.pattern()
            with suppress(Gan808Error):
                if kept.source:
                    context = self._context
                    original = context.library.pattern(kept.source, context.kit.slots)
            self._sequencer.set_pattern(own if kept.edited else original, original)
        self.begin_next_kit_with(state)
        self._context.post(self.render_missing, state.slots)

    def begin_next_kit_with(self, state: State) -> None:
        """Have the next kit that is scheduled begin with these slots."""
        self._context.swaps.begin_with(state.by_code())

    def add_history(self, history: Mapping[str, Sequence[Sound]]) -> None:
        """Give slots the sounds before the present ones, by the slot's code, so that undo leads to
        them."""
        for slot in self._context.swaps.slots:
            before = history.get(slot.layout.code, ())
            room = (slot.history.maxlen or 0) - len(slot.history)
            slot.history.extendleft(list(reversed(before))[:room])

    def take_over(self, state: State, frame: int) -> None:
        """Give the slots of the running kit what the state has for them, from `frame` on.

        Raises Gan808Error when the engine is too busy; what has been done by then stays.
        """
        context, kept = self._context, state.by_code()
        for slot in context.swaps.slots:
            wanted = kept.get(slot.layout.code)
            if wanted is not None:
                if wanted.sound is not None and not _same(slot.sound, wanted.sound):
                    context.swaps.put(slot.index, wanted.sound, frame)
                self._set(slot, wanted, frame)
        self._widths.follow()
        self.render_missing(state.slots)

    def take_pattern(self, state: State) -> None:
        """Have the state's pattern, as it was then, from the next bar on."""
        if state.pattern is not None:
            pattern = state.pattern.pattern()
            self._sequencer.set_pattern(pattern)
            self._context.emit(ParameterChanged("/seq/pattern", (pattern.name,)))

    def _set(self, slot: Slot, wanted: KeptSlot, frame: int) -> None:
        for name, value in wanted.values.items():
            if name not in slot.values or slot.values[name] == value:
                continue
            slot.values[name] = value
            if name in ENGINE_PARAMETERS:
                self._context.swaps.send(slot.index, name, frame)
            address = BY_ADDRESS[f"/slot/{SLOT}/{name}"].address_of(slot.layout.code)
            self._context.emit(ParameterChanged(address, (value,)))

    def render_missing(self, kept: Sequence[KeptSlot]) -> None:
        """Have sounds whose audio could not be read made again, as soon as there is a renderer."""
        context, missing = self._context, {s.code: s for s in kept if s.sound_id and not s.sound}
        for slot in context.swaps.slots:
            wanted = missing.get(slot.layout.code)
            if wanted is None:
                continue
            file = parse_file_id(wanted.sound_id)
            if file is not None and file.kit == context.kit.name:
                there = partial(self._rendered, slot.index, slot.sound)
                context.disk.do(slot.layout.code, partial(
                    context.library.reload_sound, file, context.kit,
                    context.engine.sample_rate_hz), there, there)
                continue
            try:
                kit_name, class_name, place = parse_id(wanted.sound_id)
                require_classes(class_name, context.kit.classes, context.kit.name)
            except Gan808Error:
                continue  # no id of ours: there is nothing to bring back
            if kit_name == context.kit.name:
                context.filler.request(class_name, place, partial(
                    context.post, self._rendered, slot.index, slot.sound))

    def _rendered(self, index: int, before: Sound | None, result: Sound | Gan808Error) -> None:
        """Put a sound that was made again into its slot, unless the slot has got another one
        meanwhile."""
        slots = self._context.swaps.slots
        if index >= len(slots) or slots[index].sound is not before:
            return
        if isinstance(result, Gan808Error):
            self._context.emit(Notice(f"{slots[index].layout.code}: the sound it had cannot be "
                                      f"made again: {result}"))
            return
        try:
            self._context.swaps.put(index, result, remember=False)
        except Gan808Error as error:
            self._context.emit(Notice(str(error)))


def _kept(slot: Slot) -> KeptSlot:
    return KeptSlot(
        code=slot.layout.code,
        sound_id="" if slot.sound is None else slot.sound.id,
        sound=slot.sound,
        values=MappingProxyType(dict(slot.values)),
        history=tuple(slot.history)[-KEPT_HISTORY:],
    )


def _same(one: Sound | None, other: Sound) -> bool:
    return one is other or (
        one is not None and one.id == other.id and np.array_equal(one.audio, other.audio))
