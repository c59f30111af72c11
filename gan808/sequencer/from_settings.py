"""A sequencer as settings want it. No thread of its own."""

from __future__ import annotations

from collections.abc import Sequence

from gan808.config import Settings
from gan808.engine.protocols import EngineLike
from gan808.sequencer.patterns import Pattern
from gan808.sequencer.sequencer import Sequencer, SequencerListener

# The way into the engine on which steps are sent.
SEQUENCER_PORT = "sequencer"


def make_sequencer(
    settings: Settings, pattern: Pattern, codes: Sequence[str], engine: EngineLike,
    listener: SequencerListener,
) -> Sequencer:
    """A sequencer as the settings want it, on a port of its own."""
    chosen = settings.sequencer
    return Sequencer(
        pattern, codes, engine.port(SEQUENCER_PORT), engine.sample_rate_hz,
        tempo_bpm=chosen.tempo_bpm or None,
        swing=chosen.swing if chosen.swing >= 0 else None,
        listener=listener,
        seed=max(settings.renderer.seed, 0),
        vary=chosen.vary,
        fills=chosen.fills,
    )
