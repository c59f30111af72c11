"""Scenes: the slots, their sounds and the pattern under a name, saved and recalled while it plays.

Machine thread only; files are the disk's thread's. A scene holds the audio of its sounds, so that
recalling it waits for no renderer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from gan808.errors import Gan808Error, KitError
from gan808.instrument.calls import Answer, Call, Handler
from gan808.instrument.context import Context
from gan808.instrument.events import ParameterChanged
from gan808.instrument.evolution import Evolution, Quantise
from gan808.instrument.kit_switch import KitLoading
from gan808.instrument.state import KeptPattern, State
from gan808.sequencer.sequencer import Sequencer

if TYPE_CHECKING:
    from gan808.instrument.snapshots import Snapshots
    from gan808.sequencer.patterns import Pattern


class Scenes:
    """Carries out /scene and what is below it.

    A scene is the kit, its slots and the pattern; tempo, swing, volume and evolution stay as they
    are: a change of scene in the middle of a piece must not change its tempo.
    """

    def __init__(self, context: Context, snapshots: Snapshots, kits: KitLoading,
                 sequencer: Sequencer, evolution: Evolution) -> None:
        self._context = context
        self._snapshots = snapshots
        self._kits = kits
        self._sequencer = sequencer
        self._evolution = evolution
        self._current = ""

    def handlers(self) -> dict[str, Handler]:
        """What the rows of the table do."""
        return {
            "/scene": lambda _: (self._current,),
            "/scene/save": self._save,
            "/scene/recall": self._recall,
            "/scene/delete": self._delete,
        }

    def _save(self, call: Call) -> None:
        name, scene = _name_of(call), self._snapshots.state()
        self._context.disk.do_for(
            call, partial(self._context.library.save_scene, name, scene),
            lambda _: self._done(call, name))

    def _recall(self, call: Call) -> None:
        self._context.disk.do_for(
            call, partial(self._read, _name_of(call)), partial(self._play, call))

    def _delete(self, call: Call) -> None:
        name = _name_of(call)
        self._context.disk.do_for(call, partial(self._context.library.delete_scene, name),
                                  lambda _: call.answer((name,)))

    def play_at_bar(
        self, name: str, pattern: Pattern | None, failed: Callable[[Gan808Error], None],
        *, wait: bool = False,
    ) -> None:
        """Play a scene from the next bar on. pattern: instead of the scene's own; None for that.
        wait: read the scene on this thread, before anything plays."""
        call, disk = Call("/scene/recall", (name,)), self._context.disk
        call.then(lambda result: failed(result) if isinstance(result, Gan808Error) else None)
        do_for = disk.do_here_for if wait else disk.do_for
        do_for(call, partial(self._read, name),
               lambda scene: self._play(call, _with(scene, pattern), "bar"))

    def _read(self, name: str) -> State:
        return self._context.library.scene(name, self._context.engine.sample_rate_hz)

    def _play(self, call: Call, scene: State, quantise: Quantise | None = None) -> None:
        """The scene is read: play it at the swap quantise point, with its kit if that is another.

        Raises Gan808Error.
        """
        context = self._context
        if scene.kit != context.library.kit_place(context.kit):
            self._play_with_kit(call, scene)
            return
        frame = self._sequencer.next_frame(quantise or self._evolution.quantise, context.now())
        self._snapshots.take_over(scene, frame)
        self._snapshots.take_pattern(scene)
        self._done(call, _name_of(call))

    def _play_with_kit(self, call: Call, scene: State) -> None:
        """The kit is made ready beside the one that plays, as /kit/load does."""
        name = _name_of(call)

        def loaded(result: Answer | Gan808Error) -> None:
            if isinstance(result, Gan808Error):
                call.answer(KitError(f"scene {name} has a kit of its own: {result}"))
            else:
                self._done(call, name)

        loading = Call(call.command, call.arguments)
        loading.then(loaded)
        self._kits.load_with(loading, scene)

    def _done(self, call: Call, name: str) -> None:
        self._current = name
        self._context.emit(ParameterChanged("/scene", (name,)))
        call.answer((name,))


def _with(scene: State, pattern: Pattern | None) -> State:
    return scene if pattern is None else replace(scene, pattern=KeptPattern.of(pattern, pattern))


def _name_of(call: Call) -> str:
    return str(call.arguments[0])
