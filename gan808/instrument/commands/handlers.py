"""Which handler each row of the parameter table has, and the carrying out of a call. Machine thread
only.

A handler answers with a tuple of plain values, raises Gan808Error, or returns None and answers
later (a sound or a kit that has to be made first). A family of rows is a class with `handlers()`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gan808.config import Settings
from gan808.errors import Gan808Error, Guard
from gan808.instrument.calls import Answer, Call, Handler
from gan808.instrument.commands.kits import KitCommands
from gan808.instrument.commands.overview import Overview, StatusSource
from gan808.instrument.commands.patterns import PatternCommands
from gan808.instrument.commands.slots import SlotCommands
from gan808.instrument.commands.songs import SongCommands
from gan808.instrument.commands.sound_files import SoundFiles
from gan808.instrument.commands.sounds import SoundCommands
from gan808.instrument.commands.stock import StockCommands
from gan808.instrument.commands.transport import TransportCommands
from gan808.instrument.context import Context
from gan808.instrument.evolution import Evolution
from gan808.instrument.host import Host
from gan808.instrument.kit_switch import KitLoading, KitSwitches
from gan808.instrument.learning import Learning
from gan808.instrument.parameter import Kind
from gan808.instrument.parameters import BY_ADDRESS, TABLE
from gan808.instrument.scenes import Scenes
from gan808.instrument.snapshots import Snapshots
from gan808.instrument.sound_requests import SoundRequests
from gan808.instrument.widths import Widths
from gan808.sequencer.sequencer import Sequencer
from gan808.sequencer.sync import Sync

COMMANDS = (Kind.VALUE, Kind.ACTION, Kind.QUERY)
SEQUENCER = "/seq/"


@dataclass(frozen=True, slots=True)
class Parts:
    """What of the machine the handlers act on, besides the context."""

    sequencer: Sequencer
    sync: Sync
    evolution: Evolution
    learning: Learning
    switches: KitSwitches
    widths: Widths


class Commands:
    """Address -> handler for every row that goes through the machine thread."""

    def __init__(
        self, context: Context, parts: Parts, settings: Settings, host: Host,
        machine: StatusSource,
    ) -> None:
        self._context = context
        self._handlers: dict[str, Handler] = {}
        sequencer, sync, evolution = parts.sequencer, parts.sync, parts.evolution
        sounds = SoundCommands(context, machine.subscribe)
        requests = SoundRequests(context, settings.renderer.seed, sounds.find)
        self.snapshots = Snapshots(context, sequencer, self._read, parts.widths)
        self.kits = KitLoading(context, parts.switches, self.snapshots, sequencer, evolution)
        scenes = Scenes(context, self.snapshots, self.kits, sequencer, evolution)
        self.songs = SongCommands(context, scenes, sequencer, sync)
        self._patterns = PatternCommands(context, sequencer, sync)
        for family in (
            SlotCommands(context, requests, parts.widths, settings.audio.master_volume),
            sounds, requests, SoundFiles(context, requests), StockCommands(context, sounds.keep),
            KitCommands(context, self.kits, self.snapshots), scenes,
            TransportCommands(context, sequencer, sync, evolution, machine.soon),
            self._patterns, self.songs, parts.learning,
            Overview(context, sequencer, evolution, host, self._read, machine),
        ):
            self.register(family.handlers())

    def register(self, handlers: Mapping[str, Handler]) -> None:
        """These rows of the table do this from now on. Raises TypeError for what is no row that
        goes through the machine thread, or has a handler already."""
        for address, handler in handlers.items():
            row = BY_ADDRESS.get(address)
            if row is None or row.kind not in COMMANDS or address in self._handlers:
                raise TypeError(f"{address}: no row of the table, or it has a handler already")
            self._handlers[address] = handler

    @property
    def missing(self) -> list[str]:
        """Rows of the table without a handler."""
        return [row.address for row in TABLE
                if row.kind in COMMANDS and row.address not in self._handlers]

    def run(self, call: Call) -> None:
        """Do what the call asks and answer it; what is raised becomes the answer."""
        answer: Answer | None = None
        with Guard(call.command, call.answer):
            slots = len(self._context.swaps.slots)
            named = call.arguments and BY_ADDRESS[call.command].takes_slot
            if named and not call.slot < slots:
                raise Gan808Error(f"this kit has {slots} slots")
            handler = self._handlers.get(call.command)
            if handler is None:
                raise Gan808Error("that is not to be had in this run")
            answer = (self._patterns.in_order(handler, call)
                      if call.command.startswith(SEQUENCER) else handler(call))
        if answer is not None:
            call.answer(answer)

    def _read(self, row: str) -> Answer:
        """The present value of a row of the whole machine."""
        handler = self._handlers.get(row)
        return handler(Call(row)) or () if handler is not None else ()
