"""Start, stop, tempo and swing of the sequencer, and how the kit evolves. Machine thread only."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from gan808.instrument.calls import Answer, Call, Handler
from gan808.instrument.commands.values import value_handler
from gan808.instrument.context import Context
from gan808.instrument.evolution import Evolution
from gan808.sequencer.sequencer import Sequencer
from gan808.sequencer.sync import Sync


class TransportCommands:
    """Acts on sequencer, sync and evolution."""

    def __init__(self, context: Context, sequencer: Sequencer, sync: Sync, evolution: Evolution,
                 soon: Callable[[], int]) -> None:
        """soon: a frame that the sequencer can start at without being late."""
        self._context = context
        self._sequencer = sequencer
        self._sync = sync
        self._evolution = evolution
        self._soon = soon

    def handlers(self) -> dict[str, Handler]:
        """What the rows of the table do."""
        sequencer, sync = self._sequencer, self._sync
        value = partial(value_handler, self._context.emit)
        return {
            "/seq/play": self._play,
            "/seq/stop": self._stop,
            "/seq/tempo": value(
                lambda tempo: sync.set_tempo(float(tempo)), lambda: sequencer.tempo_bpm),
            "/seq/sync": value(
                lambda mode: sync.set_mode(mode), lambda: sync.mode),  # type: ignore[arg-type]
            "/seq/clock": lambda _: (sync.clock,),
            "/seq/countin": value(
                lambda beats: setattr(sequencer, "count_in_beats", int(beats)),
                lambda: sequencer.count_in_beats),
            "/seq/swing": value(
                lambda swing: sequencer.set_swing(float(swing)), lambda: sequencer.swing),
            "/evolve": self._evolution_value("swaps_per_bar"),
            "/evolve/quantise": self._evolution_value("quantise"),
            "/evolve/mode": self._evolution_value("mode"),
        }

    def _evolution_value(self, attribute: str) -> Handler:
        return value_handler(
            self._context.emit, lambda value: setattr(self._evolution, attribute, value),
            lambda: getattr(self._evolution, attribute))

    def _play(self, call: Call) -> Answer:
        self._sync.play(call.frame or self._soon())
        return ()

    def _stop(self, call: Call) -> Answer:
        self._sync.stop(call.frame or self._context.now())
        return ()
