"""The mixer of the sixteen slots, and the sounds in them: set, drawn, kept. Machine thread only."""

from __future__ import annotations

from functools import partial

from gan808.errors import Gan808Error
from gan808.instrument.addresses import slot_index
from gan808.instrument.calls import Answer, Call, Handler
from gan808.instrument.commands.values import put_and_get
from gan808.instrument.context import Context
from gan808.instrument.events import ParameterChanged
from gan808.instrument.parameter import SLOT, Value
from gan808.instrument.parameters import BY_ADDRESS
from gan808.instrument.slots import ENGINE_PARAMETERS, OWN_PARAMETERS
from gan808.instrument.sound_requests import SoundRequests
from gan808.instrument.swaps import WISHES
from gan808.instrument.widths import Widths
from gan808.sound.latent import Point


class SlotCommands:
    """Acts on the slots and the master volume."""

    def __init__(self, context: Context, requests: SoundRequests, widths: Widths,
                 volume: float) -> None:
        """volume: the master's, 0..1, which the engine has already."""
        self._context = context
        self._requests = requests
        self._widths = widths
        self._volume = volume

    def handlers(self) -> dict[str, Handler]:
        """What the rows of the table do."""
        slot = f"/slot/{SLOT}"
        values: dict[str, Handler] = {
            f"{slot}/{name}": partial(self._value, name)
            for name in (*ENGINE_PARAMETERS, *OWN_PARAMETERS)
        }
        wishes: dict[str, Handler] = {
            f"{slot}/{word}": partial(self._wish, word) for word in WISHES}
        return values | wishes | {
            f"{slot}/width": self._set_width,
            f"{slot}/solo": self._solo,
            f"{slot}/new": self._new,
            f"{slot}/undo": self._undo,
            f"{slot}/redo": self._redo,
            f"{slot}/copy": self._copy,
            f"{slot}/info": self._info,
            "/volume": self._set_volume,
            "/sound/keep": self._keep,
            "/sound/export": self._export,
        }

    # Values

    def _value(self, name: str, call: Call) -> Answer:
        slot = self._context.swaps.slots[call.slot]
        if len(call.arguments) < 2:
            return (slot.values[name],)
        before, value = slot.values[name], call.arguments[1]
        slot.values[name] = float(value) if isinstance(before, float) else int(value)
        if name in ENGINE_PARAMETERS:
            try:
                self._context.swaps.send(slot.index, name, call.frame)
            except Gan808Error:
                slot.values[name] = before
                raise
        address = BY_ADDRESS[call.command].address_of(slot.layout.code)
        self._context.emit(ParameterChanged(address, (slot.values[name],)))
        return (slot.values[name],)

    def _set_width(self, call: Call) -> Answer:
        answer = self._value("width", call)
        if len(call.arguments) > 1:
            self._widths.changed(call.slot)
        return answer

    def _solo(self, call: Call) -> Answer:
        answer = self._value("solo", call)
        if len(call.arguments) > 1:
            for slot in self._context.swaps.slots:
                self._context.swaps.send(slot.index, "mute", call.frame)
        return answer

    def _set_volume(self, call: Call) -> Answer:
        return put_and_get(self._context.emit, partial(self._put_volume, call.frame),
                           lambda: self._volume, call)

    def _put_volume(self, frame: int, volume: Value) -> None:
        self._context.swaps.send_volume(float(volume), frame)
        self._volume = float(volume)

    # Sounds

    def _new(self, call: Call) -> Answer | None:
        index, swaps = call.slot, self._context.swaps
        layout = swaps.slots[index].layout
        if len(call.arguments) > 1:
            place = Point(int(call.arguments[1])).widened(swaps.slots[index].width)
            self._requests.ask(call, layout.class_name, place)
            return None
        sound = swaps.draw(index, call.frame)
        if sound is None:
            swaps.say_empty(index)
            raise Gan808Error(f"{layout.code}: no {layout.class_name} in stock yet; it keeps its "
                              "sound")
        return (sound.id,)

    def _wish(self, word: str, call: Call) -> Answer:
        return (self._context.swaps.draw_by(call.slot, word, call.frame).id,)

    def _undo(self, call: Call) -> Answer:
        return (self._context.swaps.undo(call.slot, call.frame).id,)

    def _redo(self, call: Call) -> Answer:
        return (self._context.swaps.redo(call.slot, call.frame).id,)

    def _copy(self, call: Call) -> Answer:
        swaps = self._context.swaps
        sound = swaps.sound(slot_index(str(call.arguments[1]), self._context.codes))
        swaps.put(call.slot, sound, call.frame)
        return (sound.id,)

    def _info(self, call: Call) -> Answer:
        sound = self._context.swaps.sound(call.slot)
        return (sound.id, sound.seed, sound.class_heard, sound.confidence, sound.realness)

    def _keep(self, call: Call) -> None:
        context, sound = self._context, self._context.swaps.sound(call.slot)
        context.disk.do_for(call, partial(context.library.keep, sound),
                            lambda path: call.answer((str(path),)))

    def _export(self, call: Call) -> None:
        context, sound = self._context, self._context.swaps.sound(call.slot)
        name = str(call.arguments[1]) if len(call.arguments) > 1 else sound.file_stem()
        context.disk.do_for(call, partial(context.library.export, sound, name),
                            lambda path: call.answer((str(path),)))
