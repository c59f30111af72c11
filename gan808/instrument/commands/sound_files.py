"""The user's own files into slots: played as they are, or the kit's sound that is nearest to one.

Machine thread only; files are read on the thread of the scenes, searches run in the render process,
and both answer back here.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from gan808.errors import ConfigError, Gan808Error
from gan808.instrument.parameter import SLOT
from gan808.sound.sound import FileId, Nearest, Sound

if TYPE_CHECKING:
    from pathlib import Path

    from gan808.instrument.commands.handlers import Call, Handler
    from gan808.instrument.machine import Machine
    from gan808.instrument.scenes import Scenes
    from gan808.instrument.sound_requests import SoundRequests

ALL = "all"


class SoundFiles:
    """Carries out /slot/SLOT/load, /slot/SLOT/match, /sound/files, and /recall of a file's id."""

    def __init__(self, machine: Machine, scenes: Scenes, latent: SoundRequests) -> None:
        self._machine = machine
        self._scenes = scenes
        self._latent = latent

    def handlers(self) -> dict[str, Handler]:
        """What the rows of the table do."""
        return {
            f"/slot/{SLOT}/load": self._load,
            f"/slot/{SLOT}/match": self._match,
            "/sound/files": partial(
                self._scenes.list, lambda: self._machine.library.sound_file_names()),
        }

    def recall(self, call: Call, wanted: FileId) -> None:
        """The sound of a file's id, into the slot, from the file as it was."""
        machine = self._machine
        work = partial(machine.library.reload_sound, wanted, machine.kit,
                       machine.engine.sample_rate_hz)
        self._scenes.apart(call, work, partial(self._put, call))

    def _load(self, call: Call) -> None:
        machine = self._machine
        class_name = machine.swaps.slots[_slot_of(call)].layout.class_name
        work = partial(machine.library.load_sound, str(call.arguments[1]), machine.kit, class_name,
                       machine.engine.sample_rate_hz)
        self._scenes.apart(call, work, partial(self._put, call))

    def _match(self, call: Call) -> None:
        classes = self._machine.kit.classes
        name = str(call.arguments[2]) if len(call.arguments) > 2 else ALL
        if name not in (ALL, *classes):
            raise ConfigError(f"kit {self._machine.kit.name} has no class {name[:80]!r}; give "
                              f"{', '.join(classes)} or {ALL}")
        self._scenes.apart(call, partial(self._machine.library.sound_file, str(call.arguments[1])),
                           partial(self._search, call, () if name == ALL else (name,)))

    def _search(self, call: Call, class_names: tuple[str, ...], file: Path) -> None:
        machine = self._machine
        machine.filler.search(
            file, class_names, partial(machine.go_on, call, self._found, call))

    def _found(self, call: Call, result: Nearest | Gan808Error) -> None:
        """The renderer's answer, back on the machine thread: as wide as the slot it goes to."""
        if isinstance(result, Gan808Error):
            raise result
        self._require(call, result.sound)
        slot, sound = self._machine.swaps.slots[_slot_of(call)], result.sound
        if slot.width:
            self._latent.ask(call, sound.class_asked, sound.point.widened(slot.width),
                             result.distance_db)
        else:
            self._put(call, sound, result.distance_db)

    def _put(self, call: Call, sound: Sound, *more: float) -> None:
        self._require(call, sound)
        self._machine.swaps.put(_slot_of(call), sound, call.frame)
        call.answer((sound.id, *more))

    def _require(self, call: Call, sound: Sound) -> None:
        """Raises Gan808Error when the kit has changed meanwhile."""
        machine = self._machine
        if sound.kit != machine.kit.name or not _slot_of(call) < len(machine.swaps.slots):
            raise Gan808Error("the kit has changed; send it again")


def _slot_of(call: Call) -> int:
    return int(call.arguments[0])
