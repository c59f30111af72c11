"""What each row of the parameter table does. Machine thread only.

A handler answers with a tuple of plain values, raises Gan808Error, or returns None and answers
later (a sound or a kit that has to be made first).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from gan808.engine.layout import MASTER_MOST
from gan808.errors import Gan808Error, Guard
from gan808.instrument.addresses import slot_index
from gan808.instrument.commands.overview import Overview
from gan808.instrument.commands.patterns import PatternCommands
from gan808.instrument.commands.songs import SongCommands
from gan808.instrument.commands.sound_files import SoundFiles
from gan808.instrument.commands.sounds import SoundCommands
from gan808.instrument.commands.stock import StockCommands
from gan808.instrument.events import ParameterChanged
from gan808.instrument.kit_switch import KitLoading
from gan808.instrument.parameter import SLOT, Kind, Value
from gan808.instrument.parameters import BY_ADDRESS, TABLE
from gan808.instrument.scenes import Scenes
from gan808.instrument.slots import ENGINE_PARAMETERS, OWN_PARAMETERS
from gan808.instrument.snapshots import Snapshots
from gan808.instrument.sound_requests import MIX, SoundRequests
from gan808.instrument.swaps import WISHES
from gan808.instrument.widths import Widths
from gan808.recording.recorder import Recorder
from gan808.sound.latent import Point

if TYPE_CHECKING:
    from gan808.instrument.machine import Machine

Answer = tuple[Value | bytes, ...]
Reply = Callable[[Answer | Gan808Error], None]
log = logging.getLogger("gan808")


@dataclass(frozen=True, slots=True)
class Call:
    """One command on its way: its row's address, its arguments (slot first), when it is due."""

    command: str
    arguments: tuple[Value, ...]
    frame: int = 0
    reply: Reply | None = None

    def answer(self, result: Answer | Gan808Error) -> None:
        """Give the result to whoever asked, if anybody did."""
        if self.reply is not None:
            self.reply(result)
        elif isinstance(result, Gan808Error):
            log.warning("%s: %s", self.command, result)


Handler = Callable[[Call], Answer | None]


