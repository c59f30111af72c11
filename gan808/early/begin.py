"""Plays before the rest is loaded, where everything for that is there; else does nothing at all.

`begin` is the first thing a `run` does. What it returns is adopted part by part: the code by
native.py, the memory by `Engine`, the clients by the JACK output and the MIDI port, the notes by
the MIDI thread. Main thread.
"""

from __future__ import annotations

import os
import signal
import struct
import sys
import zlib

from gan808.app.realtime import take_short_turns
from gan808.early import image as images
from gan808.early.clients import EarlyInput, EarlyOutput
from gan808.early.image import Image, Unfit
from gan808.early.memory import EarlyEngine
from gan808.early.notes import EarlyNotes
from gan808.early.slots import first_slots
from gan808.engine.jit.linking import Linker, LinkError
from gan808.errors import DeviceError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

Code = dict[str, dict[str, int]]  # the address of each routine, by module
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Early:
    """What plays already. Whoever adopts a client takes it; `close` ends what nobody took.

    adopted: all of it is somebody else's to stop.
    """

    def __init__(self, code: Code, engine: EarlyEngine, output: EarlyOutput) -> None:
        self.code = code
        self.engine = engine
        self.output: EarlyOutput | None = output
        self.input: EarlyInput | None = None
        self.notes: EarlyNotes | None = None
        self.adopted = False
        self._clients = [output.client]

    def listen(self, source: EarlyInput, notes: EarlyNotes) -> None:
        """Play what comes from there."""
        self.input, self.notes = source, notes
        self._clients.append(source.client)
        notes.start()

    def leave_on_signals(self) -> None:
        """A signal that ends the process before there is a daemon to stop: leave JACK first, which
        waits for clients that die."""
        for number in ENDING:
            if signal.getsignal(number) is not signal.SIG_IGN:  # as with nohup
                signal.signal(number, self._leave)

    def _leave(self, number: int, _frame: object) -> None:
        if not self.adopted:
            for client in self._clients:
                client.close()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    def take_output(self) -> EarlyOutput:
        """The output, which is the caller's from now on. Raises DeviceError the second time."""
        taken, self.output = self.output, None
        if taken is None:
            raise DeviceError("the early output was taken before")
        return taken

    def take_input(self) -> EarlyInput | None:
        """The MIDI port, which is the caller's from now on; None where it was taken before."""
        taken, self.input = self.input, None
        return taken

    def threads(self) -> frozenset[int]:
        """The system's numbers of threads of ours."""
        number = self.notes.thread_id if self.notes is not None else None
        return frozenset() if number is None else frozenset({number})

    def close(self) -> None:
        """Stop what has not been taken; safe to call twice."""
        if self.notes is not None:
            self.notes.hand_over()
        for part in (self.input, self.output):
            if part is not None:
                part.client.close()
        self.input = self.output = None


def begin(options: Mapping[str, Any]) -> Early | None:
    """Play at once, if a run with these options has left an image of its start, and nothing that
    it was made from has changed. None, and nothing has happened, in every other case."""
    if sys.platform != "linux" or any(options.get(name) for name in images.LATE_OPTIONS):
        return None
    try:
        key = images.key_of(options)
        image = images.read(images.path_of(key), key)
        images.check(image.facts["needs"])
        return _play(image)
    except (Unfit, LinkError, DeviceError, OSError, ValueError, KeyError, TypeError, IndexError,
            AttributeError, struct.error, zlib.error):
        return None  # the ordinary start knows what to say, where there is anything


def _play(image: Image) -> Early:
    volume, slots = first_slots(image)
    code = _linked(image)
    callbacks = code["jack_callbacks"]
    engine = EarlyEngine(image, code["kernel"], volume, slots)
    output = EarlyOutput(image, callbacks, image.facts["output"]["spec"])
    early = Early(code, engine, output)
    playing = False
    try:
        output.start(engine, code["kernel"]["callback"])
        source = EarlyInput(image, callbacks, code["jack_midi_kernel"]["process"], engine)
        take_short_turns()
        early.listen(source, EarlyNotes(image.facts["input"], slots, source, engine))
        early.leave_on_signals()
        playing = True
    finally:
        if not playing:
            early.close()
    return early


def _linked(image: Image) -> Code:
    linker = Linker(image.facts["library"])
    if [linker.triple, linker.processor, linker.features] != image.facts["processor"]:
        raise Unfit("another processor")
    return {module: linker.addresses(bytes(image.bytes_at(part["at"])), part["symbols"])
            for module, part in image.facts["code"].items()}
