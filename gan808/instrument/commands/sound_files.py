"""The user's own files into slots: played as they are, or the kit's sound that is nearest to one.

Machine thread only; files are read on the disk's thread, searches run in the render process,
and both answer back here.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from gan808.errors import ConfigError, Gan808Error
from gan808.instrument.parameter import SLOT
from gan808.sound.sound import Nearest, Sound

if TYPE_CHECKING:
    from pathlib import Path

    from gan808.instrument.calls import Call, Handler
    from gan808.instrument.context import Context
    from gan808.instrument.sound_requests import SoundRequests

ALL = "all"


class SoundFiles:
    """Carries out /slot/SLOT/load, /slot/SLOT/match and /sound/files."""

    def __init__(self, context: Context, requests: SoundRequests) -> None:
        self._context = context
        self._requests = requests

    def handlers(self) -> dict[str, Handler]:
        """What the rows of the table do."""
        return {
            f"/slot/{SLOT}/load": self._load,
            f"/slot/{SLOT}/match": self._match,
            "/sound/files": partial(
                self._context.disk.list_for, lambda: self._context.library.sound_file_names()),
        }

    def _load(self, call: Call) -> None:
        context = self._context
        class_name = context.swaps.slots[call.slot].layout.class_name
        work = partial(context.library.load_sound, str(call.arguments[1]), context.kit, class_name,
                       context.engine.sample_rate_hz)
        self._context.disk.do_for(call, work, partial(self._put, call))

    def _match(self, call: Call) -> None:
        classes = self._context.kit.classes
        name = str(call.arguments[2]) if len(call.arguments) > 2 else ALL
        if name not in (ALL, *classes):
            raise ConfigError(f"kit {self._context.kit.name} has no class {name[:80]!r}; give "
                              f"{', '.join(classes)} or {ALL}")
        self._context.disk.do_for(
            call, partial(self._context.library.sound_file, str(call.arguments[1])),
            partial(self._search, call, () if name == ALL else (name,)))

    def _search(self, call: Call, class_names: tuple[str, ...], file: Path) -> None:
        context = self._context
        context.filler.search(
            file, class_names, partial(context.post, call.go_on, self._found, call))

    def _found(self, call: Call, result: Nearest | Gan808Error) -> None:
        """The renderer's answer, back on the machine thread: as wide as the slot it goes to."""
        if isinstance(result, Gan808Error):
            raise result
        self._require(call, result.sound)
        slot, sound = self._context.swaps.slots[call.slot], result.sound
        if slot.width:
            self._requests.ask(call, sound.class_asked, sound.point.widened(slot.width),
                             result.distance_db)
        else:
            self._put(call, sound, result.distance_db)

    def _put(self, call: Call, sound: Sound, *more: float) -> None:
        self._require(call, sound)
        self._context.swaps.put(call.slot, sound, call.frame)
        call.answer((sound.id, *more))

    def _require(self, call: Call, sound: Sound) -> None:
        """Raises Gan808Error when the kit has changed meanwhile."""
        context = self._context
        if sound.kit != context.kit.name or not call.slot < len(context.swaps.slots):
            raise Gan808Error("the kit has changed; send it again")
