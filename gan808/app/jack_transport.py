"""JACK's transport for a run, through the output that plays at the moment. Any thread."""

from __future__ import annotations

from gan808.engine.engine import Engine
from gan808.engine.jack.transport import JackTransport
from gan808.engine.outputs.jack import JackOutput
from gan808.engine.outputs.registry import Output
from gan808.errors import ConfigError
from gan808.sequencer.from_settings import SEQUENCER_PORT


def open_transport(output: Output, engine: Engine, *, lead: bool) -> JackTransport:
    """The transport of the server an output plays on. Raises ConfigError where it plays elsewhere.
    """
    if not isinstance(output, JackOutput) or not output.alive:
        raise ConfigError("sync jack needs the sound on JACK; it is on " + output.name)
    return output.open_transport(engine.port(SEQUENCER_PORT).index, lead=lead)
