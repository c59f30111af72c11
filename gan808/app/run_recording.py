"""The recording of a whole run: `run --record`. For the wiring's thread."""

from __future__ import annotations

from gan808.app.display import Display
from gan808.recording.recorder import Recorder, stem_of


def begin_recording(recorder: Recorder, name: str | None) -> None:
    """Record from the first block on, if that was asked for. Raises Gan808Error."""
    if name is not None:
        recorder.begin(stem_of(name))


def end_recording(recorder: Recorder, display: Display) -> None:
    """Complete the files of a recording that still runs, and say where they are."""
    said = recorder.close()
    if said is not None:
        display.say(said)