class Commands:
    """Address -> handler for every row that goes through the machine thread."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._volume = machine.settings.audio.master_volume
        self._latent = SoundRequests(machine)
        self.kits = KitLoading(machine)
        self.widths = Widths(machine)
        self.recording = Recorder(machine)
        self.snapshots = Snapshots(
            machine, lambda row: self._handlers[row](Call(row, ())), self.widths)
        self.sounds = SoundCommands(machine)
        self._scenes = Scenes(machine, self.snapshots, self.kits)
        self.songs = SongCommands(machine, self._scenes)
        self.files = SoundFiles(machine, self._scenes, self._latent)
        self._handlers = self._table()
        wanted = {row.address for row in TABLE
                  if row.kind in (Kind.VALUE, Kind.ACTION, Kind.QUERY)}
        if wanted != set(self._handlers):
            raise TypeError(f"the table and its handlers differ: {wanted ^ set(self._handlers)}")

    def run(self, call: Call) -> None:
        """Do what the call asks and answer it; what is raised becomes the answer."""
        answer: Answer | None = None
        with Guard(call.command, call.answer):
            slots = len(self._machine.swaps.slots)
            named = call.arguments and BY_ADDRESS[call.command].takes_slot
            if named and not _slot_of(call) < slots:
                raise Gan808Error(f"this kit has {slots} slots")
            answer = self._handlers[call.command](call)
        if answer is not None:
            call.answer(answer)

    def _table(self) -> dict[str, Handler]:
        machine = self._machine
        slot = f"/slot/{SLOT}"
        handlers: dict[str, Handler] = {
            f"{slot}/new": self._new,
            f"{slot}/undo": self._undo,
            f"{slot}/redo": self._redo,
            f"{slot}/copy": self._copy,
            f"{slot}/info": self._info,
            f"{slot}/similar": self._latent.similar,
            f"{slot}/morph": self._latent.morph,
            MIX: self._latent.morph,
            f"{slot}/tail": partial(self._latent.part, "t"),
            f"{slot}/attack": partial(self._latent.part, "a"),
            f"{slot}/recall": self._latent.recall,
            "/kit/save": self._save_kit,
            "/status": self._status,
            "/counters": self._counters,
            "/volume": self._set_volume,
            "/pool": self._stock,
            "/sound/keep": self._keep,
            "/sound/export": self._export,
            "/export": self._export_kit,
            "/kit/load": self.kits.load,
            "/kit/list": partial(self._scenes.list, lambda: machine.library.kit_names()),
            "/seq/patterns": partial(self._scenes.list, lambda: machine.library.pattern_names()),
            "/seq/songs": partial(self._scenes.list, lambda: machine.library.song_names()),
            "/record": self.recording.state,
            "/record/start": self.recording.start,
            "/record/stop": self.recording.stop,
        }
        for name in (*ENGINE_PARAMETERS, *OWN_PARAMETERS):
            handlers[f"{slot}/{name}"] = partial(self._slot_value, name)
        handlers[f"{slot}/width"] = self._slot_width
        handlers[f"{slot}/solo"] = self._solo
        for word in WISHES:
            handlers[f"{slot}/{word}"] = partial(self._wish, word)
        own = self._scenes.handlers | {"/state": lambda _: (self.snapshots.keeping(),)}
        own |= self._machine.learning.handlers() | self.sounds.handlers()
        own |= self.songs.handlers() | self.files.handlers()
        own |= StockCommands(self._machine, self.sounds.keep).handlers()
        own |= Overview(self._machine, self._read).handlers()
        return handlers | self._sequencer_table() | self._evolution_table() | own

    def _sequencer_table(self) -> dict[str, Handler]:
        sequencer, sync = self._machine.sequencer, self._machine.sync
        handlers: dict[str, Handler] = {
            "/seq/play": self._play,
            "/seq/stop": self._stop,
            "/seq/tempo": partial(
                self._value,
                lambda tempo: sync.set_tempo(float(tempo)),
                lambda: sequencer.tempo_bpm,
            ),
            "/seq/sync": partial(
                self._value, lambda mode: sync.set_mode(mode), lambda: sync.mode  # type: ignore[arg-type]
            ),
            "/seq/clock": lambda _: (sync.clock,),
            "/seq/countin": partial(
                self._value,
                lambda beats: setattr(sequencer, "count_in_beats", int(beats)),
                lambda: sequencer.count_in_beats,
            ),
            "/seq/swing": partial(
                self._value,
                lambda swing: sequencer.set_swing(float(swing)),
                lambda: sequencer.swing,
            ),
        }
        return handlers | PatternCommands(self._machine).table()

    def _evolution_table(self) -> dict[str, Handler]:
        evolution = self._machine.evolution

        def row(attribute: str) -> Handler:
            return partial(
                self._value,
                lambda value: setattr(evolution, attribute, value),
                lambda: getattr(evolution, attribute),
            )

        return {
            "/evolve": row("swaps_per_bar"),
            "/evolve/quantise": row("quantise"),
            "/evolve/mode": row("mode"),
        }

    # Values

    def _value(
        self, put: Callable[[Value], object], get: Callable[[], Value], call: Call
    ) -> Answer:
        if call.arguments:
            put(call.arguments[0])
            self._machine.emit(ParameterChanged(call.command, (get(),)))
        return (get(),)

    def _slot_value(self, name: str, call: Call) -> Answer:
        slot = self._machine.swaps.slots[_slot_of(call)]
        if len(call.arguments) < 2:
            return (slot.values[name],)
        before, value = slot.values[name], call.arguments[1]
        slot.values[name] = float(value) if isinstance(before, float) else int(value)
        if name in ENGINE_PARAMETERS:
            try:
                self._machine.swaps.send(slot.index, name, call.frame)
            except Gan808Error:
                slot.values[name] = before
                raise
        address = BY_ADDRESS[call.command].address_of(slot.layout.code)
        self._machine.emit(ParameterChanged(address, (slot.values[name],)))
        return (slot.values[name],)

    def _slot_width(self, call: Call) -> Answer:
        answer = self._slot_value("width", call)
        if len(call.arguments) > 1:
            self.widths.changed(_slot_of(call))
        return answer

    def _solo(self, call: Call) -> Answer:
        answer = self._slot_value("solo", call)
        if len(call.arguments) > 1:
            for slot in self._machine.swaps.slots:
                self._machine.swaps.send(slot.index, "mute", call.frame)
        return answer

    def _read(self, row: str) -> Answer:
        """The present value of a row of the whole machine."""
        return self._handlers[row](Call(row, ())) or ()

    def _set_volume(self, call: Call) -> Answer:
        return self._value(partial(self._put_volume, call.frame), lambda: self._volume, call)

    def _put_volume(self, frame: int, volume: Value) -> None:
        if not self._machine.port.set_master(MASTER_MOST * float(volume), frame):
            raise Gan808Error("volume: the engine is too busy; send it again")
        self._volume = float(volume)

    # Sounds

    def _new(self, call: Call) -> Answer | None:
        index, swaps = _slot_of(call), self._machine.swaps
        layout = swaps.slots[index].layout
        if len(call.arguments) > 1:
            place = Point(int(call.arguments[1])).widened(swaps.slots[index].width)
            self._latent.ask(call, layout.class_name, place)
            return None
        sound = swaps.draw(index, call.frame)
        if sound is None:
            swaps.say_empty(index)
            raise Gan808Error(f"{layout.code}: no {layout.class_name} in stock yet; it keeps its "
                              "sound")
        return (sound.id,)

    def _wish(self, word: str, call: Call) -> Answer:
        return (self._machine.swaps.draw_by(_slot_of(call), word, call.frame).id,)

    def _undo(self, call: Call) -> Answer:
        return (self._machine.swaps.undo(_slot_of(call), call.frame).id,)

    def _redo(self, call: Call) -> Answer:
        return (self._machine.swaps.redo(_slot_of(call), call.frame).id,)

    def _copy(self, call: Call) -> Answer:
        swaps = self._machine.swaps
        source = slot_index(str(call.arguments[1]), self._machine.codes)
        sound = swaps.sound(source)
        swaps.put(_slot_of(call), sound, call.frame)
        return (sound.id,)

    def _info(self, call: Call) -> Answer:
        sound = self._machine.swaps.sound(_slot_of(call))
        return (sound.id, sound.seed, sound.class_heard, sound.confidence, sound.realness)

    def _keep(self, call: Call) -> Answer:
        return (str(self._machine.library.keep(self._machine.swaps.sound(_slot_of(call)))),)

    def _export(self, call: Call) -> Answer:
        sound = self._machine.swaps.sound(_slot_of(call))
        name = str(call.arguments[1]) if len(call.arguments) > 1 else sound.file_stem()
        return (str(self._machine.library.export(sound, name)),)

    def _export_kit(self, call: Call) -> None:
        machine, (format_name, name) = self._machine, map(str, call.arguments)
        work = partial(machine.library.export_kit, machine.kit, self.snapshots.state(), format_name,
                       machine.engine.sample_rate_hz, name)
        self._scenes.apart(call, work, lambda path: call.answer((str(path),)))

    # Sequencer

    def _play(self, call: Call) -> Answer:
        self._machine.sync.play(call.frame or self._machine.soon())
        return ()

    def _stop(self, call: Call) -> Answer:
        self._machine.sync.stop(call.frame or self._machine.now())
        return ()

    # Machine and kits

    def _status(self, call: Call) -> Answer:
        status = self._machine.status(reset_peak=not any(call.arguments))
        return (status.voices, status.pool, status.load, status.peak, status.xruns,
                float(status.sample_rate_hz), status.latency_ms)

    def _counters(self, _: Call) -> Answer:
        status = self._machine.status()
        return status.late_commands, status.stolen_voices, status.dropped_commands

    def _stock(self, _: Call) -> Answer:
        return tuple(part for pair in self._machine.pool.stock().items() for part in pair)

    def _save_kit(self, call: Call) -> Answer:
        machine, name = self._machine, str(call.arguments[0])
        sounds = [slot.sound for slot in machine.swaps.slots if slot.sound is not None]
        own = [sound for sound in sounds if sound.kit == machine.kit.name and not sound.file]
        machine.library.save_kit(machine.kit, own, name)
        return (name,)


def _slot_of(call: Call) -> int:
    return int(call.arguments[0])
