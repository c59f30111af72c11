"""What the daemon says about its output, in words. Pure functions; any thread."""

from __future__ import annotations

from gan808.engine.outputs.device_output import DeviceOutput
from gan808.engine.outputs.jack import JackOutput
from gan808.engine.outputs.registry import Output


def describe_output(output: Output) -> str:
    """A started output in a line."""
    latency = f", {1000 * output.latency_s:.1f} ms" if output.latency_s else ""
    block = f", {output.block_frames} frames a block" if output.block_frames else ""
    slots = ", each slot alone too" if output.by_slot else ""
    return f"{output.name}, {output.sample_rate_hz} Hz{block}{latency}{slots}"


def describe_scheduling(sound_threads: int, notes: bool) -> str:
    """What the system grants of real-time scheduling, in a line."""
    if sound_threads and notes:
        return "sound and notes"
    if sound_threads:
        return "sound; notes: not granted to this user"
    if notes:
        return "notes; not the sound: that is for its server or driver to grant"
    return "not granted: allow it to this user (rtprio), or sound may break up on a busy machine"


def may_return(output: Output) -> bool:
    """Whether it can be opened again after it went away: a device can; a file cannot."""
    return isinstance(output, DeviceOutput)


def on_jack(output: Output) -> bool:
    """Whether the sound goes to JACK, where MIDI should come from then."""
    return isinstance(output, JackOutput)
