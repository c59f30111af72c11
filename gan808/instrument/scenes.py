"""Scenes: the slots, their sounds and the pattern under a name, saved and recalled while it plays.

Handlers run on the machine thread. Files are read and written in their order on a thread of their
own, "gan808-scenes", which is there from the first scene on; offline, where nothing may come later,
on the machine's. A scene holds the audio of its sounds, so that recalling it waits for no renderer.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from gan808.errors import Gan808Error, Guard, KitError
from gan808.instrument.events import ParameterChanged
from gan808.instrument.evolution import Quantise
from gan808.instrument.state import KeptPattern, State

if TYPE_CHECKING:
    from gan808.instrument.commands.handlers import Answer, Call, Handler
    from gan808.instrument.kit_switch import KitLoading
    from gan808.instrument.machine import Machine
    from gan808.instrument.snapshots import Snapshots
    from gan808.sequencer.patterns import Pattern

FINISH_S = 1.0


class Scenes:
    """Carries out /scene and what is below it.

    A scene is the kit, its slots and the pattern; tempo, swing, volume and evolution stay as they
    are: a change of scene in the middle of a piece must not change its tempo.
    """

    def __init__(self, machine: Machine, snapshots: Snapshots, kits: KitLoading) -> None:
        self._machine = machine
        self._snapshots = snapshots
        self._kits = kits
        self._current = ""
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        snapshots.finish = self.finish
        self.handlers: dict[str, Handler] = {
            "/scene": lambda _: (self._current,),
            "/scene/save": self._save,
            "/scene/recall": self._recall,
            "/scene/list": partial(self.list, lambda: machine.library.scene_names()),
            "/scene/delete": self._delete,
        }

    def finish(self) -> None:
        """Wait a moment for what is being written; the machine has stopped."""
        if self._thread is not None:
            self._work.put(None)
            self._thread.join(FINISH_S)
            self._thread = None

    def _save(self, call: Call) -> None:
        name, scene = _name_of(call), self._snapshots.state()
        self.apart(call, partial(self._machine.library.save_scene, name, scene),
                    lambda _: self._done(call, name))

    def _recall(self, call: Call) -> None:
        name, library = _name_of(call), self._machine.library
        self.apart(call, partial(library.scene, name, self._machine.engine.sample_rate_hz),
                    partial(self._play, call, name))

    def list(self, names: Callable[[], Sequence[str]], call: Call) -> None:
        """Answer with names that are read from a folder: of kits and patterns too."""
        self.apart(call, names, lambda found: call.answer(tuple(found)))

    def _delete(self, call: Call) -> None:
        name = _name_of(call)
        self.apart(call, partial(self._machine.library.delete_scene, name),
                    lambda _: call.answer((name,)))

    def play_at_bar(
        self, name: str, pattern: Pattern | None, failed: Callable[[Gan808Error], None],
        *, wait: bool = False,
    ) -> None:
        """Play a scene from the next bar on, with that pattern instead of its own where given.

        wait: read it here and now, before anything plays.
        """
        from gan808.instrument.commands.handlers import Call

        def answered(result: Answer | Gan808Error) -> None:
            if isinstance(result, Gan808Error):
                failed(result)

        call, machine = Call("/scene/recall", (name,), reply=answered), self._machine
        self.apart(call, partial(machine.library.scene, name, machine.engine.sample_rate_hz),
                   lambda scene: self._play(call, name, _with(scene, pattern), "bar"), here=wait)

    def _play(
        self, call: Call, name: str, scene: State, quantise: Quantise | None = None
    ) -> None:
        """The scene is read: play it at the swap quantise point, with its kit if that is another.

        Raises Gan808Error.
        """
        machine = self._machine
        if scene.kit != machine.library.kit_place(machine.kit):
            self._play_with_kit(call, name, scene)
            return
        frame = machine.sequencer.next_frame(
            quantise or machine.evolution.quantise, machine.now())
        self._snapshots.take_over(scene, frame)
        self._snapshots.take_pattern(scene)
        self._done(call, name)

    def _play_with_kit(self, call: Call, name: str, scene: State) -> None:
        """The kit is made ready beside the one that plays, as /kit/load does."""
        def loaded(result: Answer | Gan808Error) -> None:
            if isinstance(result, Gan808Error):
                call.answer(KitError(f"scene {name} has a kit of its own: {result}"))
            else:
                self._done(call, name)

        asked = type(call)(call.command, call.arguments, reply=loaded)
        with Guard(call.command, loaded):
            self._kits.load_for(asked, self._machine.library.kit_at(scene.kit), scene)

    def _done(self, call: Call, name: str) -> None:
        self._current = name
        self._machine.emit(ParameterChanged("/scene", (name,)))
        call.answer((name,))

    def apart(
        self, call: Call, work: Callable[[], Any], done: Callable[[Any], None],
        *, here: bool = False,
    ) -> None:
        """Do the work on the scenes' thread and what follows from it on the machine's."""
        job = partial(self._do, call, work, done)
        if here or not self._machine.live:
            job()
            return
        if self._thread is None:
            thread = threading.Thread(target=self._run, name="gan808-scenes", daemon=True)
            thread.start()
            self._thread = thread
        self._work.put(job)

    def _run(self) -> None:
        while (job := self._work.get()) is not None:
            job()

    def _do(self, call: Call, work: Callable[[], Any], done: Callable[[Any], None]) -> None:
        with Guard(call.command, partial(self._machine.post, call.answer)):
            self._machine.go_on(call, done, work())


def _with(scene: State, pattern: Pattern | None) -> State:
    return scene if pattern is None else replace(scene, pattern=KeptPattern.of(pattern, pattern))


def _name_of(call: Call) -> str:
    return str(call.arguments[0])
